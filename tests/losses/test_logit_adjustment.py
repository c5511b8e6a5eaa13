"""Logit adjustment: priors, limits and optima, in the loss and after the training."""

import numpy as np
import pytest
import torch

from skimbal.losses import (
    BalancedSoftmax,
    CrossEntropy,
    LogitAdjustment,
    adjust_logits,
)
from skimbal.losses._logit_adjustment import log_prior

from .contract import COUNTS, value_of


def test_log_prior_by_hand():
    np.testing.assert_allclose(np.exp(log_prior(COUNTS)), [0.6, 0.3, 0.1])


def test_logit_adjustment_by_tau():
    torch.testing.assert_close(value_of(LogitAdjustment(tau=0)), value_of(CrossEntropy()))
    torch.testing.assert_close(value_of(LogitAdjustment(tau=1)), value_of(BalancedSoftmax()))


def test_balanced_softmax_of_equal_counts_is_cross_entropy():
    equal = np.full(3, 7.0)
    torch.testing.assert_close(value_of(BalancedSoftmax(), equal), value_of(CrossEntropy()))


def test_balanced_softmax_finds_the_posteriors_of_equally_frequent_classes():
    """One feature value: the best logits are those whose softmax is P(x | y) / sum."""
    counts, at_x = np.array([900.0, 100.0]), np.array([90.0, 40.0])  # P(x | y) = 0.1 and 0.4
    bound = BalancedSoftmax().bind(counts).double()
    logits = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=50)

    def closure():
        optimizer.zero_grad()
        loss = bound(logits.expand(2, 2), torch.tensor([0, 1]), torch.tensor(at_x))
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(logits.detach().softmax(dim=1), [[0.2, 0.8]], rtol=1e-5)


def test_adjusted_logits_by_hand():
    proba = np.array([[0.9, 0.1]])
    adjusted = np.exp(adjust_logits(np.log(proba), [75, 25]))
    np.testing.assert_allclose(adjusted / adjusted.sum(), [[0.75, 0.25]])
    np.testing.assert_array_equal(adjust_logits(proba, [75, 25], tau=0), proba)


@pytest.mark.parametrize("counts", [[1.0], [1.0, 0.0], [1.0, np.inf], 3.0])
def test_adjusting_by_bad_counts_is_refused(counts):
    with pytest.raises(ValueError, match=r"class_counts is .* for logits of shape .*; give"):
        adjust_logits([[0.0, 0.0]], counts)


@pytest.mark.parametrize("tau", [-1, np.nan, np.inf])
def test_adjusting_by_a_bad_tau_is_refused(tau):
    with pytest.raises(ValueError, match="tau must be finite and at least 0, got"):
        adjust_logits([[0.0, 0.0]], [3, 1], tau)
