"""Any modules of one structure as one computation, by `torch.func.vmap`."""

from copy import deepcopy
from functools import partial

import torch
from torch.func import functional_call, vmap

from skimbal._training.stacks.base import BaseStack, draw_kept
from skimbal._training.stacks.structure import structure_of
from skimbal.modules import Dropout


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
    def reason_not_stackable(cls, module, X):
        """What keeps `vmap` from a module, in words, tried on a few samples; None if nothing."""
        stacked, alone = deepcopy(module), deepcopy(module)
        before = structure_of(stacked)
        try:
            stack = cls([stacked, deepcopy(module)])
            _, logits = stack.compute_gradients(torch.stack([X, X]), (), _SumOfSquares())
        except Exception as error:  # a module of a user may raise anything
            return f"torch.func can't take it ({(str(error).splitlines() or [repr(error)])[0]})"
        if structure_of(stacked) != before:
            return "the module changes attributes of its own"
        alone.train()
        expected = alone(X)
        expected.square().sum().div(2.0).backward()
        stack.write_to(stacked, 0)
        stack.write_gradients_to(stacked, 0)
        gradients = [(stacked.get_parameter(n).grad, p.grad) for n, p in alone.named_parameters()]
        buffers = [(stacked.get_buffer(name), buffer) for name, buffer in alone.named_buffers()]
        outputs = [(logits[0], expected.detach())]
        if all(map(_are_close, (outputs, gradients, buffers))):
            return None
        return "torch.func computes something else than the module"

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
        gradients = torch.autograd.grad(
            outputs, list(values.values()), deltas, materialize_grads=True
        )
        for name, gradient in zip(values, gradients, strict=True):
            self.gradient_views[name].copy_(gradient)
        return losses, outputs[0].detach()

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


class _SumOfSquares:
    """Half the sum of the squares of the logits, whose gradient they are."""

    needs_features = False

    def __call__(self, inputs):
        return None, inputs


def _are_close(pairs):
    """Whether pairs of tensors are equal but for rounding; a gradient that is None is 0."""
    pairs = [(a, torch.zeros_like(a) if b is None else b) for a, b in pairs]
    scale = max((float(b.abs().max()) for _, b in pairs if b.numel()), default=0.0)
    return all(torch.allclose(a, b, rtol=1e-3, atol=1e-4 * scale) for a, b in pairs)
