import numpy as np
import pytest
import torch

from skimbal import MLPClassifier
from skimbal.neural_network._row_order import RowOrder
from skimbal.neural_network._schedules import SCHEDULES
from skimbal.sampling import BaseBatches, ClassBalancedBatches, TwoPhase

TARGET = torch.tensor([0] * 900 + [1] * 90 + [3] * 10)


def order(sampler):
    return RowOrder(torch.Generator().manual_seed(0), 1000, sampler, TARGET, n_classes=4)


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
        sampler=Spy(), max_epochs=6, n_iter_no_change=6, random_state=0, callbacks=callbacks,
        early_stopping=early_stopping, validation_fraction=0.2, learning_rate=0.05,
    ).fit(X, y)  # fmt: skip
    counts, epochs, n_epochs, f1 = zip(*Spy.told[1:], strict=True)
    assert epochs == (1, 2, 3, 4, 5, 6)
    assert set(n_epochs) == {6}
    np.testing.assert_array_equal(counts[0], [32, 16, 8])
    assert f1[0] is None
    assert all(score.shape == (3,) and (score >= 0).all() for score in f1[1:])
    assert len(network.history_) == 6


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_ends_low_and_never_exceeds_one(name):
    factors = np.array([SCHEDULES[name](epoch, 50) for epoch in range(1, 51)])
    assert factors.max() == 1.0
    assert 0 < factors[-1] < 0.02


def test_a_schedule_of_zero_stops_the_learning():
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(int)
    schedule = {"learning_rate_schedule": lambda epoch, n_epochs: float(epoch <= 5)}
    short = MLPClassifier(max_epochs=5, random_state=0, optimizer="sgd", weight_decay=0.0)
    long = MLPClassifier(
        max_epochs=9, random_state=0, optimizer="sgd", weight_decay=0.0, **schedule
    )
    np.testing.assert_array_equal(short.fit(X, y).predict_proba(X), long.fit(X, y).predict_proba(X))
    assert long.net_.optimizer_.param_groups[0]["lr"] == long.learning_rate
