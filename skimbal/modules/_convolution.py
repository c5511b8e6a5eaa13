"""Convolutional network of one or two dimensions: convolutions, pooling, dense layers, logits."""

from itertools import pairwise
from math import prod

from torch import nn

from skimbal.modules._heads import Network
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
    """Layers of a convolution with a rectifier."""
    pads = []
    if padding == "same" and kernel % 2 == 0:  # torch would warn of the copy that it makes
        pads = [PADS[n_axes](((kernel - 1) // 2, kernel // 2) * n_axes, 0.0)]
        padding = "valid"
    layer_class = CONVOLUTIONS[n_axes]
    layer = convolution(layer_class, n_in, n_out, kernel, padding=padding, generator=generator)
    return [*pads, layer, nn.ReLU()]


def size_after_layers(size, kernel_sizes, pool_sizes, padding):
    """Return the entries along an axis after convolutions and pools; 0 or less for nothing left.

    Parameters
    ----------
    size : int
        Entries of the input along the axis.
    kernel_sizes : sequence of int
        Kernel of each convolution.
    pool_sizes : sequence of int or None
        Pool behind each; None is one of 2, left out where it would leave nothing.
    padding : {"same", "valid"}
        Whether convolutions keep the size.

    Returns
    -------
    int
        The size.

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
    """Entries along an axis after a convolution."""
    return size if padding == "same" else size - kernel + 1


def actual_pool(size, pool):
    """Entries that a pool takes along an axis of a size."""
    if pool is None:
        return 2 if size >= 2 else 1
    return pool


def smallest_size(kernel_sizes, pool_sizes, padding):
    """Return the entries along an axis that convolutions and pools need, to leave one.

    Parameters
    ----------
    kernel_sizes : sequence of int
        Kernel of each convolution.
    pool_sizes : sequence of int or None
        Pool behind each.
    padding : {"same", "valid"}
        Whether convolutions keep the size.

    Returns
    -------
    int
        The size.

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


class Convolution(Network):
    """Convolutions, each with a rectifier and a maximum pool, and dense layers.

    Parameters
    ----------
    input_shape : tuple of int
        Channels, and one or two axes.
    n_filters : sequence of int
        Filters of each convolution.
    kernel_sizes, pool_sizes : sequence of int
        Sides of the kernels and the pools of each convolution; a pool None is one of 2, left out
        along axes where it would leave nothing.
    padding : "same" or "valid"
        Zeros around the inputs, or none.
    global_pooling : bool
        Whether the dense layers get the mean of each filter instead of all that it gives.
    dense_layer_sizes : sequence of int
        Units of the hidden dense layers.
    dropout : float in [0, 1)
        Probability of dropping an entry behind the first dense layer; without one, behind the
        convolutions.
    n_classes : int
        Number of logits.
    generator : torch.Generator
        Draws the weights.
    noise_generator : torch.Generator
        Draws the dropped units; on the device of the inputs.

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
        input_shape,
        n_filters,
        kernel_sizes,
        pool_sizes,
        *,
        padding,
        global_pooling,
        dense_layer_sizes,
        dropout,
        n_classes,
        generator,
        noise_generator,
    ):
        super().__init__()
        n_channels, *sides = input_shape
        n_axes = len(sides)
        layers: list[nn.Module] = []
        for i, (n_in, n_out) in enumerate(pairwise([n_channels, *n_filters])):
            kernel, pool = kernel_sizes[i], pool_sizes[i]
            layers += convolution_layers(n_axes, n_in, n_out, kernel, padding, generator)
            sides = [size_after_convolution(side, kernel, padding) for side in sides]
            pools = [actual_pool(side, pool) for side in sides]
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
