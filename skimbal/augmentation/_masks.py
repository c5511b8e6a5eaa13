"""Masks over time and over frequencies (SpecAugment)."""

from numbers import Integral, Real

import torch
from sklearn.utils._param_validation import Interval
from torch import Tensor

from skimbal.augmentation._base import BaseAugmentation, check_moves, part_of_side, whole_numbers


def is_masked(drawn, length, largest):
    """Which entries of an axis are masked, shape (n, length).

    Parameters
    ----------
    drawn : tensor of shape (n, 2)
        Uniform numbers. The first gives the width, from 0 to `largest`, the second the start,
        such that the whole mask lies within the axis (Park et al. 2019, section 2).
    length, largest : int
    """
    width = whole_numbers(drawn[:, 0], largest + 1)
    start = whole_numbers(drawn[:, 1], length - width + 1)
    place = torch.arange(length, device=drawn.device) - start[:, None]
    return (place >= 0) & (place < width[:, None])


class _AxisMask(BaseAugmentation):
    """Sets stretches of one axis to 0."""

    _axis: int
    _parameter_constraints = {
        "fraction": [Interval(Real, 0, 1, closed="right")],
        "n_masks": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, fraction: float = 0.1, n_masks: int = 1) -> None:
        self.fraction = fraction
        self.n_masks = n_masks

    def n_drawn(self, input_shape: tuple[int, ...]) -> int:
        """Return two numbers for each mask."""
        return 2 * self.n_masks

    def check(self, input_shape: tuple[int, ...]) -> None:
        """Raise a ValueError for invalid parameters and shapes, or masks of less than one entry."""
        super().check(input_shape)
        check_moves(self, "fraction", self.fraction, input_shape[self._axis])

    def apply(self, X: Tensor, drawn: Tensor) -> Tensor:
        """Return samples with masks."""
        length = X.shape[self._axis]
        shape = [len(X), *[1] * (X.ndim - 1)]
        shape[self._axis] = length
        for own in drawn.split(2, dim=1):
            masked = is_masked(own, length, part_of_side(self.fraction, length))
            X = X.masked_fill(masked.view(shape), 0.0)
        return X


class TimeMask(_AxisMask):
    """Sets stretches of time, the last axis, to 0 in all channels.

    The width of a mask is uniform between 0 and the whole number of ``fraction * length``, and so
    is its place. 0 is the mean of standardized inputs.

    Parameters
    ----------
    fraction : float in (0, 1], default=0.1
        Largest width of a mask, as a fraction of the length.
    n_masks : int, default=1
        Masks of a sample. They can overlap.

    References
    ----------
    D. S. Park et al. 2019, SpecAugment: A Simple Data Augmentation Method for Automatic Speech
    Recognition, arXiv:1904.08779, section 2.

    Examples
    --------
    >>> import torch
    >>> from skimbal.augmentation import TimeMask
    >>> TimeMask(fraction=0.5).apply(torch.ones(1, 1, 6), torch.tensor([[0.5, 0.5]]))
    tensor([[[1., 1., 0., 0., 1., 1.]]])
    """

    n_axes = (2, 3)
    _axis = -1


class FrequencyMask(_AxisMask):
    """Sets bands of frequencies of spectrograms, (channels, frequencies, times), to 0.

    The width of a mask is uniform between 0 and the whole number of ``fraction * n_frequencies``,
    and so is its place. 0 is the mean of standardized inputs.

    Parameters
    ----------
    fraction : float in (0, 1], default=0.1
        Largest width of a mask, as a fraction of the frequencies.
    n_masks : int, default=1
        Masks of a sample. They can overlap.

    References
    ----------
    D. S. Park et al. 2019, SpecAugment: A Simple Data Augmentation Method for Automatic Speech
    Recognition, arXiv:1904.08779, section 2.

    Examples
    --------
    >>> import torch
    >>> from skimbal.augmentation import FrequencyMask
    >>> FrequencyMask(fraction=0.5).apply(torch.ones(1, 1, 4, 2), torch.tensor([[0.9, 0.0]]))
    tensor([[[[0., 0.],
              [0., 0.],
              [1., 1.],
              [1., 1.]]]])
    """

    n_axes = (3,)
    _axis = -2
