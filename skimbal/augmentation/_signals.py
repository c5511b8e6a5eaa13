"""Noise, scaling and shifts: changes of tables, signals and spectrograms."""

from numbers import Real

import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skimbal.augmentation._base import (
    BaseAugmentation,
    check_moves,
    for_each_row,
    n_numbers,
    part_of_side,
    whole_numbers,
)


def standard_normal(uniform):
    """Normal numbers of uniform ones that are multiples of 2^-24 in [0, 1), as float32 has them.

    z = sqrt(2) erfinv(2 u - 1 + 2^-24). The last term makes them symmetric and finite, |z| < 5.5.
    """
    return 2**0.5 * torch.erfinv(2.0 * uniform - 1.0 + 2.0**-24)


def shifted(X, steps, is_circular):
    """Move each row along its last axis; a row of 1 step begins with its last entry, or with 0."""
    length = X.shape[-1]
    source = torch.arange(length, device=X.device) - steps[:, None]
    moved = X.gather(-1, _like(source % length, X).expand_as(X))
    if is_circular:
        return moved
    return moved.masked_fill(_like((source < 0) | (source >= length), X), 0.0)


def _like(rows, X):
    """Rows of the last axis, shape (n, length), with the axes of X."""
    return rows.view(len(X), *[1] * (X.ndim - 2), -1)


class Noise(BaseAugmentation):
    r"""Adds normal noise, :math:`x + s z` with z from a standard normal distribution.

    Each number of a sample gets noise of its own.

    Parameters
    ----------
    strength : float > 0, default=0.1
        Standard deviation s of the noise. Networks standardize their inputs (`standardize`), so
        its unit is the standard deviation of the feature or channel. With ``standardize=False`` it
        has the unit of X.

    References
    ----------
    T. T. Um et al. 2017, Data augmentation of wearable sensor data for Parkinson's disease
    monitoring using convolutional neural networks, doi:10.1145/3136755.3136817 (jittering).

    Examples
    --------
    >>> import torch
    >>> from skimbal.augmentation import Noise
    >>> noise = Noise(strength=0.5)
    >>> noise.n_drawn((3,))
    3
    >>> noise.apply(torch.ones(1, 3), torch.tensor([[0.159, 0.5, 0.841]])).round(decimals=2)
    tensor([[0.5000, 1.0000, 1.5000]])
    """

    _parameter_constraints = {"strength": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, strength: float = 0.1) -> None:
        self.strength = strength

    def n_drawn(self, input_shape: tuple[int, ...]) -> int:
        """Return the numbers of a sample."""
        return n_numbers(input_shape)

    def apply(self, X: Tensor, drawn: Tensor) -> Tensor:
        """Return samples with noise."""
        return X + self.strength * standard_normal(drawn).to(X.dtype).view(X.shape)


class Scaling(BaseAugmentation):
    r"""Multiplies each sample by a factor, uniform between :math:`1 - s` and :math:`1 + s`.

    All channels of a sample have the same factor.

    Parameters
    ----------
    strength : float in (0, 1), default=0.1
        Largest relative change s.

    References
    ----------
    T. T. Um et al. 2017, Data augmentation of wearable sensor data for Parkinson's disease
    monitoring using convolutional neural networks, doi:10.1145/3136755.3136817 (scaling; there the
    factor is normal).

    Examples
    --------
    >>> import torch
    >>> from skimbal.augmentation import Scaling
    >>> Scaling(strength=0.2).apply(torch.ones(2, 2), torch.tensor([[0.0], [0.75]]))
    tensor([[0.8000, 0.8000],
            [1.1000, 1.1000]])
    """

    _parameter_constraints = {"strength": [Interval(Real, 0, 1, closed="neither")]}

    def __init__(self, strength: float = 0.1) -> None:
        self.strength = strength

    def apply(self, X: Tensor, drawn: Tensor) -> Tensor:
        """Return samples multiplied by their factors."""
        factor = 1.0 + self.strength * (2.0 * drawn[:, 0] - 1.0)
        return X * for_each_row(factor.to(X.dtype), X)


class Shift(BaseAugmentation):
    """Moves signals in time, the last axis, by a random number of entries.

    The shift is uniform between `-m` and `m` entries, where m is the whole number of
    ``fraction * length``. All channels of a sample move together.

    Parameters
    ----------
    fraction : float in (0, 1], default=0.1
        Largest shift, as a fraction of the length.
    mode : {"circular", "zeros"}, default="circular"
        What comes in at the one end: what has left at the other, or zeros (the mean of
        standardized inputs).

    Examples
    --------
    >>> import torch
    >>> from skimbal.augmentation import Shift
    >>> X = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    >>> Shift(fraction=0.5).apply(X, torch.tensor([[0.999]]))
    tensor([[[3., 4., 1., 2.]]])
    >>> Shift(fraction=0.5, mode="zeros").apply(X, torch.tensor([[0.999]]))
    tensor([[[0., 0., 1., 2.]]])
    """

    n_axes = (2, 3)
    _parameter_constraints = {
        "fraction": [Interval(Real, 0, 1, closed="right")],
        "mode": [StrOptions({"circular", "zeros"})],
    }

    def __init__(self, fraction: float = 0.1, mode: str = "circular") -> None:
        self.fraction = fraction
        self.mode = mode

    def check(self, input_shape: tuple[int, ...]) -> None:
        """Raise a ValueError for invalid parameters and shapes, or a shift of less than one."""
        super().check(input_shape)
        check_moves(self, "fraction", self.fraction, input_shape[-1])

    def apply(self, X: Tensor, drawn: Tensor) -> Tensor:
        """Return samples that have been moved."""
        largest = part_of_side(self.fraction, X.shape[-1])
        steps = whole_numbers(drawn[:, 0], 2 * largest + 1) - largest
        return shifted(X, steps, self.mode == "circular")
