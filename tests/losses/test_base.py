"""The bound loss: values by hand, the scale rule, and modules of the user's."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from skimbal import MLPClassifier
from skimbal.losses import BaseLoss, BoundLoss
from skimbal.losses._base import ModuleLoss, weighted_mean

COUNTS = np.array([3.0, 1.0])
LOGITS = torch.tensor([[0.0, 0.0], [np.log(3.0), 0.0]])
TARGET = torch.tensor([0, 1])
LOSSES = np.log([2.0, 4.0])  # posteriors of the truth: 1/2 and 1/4


def per_sample(logits, target):
    return F.cross_entropy(logits, target, reduction="none")


def test_weighted_mean_by_hand():
    losses = torch.tensor([1.0, 4.0])
    assert weighted_mean(losses).item() == 2.5
    assert weighted_mean(losses, torch.tensor([3.0, 1.0])).item() == 1.75


@pytest.mark.parametrize(
    ("class_weight", "sample_weight", "expected"),
    [
        (None, None, LOSSES.mean()),
        ([1.0, 5.0], None, (LOSSES[0] + 5 * LOSSES[1]) / 2),
        (None, [3.0, 1.0], (3 * LOSSES[0] + LOSSES[1]) / 4),
        ([2.0, 5.0], [3.0, 1.0], (6 * LOSSES[0] + 5 * LOSSES[1]) / 4),
        ([0.0, 1.0], None, LOSSES[1] / 2),
    ],
)
def test_value_by_hand(class_weight, sample_weight, expected):
    loss = BoundLoss(per_sample, class_weight)
    weight = None if sample_weight is None else torch.tensor(sample_weight)
    assert loss(LOGITS, TARGET, weight).item() == pytest.approx(expected, rel=1e-6)


def test_differs_from_torch_by_the_mean_weight_of_the_batch():
    """torch divides by the class weights, which is why its batches don't add up."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20, 3, generator=generator)
    target = torch.randint(3, (20,), generator=generator)
    weight = torch.tensor([0.5, 1.0, 3.0])
    torch.testing.assert_close(
        BoundLoss(per_sample, weight)(logits, target),
        F.cross_entropy(logits, target, weight=weight) * weight[target].mean(),
    )


def test_weights_are_a_buffer_that_moves_and_is_saved():
    loss = BoundLoss(per_sample, [1.0, 5.0])
    assert loss.class_weight.dtype == torch.get_default_dtype()
    assert loss.double().class_weight.dtype == torch.float64
    assert list(loss.state_dict()) == ["class_weight"]
    assert list(BoundLoss(per_sample).state_dict()) == []


def test_weights_are_a_copy():
    """In float64 torch would share the array's memory."""
    torch.set_default_dtype(torch.float64)
    try:
        weight = np.array([1.0, 5.0])
        loss = BoundLoss(per_sample, weight)
    finally:
        torch.set_default_dtype(torch.float32)
    weight[:] = 0.0
    assert loss.class_weight.tolist() == [1.0, 5.0]


def test_module_that_returns_a_mean():
    loss = ModuleLoss(torch.nn.CrossEntropyLoss()).bind(COUNTS)
    assert loss(LOGITS, TARGET).item() == pytest.approx(LOSSES.mean(), rel=1e-6)


@pytest.mark.parametrize(
    ("class_weight", "sample_weight"), [([1.0, 2.0], None), (None, torch.ones(2))]
)
def test_module_that_returns_a_mean_takes_no_weights(class_weight, sample_weight):
    loss = ModuleLoss(torch.nn.CrossEntropyLoss()).bind(COUNTS, class_weight=class_weight)
    with pytest.raises(ValueError, match=r"CrossEntropyLoss returns one number .*reduction"):
        loss(LOGITS, TARGET, sample_weight)


class LossOfShape(torch.nn.Module):
    """Cross entropy, reshaped."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, logits, target):
        return per_sample(logits, target).expand(*self.shape)


@pytest.mark.parametrize("shape", [(2, 2), (1, 2)])
@pytest.mark.parametrize("class_weight", [None, [1.0, 2.0]])
def test_module_of_another_shape_is_refused(shape, class_weight):
    """A column or a matrix of losses would broadcast against the weights without a word."""
    loss = ModuleLoss(LossOfShape(*shape)).bind(COUNTS, class_weight=class_weight)
    with pytest.raises(ValueError, match=r"LossOfShape returns shape .* for 2 samples; .* \(2,\)"):
        loss(LOGITS, TARGET)


def test_module_trains_a_network_with_weights():
    X = np.array([[-1.0], [-0.5], [0.5], [1.0]])
    y = np.array([0, 0, 0, 1])
    common = {"hidden_layer_sizes": (4,), "class_weight": {1: 3}, "max_epochs": 3}
    module = torch.nn.CrossEntropyLoss(reduction="none")
    own = MLPClassifier(loss=module, **common, random_state=0).fit(X, y, [1, 1, 2, 1])
    named = MLPClassifier(**common, random_state=0).fit(X, y, [1, 1, 2, 1])
    np.testing.assert_array_equal(own.predict_proba(X), named.predict_proba(X))


class ScaledLoss(torch.nn.Module):
    """A loss with a parameter, which the optimizer trains."""

    def __init__(self):
        super().__init__()
        self.log_scale = torch.nn.Parameter(torch.zeros(()))

    def forward(self, logits, target):
        return per_sample(logits * self.log_scale.exp(), target)


def test_fit_leaves_the_users_module_as_it_was():
    X, y = np.array([[-1.0], [-0.5], [0.5], [1.0]]), np.array([0, 0, 1, 1])
    module = ScaledLoss()
    network = MLPClassifier(loss=module, max_epochs=5, random_state=0).fit(X, y)
    assert module.log_scale.item() == 0.0
    assert network.net_.criterion_.per_sample.log_scale.item() != 0.0


def test_parameters_of_a_loss_are_parameters_of_the_network():
    class Scaled(BaseLoss):
        def __init__(self, scale=1.0):
            self.scale = scale

        def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
            return BoundLoss(lambda z, t: self.scale * per_sample(z, t), class_weight)

    network = MLPClassifier(loss=Scaled())
    assert network.set_params(loss__scale=3.0).loss.scale == 3.0
    assert network.get_params()["loss__scale"] == 3.0
