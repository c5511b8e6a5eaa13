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

import pickle
from copy import deepcopy
from functools import partial
from math import gcd

import torch
from torch import nn
from torch.func import functional_call, vmap

from skimbal.modules import Dropout, NormalizedLinear, affine, is_thin, norms, twin
from skimbal.neural_network._stacked_rows import rounded_up

CACHE_LINE = 16  # float32 numbers of a cache line
BLOCK = 32  # numbers that a vectorised loop takes at a time: two vectors of 16 float32
OF_EVERY_MODULE = frozenset(vars(nn.Module()))
aten = torch.ops.aten


def structure_of(module):
    """All of a module but the values of its tensors and the states of its generators."""
    parts = [(name, type(part), _settings_of(part)) for name, part in module.named_modules()]
    return (*parts, *((name, value.shape) for name, value in module.state_dict().items()))


def _settings_of(module):
    settings = {
        name: value
        for name, value in vars(module).items()
        if name not in OF_EVERY_MODULE and not isinstance(value, torch.Tensor | torch.Generator)
    }
    return value_of(settings, module)


def value_of(thing, owner=None):
    """A value to compare a thing by: what it is made of, else which object it (its owner) is."""
    try:
        return pickle.dumps(thing)
    except (pickle.PicklingError, AttributeError, TypeError):  # a lambda
        return id(thing if owner is None else owner)


class ParameterLayout:
    """Where the parameters of a network lie in a row of numbers.

    The matrix of a layer with fewer inputs than outputs is stored transposed: products with a
    narrow result take up to four times as long as those with a wide one.

    Parameters
    ----------
    shapes : dict of str to torch.Size
        Shape of each parameter, by name.
    """

    def __init__(self, shapes):
        self.shapes = shapes
        self.offsets = {}
        n_numbers = 0
        for name, shape in shapes.items():
            self.offsets[name] = n_numbers
            n_numbers += rounded_up(shape.numel(), CACHE_LINE)
        self.row_length = rounded_up(n_numbers, BLOCK)

    def views(self, rows):
        """Return each parameter, shape (P, *shape), as a view of rows (P, row_length)."""
        return {name: self._view(rows, name, shape) for name, shape in self.shapes.items()}

    def _view(self, rows, name, shape):
        start = self.offsets[name]
        block = rows[:, start : start + shape.numel()]
        if len(shape) == 2 and shape[1] < shape[0]:
            return block.view(-1, shape[1], shape[0]).mT
        return block.view(-1, *shape)


def aligned_matrices(matrices):
    """Return a tensor for products of the shape and order of (P, m, n) views, that is faster.

    Products into views with gaps are computed one by one. Without gaps each matrix begins on a
    cache line only if its numbers fill whole lines; where they don't, the views themselves are
    returned.
    """
    if matrices[0].numel() % CACHE_LINE:
        return matrices
    if matrices.stride(-1) != 1:
        return torch.zeros_like(matrices.mT, memory_format=torch.contiguous_format).mT
    return torch.zeros_like(matrices, memory_format=torch.contiguous_format)


def zeros_on_lines(matrices):
    """Return zeros of the shape of (P, m, n) matrices, of which each begins on a cache line."""
    layout = ParameterLayout({"matrix": matrices.shape[1:]})
    return layout.views(matrices.new_zeros(len(matrices), layout.row_length))["matrix"]


def add_product_(matrices, left, right, *, beta=0.0, alpha=1.0):
    """matrices <- beta * matrices + alpha * left right, in the order that they are stored in."""
    if matrices.stride(-1) != 1:
        matrices, left, right = matrices.mT, right.mT, left.mT
    if len(matrices) == 1 and right.shape[2] == 1:
        twins = map(twin, (matrices, left, right))
        return matrices.copy_(torch.baddbmm(*twins, beta=beta, alpha=alpha)[:1])
    return matrices.baddbmm_(left, right, beta=beta, alpha=alpha)


def product(left, right, out):
    """out <- left right, for each pair of matrices."""
    if is_thin(right):
        return out.copy_(torch.bmm(twin(left), twin(right))[:1])
    return torch.bmm(left, right, out=out)


class BaseStack:
    """The parameters of P networks and their gradients, a row a network.

    Parameters
    ----------
    modules : list of torch.nn.Module
        Of one structure, on one device; they give the initial parameters.

    Attributes
    ----------
    parameters, gradients : tensor of shape (P, row_length)
        A row a network.
    layout : ParameterLayout
        Which numbers of a row are which parameter.
    """

    def __init__(self, modules):
        first = dict(modules[0].named_parameters())
        self.layout = ParameterLayout({name: value.shape for name, value in first.items()})
        self.parameters = next(iter(first.values())).new_zeros(len(modules), self.layout.row_length)
        for name, rows in self.layout.views(self.parameters.detach()).items():
            for row, module in zip(rows, modules, strict=True):
                row.copy_(module.get_parameter(name).detach())
        self.dropout_generators = [
            [part.generator for part in parts]
            for parts in zip(*map(_dropouts, modules), strict=True)
        ]

    def keep(self, networks):
        """Go on with some of the networks alone, given by their indices."""
        self.parameters = self.parameters[networks]
        self.dropout_generators = [
            [generators[i] for i in networks] for generators in self.dropout_generators
        ]

    def write_to(self, module, i):
        """Write network i into a module."""
        for name, rows in self.layout.views(self.parameters).items():
            module.get_parameter(name).detach().copy_(rows[i])


def _dropouts(module):
    return [part for part in module.modules() if isinstance(part, Dropout)]


