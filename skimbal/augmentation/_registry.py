"""Augmentations by name, and what `augmentation=` stands for."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skimbal._utils._validation import unknown_name_message
from skimbal.augmentation._base import BaseAugmentation
from skimbal.augmentation._images import Crop, Cutout, Flip
from skimbal.augmentation._masks import FrequencyMask, TimeMask
from skimbal.augmentation._own import FunctionAugmentation
from skimbal.augmentation._signals import Noise, Scaling, Shift

_AUGMENTATIONS: dict[str, type[BaseAugmentation]] = {
    "crop": Crop,
    "cutout": Cutout,
    "flip": Flip,
    "frequency_mask": FrequencyMask,
    "noise": Noise,
    "scaling": Scaling,
    "shift": Shift,
    "time_mask": TimeMask,
}


def all_augmentations() -> dict[str, type[BaseAugmentation]]:
    """Return every augmentation by the name that `augmentation=` takes.

    Returns
    -------
    dict of str to class
        A new dict, which the caller may change.

    Examples
    --------
    >>> from skimbal.augmentation import all_augmentations
    >>> all_augmentations()["noise"](0.2)
    Noise(strength=0.2)
    """
    return dict(_AUGMENTATIONS)


def resolve_augmentation(
    augmentation: str | BaseAugmentation | Callable | Sequence | None,
) -> tuple[BaseAugmentation, ...]:
    """Return the values that `augmentation` stands for.

    Parameters
    ----------
    augmentation : str, BaseAugmentation, callable, sequence of them or None
        A name of `all_augmentations`, a value, a function of a batch and a `torch.Generator`, or
        several of them in the order in which they are applied.

    Returns
    -------
    tuple of BaseAugmentation
        Empty for None and for an empty sequence.

    Raises
    ------
    ValueError
        For anything else. The message for an unknown name suggests similar ones.

    Examples
    --------
    >>> from skimbal.augmentation import Noise, resolve_augmentation
    >>> resolve_augmentation(["shift", Noise(0.2)])
    (Shift(), Noise(strength=0.2))
    """
    if augmentation is None:
        return ()
    if isinstance(augmentation, str) or not isinstance(augmentation, Sequence | np.ndarray):
        return (_resolve_one(augmentation),)
    return tuple(_resolve_one(part) for part in augmentation)


def _resolve_one(given: Any) -> BaseAugmentation:
    if isinstance(given, BaseAugmentation):
        return given
    if isinstance(given, str):
        if given not in _AUGMENTATIONS:
            raise ValueError(unknown_name_message("augmentation", given, _AUGMENTATIONS))
        return _AUGMENTATIONS[given]()
    if isinstance(given, type) and issubclass(given, BaseAugmentation):
        raise ValueError(
            f"augmentation has the class {given.__name__}; give an instance, {given.__name__}()"
        )
    if callable(given):
        return FunctionAugmentation(given)
    raise ValueError(
        f"augmentation has {given!r}; give names such as 'noise', values of skimbal.augmentation "
        "such as Noise(0.1), functions f(X, generator), or a list of them"
    )
