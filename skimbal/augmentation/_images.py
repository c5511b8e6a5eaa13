"""Flips, crops and cutout: changes of images."""

from numbers import Real

import torch
import torch.nn.functional as F
from sklearn.utils._param_validation import Interval
from torch import Tensor

from skimbal.augmentation._base import (
    BaseAugmentation,
    check_moves,
    for_each_row,
    part_of_side,
    whole_numbers,
)


class Flip(BaseAugmentation):
    """Mirrors images from left to right, every second time.

    Don't use it for spectrograms: their left and right sides have different meanings.

    Parameters
    ----------
    probability : float in (0, 1], default=0.5
        Part of the images that are mirrored.

    References
    ----------
    K. He, X. Zhang, S. Ren & J. Sun 2016, Deep Residual Learning for Image Recognition,
    doi:10.1109/CVPR.2016.90, section 4.2.

    Examples
    --------
    >>> import torch
    >>> from skimbal.augmentation import Flip
    >>> X = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    >>> Flip().apply(X, torch.tensor([[0.2]]))
    tensor([[[[3., 2., 1.]]]])
    """

    n_axes = (3,)
    _parameter_constraints = {"probability": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = probability

    def apply(self, X: Tensor, drawn: Tensor) -> Tensor:
        """Return images of which some are mirrored."""
        return torch.where(for_each_row(drawn[:, 0] < self.probability, X), X.flip(-1), X)


class Crop(BaseAugmentation):
    """Moves images up or down and left or right; zeros come in from outside.

    It is the same as padding an image with zeros and cropping it at a random place. Each of the two
    shifts is uniform. A side of fewer than ``1 / fraction`` entries is not moved.

    Parameters
    ----------
    fraction : float in (0, 1], default=0.125
        Largest shift, as a fraction of the side.

    References
    ----------
    K. He, X. Zhang, S. Ren & J. Sun 2016, Deep Residual Learning for Image Recognition,
    doi:10.1109/CVPR.2016.90, section 4.2.

    Examples
    --------
    >>> import torch
    >>> from skimbal.augmentation import Crop
    >>> X = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> Crop(fraction=0.5).apply(X, torch.tensor([[0.5, 0.0]]))
    tensor([[[[0., 1.],
              [0., 3.]]]])
    """

    n_axes = (3,)
    _parameter_constraints = {"fraction": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, fraction: float = 0.125) -> None:
        self.fraction = fraction

    def n_drawn(self, input_shape: tuple[int, ...]) -> int:
        """Return one number for each side."""
        return 2

    def apply(self, X: Tensor, drawn: Tensor) -> Tensor:
        """Return images that have been moved."""
        n, n_channels, *sides = X.shape
        shifts = [part_of_side(self.fraction, side) for side in sides]  # the largest ones
        padded = F.pad(X, (shifts[1], shifts[1], shifts[0], shifts[0]))
        rows, columns = (
            whole_numbers(drawn[:, axis], 2 * shifts[axis] + 1)[:, None]
            + torch.arange(side, device=X.device)
            for axis, side in enumerate(sides)
        )
        image = torch.arange(n, device=X.device)[:, None, None, None]
        channel = torch.arange(n_channels, device=X.device)[None, :, None, None]
        return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


class Cutout(BaseAugmentation):
    """Sets a rectangle of each image to 0, anywhere, also partly outside.

    0 is the mean of standardized inputs.

    Parameters
    ----------
    fraction : float in (0, 1], default=0.5
        Sides of the rectangle, as a fraction of those of the image.

    References
    ----------
    T. DeVries & G. W. Taylor 2017, Improved Regularization of Convolutional Neural Networks with
    Cutout, arXiv:1708.04552, section 3.

    Examples
    --------
    >>> import torch
    >>> from skimbal.augmentation import Cutout
    >>> Cutout().apply(torch.ones(1, 1, 4, 4), torch.tensor([[0.5, 0.0]]))[0, 0]
    tensor([[1., 1., 1., 1.],
            [0., 1., 1., 1.],
            [0., 1., 1., 1.],
            [1., 1., 1., 1.]])
    """

    n_axes = (3,)
    _parameter_constraints = {"fraction": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, fraction: float = 0.5) -> None:
        self.fraction = fraction

    def n_drawn(self, input_shape: tuple[int, ...]) -> int:
        """Return one number for each side."""
        return 2

    def check(self, input_shape: tuple[int, ...]) -> None:
        """Raise a ValueError for invalid parameters and shapes, or less than a pixel."""
        super().check(input_shape)
        check_moves(self, "fraction", self.fraction, min(input_shape[1:]))

    def apply(self, X: Tensor, drawn: Tensor) -> Tensor:
        """Return images with rectangles cut out."""
        is_cut = []
        for axis, side in enumerate(X.shape[2:]):
            size = part_of_side(self.fraction, side)
            center = whole_numbers(drawn[:, axis], side)[:, None]
            place = torch.arange(side, device=X.device) - center + size // 2
            is_cut.append((place >= 0) & (place < size))
        rows, columns = is_cut
        return X.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)
