"""The ramps by hand and at their ends; the scheduled losses epoch by epoch."""

import math
import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch

from skimbal import MLPClassifier
from skimbal.losses import (
    LDAM,
    BalancedSoftmax,
    BaseLoss,
    ClassBalanced,
    CrossEntropy,
    DeferredReweighting,
    Focal,
    IncrementalWeightedCrossEntropy,
)
from skimbal.losses._class_weights import balanced_weights, effective_weights
from skimbal.losses._functional import cross_entropy
from skimbal.losses._schedules import RAMPS, deferred

from .contract import COUNTS, learn, make_batch

BALANCED = torch.tensor([100 / 180, 100 / 90, 100 / 30])


@pytest.mark.parametrize(
    ("ramp", "epoch", "expected"),
    [
        ("exponential", 200, 1.0),
        ("exponential", 180, math.exp(-1)),
        ("exponential", 160, math.exp(-2)),
        ("linear", 200, 1.0),
        ("linear", 195, 0.75),
        ("linear", 180, 0.0),
        ("linear", 1, 0.0),
        ("cosine", 200, 1.0),
        ("cosine", 190, 0.5),
        ("cosine", 180, 0.0),
        ("cosine", 3, 0.0),
        ("step", 181, 1.0),
        ("step", 180, 0.0),
    ],
)
def test_ramps_by_hand(ramp, epoch, expected):
    assert RAMPS[ramp](epoch, 200, 20.0) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("ramp", sorted(RAMPS))
def test_ramps_rise_to_one(ramp):
    values = [RAMPS[ramp](epoch, 50, 7.5) for epoch in range(1, 51)]
    assert values == sorted(values)
    assert all(0.0 <= value <= 1.0 for value in values)
    assert values[-1] == RAMPS[ramp](60, 50, 7.5) == 1.0


@pytest.mark.parametrize("ramp", sorted(RAMPS))
def test_ramps_of_extreme_lengths(ramp):
    for epoch in (1, 25, 49):
        assert RAMPS[ramp](epoch, 50, math.inf) == 1.0
        assert RAMPS[ramp](epoch, 50, 1e-300) == 0.0
    assert RAMPS[ramp](50, 50, 1e-300) == 1.0
    assert RAMPS[ramp](1, math.inf, 20.0) == 0.0


@pytest.mark.parametrize(
    ("start", "n_epochs", "first"),
    [(0.8, 200, 161), (0.6, 5, 4), (0.0, 9, 1), (0.5, 3, 3), (1.0, 9, math.inf)],
)
def test_first_deferred_epoch(start, n_epochs, first):
    for epoch in range(1, n_epochs + 3):
        assert deferred(epoch, n_epochs, start) == float(epoch >= first)


def test_incremental_weights_by_hand():
    bound = IncrementalWeightedCrossEntropy(T=20).bind(np.array([3.0, 1.0]))
    bound.set_epoch(180, 200)
    alpha = math.exp(-1)
    np.testing.assert_allclose(
        bound.class_weight, [alpha * 2 / 3 + 1 - alpha, alpha * 2 + 1 - alpha], rtol=1e-6
    )


@pytest.mark.parametrize("ramp", sorted(RAMPS))
@pytest.mark.parametrize("epoch", [1, 150, 190, 200])
def test_incremental_weights_keep_the_number_of_samples(ramp, epoch):
    bound = IncrementalWeightedCrossEntropy(ramp=ramp).bind(COUNTS)
    bound.set_epoch(epoch, 200)
    assert COUNTS @ bound.class_weight.numpy() == pytest.approx(COUNTS.sum(), rel=1e-6)


@pytest.mark.parametrize("ramp", sorted(RAMPS))
def test_incremental_limits(ramp):
    always = IncrementalWeightedCrossEntropy(T=np.inf, ramp=ramp).bind(COUNTS)
    last = IncrementalWeightedCrossEntropy(T=1e-9, ramp=ramp).bind(COUNTS)
    torch.testing.assert_close(always.class_weight, BALANCED)
    assert last.class_weight.tolist() == [1.0, 1.0, 1.0]
    for epoch in range(1, 31):
        always.set_epoch(epoch, 30)
        last.set_epoch(epoch, 30)
        torch.testing.assert_close(always.class_weight, BALANCED)
        if epoch < 30:
            assert last.class_weight.tolist() == [1.0, 1.0, 1.0]
    torch.testing.assert_close(last.class_weight, BALANCED)


def test_incremental_ends_are_plain_and_weighted_cross_entropy():
    bound = IncrementalWeightedCrossEntropy(T=1e-9).bind(COUNTS).double()
    plain = CrossEntropy().bind(COUNTS).double()
    weighted = CrossEntropy().bind(COUNTS, class_weight=balanced_weights(COUNTS)).double()
    bound.set_epoch(29, 30)
    assert bound(*make_batch()) == plain(*make_batch())
    bound.set_epoch(30, 30)
    torch.testing.assert_close(bound(*make_batch()), weighted(*make_batch()))


def test_gradient_of_incremental_is_the_closed_form():
    """Populations know cross entropy by its formula."""
    assert IncrementalWeightedCrossEntropy().bind(COUNTS).per_sample is cross_entropy


def test_setting_the_epoch_changes_the_tensor_in_place():
    bound = IncrementalWeightedCrossEntropy().bind(COUNTS)
    tensor, before = bound.class_weight, bound.class_weight.clone()
    bound.set_epoch(200, 200)
    assert bound.class_weight is tensor
    assert not torch.equal(tensor, before)


