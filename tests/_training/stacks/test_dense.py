"""Gradients written by hand against those of autograd."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from skimbal._training.losses import StackedLoss
from skimbal._training.stacks import DenseStack
from skimbal.modules import NormalizedLinear

from ..nets import N_CLASSES, bound_loss, generator, gradients_of, mlp_module

P, N = 3, 7
X = torch.randn(P, N, 5, generator=generator(1))
TARGET = torch.randint(N_CLASSES, (P, N), generator=generator(2))
SHARE = torch.rand(P, N, generator=generator(3))
SHARE[:, -1] = 0.0  # a row that only fills the batch up
SHARE /= SHARE.sum(dim=1, keepdim=True)


def reference(module, loss, i):
    """Loss, logits and gradients of network i by autograd, without the last row."""
    module = deepcopy(module).train()
    logits, features = module(X[i], with_features=True)
    given = {"features": features[:-1]} if loss.needs_features else {}
    value = loss(logits[:-1], TARGET[i, :-1], SHARE[i, :-1], **given)
    value.backward()
    return value.detach(), logits.detach(), gradients_of(module)


def compare(modules, loss_name="cross_entropy", class_weights=(None, None, None)):
    losses = [bound_loss(loss_name, weight) for weight in class_weights]
    needs_features = loss_name == "class_rectification"
    for loss in losses:
        loss.needs_features = needs_features
    references = [
        reference(m, loss, i) for i, (m, loss) in enumerate(zip(modules, losses, strict=True))
    ]
    stack = DenseStack(modules)
    stacked = StackedLoss(losses, X[0, :1].new_zeros(1, N_CLASSES), needs_features)
    values, logits = stack.compute_gradients(X, (TARGET, SHARE, np.full(P, N - 1)), stacked)
    for i, (value, own_logits, gradients) in enumerate(references):
        torch.testing.assert_close(values[i], value, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(logits[i], own_logits, rtol=1e-5, atol=1e-6)
        written = deepcopy(modules[i])
        stack.write_gradients_to(written, i)
        for name, gradient in gradients_of(written).items():
            torch.testing.assert_close(gradient, gradients[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "elu", "gelu"])
@pytest.mark.parametrize("sizes", [(), (6,), (4, 9), (3, 1)])
def test_gradients_are_autograds(activation, sizes):
    compare([mlp_module(seed, sizes, activation) for seed in range(P)])


@pytest.mark.parametrize("loss", ["focal", "class_rectification", "balanced_softmax"])
def test_gradients_of_other_losses_are_autograds(loss):
    compare([mlp_module(seed) for seed in range(P)], loss)


def test_class_weights_differ_by_network():
    weights = [None, np.array([1.0, 2.0, 5.0]), np.array([0.5, 1.0, 0.25])]
    compare([mlp_module(seed) for seed in range(P)], class_weights=weights)


def test_dropped_units_are_those_of_the_module():
    compare([mlp_module(seed, dropout=0.4) for seed in range(P)])


def test_cosines_of_a_normalized_head():
    modules = [mlp_module(seed) for seed in range(P)]
    for seed, module in enumerate(modules):
        module.output = NormalizedLinear(4, N_CLASSES, 10.0, generator(seed))
    compare(modules)


def test_some_of_the_networks_go_on():
    modules = [mlp_module(seed) for seed in range(P)]
    stack, loss = DenseStack(modules), StackedLoss([bound_loss()] * P, X.new_zeros(1, N_CLASSES))
    rows = np.full(P, N - 1)
    stack.compute_gradients(X, (TARGET, SHARE, rows), loss)
    before = stack.gradients.clone()
    kept = [2, 0]
    stack.keep(kept)
    loss.keep(kept)
    stack.compute_gradients(X[kept], (TARGET[kept], SHARE[kept], rows[kept]), loss)
    assert torch.equal(stack.gradients, before[kept])


@pytest.mark.parametrize(
    ("sizes", "multiple"), [((32, 64), 32), ((6, 4), 32), ((16,), 32), ((), 32)]
)
def test_every_layer_has_whole_blocks_of_numbers(sizes, multiple):
    module = mlp_module(sizes=sizes)
    found = DenseStack.row_multiple(module)
    assert found <= multiple
    assert all(
        found * size % 32 == 0 for layer in module.linear_layers() for size in layer.weight.shape
    )
