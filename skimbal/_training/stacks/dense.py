"""Networks of one shape as one computation: parameters stacked, operations batched.

A stack computes the gradients of P networks at once. `DenseStack` is written by hand for dense
layers, `FunctionalStack` takes any module through `torch.func`.

What a network of a `DenseStack` gets is the same to the bit in any stack, also in a stack of one.
That rests on three things: matrix products are batched (`baddbmm`), so that each pair of matrices
is multiplied for itself; every parameter begins on a cache line, because products depend on the
alignment of their arguments; and every network has whole blocks of numbers in all tensors that an
elementwise function runs over, because what is left of a block is computed by another function,
which rounds differently.
"""

from functools import partial
from math import gcd

import torch
from torch import nn

from skimbal._training.stacks.base import BaseStack, draw_kept
from skimbal._training.stacks.layout import (
    BLOCK,
    Buffer,
    add_product_,
    aligned_matrices,
    product,
    zeros_on_lines,
)
from skimbal.modules import Dropout, NormalizedLinear, affine, norms

aten = torch.ops.aten


class DenseStack(BaseStack):
    """The networks `MLP` of one structure."""

    def __init__(self, modules):
        super().__init__(modules)
        kinds = (nn.Linear, NormalizedLinear, Dropout, *ACTIVATIONS)
        self.parts = {}
        for name, part in modules[0].named_modules():
            if isinstance(part, kinds):
                self.parts[name] = part
        self._make_layers()

    @staticmethod
    def row_multiple(module):
        """Batches have a multiple of this many rows: whole blocks of numbers in every layer."""
        divisor = BLOCK
        for layer in module.linear_layers():
            divisor = gcd(divisor, *layer.weight.shape)
        return BLOCK // divisor

    def _make_layers(self):
        self.gradients = torch.zeros_like(self.parameters)
        values = self.layout.views(self.parameters)
        gradients = self.layout.views(self.gradients)
        dropout_generators = iter(self.dropout_generators)
        self.layers: list = []
        for name, part in self.parts.items():
            if isinstance(part, nn.Linear):
                weight, bias = f"{name}.weight", f"{name}.bias"
                parameters = values[weight], values[bias], gradients[weight], gradients[bias]
                self.layers.append(_Linear(*parameters))
            elif isinstance(part, NormalizedLinear):
                weight = f"{name}.weight"
                self.layers.append(_Cosines(values[weight], gradients[weight], part.scale))
            elif isinstance(part, Dropout):
                self.layers.append(_Dropout(part.p, next(dropout_generators)))
            else:
                self.layers.append(_Activation(*ACTIVATIONS[type(part)]))

    def keep(self, networks):
        """Go on with some of the networks alone, given by their indices."""
        super().keep(networks)
        self._make_layers()

    def compute_gradients(self, X, labels, loss):
        """Set the gradients of one batch.

        Parameters
        ----------
        X : tensor of shape (P, n, ...)
        labels : sequence
            What `loss` takes besides the logits.
        loss : StackedLoss

        Returns
        -------
        losses : tensor of shape (P,)
        logits : tensor of shape (P, n, n_classes)
        """
        features = X.flatten(2)
        *layers, output = self.layers
        for layer in layers:
            features = layer.forward(features)
        inputs = output.forward(features), features
        losses, (delta, *of_features) = loss(inputs[: 1 + loss.needs_features], *labels)
        if not layers:
            output.backward(delta, to_inputs=False)
            return losses, inputs[0]
        delta = output.backward(delta)
        for gradient in of_features:
            delta.add_(gradient)
        first, *others = layers
        for layer in reversed(others):
            delta = layer.backward(delta)
        first.backward(delta, to_inputs=False)
        return losses, inputs[0]


class _Linear:
    """x W' + b for each network."""

    def __init__(self, weight, bias, weight_gradient, bias_gradient):
        self.weight = weight
        self.bias = bias.unsqueeze(1)
        self.weight_gradient = weight_gradient
        self.product = aligned_matrices(weight_gradient)
        self.bias_gradient = bias_gradient
        self.out = Buffer()
        self.delta = Buffer()

    def forward(self, x):
        self.x = x
        return affine(x, self.weight, self.bias[:, 0], self.out(x, self.bias.shape[2]))

    def backward(self, delta, *, to_inputs=True):
        add_product_(self.product, delta.mT, self.x)
        if self.product is not self.weight_gradient:
            self.weight_gradient.copy_(self.product)
        torch.sum(delta, 1, out=self.bias_gradient)
        if not to_inputs:
            return None
        return product(delta, self.weight, self.delta(delta, self.weight.shape[2]))


class _Cosines:
    """s cos(x, w) for each network: `NormalizedLinear`."""

    def __init__(self, weight, weight_gradient, scale):
        self.weight = weight
        self.weight_gradient = weight_gradient
        self.scale = scale
        self.no_bias = weight.new_zeros(weight.shape[:2])
        self.weight_unit, self.of_unit = zeros_on_lines(weight), zeros_on_lines(weight)

    def forward(self, x):
        self.x_norm, self.weight_norm = norms(x), norms(self.weight)
        self.x_unit = x / self.x_norm
        torch.div(self.weight, self.weight_norm, out=self.weight_unit)
        return affine(self.x_unit, self.weight_unit, self.no_bias).mul_(self.scale)

    def backward(self, delta, *, to_inputs=True):
        delta = delta * self.scale
        add_product_(self.of_unit, delta.mT, self.x_unit)
        gradient = _through_norm(self.of_unit, self.weight_unit, self.weight_norm)
        self.weight_gradient.copy_(gradient)
        if not to_inputs:
            return None
        of_unit = product(delta, self.weight_unit, torch.empty_like(self.x_unit))
        return _through_norm(of_unit, self.x_unit, self.x_norm)


def _through_norm(gradient, unit, norm):
    """Gradient with respect to v, from that with respect to u = v / |v|: (g - u (u g)) / |v|."""
    return (gradient - unit * (unit * gradient).sum(dim=-1, keepdim=True)) / norm


class _Activation:
    """An elementwise function, in place where its derivative is a function of its value."""

    def __init__(self, function, derivative):
        self.function = function
        self.derivative = derivative

    def forward(self, x):
        self.x = x
        return self.function(x)

    def backward(self, delta):
        return self.derivative(delta, self.x, grad_input=delta)


class _Dropout:
    """Units that are dropped; each network draws from its own generator."""

    def __init__(self, p, generators):
        self.p = p
        self.generators = generators
        self.kept = Buffer()
        self.out = Buffer()

    def forward(self, x):
        self.factor = self.kept(x, x.shape[2])
        draw_kept(self.factor, self.p, self.generators)
        return torch.mul(x, self.factor, out=self.out(x, x.shape[2]))

    def backward(self, delta):
        return delta.mul_(self.factor)


# The function, and its derivative from the output that is kept; from the input for gelu.
ACTIVATIONS = {
    nn.ReLU: (torch.relu_, partial(aten.threshold_backward.grad_input, threshold=0)),
    nn.Tanh: (torch.tanh_, aten.tanh_backward.grad_input),
    nn.Sigmoid: (torch.sigmoid_, aten.sigmoid_backward.grad_input),
    nn.ELU: (
        aten.elu_,
        lambda delta, out, grad_input: aten.elu_backward.grad_input(
            delta, 1.0, 1.0, 1.0, True, out, grad_input=grad_input
        ),
    ),
    nn.GELU: (aten.gelu, aten.gelu_backward.grad_input),
}