@pytest.mark.parametrize("copy", [deepcopy, lambda bound: pickle.loads(pickle.dumps(bound))])
def test_copies_of_a_schedule_go_on(copy):
    bound = IncrementalWeightedCrossEntropy().bind(COUNTS)
    twin = copy(bound)
    bound.set_epoch(195, 200)
    assert not torch.equal(bound.class_weight, twin.class_weight)
    twin.set_epoch(195, 200)
    assert torch.equal(bound.class_weight, twin.class_weight)


@pytest.mark.parametrize("inner", ["cross_entropy", Focal(gamma=1), LDAM(), BalancedSoftmax()])
@pytest.mark.parametrize("weights", ["effective", "balanced"])
def test_deferred_is_the_inner_loss_and_then_the_weighted_one(inner, weights):
    bound = DeferredReweighting(inner, start=0.5, weights=weights, beta=0.9).bind(COUNTS).double()
    value = CrossEntropy() if inner == "cross_entropy" else inner
    final = effective_weights(COUNTS, 0.9) if weights == "effective" else balanced_weights(COUNTS)
    plain = value.bind(COUNTS).double()
    weighted = value.bind(COUNTS, class_weight=final).double()
    assert bound(*make_batch()) == plain(*make_batch())
    for epoch in range(1, 11):
        bound.set_epoch(epoch, 10)
        now = plain if epoch <= 5 else weighted
        torch.testing.assert_close(bound(*make_batch()), now(*make_batch()), rtol=1e-6, atol=0)


def test_deferred_from_the_start_is_class_balanced():
    deferred_loss = DeferredReweighting(Focal(), start=0, beta=0.99).bind(COUNTS)
    class_balanced = ClassBalanced(beta=0.99, loss=Focal()).bind(COUNTS)
    assert deferred_loss(*make_batch()) == class_balanced(*make_batch())


def test_class_balanced_by_hand():
    # Effective numbers 1 and 1.75, as in the test of the weights: 7 and 4, times 4 / 19.
    bound = ClassBalanced(beta=0.5).bind(np.array([1.0, 3.0]))
    np.testing.assert_allclose(bound.class_weight, np.array([7, 4]) * 4 / 19, rtol=1e-6)
    assert bound.per_sample is cross_entropy


def test_class_balanced_with_beta_0_is_the_inner_loss():
    torch.testing.assert_close(
        ClassBalanced(beta=0, loss=Focal(gamma=1)).bind(COUNTS)(*make_batch()),
        Focal(gamma=1).bind(COUNTS)(*make_batch()),
    )


@pytest.mark.parametrize("wrapper", [DeferredReweighting, ClassBalanced])
def test_a_loss_around_a_loss_asks_for_what_the_inner_one_does(wrapper):
    around = wrapper(loss=LDAM(scale=7))
    assert (around.head, around.scale) == ("normalized", 7)
    assert wrapper().head is None
    assert not hasattr(wrapper(), "scale")
    assert around.get_params()["loss__scale"] == 7
    assert repr(around.unweighted()) == repr(LDAM(scale=7))


@pytest.mark.parametrize("wrapper", [DeferredReweighting, ClassBalanced])
@pytest.mark.parametrize(
    "inner", ["dice", "class_balanced", "deferred_reweighting", Focal(alpha="balanced")]
)
def test_losses_that_weight_the_classes_are_refused(wrapper, inner):
    with pytest.raises(ValueError, match=r"weights the classes itself, so .*; give a loss that"):
        wrapper(loss=inner).bind(COUNTS)


class OwnModule(BaseLoss):
    """A loss that is no `BoundLoss`."""

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        return torch.nn.CrossEntropyLoss()


@pytest.mark.parametrize("wrapper", [DeferredReweighting, ClassBalanced])
def test_losses_that_bind_to_another_module_are_refused(wrapper):
    with pytest.raises(ValueError, match=r"binds to a CrossEntropyLoss, .*; give a loss whose"):
        wrapper(loss=OwnModule()).bind(COUNTS)


@pytest.mark.parametrize("wrapper", [DeferredReweighting, ClassBalanced])
def test_modules_of_the_users_are_inner_losses(wrapper):
    module = torch.nn.CrossEntropyLoss(reduction="none")
    torch.testing.assert_close(
        wrapper(loss=module).bind(COUNTS)(*make_batch()), wrapper().bind(COUNTS)(*make_batch())
    )
    mean = wrapper(loss=torch.nn.CrossEntropyLoss()).bind(COUNTS)
    with pytest.raises(ValueError, match=r'let it return one loss per sample \(reduction="none"\)'):
        mean(*make_batch())


def test_a_network_has_the_weights_of_its_last_epoch():
    network, _, y = learn(IncrementalWeightedCrossEntropy(T=2), max_epochs=6)
    np.testing.assert_allclose(
        network.class_weight_, balanced_weights(np.bincount(y).astype(float)), rtol=1e-6
    )
    network, _, _ = learn(DeferredReweighting(start=1), max_epochs=6)
    assert network.class_weight_.tolist() == [1.0, 1.0, 1.0]


def test_a_network_with_weights_throughout_is_the_weighted_one():
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.repeat([0, 1], [50, 10])
    common = {"hidden_layer_sizes": (4,), "max_epochs": 5, "random_state": 0}
    late = MLPClassifier(loss=IncrementalWeightedCrossEntropy(T=np.inf), **common).fit(X, y)
    balanced = MLPClassifier(class_weight="balanced", **common).fit(X, y)
    np.testing.assert_allclose(late.predict_proba(X), balanced.predict_proba(X), atol=1e-6)
