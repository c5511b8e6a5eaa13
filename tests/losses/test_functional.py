"""Per-sample formulas against values by hand, loops over samples, and limit cases."""

import math

import numpy as np
import pytest
import torch

from skimbal.losses._functional import (
    asymmetric,
    cross_entropy,
    expected_cost,
    focal,
    log_complement,
    log_complements,
    margin_cross_entropy,
    shifted_cross_entropy,
)

from .contract import make_batch

# Posteriors 0.1, 0.3 and 0.6.
LOGITS = torch.tensor([[0.0, np.log(3.0), np.log(6.0)]] * 3, dtype=torch.float64)


def posteriors(logits):
    """Softmax, by plain Python."""
    rows = []
    for row in logits.tolist():
        exps = [math.exp(z) for z in row]
        rows.append([e / sum(exps) for e in exps])
    return rows


def test_cross_entropy_by_hand():
    logits = torch.tensor([[0.0, np.log(3.0), np.log(6.0)]] * 3)
    torch.testing.assert_close(
        cross_entropy(logits, torch.arange(3)), torch.tensor(np.log([10.0, 10 / 3, 10 / 6]))
    )


def test_cross_entropy_of_large_logits():
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]])
    assert cross_entropy(logits, torch.tensor([0, 0])).tolist() == [0.0, 2e4]


def test_focal_by_hand():
    losses = focal(LOGITS, torch.arange(3), gamma=2.0)
    np.testing.assert_allclose(
        losses, [0.81 * np.log(10), 0.49 * np.log(10 / 3), 0.16 * np.log(10 / 6)]
    )


@pytest.mark.parametrize("gamma", [0.3, 1.0, 5.0])
def test_focal_as_a_loop(gamma):
    logits, target = make_batch()
    expected = [
        -((1 - p[y]) ** gamma) * math.log(p[y])
        for p, y in zip(posteriors(logits), target.tolist(), strict=True)
    ]
    np.testing.assert_allclose(focal(logits, target, gamma), expected)


def test_focal_with_gamma_0_is_cross_entropy():
    logits, target = make_batch()
    torch.testing.assert_close(focal(logits, target, 0.0), cross_entropy(logits, target))


def test_complements_by_hand():
    log_proba = LOGITS.log_softmax(dim=1)
    np.testing.assert_allclose(
        log_complement(log_proba, torch.eye(3, dtype=torch.bool)), np.log([0.9, 0.7, 0.4])
    )
    np.testing.assert_allclose(log_complements(log_proba)[0], np.log([0.9, 0.7, 0.4]))


def test_complements_of_posteriors_near_1_are_exact():
    """1 - p is e^-50, which 1 - exp(log p) rounds to 0."""
    log_proba = torch.tensor([[50.0, 0.0]], dtype=torch.float64).log_softmax(dim=1)
    np.testing.assert_allclose(log_complements(log_proba), [[-50.0, 0.0]], atol=1e-20)


@pytest.mark.parametrize(
    ("gamma_positive", "gamma_negative", "margin"),
    [(0.0, 4.0, 0.05), (1.0, 0.5, 0.0), (2.0, 0.0, 0.2), (0.5, 2.0, 0.6)],
)
def test_asymmetric_as_a_loop(gamma_positive, gamma_negative, margin):
    logits, target = make_batch()
    expected = []
    for p, y in zip(posteriors(logits), target.tolist(), strict=True):
        loss = -((1 - p[y]) ** gamma_positive) * math.log(p[y])
        for j in set(range(3)) - {y}:
            q = max(p[j] - margin, 0.0)
            loss -= q**gamma_negative * math.log(1 - q)
        expected.append(loss)
    np.testing.assert_allclose(
        asymmetric(logits, target, gamma_positive, gamma_negative, margin), expected
    )


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_asymmetric_with_margin_1_is_focal(gamma):
    logits, target = make_batch()
    torch.testing.assert_close(
        asymmetric(logits, target, gamma, 4.0, 1.0), focal(logits, target, gamma)
    )


def test_asymmetric_of_a_sure_error_is_not_capped():
    logits = torch.tensor([[300.0, 0.0]], dtype=torch.float64)
    loss = asymmetric(logits, torch.tensor([1]), 0.0, 4.0, 0.0)
    torch.testing.assert_close(loss, torch.tensor([600.0], dtype=torch.float64))


def test_margin_lowers_the_logit_of_the_true_class():
    logits, target = make_batch()
    margin = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    lowered = logits.clone()
    for i, y in enumerate(target.tolist()):
        lowered[i, y] -= margin[y]
    torch.testing.assert_close(
        margin_cross_entropy(logits, target, margin), cross_entropy(lowered, target)
    )


def test_shift_by_hand():
    """n = (3, 1) and equal logits: the posteriors of the training data are 3/4 and 1/4."""
    losses = shifted_cross_entropy(
        torch.zeros(2, 2), torch.tensor([0, 1]), torch.tensor([3.0, 1.0]).log()
    )
    np.testing.assert_allclose(losses, np.log([4 / 3, 4]), rtol=1e-6)


def test_expected_cost_by_hand():
    cost = torch.tensor([[0.0, 2.0, 3.0], [5.0, 0.0, 7.0], [11.0, 13.0, 0.0]], dtype=torch.float64)
    np.testing.assert_allclose(
        expected_cost(LOGITS, torch.arange(3), cost),
        [2 * 0.3 + 3 * 0.6, 5 * 0.1 + 7 * 0.6, 11 * 0.1 + 13 * 0.3],
    )
