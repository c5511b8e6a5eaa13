"""Layers of torch as nodes of an ONNX graph.

A layer is found by its class or one that it inherits from. There is no training in a graph, so
dropout is nothing.
"""

from functools import singledispatch

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from scipy.special import erfcx
from torch import nn

from skimbal.modules import (
    MIN_SQUARED_NORM,
    MLP,
    Block,
    Convolution,
    Dropout,
    NormalizedLinear,
    ResNet,
    norms,
)

LAYERS = (
    "Flatten, Linear, NormalizedLinear, ReLU, Sigmoid, Tanh, ELU, GELU, Dropout, Conv1d, Conv2d, "
    "ConstantPad1d, ConstantPad2d, MaxPool1d, MaxPool2d, AdaptiveAvgPool1d(1), "
    "AdaptiveAvgPool2d(1), BatchNorm1d, BatchNorm2d, Sequential and the blocks of ResNetClassifier"
)


def numbers(tensor):
    """A tensor as an array in double precision."""
    return tensor.detach().cpu().double().numpy()


def refuse_unless(is_possible, layer):
    """Raise a ValueError for a layer whose settings have no node here."""
    if not is_possible:
        raise ValueError(f"the layer {layer} can't be exported; to_onnx exports {LAYERS}")


@singledispatch
def add_layer(layer, graph, x):
    """Add the nodes of a layer in evaluation mode; return the name of its output."""
    refuse_unless(False, layer)


@add_layer.register(MLP)
@add_layer.register(Convolution)
@add_layer.register(ResNet)
def _(layer, graph, x):
    return add_layer(layer.output, graph, add_layer(layer.features, graph, x))


@add_layer.register
def _(layer: nn.Sequential, graph, x):
    for part in layer:
        x = add_layer(part, graph, x)
    return x


@add_layer.register(Dropout)
@add_layer.register(nn.Dropout)
@add_layer.register(nn.Identity)
def _(layer, graph, x):
    return x


@add_layer.register
def _(layer: nn.Flatten, graph, x):
    refuse_unless((layer.start_dim, layer.end_dim) == (1, -1), layer)
    return graph.add("Flatten", x, axis=1)


@add_layer.register
def _(layer: nn.Linear, graph, x):
    bias = np.zeros(layer.out_features) if layer.bias is None else numbers(layer.bias)
    return graph.add("Gemm", x, numbers(layer.weight), bias, transB=1)


@add_layer.register
def _(layer: NormalizedLinear, graph, x):
    weight = layer.weight.detach().cpu().double()
    squares = graph.add("ReduceSum", graph.add("Mul", x, x), np.array([1]), keepdims=1)
    lengths = graph.add("Sqrt", graph.add("Add", squares, MIN_SQUARED_NORM))
    cosines = layer.scale * (weight / norms(weight)).T.numpy()
    return graph.add("MatMul", graph.add("Div", x, lengths), cosines)


# ---------------------------------------------------------------- activations


@add_layer.register
def _(layer: nn.ReLU, graph, x):
    return graph.add("Relu", x)


@add_layer.register
def _(layer: nn.Sigmoid, graph, x):
    return graph.add("Sigmoid", x)


@add_layer.register
def _(layer: nn.Tanh, graph, x):
    return graph.add("Tanh", x)


@add_layer.register
def _(layer: nn.ELU, graph, x):
    """In parts, because runtimes have the node for single precision only."""
    negative = graph.add("Sub", graph.add("Exp", graph.add("Min", x, 0.0)), 1.0)
    return graph.add("Add", graph.add("Relu", x), graph.add("Mul", negative, layer.alpha))


@add_layer.register
def _(layer: nn.GELU, graph, x):
    r"""In parts, because runtimes have the error function for single precision only.

    .. math:: x \Phi(x) = \max(x, 0) - |x| \, \Phi(-|x|)
    """
    refuse_unless(layer.approximate == "none", layer)
    size = graph.add("Abs", x)
    tail = lower_tail(graph, size)
    return graph.add("Sub", graph.add("Relu", x), graph.add("Mul", size, tail))


