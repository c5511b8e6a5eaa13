"""Formulas of batches against values by hand, loops over classes and samples, and limit cases."""

import numpy as np
import pytest
import torch

from skimbal.losses._functional_batch import (
    auc_margin,
    dice,
    generalized_dice,
    mean_false_error,
    mean_squared_false_error,
    soft_g_mean,
)

from .contract import make_batch

# Posteriors of two classes: (3/4, 1/4), (1/2, 1/2), (1/4, 3/4); the last sample is of class 1.
LOGITS = torch.tensor([[np.log(3.0), 0.0], [0.0, 0.0], [0.0, np.log(3.0)]], dtype=torch.float64)
TARGET = torch.tensor([0, 0, 1])
SHARE = torch.full((3,), 1 / 3, dtype=torch.float64)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        # overlap 5/4 and 3/4; squared posteriors 14/16 in both columns; sizes 2 and 1
        (dice, 1 - (2 * 5 / 4 / (14 / 16 + 2) + 2 * 3 / 4 / (14 / 16 + 1)) / 2),
        # weights 1/4 and 1; posteriors add up to 3/2 in both columns
        (generalized_dice, 1 - 2 * (5 / 16 + 3 / 4) / ((3 / 2 + 2) / 4 + 3 / 2 + 1)),
        # 1/2 ||p - t||^2 is 1/16, 1/4 and 1/16
        (mean_false_error, 5 / 32 + 1 / 16),
        (mean_squared_false_error, (5 / 32) ** 2 + (1 / 16) ** 2),
        # soft recalls 5/8 and 3/4
        (soft_g_mean, -np.log(5 / 8 * 3 / 4) / 2),
    ],
)
def test_by_hand(formula, expected):
    assert formula(LOGITS, TARGET, SHARE).item() == pytest.approx(expected, rel=1e-12)


def test_auc_margin_by_hand():
    # Posterior of class 0: 3/4 and 1/2 of its samples, 1/4 of the other. Class 1 is its mirror.
    expected = (1 / 8) ** 2 + (1 + 1 / 4 - 5 / 8) ** 2
    assert auc_margin(LOGITS, TARGET, SHARE, 1.0).item() == pytest.approx(expected, rel=1e-12)


def test_auc_margin_that_is_kept_leaves_the_variances():
    value = auc_margin(LOGITS, TARGET, SHARE, 0.25)
    assert value.item() == pytest.approx((1 / 8) ** 2, rel=1e-12)


def loop_over_classes(logits, target, weight):
    """Yield posterior of the class, weight and membership, for each class present."""
    proba = logits.softmax(dim=1).numpy()
    for c in np.unique(target):
        yield proba[:, c], np.asarray(weight), np.asarray(target) == c


def naive_dice(logits, target, weight):
    values = [
        2 * (w * p)[t].sum() / ((w * p**2).sum() + w[t].sum())
        for p, w, t in loop_over_classes(logits, target, weight)
    ]
    return 1 - np.mean(values)


def naive_generalized_dice(logits, target, weight):
    above = below = 0.0
    for p, w, t in loop_over_classes(logits, target, weight):
        above += 2 * (w * p)[t].sum() / w[t].sum() ** 2
        below += ((w * p).sum() + w[t].sum()) / w[t].sum() ** 2
    return 1 - above / below


def naive_mean_false_error(logits, target, weight, power=1):
    proba, onehot = logits.softmax(dim=1).numpy(), np.eye(logits.shape[1])[np.asarray(target)]
    errors = ((proba - onehot) ** 2).sum(axis=1) / 2
    return sum(
        np.average(errors[t], weights=w[t]) ** power
        for _, w, t in loop_over_classes(logits, target, weight)
    )


def naive_soft_g_mean(logits, target, weight):
    recalls = [
        np.average(p[t], weights=w[t]) for p, w, t in loop_over_classes(logits, target, weight)
    ]
    return -np.log(np.prod(recalls) ** (1 / len(recalls)))


def naive_auc_margin(logits, target, weight, margin=0.7):
    values = []
    for p, w, t in loop_over_classes(logits, target, weight):
        a, b = np.average(p[t], weights=w[t]), np.average(p[~t], weights=w[~t])
        spread = [np.average((p[s] - m) ** 2, weights=w[s]) for s, m in ((t, a), (~t, b))]
        # The maximum over alpha >= 0 of 2 alpha (margin + b - a) - alpha^2, on a grid.
        alpha = np.linspace(0, 2, 200_001)
        values.append(sum(spread) + (2 * alpha * (margin + b - a) - alpha**2).max())
    return np.mean(values)


@pytest.mark.parametrize(
    ("formula", "naive"),
    [
        (dice, naive_dice),
        (generalized_dice, naive_generalized_dice),
        (mean_false_error, naive_mean_false_error),
        (mean_squared_false_error, lambda *batch: naive_mean_false_error(*batch, power=2)),
        (soft_g_mean, naive_soft_g_mean),
        (lambda *batch: auc_margin(*batch, 0.7), naive_auc_margin),
    ],
)
@pytest.mark.parametrize("classes", [[0, 1, 2], [0, 2]])
def test_as_a_loop(formula, naive, classes):
    """With weights; also where a class is absent from the batch."""
    logits, target = make_batch(15, seed=3)
    target = torch.tensor(classes)[target % len(classes)]
    weight = torch.rand(15, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.1
    expected = naive(logits, target, weight)
    assert formula(logits, target, weight / weight.sum()).item() == pytest.approx(expected, 1e-9)


@pytest.mark.parametrize(
    "formula",
    [dice, generalized_dice, mean_false_error, mean_squared_false_error, soft_g_mean],
)
def test_a_perfect_batch_costs_nothing(formula):
    logits = 800.0 * torch.eye(2, dtype=torch.float64)[TARGET]
    assert formula(logits, TARGET, SHARE).item() == pytest.approx(0.0, abs=1e-12)
    assert auc_margin(logits, TARGET, SHARE, 1.0).item() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("formula", [mean_false_error, mean_squared_false_error, soft_g_mean])
def test_classes_count_the_same_however_many_samples_they_have(formula):
    """Missing the one sample of a class costs what missing all nine of the other does."""
    target = torch.tensor([0] + [1] * 9)
    share = torch.full((10,), 0.1, dtype=torch.float64)
    miss_rare = torch.zeros(10, 2, dtype=torch.float64)
    miss_frequent = miss_rare.clone()
    miss_rare[0, 0] = -2.0
    miss_frequent[1:, 1] = -2.0
    torch.testing.assert_close(
        formula(miss_rare, target, share), formula(miss_frequent, target, share)
    )


def test_soft_g_mean_is_steep_where_a_class_is_missed():
    logits = torch.tensor([[9.0, 0.0], [9.0, 0.0]], dtype=torch.float64, requires_grad=True)
    share = torch.full((2,), 0.5, dtype=torch.float64)
    soft_g_mean(logits, torch.tensor([0, 1]), share).backward()
    assert logits.grad[1, 1] < -0.49


def test_a_batch_without_weight_gives_finite_gradients():
    logits = LOGITS.clone().requires_grad_()
    nothing = torch.zeros(3, dtype=torch.float64)
    for formula in (
        dice,
        generalized_dice,
        mean_false_error,
        mean_squared_false_error,
        soft_g_mean,
    ):
        (gradient,) = torch.autograd.grad(formula(logits, TARGET, nothing), logits)
        assert (gradient == 0).all()
