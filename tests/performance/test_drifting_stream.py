"""The protocol of the comparison on drifting streams, and its streams."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("river")
sys.path.insert(0, str(Path(__file__).parent))
import _river_streams
import drifting_stream


class Recorder:
    """A learner that keeps what it is asked, and predicts the last label that it has learned."""

    def __init__(self):
        self.calls = []

    def predict(self, X):
        self.calls.append(("predict", X[:, 0].tolist()))
        return np.full(len(X), self.last)

    def learn(self, X, y):
        self.calls.append(("learn", X[:, 0].tolist()))
        self.last = y[-1]


def test_each_batch_is_predicted_before_it_is_learned(monkeypatch):
    monkeypatch.setattr(drifting_stream, "BATCH", 2)
    learner, y = Recorder(), np.array([0, 1, 1, 0, 0, 0])
    predicted = drifting_stream.prequential(learner, np.arange(6)[:, None], y)
    assert predicted.tolist() == [0, 0, 1, 1, 0, 0]
    assert learner.calls == [
        ("learn", [0, 1]),
        *[("predict", [2, 3]), ("learn", [2, 3])],
        *[("predict", [4, 5]), ("learn", [4, 5])],
    ]


def test_windows_have_the_recalls_of_the_rare_and_of_the_frequent_class(monkeypatch):
    monkeypatch.setattr(drifting_stream, "WINDOW", 5)
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1])
    predicted = np.array([0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1])
    first, second, third = drifting_stream.window_scores(y, predicted)
    assert (first["recall_rare"], first["recall_frequent"]) == (1.0, 0.75)
    assert first["g_mean"] == pytest.approx(0.75**0.5)
    assert (second["recall_rare"], second["recall_frequent"]) == (0.0, 0.75)
    assert np.isnan(third["g_mean"])  # a class is missing


def test_odds_swing_and_flip():
    share = drifting_stream.share_of_class_1()
    assert share.min() == pytest.approx(1 / 31)
    assert share.max() == pytest.approx(30 / 31)
    assert share[[5999, 6000, 7499, 7500, 8999, 9000]].round(2).tolist() == [
        *[0.97, 0.03, 0.03, 0.97, 0.97, 0.03]
    ]


@pytest.mark.parametrize("stream", drifting_stream.STREAMS)
def test_streams_repeat_and_have_both_concepts(stream, monkeypatch):
    monkeypatch.setattr(drifting_stream, "N_SWINGS", 200)
    monkeypatch.setattr(drifting_stream, "N_FLIPS", 200)
    X, y = drifting_stream.make_stream(stream, seed=1)
    again, labels = drifting_stream.make_stream(stream, seed=1)
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(y, labels)
    other, _ = drifting_stream.make_stream(stream, seed=2)
    assert X.shape == other.shape == (400, {"Gaussian": 5, "SEA": 3, "Agrawal": 9}[stream])
    assert not np.array_equal(X, other)
    assert len(np.unique(X[:, -1])) > 300  # no sample is drawn twice


def test_sea_keeps_its_concepts_apart_from_the_noise():
    y = np.tile([0, 1], 400)
    X = _river_streams.sea(y, seed=0)
    thresholds = np.repeat([8.0, 9.0, 7.0, 9.5], 200)
    agrees = (X[:, 0] + X[:, 1] > thresholds) == y
    assert 0.85 < agrees.mean() < 0.95


@pytest.mark.parametrize(("sampling", "n_rare"), [("undersampled", 20), ("oversampled", 80)])
def test_a_sampler_of_river_balances_what_the_network_learns(sampling, n_rare):
    class Network:
        labels = ()

        def partial_fit(self, X, y, classes):
            assert len(X) == len(y)
            self.labels = [*self.labels, *y]

    network = Network()
    sampled = _river_streams.SampledNetwork(network, _river_streams.SAMPLERS[sampling], seed=0)
    y = np.tile([1, 0, 0, 0, 0], 40)
    for rows in np.split(np.arange(200), 4):
        sampled.learn(np.zeros((50, 2)), y[rows])
    share = np.mean(network.labels)
    assert 0.35 < share < 0.65
    assert np.sum(network.labels) >= n_rare