def lower_tail(graph, size):
    r"""Add the nodes of the normal distribution function at minus `size`, which is not negative.

    .. math:: \Phi(-u) = \frac{1}{2} e^{-z^2} \, \frac{q(t)}{1 + 2 z}, \quad
        z = u / \sqrt{2}, \quad t = \frac{z - k}{z + k}

    The polynomial q interpolates ``(1 + 2 z) erfcx(z)`` at Chebyshev's points of t, with an error
    of 3e-15 (Shepherd & Laframboise 1981, Mathematics of Computation 36).
    """
    z = graph.add("Div", size, np.sqrt(2.0))
    t = graph.add("Div", graph.add("Sub", z, CENTER), graph.add("Add", z, CENTER))
    scaled = graph.polynomial(t, SCALED_TAIL)
    gauss = graph.add("Exp", graph.add("Neg", graph.add("Mul", z, z)))
    slope = graph.add("Add", graph.add("Mul", z, 4.0), 2.0)
    return graph.add("Div", graph.add("Mul", gauss, scaled), slope)


CENTER = 3.75


def scaled_tail(t):
    """``(1 + 2 z) erfcx(z)`` as a function of t from -1 to below 1."""
    z = CENTER * (1.0 + t) / (1.0 - t)
    return (1.0 + 2.0 * z) * erfcx(z)


SCALED_TAIL = Chebyshev.interpolate(scaled_tail, 20).convert(kind=Polynomial).coef.tolist()


# ---------------------------------------------------------------- convolutions


@add_layer.register(nn.Conv1d)
@add_layer.register(nn.Conv2d)
def _(layer, graph, x):
    refuse_unless(layer.padding_mode == "zeros", layer)
    bias = np.zeros(layer.out_channels) if layer.bias is None else numbers(layer.bias)
    return graph.add(
        "Conv",
        x,
        numbers(layer.weight),
        bias,
        strides=list(layer.stride),
        dilations=list(layer.dilation),
        group=layer.groups,
        pads=padding_of(layer),
    )


def padding_of(layer):
    """Zeros before each axis of a convolution, then those behind; torch puts the odd one behind."""
    if layer.padding == "valid":
        return [0] * 2 * len(layer.kernel_size)
    if layer.padding == "same":
        sides = zip(layer.kernel_size, layer.dilation, strict=True)
        sums = [dilation * (size - 1) for size, dilation in sides]
        return [total // 2 for total in sums] + [total - total // 2 for total in sums]
    return [*layer.padding] * 2


@add_layer.register(nn.ConstantPad1d)
@add_layer.register(nn.ConstantPad2d)
def _(layer, graph, x):
    ends = [layer.padding[i : i + 2] for i in range(0, len(layer.padding), 2)][::-1]
    before, behind = zip(*ends, strict=True)
    return graph.add("Pad", x, np.array([0, 0, *before, 0, 0, *behind]), layer.value)


@add_layer.register(nn.MaxPool1d)
@add_layer.register(nn.MaxPool2d)
def _(layer, graph, x):
    n_axes = 1 if isinstance(layer, nn.MaxPool1d) else 2
    size, stride, padding, dilation = (
        list(value) if isinstance(value, tuple) else [value] * n_axes
        for value in (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    )
    refuse_unless(not (layer.return_indices or layer.ceil_mode), layer)
    return graph.add(
        "MaxPool", x, kernel_shape=size, strides=stride, pads=padding * 2, dilations=dilation
    )


@add_layer.register(nn.AdaptiveAvgPool1d)
@add_layer.register(nn.AdaptiveAvgPool2d)
def _(layer, graph, x):
    refuse_unless(layer.output_size in (1, (1,), (1, 1)), layer)
    return graph.add("GlobalAveragePool", x)


@add_layer.register(nn.BatchNorm1d)
@add_layer.register(nn.BatchNorm2d)
def _(layer, graph, x):
    refuse_unless(layer.affine and layer.track_running_stats, layer)
    moments = layer.weight, layer.bias, layer.running_mean, layer.running_var
    return graph.add("BatchNormalization", x, *map(numbers, moments), epsilon=layer.eps)


@add_layer.register
def _(layer: Block, graph, x):
    residual = add_layer(layer.residual, graph, x)
    return graph.add("Relu", graph.add("Add", residual, add_shortcut(layer, graph, x)))


def add_shortcut(block, graph, x):
    """Add the nodes of the shortcut of a residual block."""
    if block.projection is not None:
        return add_layer(block.projection, graph, x)
    if block.stride > 1:
        ends, axes, steps = [np.iinfo(np.int64).max] * 2, [2, 3], [block.stride] * 2
        x = graph.add("Slice", x, *map(np.array, ([0, 0], ends, axes, steps)))
    if block.n_new:
        before = block.n_new // 2
        behind = block.n_new - before
        x = graph.add("Pad", x, np.array([0, before, 0, 0, 0, behind, 0, 0]), 0.0)
    return x
