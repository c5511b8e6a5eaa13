"""Convolutional network of one or two dimensions: convolutions, pooling, dense layers, logits."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import nn

from skimbal.modules._heads import BaseNetwork
from skimbal.modules._mlp import Dropout, dense

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d}
POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d}
PADS: dict = {1: nn.ConstantPad1d, 2: nn.ConstantPad2d}
AVERAGES = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d}


def convolution(layer_class, *args, generator, **kwargs):
    """Convolution with He-uniform weights and zero biases, drawn from `generator`.

    He et al. 2015, doi:10.1109/ICCV.2015.123, eq. 10: variance 2 / (inputs of a unit).
    """
    layer = nn.utils.skip_init(layer_class, *args, **kwargs)
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def convolution_layers(n_axes, n_in, n_out, kernel, padding, generator):
    """Return the layers of a convolution with a rectifier."""
    pads = []
    sides = per_axis(kernel, n_axes)
    if padding == "same" and not all(side % 2 for side in sides):  # torch would warn of a copy
        ends = [end for side in reversed(sides) for end in ((side - 1) // 2, side // 2)]
        pads = [PADS[n_axes](tuple(ends), 0.0)]
        padding = "valid"
    layer_class = CONVOLUTIONS[n_axes]
    layer = convolution(layer_class, n_in, n_out, sides, padding=padding, generator=generator)
    return [*pads, layer, nn.ReLU()]


def per_axis(size: int | Sequence[int] | None, n_axes: int) -> tuple:
    """Return the sides of a kernel or pool along each axis.

    Parameters
    ----------
    size : int, None or sequence of int
        One side for all axes, or a side for each axis.
    n_axes : int
        Number of axes.

    Returns
    -------
    tuple
        A side for each axis.

    Examples
    --------
    >>> from skimbal.modules import per_axis
    >>> per_axis(3, 2), per_axis((4, 1), 2)
    ((3, 3), (4, 1))
    """
    return tuple(size) if isinstance(size, Sequence) else (size,) * n_axes


def size_after_layers(
    size: int, kernel_sizes: Sequence[int], pool_sizes: Sequence[int | None], padding: str
) -> int:
    """Return the size of an axis after convolutions and pools; 0 or less if nothing is left.

    Parameters
    ----------
    size : int
        Size of the axis of the input.
    kernel_sizes : sequence of int
        Kernel of each convolution.
    pool_sizes : sequence of int or None
        Pool after each convolution. None is a pool of 2, or no pool if nothing would be left.
    padding : {"same", "valid"}
        Whether convolutions keep the size.

    Returns
    -------
    int
        Size of the axis of the output.

    Examples
    --------
    >>> from skimbal.modules import size_after_layers
    >>> size_after_layers(10, (3, 2), (1, 2), "valid")
    3
    """
    for kernel, pool in zip(kernel_sizes, pool_sizes, strict=True):
        size = size_after_convolution(size, kernel, padding)
        size //= actual_pool(size, pool)
    return size


def size_after_convolution(size, kernel, padding):
    """Size of an axis after a convolution."""
    return size if padding == "same" else size - kernel + 1


def actual_pool(size, pool):
    """Entries along an axis of this size that a pool joins."""
    if pool is None:
        return 2 if size >= 2 else 1
    return pool


def smallest_size(
    kernel_sizes: Sequence[int], pool_sizes: Sequence[int | None], padding: str
) -> int:
    """Return the smallest size of an axis of which convolutions and pools leave one entry.

    Parameters
    ----------
    kernel_sizes : sequence of int
        Kernel of each convolution.
    pool_sizes : sequence of int or None
        Pool after each convolution; None needs no more than one entry.
    padding : {"same", "valid"}
        Whether convolutions keep the size.

    Returns
    -------
    int
        Smallest size of the axis of the input.

    Examples
    --------
    >>> from skimbal.modules import smallest_size
    >>> smallest_size((3, 2), (1, 2), "valid")
    5
    """
    size = 1
    for kernel, pool in reversed(list(zip(kernel_sizes, pool_sizes, strict=True))):
        size *= pool or 1
        if padding == "valid":
            size += kernel - 1
    return size


class Convolution(BaseNetwork):
    """Convolutions, each with a rectifier and a maximum pool, followed by dense layers.

    Parameters
    ----------
    input_shape : tuple of int
        Number of channels, and sizes of one or two axes.
    n_filters : sequence of int
        Number of filters of each convolution.
    kernel_sizes, pool_sizes : sequence of int or of tuple of int
        Side of the kernel and the pool of each convolution, or its sides along each axis. A pool
        None is a pool of 2, or no pool along axes of which nothing would be left.
    padding : "same" or "valid"
        Whether the inputs are padded with zeros, so that convolutions keep their size.
    global_pooling : bool
        Whether the dense layers get only the mean of each filter.
    dense_layer_sizes : sequence of int
        Units of the hidden dense layers.
    dropout : float in [0, 1)
        Probability of dropping an entry after the first hidden dense layer, or after the
        convolutions if there is none.
    n_classes : int
        Number of logits.
    generator : torch.Generator
        Draws the weights.
    noise_generator : torch.Generator
        Draws the dropped units. It is on the device of the inputs.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied to Document
    Recognition", Proceedings of the IEEE 86(11), 1998, sec. II. doi:10.1109/5.726791.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import Convolution
    >>> generator = torch.Generator().manual_seed(0)
    >>> network = Convolution(
    ...     (1, 16, 16), (64, 32, 16), (3, 3, 3), (1, 1, 1), padding="same", global_pooling=True,
    ...     dense_layer_sizes=(), dropout=0.0, n_classes=4,
    ...     generator=generator, noise_generator=generator,
    ... )
    >>> sum(parameter.numel() for parameter in network.parameters())
    23796
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        n_filters: Sequence[int],
        kernel_sizes: Sequence[int | Sequence[int]],
        pool_sizes: Sequence[int | Sequence[int] | None],
        *,
        padding: str,
        global_pooling: bool,
        dense_layer_sizes: Sequence[int],
        dropout: float,
        n_classes: int,
        generator: torch.Generator,
        noise_generator: torch.Generator,
    ) -> None:
        super().__init__()
        n_channels, *sides = input_shape
        n_axes = len(sides)
        layers: list[nn.Module] = []
        for i, (n_in, n_out) in enumerate(pairwise([n_channels, *n_filters])):
            kernel, pool = per_axis(kernel_sizes[i], n_axes), per_axis(pool_sizes[i], n_axes)
            layers += convolution_layers(n_axes, n_in, n_out, kernel, padding, generator)
            sides = [
                size_after_convolution(side, own, padding)
                for side, own in zip(sides, kernel, strict=True)
            ]
            pools = [actual_pool(side, own) for side, own in zip(sides, pool, strict=True)]
            if max(pools) > 1:
                layers.append(POOLS[n_axes](tuple(pools)))
            sides = [side // pool for side, pool in zip(sides, pools, strict=True)]
        if global_pooling:
            layers.append(AVERAGES[n_axes](1))
            sides = [1]
        layers.append(nn.Flatten())
        drop = [Dropout(dropout, noise_generator)] if dropout else []
        sizes = [n_filters[-1] * prod(sides), *dense_layer_sizes]
        for n_in, n_out in pairwise(sizes):
            layers += [dense(n_in, n_out, generator), nn.ReLU(), *drop]
            drop = []
        self.features = nn.Sequential(*layers, *drop)
        self.output = dense(sizes[-1], n_classes, generator)
