"""What all stacks share: parameters and gradients, a row a network."""

from copy import deepcopy

import pytest
import torch

from skimbal._training.stacks import DenseStack, FunctionalStack
from skimbal._training.stacks.base import draw_kept

from ..nets import generator, mlp_module

KINDS = pytest.mark.parametrize("kind", [DenseStack, FunctionalStack])


@KINDS
def test_networks_go_in_and_come_out(kind):
    modules = [mlp_module(seed) for seed in range(3)]
    stack, targets = kind(deepcopy(modules)), [mlp_module(9) for _ in modules]
    for i, (module, target) in enumerate(zip(modules, targets, strict=True)):
        stack.write_to(target, i)
        for a, b in zip(module.parameters(), target.parameters(), strict=True):
            assert torch.equal(a, b)


@KINDS
def test_gradients_are_written_as_copies(kind):
    module, stack = mlp_module(), kind([mlp_module(), mlp_module(1)])
    stack.gradients[1] = 2.0
    stack.write_gradients_to(module, 1)
    stack.gradients[1] = 3.0
    assert all((parameter.grad == 2.0).all() for parameter in module.parameters())


@KINDS
def test_some_of_the_networks_are_kept(kind):
    stack = kind([mlp_module(seed) for seed in range(4)])
    before = stack.parameters.clone()
    stack.keep([3, 1])
    assert torch.equal(stack.parameters, before[[3, 1]])
    assert stack.gradients.shape == stack.parameters.shape


def test_each_network_draws_from_its_own_generator():
    out = draw_kept(torch.empty(2, 4000, 5), 0.25, [generator(0), generator(1)])
    alone = draw_kept(torch.empty(1, 4000, 5), 0.25, [generator(1)])
    assert torch.equal(out[1], alone[0])
    assert out.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert float((out == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
