"""Mixtures of two samples and of their losses."""

from types import SimpleNamespace

import numpy as np
import pytest
import skorch
import torch
from scipy.stats import beta

from skimbal import MLPClassifier
from skimbal._training.batches import Batches
from skimbal._training.mixup import draw_parts, mix_epoch, mixed
from skimbal._training.row_order import RowOrder

from .nets import generator


@pytest.mark.parametrize("callbacks", [None, [skorch.callbacks.Callback()]])
def test_mixup_weighs_partners_by_their_weights(callbacks):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 2)), np.arange(300) % 2
    network = MLPClassifier(
        hidden_layer_sizes=(),
        mixup=1.0,
        max_epochs=100,
        learning_rate=0.05,
        random_state=0,
        callbacks=callbacks,
    )
    proba = network.fit(X, y, sample_weight=np.where(y, 1e-9, 1.0)).predict_proba(X)[:, 1]
    assert proba.mean() < 0.01


def test_parts_come_from_the_beta_distribution():
    parts = draw_parts(0.4, 20_000, generator())
    assert parts.mean() == pytest.approx(0.5, abs=0.01)
    assert parts.var() == pytest.approx(beta(0.4, 0.4).var(), abs=0.005)
    np.testing.assert_array_equal(parts, draw_parts(0.4, 20_000, generator()))


@pytest.mark.parametrize(("part", "expected"), [(1.0, 3.0), (0.0, 7.0), (0.25, 6.0)])
def test_mixtures_by_hand(part, expected):
    assert mixed(3.0, 7.0, part) == expected


def test_partners_are_the_next_rows_of_the_epoch():
    X, target = torch.arange(12.0)[:, None], torch.arange(12)
    batches = Batches([(X, target)], [None], 5, 1, [RowOrder(generator(), 12)])
    plan = SimpleNamespace(mixup=0.5, augmentation=None)
    n_batches = 0
    for inputs, labels, share, n_rows, mixture in mix_epoch([plan], batches):
        partners, partner_share, part = mixture
        n_batches += 1
        assert n_rows[0] == labels.shape[1]
        assert share.sum() == pytest.approx(1.0)
        assert partner_share.sum() == pytest.approx(1.0)
        torch.testing.assert_close(inputs[..., 0], part * labels + (1 - part) * partners)
        assert torch.equal(partners[0, :-1], labels[0, 1:])
    assert n_batches == 3
