"""Deep over-sampling: neighbors, mixtures, and a loss by hand."""

import numpy as np
import pytest
import torch

from skimbal.losses import CrossEntropy, DeepOversampling
from skimbal.losses._deep_oversampling import deep_oversampling, mixtures, neighbor_rows

from .contract import COUNTS, make_batch

FEATURES = torch.tensor([[0.0], [1.0], [10.0], [4.0], [3.0]], dtype=torch.float64)
TARGET = torch.tensor([0, 0, 1, 0, 1])
SHARE = torch.full((5,), 0.2, dtype=torch.float64)


def test_neighbors_are_of_the_class_and_begin_with_the_sample():
    expected = [[0, 1, 3], [1, 0, 3], [2, 4, 2], [3, 1, 0], [4, 2, 4]]
    assert neighbor_rows(FEATURES, TARGET, SHARE, 3).tolist() == expected


def test_samples_of_share_0_are_no_neighbors():
    share = torch.tensor([0.25, 0.0, 0.25, 0.25, 0.25])
    assert neighbor_rows(FEATURES, TARGET, share, 2).tolist()[0] == [0, 3]


def test_a_batch_smaller_than_a_cluster():
    assert neighbor_rows(FEATURES[:2], TARGET[:2], SHARE[:2], 5).tolist() == [[0, 1], [1, 0]]


def test_mixtures_by_hand():
    rows = torch.tensor([[0, 1], [1, 0], [2, 2], [3, 1], [4, 2]])
    weights = torch.tensor([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]], dtype=torch.float64)
    mixed = mixtures(FEATURES, rows, weights)[:, :, 0]
    # A weight beyond the neighbors is the sample's own: 0.75 of itself and 0.25 of the other.
    first = [0.25, 0.75, 10.0, 3.25, 4.75]
    np.testing.assert_allclose(mixed, np.stack([first, FEATURES[:, 0]], axis=1))


def test_loss_by_hand():
    """Two samples of one class, half of which is over-sampled by the midpoint of both."""
    logits = torch.tensor([[0.0, np.log(3.0)], [0.0, np.log(3.0)]], dtype=torch.float64)
    value = deep_oversampling(
        logits,
        torch.tensor([1, 1]),
        torch.tensor([0.5, 0.5], dtype=torch.float64),
        torch.tensor([[0.0, 0.0], [2.0, 4.0]], dtype=torch.float64),
        class_weight=torch.tensor([1.0, 2.0], dtype=torch.float64),
        real_part=torch.tensor([1.0, 0.5], dtype=torch.float64),
        weights=torch.tensor([[0.5, 0.5]], dtype=torch.float64),
        clustering=torch.tensor(0.1, dtype=torch.float64),
        n_neighbors=2,
    )
    entropy = -np.log(0.75)
    scatter = (1.0 + 4.0) / 2  # mean square of the distances to the midpoint (1, 2), by feature
    assert value.item() == pytest.approx(2.0 * (0.5 * entropy + 0.5 * (entropy + 0.1 * scatter)))


def test_one_neighbor_is_balanced_cross_entropy():
    logits, target = make_batch()
    weight = COUNTS.sum() / (3 * COUNTS)
    expected = CrossEntropy().bind(COUNTS, class_weight=weight).double()(logits, target)
    bound = DeepOversampling(n_neighbors=1, clustering=5.0).bind(COUNTS).double()
    torch.testing.assert_close(bound(logits, target, features=logits), expected)


def test_equal_classes_have_no_synthetic_features():
    logits, target = make_batch()
    counts = np.array([4.0, 4.0, 4.0])
    bound = DeepOversampling(clustering=5.0).bind(counts).double()
    expected = CrossEntropy().bind(counts).double()(logits, target)
    torch.testing.assert_close(bound(logits, target, features=logits), expected)


def test_the_order_of_the_batch_does_not_matter():
    logits, target = make_batch()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    bound = DeepOversampling().bind(COUNTS).double()
    torch.testing.assert_close(
        bound(logits[order], target[order], features=logits[order]),
        bound(logits, target, features=logits),
    )


def test_other_seeds_are_other_mixtures():
    one, same, other = (DeepOversampling(random_state=seed).bind(COUNTS) for seed in (0, 0, 1))
    assert torch.equal(one.weights, same.weights)
    assert not torch.equal(one.weights, other.weights)
    torch.testing.assert_close(one.weights.sum(dim=1), torch.ones(4))


def test_features_are_needed():
    with pytest.raises(ValueError, match="features=None"):
        DeepOversampling().bind(COUNTS).double()(*make_batch())
