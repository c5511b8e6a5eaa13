"""Class rectification: distances, minority classes and triplets, and what the value binds to."""

import numpy as np
import pytest
import torch

from skimbal.losses import ClassRectification, CrossEntropy, cross_entropy
from skimbal.losses._class_rectification import (
    class_rectification,
    distances,
    hard_triplet_loss,
    imbalance,
    is_minority,
)

from .contract import COUNTS, make_batch


def test_distances_by_hand():
    features = torch.tensor([[2.0, 0.0], [0.0, 0.5], [-1.0, 0.0], [4.0, 0.0]], dtype=torch.float64)
    root = np.sqrt(2)
    expected = [[0, root, 2, 0], [root, 0, root, root], [2, root, 0, 2], [0, root, 2, 0]]
    np.testing.assert_allclose(distances(features), expected, atol=1e-12)


def test_distances_of_equal_and_zero_features_have_finite_slopes():
    features = torch.tensor([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]], requires_grad=True)
    distances(features).sum().backward()
    assert features.grad.isfinite().all()


@pytest.mark.parametrize(
    ("counts", "minority"),
    [
        ([5, 3, 2], [1, 2]),  # 2 and 2 + 3 of 10
        ([6, 2, 2], [1, 2]),
        ([4, 3, 3], []),  # both of the smaller ones are no larger than the other: 6 of 10
        ([5, 5, 0], []),
        ([9, 1, 0], [1]),
        ([5, 4, 1], [1, 2]),
        ([4, 4, 2], [2]),
    ],
)
def test_minority_classes(counts, minority):
    target = torch.repeat_interleave(torch.arange(3), torch.tensor(counts))
    share = torch.full((10,), 0.1)
    expected = [y in minority for y in target.tolist()]
    assert is_minority(torch.zeros(10, 3), target, share).tolist() == expected


def naive_triplets(distance, target, weight, anchors, margin, k):
    above = below = 0.0
    for a in anchors:
        there = [i for i in range(len(target)) if weight[i] > 0 and i != a]
        far = sorted((distance[a, i] for i in there if target[i] == target[a]), reverse=True)[:k]
        near = sorted(distance[a, i] for i in there if target[i] != target[a])[:k]
        hinges = [max(0.0, margin + p - q) for p in far for q in near]
        if hinges and weight[a] > 0:
            above += weight[a] * np.mean(hinges)
            below += weight[a]
    return above / below if below else 0.0


@pytest.mark.parametrize("n_hardest", [1, 2, 50])
def test_triplets_as_a_loop(n_hardest):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(14, 4, dtype=torch.float64, generator=generator)
    target = torch.tensor([0] * 8 + [1] * 3 + [2] * 3)
    weight = torch.rand(14, dtype=torch.float64, generator=generator)
    weight[[0, 9]] = 0.0
    distance = distances(features)
    value = hard_triplet_loss(
        distance, target, weight / weight.sum(), target > 0, margin=0.5, n_hardest=n_hardest
    )
    expected = naive_triplets(
        distance.numpy(), target.tolist(), weight.tolist(), range(8, 14), 0.5, n_hardest
    )
    assert expected > 0
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_rectification_mixes_the_two_losses():
    logits, target = make_batch(12)
    target = (target == 2).long() * 2
    share = torch.full((12,), 1 / 12, dtype=torch.float64)
    settings = {"features": logits, "margin": 0.5, "n_hardest": 3}
    plain, mixed, triplets = (
        class_rectification(logits, target, share, rectified=part, **settings)
        for part in (0.0, 0.25, 1.0)
    )
    torch.testing.assert_close(plain, cross_entropy(logits, target).mean())
    torch.testing.assert_close(
        triplets, hard_triplet_loss(distances(logits), target, share, target == 2, 0.5, 3)
    )
    torch.testing.assert_close(mixed, 0.75 * plain + 0.25 * triplets)


def test_rectification_differentiates_through_the_features():
    logits, target = make_batch(9)
    target = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 2])
    features = torch.randn(
        9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    ).requires_grad_()
    share = torch.full((9,), 1 / 9, dtype=torch.float64)

    def loss(features):
        return class_rectification(
            logits, target, share, features, rectified=0.5, margin=0.5, n_hardest=2
        )

    assert torch.autograd.gradcheck(loss, features)
    assert torch.autograd.grad(loss(features), features)[0].abs().sum() > 0


def test_imbalance_by_hand():
    assert imbalance(np.array([10.0, 10.0])) == 0.0
    # There are 20 samples; 30 would be balanced.
    assert imbalance(np.array([15.0, 5.0])) == pytest.approx(10 / 30)


@pytest.mark.parametrize(
    ("loss", "counts"),
    [(ClassRectification(eta=0), COUNTS), (ClassRectification(eta=1), np.full(3, 4.0))],
)
def test_rectification_of_nothing_is_cross_entropy(loss, counts):
    logits, target = make_batch()
    value = loss.bind(counts).double()(logits, target, features=logits)
    torch.testing.assert_close(value, CrossEntropy().bind(COUNTS).double()(*make_batch()))


def test_rectification_without_features_is_refused():
    with pytest.raises(ValueError, match=r"got features=None, .*; call the loss with features="):
        ClassRectification().bind(COUNTS)(*make_batch())
