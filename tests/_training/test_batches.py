"""The rows of an epoch, cut into batches: stacked ones that are filled up, and sliced ones."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from skimbal._training.augmentation import make_augmentation, numbers_of_batches
from skimbal._training.batches import (
    Batches,
    SlicedBatches,
    padded_batches,
    rounded_up,
    sums_over_batches,
)
from skimbal._training.row_order import RowOrder
from skimbal.sampling import ClassBalancedBatches

from .nets import generator

N = 25
X = torch.arange(2.0 * N).view(N, 2)
TARGET = torch.arange(N) % 3
WEIGHT = torch.rand(N, generator=generator(9)) + 0.1


def plan(**settings):
    given = {"mixup": 0.0, "augmentation": None, "augmentation_generator": generator(5)}
    return SimpleNamespace(**{**given, **settings})


def orders(n, n_rows=N, sampler=None, weight=None):
    target = TARGET[:n_rows]
    return [RowOrder(generator(i), n_rows, sampler, target, weight, n_classes=3) for i in range(n)]


@pytest.mark.parametrize(
    ("number", "multiple", "expected"), [(0, 16, 0), (1, 16, 16), (16, 16, 16), (17, 16, 32)]
)
def test_rounded_up(number, multiple, expected):
    assert rounded_up(number, multiple) == expected


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "multiple", "expected"),
    [
        (25, 8, 1, [8, 8, 8, 1]),
        (25, 8, 4, [8, 8, 8, 4]),
        (25, 10, 4, [12, 12, 8]),
        (24, 8, 1, [8, 8, 8]),
        (5, 100, 32, [32]),
    ],
)
def test_padded_batches(n_rows, batch_size, multiple, expected):
    assert padded_batches(n_rows, batch_size, multiple) == expected


@pytest.mark.parametrize("multiple", [1, 4, 32])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_row_counts_once_and_shares_add_up_to_one(multiple, weighted):
    weights = [WEIGHT, None] if weighted else [None, None]
    batches = Batches([(X, TARGET)] * 2, weights, 8, multiple, orders(2))
    seen = [[], []]
    for inputs, target, share, n_rows, mixture in batches.epoch([plan()] * 2):
        assert mixture is None
        assert inputs.shape[1] % multiple == 0
        torch.testing.assert_close(share.sum(dim=1), torch.ones(2))
        for i in range(2):
            rows = (inputs[i, : n_rows[i], 0] / 2).long()
            seen[i] += rows.tolist()
            assert torch.equal(target[i, : n_rows[i]], TARGET[rows])
            assert (share[i, n_rows[i] :] == 0).all()
            expected = WEIGHT[rows] if weighted and i == 0 else torch.ones(len(rows))
            torch.testing.assert_close(share[i, : n_rows[i]], expected / expected.sum())
    assert [sorted(rows) for rows in seen] == [list(range(N))] * 2
    assert seen[0] != seen[1]


def test_training_sets_of_different_lengths():
    data = [(X[:n], TARGET[:n]) for n in (21, 24)]
    batches = Batches(data, [None, None], 8, 4, orders(1, 21) + orders(1, 24))
    np.testing.assert_array_equal(batches.n_rows, [[8, 8], [8, 8], [5, 8]])
    *_, (_, _, share, n_rows, _) = batches.epoch([plan()] * 2)
    assert n_rows.tolist() == [5, 8]
    np.testing.assert_allclose(share, [[0.2] * 5 + [0.0] * 3, [0.125] * 8])


@pytest.mark.parametrize("settings", [{}, {"mixup": 0.7}], ids=str)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("sampler", [None, ClassBalancedBatches()], ids=["all", "drawn"])
def test_sliced_batches_are_the_stacked_ones(settings, weight, sampler):
    stacked = Batches([(X, TARGET)], [weight], 8, 1, orders(1, N, sampler, weight))
    tensors = [X, TARGET] if weight is None else [X, TARGET, weight]
    sliced = SlicedBatches(tensors, 8, orders(1, N, sampler, weight))
    for batches in (stacked, sliced):
        batches.orders[0].begin_epoch(1, 5)
    pairs = zip(stacked.epoch([plan(**settings)]), sliced.epoch([plan(**settings)]), strict=True)
    n_batches = 0
    for (a, target, share, n_rows, mixture), (b, own_target, own_weight, own_n, own) in pairs:
        n_batches += 1
        torch.testing.assert_close(a, b)
        assert torch.equal(target, own_target)
        assert n_rows.tolist() == own_n.tolist()
        if own_weight is not None:
            torch.testing.assert_close(share, own_weight / own_weight.sum())
        assert (mixture is None) == (own is None) == ("mixup" not in settings)
        if mixture is not None:
            assert torch.equal(mixture[0], own[0])
            assert float(mixture[2]) == pytest.approx(own[2], rel=1e-6)
    assert n_batches == 4
    np.testing.assert_array_equal(stacked.n_rows, sliced.n_rows)


@pytest.mark.parametrize("mixup", [0.0, 1.0])
def test_rows_are_changed_alike_in_both(mixup):
    images = torch.rand(N, 1, 8, 8, generator=generator(7))
    augmentation = make_augmentation(["noise", "flip", "crop", halved], images, torch.device("cpu"))
    plans = [plan(augmentation=augmentation, mixup=mixup) for _ in range(2)]
    stacked = Batches([(images, TARGET)], [None], 8, 1, orders(1)).epoch([plans[0]])
    sliced = SlicedBatches([images, TARGET], 8, orders(1)).epoch([plans[1]])
    for (a, *_), (b, *_) in zip(stacked, sliced, strict=True):
        assert torch.equal(a, b)


def halved(X, generator):
    return X * torch.randint(1, 3, (1,), generator=generator)


def test_a_partner_is_changed_as_it_is_as_a_row_itself():
    images = torch.rand(N, 1, 8, 8, generator=generator(7))
    own = plan(augmentation=make_augmentation("noise", images, torch.device("cpu")), mixup=1.0)
    numbers = list(numbers_of_batches([own], [8, 8, 8, 1]))
    rows = torch.cat([drawn for drawn, _ in numbers], dim=1)
    partners = torch.cat([drawn for _, drawn in numbers], dim=1)
    assert rows.shape == (1, N, 64)
    assert torch.equal(partners, rows.roll(-1, 1))


def test_networks_that_go_on_keep_their_rows():
    batches, alone = (Batches([(X, TARGET)] * n, [None] * n, 8, 4, orders(n)) for n in (3, 3))
    batches.keep([2])
    alone.orders[0], alone.orders[1] = orders(3)[2], orders(3)[1]
    for (a, target, *_), (b, own_target, *_) in zip(
        batches.epoch([plan()]), alone.epoch([plan()] * 3), strict=True
    ):
        assert torch.equal(a[0], b[0])
        assert torch.equal(target[0], own_target[0])


def test_sums_over_batches_are_weighted_by_rows():
    batches = [torch.tensor([1.0, 10.0]), torch.tensor([2.0, 20.0])]
    sums = sums_over_batches(batches, np.array([[8, 8], [1, 2]]))
    np.testing.assert_allclose(sums, [10.0, 120.0])
