"""Random changes of training images that leave their classes as they are.

What is drawn for the images of an epoch, and what is done with it, are apart: the first is a table
of random numbers, a row an image, so that a network gets the same images alone and in a population.
"""

import torch
import torch.nn.functional as F

N_DRAWN = 5


def draw_changes(n_images, generator):
    """Uniform random numbers for each image, shape (n_images, 5)."""
    return torch.rand(n_images, N_DRAWN, generator=generator)


def flipped(X, drawn):
    """Images of which every second one is turned left to right.

    Parameters
    ----------
    X : tensor of shape (n, n_channels, height, width)
    drawn : tensor of shape (n, 5)
        Of `draw_changes`.

    Returns
    -------
    tensor
        A new one of the shape of X.
    """
    return torch.where((drawn[:, 0] < 0.5)[:, None, None, None], X.flip(-1), X)


def cropped(X, drawn):
    """Images moved by up to an eighth of their sides; zeros come in from outside."""
    n, n_channels, *sides = X.shape
    shifts = [side // 8 for side in sides]  # the largest ones
    padded = F.pad(X, (shifts[1], shifts[1], shifts[0], shifts[0]))
    rows, columns = (
        _start(drawn[:, 1 + axis], 2 * shifts[axis] + 1) + torch.arange(side, device=X.device)
        for axis, side in enumerate(sides)
    )
    image = torch.arange(n, device=X.device)[:, None, None, None]
    channel = torch.arange(n_channels, device=X.device)[None, :, None, None]
    return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def cut_out(X, drawn):
    """Images with a square of half their sides set to 0, anywhere, also half outside.

    DeVries & Taylor 2017, arXiv:1708.04552, section 3.
    """
    is_cut = [
        (torch.arange(side, device=X.device) - _start(drawn[:, 3 + axis], side) + side // 4)
        for axis, side in enumerate(X.shape[2:])
    ]
    rows, columns = (
        (place >= 0) & (place < side // 2) for place, side in zip(is_cut, X.shape[2:], strict=True)
    )
    return X.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def _start(uniform, n):
    """Whole numbers from 0 to n - 1, shape (n_images, 1)."""
    return (uniform * n).long()[:, None]


AUGMENTATIONS = {"flip": flipped, "crop": cropped, "cutout": cut_out}


def augmented(X, drawn, names):
    """Images after the named changes.

    Parameters
    ----------
    X : tensor of shape (..., n_channels, height, width)
    drawn : tensor of shape (..., 5)
    names : sequence of str
        Keys of `AUGMENTATIONS`.

    Returns
    -------
    tensor of the shape of X
    """
    images, drawn = X.flatten(0, -4), drawn.flatten(0, -2).to(X.device)
    for name in names:
        images = AUGMENTATIONS[name](images, drawn)
    return images.view(X.shape)


def augment_epoch(plans, X):
    """Images of an epoch after the changes that each network draws.

    Parameters
    ----------
    plans : list of TrainingPlan
        One for each network, with the same `augmentation`.
    X : tensor of shape (P, n, n_channels, height, width), or any without augmentation
    """
    if not plans[0].augmentation:
        return X
    drawn = torch.stack([draw_changes(X.shape[1], plan.augmentation_generator) for plan in plans])
    return augmented(X, drawn, plans[0].augmentation)


def check_augmentation(names):
    """Return names of augmentations as a tuple, or raise a ValueError."""
    names = (names,) if isinstance(names, str) else tuple(names)
    unknown_labels = [name for name in names if name not in AUGMENTATIONS]
    if unknown_labels:
        raise ValueError(
            f"augmentation has {unknown_labels}; allowed are {sorted(AUGMENTATIONS)}, in any order"
        )
    return names
