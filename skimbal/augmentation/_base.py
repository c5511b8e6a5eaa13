"""What an augmentation is: a small value whose changes of a batch are a function of random numbers.

The random numbers of the rows and what is done with them are apart. The numbers come from the
generator of a network, batch by batch, a row of numbers for each sample. The change is a pure
function of the samples and the numbers, so a network gets the same samples alone and in a
population.
"""

from abc import ABCMeta, abstractmethod
from math import prod

import torch
from sklearn.base import BaseEstimator
from torch import Tensor

# What the axes of a sample mean, by their number.
SHAPES = {
    1: "rows of a table (n_features,)",
    2: "signals (channels, length)",
    3: "images (channels, height, width) or spectrograms (channels, frequencies, times)",
}


class BaseAugmentation(BaseEstimator, metaclass=ABCMeta):
    """Base of the augmentations; a subclass writes `apply`, and `n_drawn` if it is not 1.

    Attributes
    ----------
    n_axes : tuple of int
        Numbers of axes that samples may have: 1 for rows of a table, 2 for signals, 3 for images
        and spectrograms.
    is_rowwise : bool
        Whether a sample depends on its own random numbers alone. If not, `apply` is called for
        each network of a population.

    Examples
    --------
    A change of sign, every second time:

    >>> import torch
    >>> from skimbal.augmentation import BaseAugmentation
    >>> class SignFlip(BaseAugmentation):
    ...     def apply(self, X, drawn):
    ...         sign = torch.where(drawn[:, 0] < 0.5, -1.0, 1.0)
    ...         return X * sign.view(-1, *[1] * (X.ndim - 1))
    >>> SignFlip().apply(torch.ones(2, 3), torch.tensor([[0.2], [0.7]])).tolist()
    [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]
    """

    n_axes: tuple[int, ...] = (1, 2, 3)
    is_rowwise: bool = True
    _parameter_constraints: dict = {}

    def n_drawn(self, input_shape: tuple[int, ...]) -> int:
        """Return how many random numbers a sample of this shape needs.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of a sample, without the axis of the samples.

        Returns
        -------
        int
            One, where a subclass does not say otherwise.
        """
        return 1

    @abstractmethod
    def apply(self, X: Tensor, drawn: Tensor) -> Tensor:
        """Return changed samples.

        Parameters
        ----------
        X : tensor of shape (n, ...)
            Training samples, standardized if the network standardizes. They are not changed.
        drawn : tensor of shape (n, n_drawn)
            Random numbers of each sample, uniform in [0, 1), in float32.

        Returns
        -------
        tensor of shape (n, ...)
        """

    def check(self, input_shape: tuple[int, ...]) -> None:
        """Raise a ValueError for invalid parameters, or samples of a shape that doesn't fit.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of a sample, without the axis of the samples.
        """
        self._validate_params()
        if len(input_shape) not in self.n_axes:
            allowed = ", or ".join(SHAPES[n] for n in self.n_axes)
            raise ValueError(
                f"augmentation {self!r} takes {allowed}, but the network is trained on samples of "
                f"shape {tuple(input_shape)}; leave it out, or give X with all axes"
            )

    def try_on(self, X: Tensor) -> None:
        """Raise a ValueError if changed samples have another shape or type, or are not finite.

        Parameters
        ----------
        X : tensor of shape (n, ...)
            A few training samples; a copy of them is changed.
        """
        drawn = torch.full((len(X), self.n_drawn(tuple(X.shape[1:]))), 0.5, device=X.device)
        problem = problem_of(X, self.apply(X.clone(), drawn))
        if problem is not None:
            raise ValueError(f"augmentation {self!r} does not fit: its apply {problem}")


def problem_of(X, changed):
    """What is wrong with a changed batch, in words; None where nothing is."""
    if not isinstance(changed, Tensor):
        return f"returns {type(changed).__name__}, not a tensor"
    if changed.shape != X.shape:
        return (
            f"returns shape {tuple(changed.shape)} for a batch of shape {tuple(X.shape)}; it must "
            "keep the shape"
        )
    if changed.dtype != X.dtype:
        return f"returns {changed.dtype} for {X.dtype}; it must keep the type"
    if not changed.isfinite().all():
        return "returns NaN or infinite numbers"
    return None


def part_of_side(fraction, side):
    """The whole number of a fraction of a side; 0.29 of 100 is 29, whatever the rounding.

    >>> part_of_side(0.29, 100)
    29
    """
    return int(fraction * side + 1e-9)


def check_moves(augmentation, name, fraction, side):
    """Raise a ValueError for a fraction of a side that is less than one entry."""
    if part_of_side(fraction, side) < 1:
        raise ValueError(
            f"augmentation {augmentation!r} does nothing: {name}={fraction:g} of an axis of {side} "
            f"entries is less than one; raise it to {1 / side:.3g} or more, or leave it out"
        )


def whole_numbers(uniform, n):
    """Whole numbers from 0 to n - 1 of uniform numbers in [0, 1).

    Parameters
    ----------
    uniform : tensor of shape (n_rows,)
    n : int or tensor of shape (n_rows,)
    """
    return (uniform * n).long()


def n_numbers(input_shape):
    """Numbers of a sample."""
    return prod(input_shape)


def for_each_row(numbers, X):
    """Numbers of the rows, shape (n_rows,), with the axes of X."""
    return numbers.view(-1, *[1] * (X.ndim - 1))