class DenseStack(BaseStack):
    """The networks `MLP` of one structure."""

    def __init__(self, modules):
        super().__init__(modules)
        self.parts = {
            name: part
            for name, part in modules[0].named_modules()
            if isinstance(part, (nn.Linear, NormalizedLinear, Dropout, *ACTIVATIONS))
        }
        self._make_layers()

    @staticmethod
    def row_multiple(module):
        """Batches have a multiple of this many rows: whole blocks of numbers in every layer."""
        sizes = [size for layer in module.linear_layers() for size in layer.weight.shape]
        return BLOCK // gcd(BLOCK, *sizes)

    def _make_layers(self):
        self.gradients = torch.zeros_like(self.parameters)
        values = self.layout.views(self.parameters)
        gradients = self.layout.views(self.gradients)
        dropout_generators = iter(self.dropout_generators)
        self.layers: list = []
        for name, part in self.parts.items():
            if isinstance(part, nn.Linear):
                names = f"{name}.weight", f"{name}.bias"
                linear = _Linear(*(views[n] for views in (values, gradients) for n in names))
                self.layers.append(linear)
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
        tensor of shape (P,)
            The losses.
        """
        features = X.flatten(2)
        *layers, output = self.layers
        for layer in layers:
            features = layer.forward(features)
        inputs = output.forward(features), features
        losses, (delta, *of_features) = loss(inputs[: 1 + loss.needs_features], *labels)
        if not layers:
            output.backward(delta, to_inputs=False)
            return losses
        delta = output.backward(delta)
        for gradient in of_features:
            delta.add_(gradient)
        first, *others = layers
        for layer in reversed(others):
            delta = layer.backward(delta)
        first.backward(delta, to_inputs=False)
        return losses


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


def draw_kept(out, p, generators):
    """Fill `out` with 1 / (1 - p) where a unit is kept, else 0; a generator for each network."""
    for row, generator in zip(out, generators, strict=True):
        torch.rand(row.shape, generator=generator, out=row)
    return torch.ge(out, p, out=out).div_(1.0 - p)


class Buffer:
    """Memory to compute into; the same in every step, so that it stays in the cache."""

    def __init__(self):
        self.tensors = {}

    def __call__(self, x, width):
        """Return a tensor of shape (P, n, width) for x of shape (P, n, ...)."""
        n_rows = x.shape[1]
        if n_rows not in self.tensors:
            self.tensors[n_rows] = x.new_empty(len(x), n_rows, width)
        return self.tensors[n_rows]


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


class FunctionalStack(BaseStack):
    """Any modules of one structure, by `torch.func.vmap`."""

    def __init__(self, modules):
        super().__init__(modules)
        self.module = modules[0]
        names = [name for name, _ in self.module.named_buffers()]
        self.buffers = {n: torch.stack([m.get_buffer(n) for m in modules]) for n in names}
        self.dropouts = {
            name: part for name, part in self.module.named_modules() if isinstance(part, Dropout)
        }
        self._prepare()

    @classmethod
    def obstacle(cls, module, X):
        """What keeps `vmap` from a module, in words, tried on a few samples; None if nothing."""
        stack = cls([deepcopy(module), deepcopy(module)])
        try:
            stack.compute_gradients(torch.stack([X, X]), (), _NoLoss())
        except RuntimeError as error:
            return f"torch.func can't take it ({str(error).splitlines()[0]})"
        return None

    def _prepare(self):
        self.gradients = torch.zeros_like(self.parameters)
        self.values = self.layout.views(self.parameters)
        self.gradient_views = self.layout.views(self.gradients)

    def keep(self, networks):
        """Go on with some of the networks alone, given by their indices."""
        super().keep(networks)
        self.buffers = {name: buffer[networks] for name, buffer in self.buffers.items()}
        self._prepare()

    def write_to(self, module, i):
        """Write network i into a module."""
        super().write_to(module, i)
        for name, buffer in self.buffers.items():
            module.get_buffer(name).copy_(buffer[i])

    def compute_gradients(self, X, labels, loss):
        """Set the gradients of one batch; see `DenseStack`."""
        self.module.train()
        given = {**self.buffers, **self._draw_dropped(X)}
        values = {name: value.detach().requires_grad_() for name, value in self.values.items()}
        kwargs = {"with_features": True} if loss.needs_features else {}
        outputs = vmap(partial(functional_call, self.module, kwargs=kwargs))({**values, **given}, X)
        outputs = outputs if loss.needs_features else (outputs,)
        losses, deltas = loss([output.detach() for output in outputs], *labels)
        gradients = torch.autograd.grad(outputs, list(values.values()), deltas)
        for name, gradient in zip(values, gradients, strict=True):
            self.gradient_views[name].copy_(gradient)
        return losses

    def _draw_dropped(self, X):
        """Draw which units are dropped in a batch, for `vmap` can't: factors by buffer name."""
        if not self.dropouts:
            return {}
        shapes = {}

        def remember(part, inputs):
            shapes[part] = inputs[0].shape[1:]

        hooks = [part.register_forward_pre_hook(remember) for part in self.dropouts.values()]
        self.module.eval()
        with torch.no_grad():
            self.module(X[0, :1])
        self.module.train()
        for hook in hooks:
            hook.remove()
        return {
            f"{name}.factor": draw_kept(
                X.new_empty(*X.shape[:2], *shapes[part]), part.p, generators
            )
            for (name, part), generators in zip(
                self.dropouts.items(), self.dropout_generators, strict=True
            )
        }


class _NoLoss:
    """Gradients of 0."""

    needs_features = False

    def __call__(self, inputs):
        return None, [torch.zeros_like(tensor) for tensor in inputs]
