"""Incremental weighted cross entropy: weights epoch by epoch, limits, and networks."""

import math
import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch

from skimbal import MLPClassifier
from skimbal.losses import (
    CrossEntropy,
    IncrementalWeightedCrossEntropy,
)
from skimbal.losses._class_weights import balanced_weights
from skimbal.losses._functional import cross_entropy
from skimbal.losses._schedules import RAMPS

from .contract import COUNTS, make_batch

BALANCED = torch.tensor([100 / 180, 100 / 90, 100 / 30])


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


def test_a_network_with_weights_throughout_is_the_weighted_one():
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.repeat([0, 1], [50, 10])
    common = {"hidden_layer_sizes": (4,), "max_epochs": 5, "random_state": 0}
    late = MLPClassifier(loss=IncrementalWeightedCrossEntropy(T=np.inf), **common).fit(X, y)
    balanced = MLPClassifier(class_weight="balanced", **common).fit(X, y)
    np.testing.assert_allclose(late.predict_proba(X), balanced.predict_proba(X), atol=1e-6)
