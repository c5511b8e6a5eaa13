"""The quintuplet loss: margins, the other four samples, and a loss by a naive loop."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from skimbal.losses import Quintuplets
from skimbal.losses._quintuplets import (
    quintuplet_distances,
    quintuplet_margins,
    squared_distances,
    triple_hinge,
)

CLUSTER = torch.tensor([0, 0, 0, 1, 1, 2, 2, 3])
OF_CLUSTER = (0, 0, 1, 1)
COUNTS = np.array([30.0, 20.0, 5.0, 5.0])


def make_features(n=8, d=3, seed=0):
    draws = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=draws, dtype=torch.float64)


def naive_loss(features, cluster, of_cluster, margins, share):
    """Quintuplets by a loop over samples."""
    unit = torch.nn.functional.normalize(features).numpy()
    cluster = cluster.tolist()
    total = 0.0
    for i, own in enumerate(cluster):
        d = ((unit - unit[i]) ** 2).sum(axis=1)
        present = [j for j in range(len(cluster)) if j != i and share[j] > 0]
        same = [j for j in present if of_cluster[cluster[j]] == of_cluster[own]]
        members = (
            [d[j] for j in same if cluster[j] == own],
            [d[j] for j in same if cluster[j] != own],
            [d[j] for j in same],
            [d[j] for j in present if j not in same],
        )
        for j, (near, far) in enumerate(pairwise(members)):
            if near and far:
                near = max(near) if j != 1 else min(near)
                far = max(far) if j == 1 else min(far)
                total += share[i].item() * max(0.0, margins[own, j] + near - far)
    return total


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("left_out", [None, 0, 7])
def test_loss_is_that_of_a_loop_over_the_samples(seed, left_out):
    features = make_features(seed=seed)
    weight = torch.linspace(1.0, 2.0, 8, dtype=torch.float64)
    if left_out is not None:
        weight[left_out] = 0.0
    bound = Quintuplets(OF_CLUSTER, margin_scale=0.5).bind(COUNTS).double()
    value = bound(torch.zeros(8, 4, dtype=torch.float64), CLUSTER, weight, features=features)
    margins = quintuplet_margins(COUNTS, np.array(OF_CLUSTER), 0.5)
    expected = naive_loss(features, CLUSTER, OF_CLUSTER, margins, weight / weight.sum())
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_members_by_hand():
    """Points of one dimension: a class of the clusters {0, 1} and {5}, and another class."""
    x = torch.tensor([0.0, 1.0, 5.0, 7.0])
    distance = (x[:, None] - x[None, :]).abs()
    cluster, of_class = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 0, 0, 1])
    found, exist = quintuplet_distances(distance, cluster, of_class, torch.ones(4))
    assert torch.stack(found).tolist() == [[1, 1, 0, 0], [5, 4, 4, 0], [5, 4, 5, 0], [7, 6, 2, 2]]
    assert torch.stack(exist).tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1]]


def test_right_order_with_margins_costs_nothing():
    distances = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    margins = torch.full((1, 3), 0.9)
    assert triple_hinge(distances, torch.ones(4, 1, dtype=bool), margins).tolist() == [0.0]


def test_margins_do_not_depend_on_the_scale_of_the_classes():
    of_class = np.array([0, 0, 1])
    one, other = (quintuplet_margins(np.array(n), of_class) for n in ([5, 15, 4], [50, 150, 9]))
    np.testing.assert_allclose(one, other)
    np.testing.assert_allclose(one[:, 2], 2.0)
    np.testing.assert_allclose(one[0, :2], 2.0 * np.sin(np.pi * np.array([1 / 8, 3 / 8])))
    np.testing.assert_allclose(one[2, 1], 0.0)


def test_margins_scale():
    of_class = np.array(OF_CLUSTER)
    half, whole = (quintuplet_margins(COUNTS, of_class, scale) for scale in (0.5, 1.0))
    np.testing.assert_allclose(2.0 * half, whole)


def test_distances_are_those_of_unit_vectors():
    features = make_features()
    unit = torch.nn.functional.normalize(features)
    torch.testing.assert_close(
        squared_distances(5.0 * features), torch.cdist(unit, unit).square(), atol=1e-9, rtol=0
    )
    assert squared_distances(torch.zeros(2, 3)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_gradient_is_that_of_finite_differences():
    bound = Quintuplets(OF_CLUSTER, margin_scale=0.5).bind(COUNTS).double()
    logits = torch.zeros(8, 4, dtype=torch.float64)
    features = make_features().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: bound(logits, CLUSTER, features=x), features)


def test_order_of_the_batch_does_not_matter():
    bound = Quintuplets(OF_CLUSTER).bind(COUNTS).double()
    logits, features, order = torch.zeros(8, 4).double(), make_features(), torch.arange(7, -1, -1)
    torch.testing.assert_close(
        bound(logits, CLUSTER[order], features=features[order]),
        bound(logits, CLUSTER, features=features),
    )


def test_bad_input():
    with pytest.raises(ValueError, match="features=None"):
        Quintuplets(OF_CLUSTER).bind(COUNTS)(torch.zeros(8, 4), CLUSTER)
    with pytest.raises(ValueError, match=r"shape \(4,\), but the targets have 2 clusters"):
        Quintuplets(OF_CLUSTER).bind(np.array([3.0, 4.0]))
    with pytest.raises(ValueError, match=r"'margin_scale' .* Got -1"):
        Quintuplets(OF_CLUSTER, margin_scale=-1).bind(COUNTS)
