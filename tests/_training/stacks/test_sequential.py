"""One network, trained in place by autograd."""

from copy import deepcopy

import pytest
import torch

from skimbal._training.losses import SequentialLoss
from skimbal._training.stacks import SequentialStack

from ..nets import N_CLASSES, Convolution, bound_loss, generator, gradients_of, mlp_module

X = torch.randn(9, 2, 8, generator=generator(1))
TARGET = torch.randint(N_CLASSES, (9,), generator=generator(2))
WEIGHT = torch.rand(9, generator=generator(3))


class WithParameter(torch.nn.Module):
    """A loss with a temperature that is learned."""

    def __init__(self):
        super().__init__()
        self.temperature = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, logits, target, weight=None):
        return torch.nn.functional.cross_entropy(logits / self.temperature, target)


CASES = {
    "dense": (mlp_module, X[:, 0, :5], "cross_entropy", None),
    "dropout": (lambda: mlp_module(dropout=0.4), X[:, 0, :5], "cross_entropy", WEIGHT),
    "convolution": (Convolution, X, "cross_entropy", None),
    "batch norm": (lambda: Convolution(batch_norm=True), X, "focal", WEIGHT),
    "features": (Convolution, X, "class_rectification", WEIGHT),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_autograds_to_the_bit(name):
    make, inputs, loss_name, weight = CASES[name]
    module, loss = make(), bound_loss(loss_name)
    needs_features = loss_name == "class_rectification"
    own = deepcopy(module).train()
    outputs = own(inputs, with_features=True)
    given = {"features": outputs[1]} if needs_features else {}
    value = loss(outputs[0], TARGET, weight, **given)
    value.backward()
    module.eval()
    labels = TARGET[None], None if weight is None else weight[None], None, None
    stack = SequentialStack([module])
    losses, logits = stack.compute_gradients(
        inputs[None], labels, SequentialLoss(loss, needs_features)
    )
    assert losses.shape == (1,)
    assert torch.equal(losses[0], value)
    assert torch.equal(logits[0], outputs[0])
    assert module.training
    for parameter, gradient in gradients_of(own).items():
        assert torch.equal(gradients_of(module)[parameter], gradient)
    for a, b in zip(module.buffers(), own.buffers(), strict=True):
        assert torch.equal(a, b)


def test_gradients_of_a_step_do_not_add_up():
    module, loss = Convolution(), WithParameter()
    stack, sequential = SequentialStack([module]), SequentialLoss(loss)
    labels = TARGET[None], None, None, None
    stack.compute_gradients(X[None], labels, sequential)
    once = [p.grad.clone() for p in (*module.parameters(), *loss.parameters())]
    stack.compute_gradients(X[None], labels, sequential)
    for parameter, gradient in zip((*module.parameters(), *loss.parameters()), once, strict=True):
        assert torch.equal(parameter.grad, gradient)


def test_mixtures_are_those_of_both_losses():
    module, partner = Convolution(), TARGET.roll(1)
    labels = TARGET[None], None, None, (partner[None], None, 0.3)
    stack = SequentialStack([module])
    losses, logits = stack.compute_gradients(X[None], labels, SequentialLoss(bound_loss()))
    own, others = (torch.nn.functional.cross_entropy(logits[0], t) for t in (TARGET, partner))
    assert losses[0] == pytest.approx(float(0.3 * own + 0.7 * others), rel=1e-6)


def test_it_takes_one_module():
    with pytest.raises(ValueError, match="too many values"):
        SequentialStack([Convolution(), Convolution()])
