"""Losses of a population: values and gradients."""

import numpy as np
import pytest
import skorch
import torch
from sklearn.base import clone

from skimbal._training.losses import SequentialLoss, StackedLoss, is_cross_entropy

from .nets import LOSSES, N_CLASSES, bound_loss, generator
from .populations import Focal, FocalOfAnyPower, RelativeToTheBatch, UnknownToVmap, X, mlp, y


def test_a_loss_that_looks_at_the_batch_sees_no_row_that_fills_it_up():
    network = mlp(loss=RelativeToTheBatch(), batch_size=50, random_state=0, max_epochs=3)
    plain = clone(network).fit(X, y)
    spied = network.set_params(callbacks=[skorch.callbacks.Callback()]).fit(X, y)
    np.testing.assert_allclose(plain.predict_proba(X), spied.predict_proba(X), atol=1e-4)


P, N = 3, 8
LOGITS = 2.0 * torch.randn(P, N, N_CLASSES, generator=generator(1))
FEATURES = torch.randn(P, N, 5, generator=generator(2))
TARGET = torch.tensor([[0, 0, 0, 0, 1, 1, 2, 2]] * P)
SHARE = torch.rand(P, N, generator=generator(4)) + 0.1
PARTNER = TARGET.roll(1, dims=1)
PART = torch.tensor([0.2, 0.5, 1.0])
OF_FEATURES = ("class_rectification", "cosen", "deep_oversampling")


def by_autograd(loss, target, share, needs_features):
    """Values and gradients of each network's loss on its first seven rows."""
    values, gradients = [], []
    for i in range(P):
        inputs = [x[i, :-1].clone().requires_grad_() for x in (LOGITS, FEATURES)]
        inputs = inputs[: 1 + needs_features]
        value = loss(inputs[0], target[i, :-1], share[i, :-1], *inputs[1:])
        value.backward()
        values.append(value.detach())
        # Features that only tell what the costs should be have no gradient.
        gradients.append([torch.zeros_like(x) if x.grad is None else x.grad for x in inputs])
    return torch.stack(values), [torch.stack(x) for x in zip(*gradients, strict=True)]


def shares(weight):
    weight = weight.clone()
    weight[:, -1] = 0.0  # the last row only fills the batch up
    return weight / weight.sum(dim=1, keepdim=True)


@pytest.mark.parametrize("mixture", [None, (PARTNER, shares(SHARE.roll(-1, 1)), PART)])
@pytest.mark.parametrize(
    "name", [*LOSSES, Focal(), FocalOfAnyPower(), UnknownToVmap(), RelativeToTheBatch()], ids=str
)
def test_values_and_gradients_are_autograds(name, mixture):
    needs_features = name in OF_FEATURES
    losses = [bound_loss(name) for _ in range(P)]
    stacked = StackedLoss(losses, LOGITS[0, :1], needs_features)
    stacked.begin_epoch([2] * P, [10] * P)
    inputs = (LOGITS, FEATURES)[: 1 + needs_features]
    values, gradients = stacked(inputs, TARGET, shares(SHARE), np.full(P, N - 1), mixture)
    expected, by_hand = by_autograd(losses[0], TARGET, shares(SHARE), needs_features)
    if mixture is not None:
        partner, partner_share, part = mixture
        others, of_others = by_autograd(losses[0], partner, partner_share, needs_features)
        expected = part * expected + (1 - part) * others
        wide = part[:, None, None]
        pairs = zip(by_hand, of_others, strict=True)
        by_hand = [wide * own + (1 - wide) * other for own, other in pairs]
    torch.testing.assert_close(values, expected, rtol=1e-5, atol=1e-6)
    for gradient, reference in zip(gradients, by_hand, strict=True):
        torch.testing.assert_close(gradient[:, :-1], reference, rtol=1e-4, atol=1e-6)
        assert (gradient[:, -1] == 0).all()


@pytest.mark.parametrize(
    ("loss", "strategy"),
    [
        ("cross_entropy", "StackedCrossEntropy"),
        ("focal", "vmapped"),
        (Focal(), "vmapped"),
        (UnknownToVmap(), "partial"),
        (RelativeToTheBatch(), "partial"),
    ],
    ids=str,
)
def test_the_first_strategy_that_is_possible_is_taken(loss, strategy):
    stacked = StackedLoss([bound_loss(loss)] * 2, LOGITS[0, :1])
    assert getattr(stacked.strategy, "__name__", type(stacked.strategy).__name__) == strategy


def test_cross_entropy_by_hand():
    """Two classes with logits 0: log 2, and gradients of half a share."""
    stacked = StackedLoss([bound_loss()], torch.zeros(1, 2))
    share = torch.tensor([[0.75, 0.25]])
    values, (gradient,) = stacked(
        (torch.zeros(1, 2, 2),), torch.tensor([[0, 1]]), share, np.array([2])
    )
    assert values[0] == pytest.approx(np.log(2), rel=1e-6)
    np.testing.assert_allclose(gradient[0], [[-0.375, 0.375], [0.125, -0.125]], rtol=1e-6)


def test_some_of_the_networks_go_on():
    losses = [bound_loss(class_weight=np.array([1.0, 1.0, w])) for w in (1.0, 2.0, 3.0)]
    stacked = StackedLoss(losses, LOGITS[0, :1])
    n_rows = np.full(P, N)
    before, _ = stacked((LOGITS,), TARGET, shares(SHARE), n_rows)
    stacked.keep([2, 0])
    after, _ = stacked((LOGITS[[2, 0]],), TARGET[:2], shares(SHARE)[[2, 0]], n_rows[:2])
    assert torch.equal(after, before[[2, 0]])


@pytest.mark.parametrize("name", LOSSES)
def test_a_sequential_loss_is_the_loss_itself(name):
    needs_features = name in OF_FEATURES
    loss = bound_loss(name)
    sequential = SequentialLoss(loss, needs_features)
    sequential.begin_epoch([2], [10])
    inputs = (LOGITS[0], FEATURES[0])[: 1 + needs_features]
    expected = loss(LOGITS[0], TARGET[0], SHARE[0], *inputs[1:])
    assert torch.equal(sequential(inputs, TARGET[:1], SHARE[:1], None), expected)
    others = loss(LOGITS[0], PARTNER[0], SHARE[0], *inputs[1:])
    mixed = sequential(inputs, TARGET[:1], SHARE[:1], None, (PARTNER[:1], SHARE[:1], 0.25))
    torch.testing.assert_close(mixed, 0.25 * expected + 0.75 * others)


@pytest.mark.parametrize(
    ("loss", "expected"), [("cross_entropy", True), ("focal", False), (Focal(), False)], ids=str
)
def test_cross_entropy_is_known_by_its_formula(loss, expected):
    assert is_cross_entropy(bound_loss(loss)) == expected
