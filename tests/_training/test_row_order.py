"""The order of the rows, and what samplers say of it."""

import numpy as np
import pytest
import skorch
import torch
from imblearn.over_sampling import RandomOverSampler

from skimbal import MLPClassifier
from skimbal._training.row_order import RowOrder
from skimbal.sampling import BaseBatches, ClassBalancedBatches, TwoPhase

TARGET = torch.tensor([0] * 900 + [1] * 90 + [3] * 10)


def order(sampler, weight=None):
    return RowOrder(torch.Generator().manual_seed(0), 1000, sampler, TARGET, weight, n_classes=4)


def test_without_a_sampler_each_row_comes_once():
    rows = order(None).draw()
    assert torch.equal(rows.sort().values, torch.arange(1000))


def test_a_sampler_decides_the_share_of_the_classes():
    drawer = order(ClassBalancedBatches())
    drawer.begin_epoch(1, 10)
    counts = sum(torch.bincount(TARGET[drawer.draw()], minlength=4) for _ in range(30))
    np.testing.assert_allclose(counts / 30_000, [1 / 3, 1 / 3, 0, 1 / 3], atol=0.01)


def test_rows_of_a_class_are_equally_likely():
    drawer = order(ClassBalancedBatches())
    drawer.begin_epoch(1, 10)
    counts = sum(torch.bincount(drawer.draw(), minlength=1000) for _ in range(300))
    assert counts[990:].min() > 0.9 * counts[990:].float().mean()


def test_rows_of_a_class_are_drawn_by_their_weights():
    weight = torch.ones(1000)
    weight[990] = 9.0
    drawer = order(ClassBalancedBatches(), weight)
    np.testing.assert_array_equal(drawer.counts, [900, 90, 0, 18])
    drawer.begin_epoch(1, 10)
    counts = sum(torch.bincount(drawer.draw(), minlength=1000) for _ in range(300))
    assert counts[990] / counts[990:].sum() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("callbacks", [None, [skorch.callbacks.Callback()]])
def test_weights_of_drawn_rows_do_not_count_twice(callbacks):
    """Noise of two classes, drawn alike: the posterior is a half, however they are weighted."""
    X = np.random.default_rng(0).normal(size=(300, 3))
    y = np.arange(300) % 5 == 0
    network = MLPClassifier(
        hidden_layer_sizes=(),
        sampler="balanced",
        max_epochs=60,
        random_state=0,
        learning_rate=0.02,
        callbacks=callbacks,
    )
    proba = network.fit(X, y, sample_weight=np.where(y, 8.0, 1.0)).predict_proba(X)[:, 1]
    assert proba.mean() == pytest.approx(0.5, abs=0.06)


class Shares(BaseBatches):
    def __init__(self, share):
        self.share = share

    def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
        return self.share


@pytest.mark.parametrize("share", [[1.5, -0.5], [np.nan, 1.0], [1.0], [0.4, 0.4], [[0.5, 0.5]]])
def test_shares_that_are_none_are_refused_before_training(share):
    with pytest.raises(ValueError, match="gives the shares"):
        MLPClassifier(sampler=Shares(share)).fit(np.eye(6), [0, 1] * 3)


def test_imbalanced_learns_samplers_are_sent_into_pipelines():
    with pytest.raises(ValueError, match="pipeline of imbalanced-learn"):
        MLPClassifier(sampler=RandomOverSampler()).fit(np.eye(6), [0, 1] * 3)


def test_a_stream_goes_on_with_the_last_epochs_share():
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 6 == 0
    network = MLPClassifier(max_epochs=2, sampler="progressive", random_state=0).fit(X, y)
    for _ in range(5):
        network.partial_fit(X, y)
    assert network.n_iter_ == 7


def test_two_phases_end_with_every_row_once():
    drawer = order(TwoPhase(fraction=0.5))
    drawer.begin_epoch(5, 10)
    assert len(drawer.draw().unique()) < 1000
    drawer.begin_epoch(6, 10)
    assert len(drawer.draw().unique()) == 1000


class Spy(BaseBatches):
    """Remembers what it is told."""

    told: list = []
    needs_validation = True

    def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
        self.told.append((np.array(class_counts), epoch, n_epochs, valid_f1))
        return


@pytest.mark.parametrize("callbacks", [None, []])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_a_sampler_is_told_the_f1_of_the_last_epoch(early_stopping, callbacks, monkeypatch):
    monkeypatch.setattr(Spy, "told", [])
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [40, 20, 10])
    X = rng.normal(size=(70, 3)) + y[:, None]
    network = MLPClassifier(
        sampler=Spy(),
        max_epochs=6,
        n_iter_no_change=6,
        random_state=0,
        callbacks=callbacks,
        early_stopping=early_stopping,
        validation_fraction=0.2,
        learning_rate=0.05,
    ).fit(X, y)
    # It is asked once to check its shares, and once for those that validation counts with.
    assert [told[1] for told in Spy.told[:2]] == [1, 6]
    counts, epochs, n_epochs, f1 = zip(*Spy.told[2:], strict=True)
    assert epochs == (1, 2, 3, 4, 5, 6)
    assert set(n_epochs) == {6}
    np.testing.assert_array_equal(counts[0], [32, 16, 8])
    assert f1[0] is None
    assert all(score.shape == (3,) and (score >= 0).all() for score in f1[1:])
    assert len(network.history_) == 6
