"""Recordings as people bring them, in each place that takes recordings or signals."""

import numpy as np
import pandas as pd
import pytest
import skorch
from imblearn.under_sampling import RandomUnderSampler
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    ECOEnsembleClassifier,
    MLPClassifier,
    ResNetClassifier,
    TunedCostClassifierCV,
    WindowedClassifier,
)
from skimbal.datasets import cut_segments
from skimbal.ensemble import DeepOversamplingClassifier, LMLEClassifier
from skimbal.preprocessing import SlidingWindow, Spectrogram, flatten, index_windows
from skimbal.sampling import (
    ClusterOverSampler,
    ConditionalGANSampler,
    ConditionalVAESampler,
    NDSampler,
)

rng = np.random.default_rng(0)
LENGTHS = rng.integers(200, 300, size=12)
UNEQUAL = [rng.normal(size=(2, length)) for length in LENGTHS]
WAV = [recording.T for recording in UNEQUAL]  # (length, channels), as scipy reads them
Y = np.arange(12) % 2
NETWORKS = [CNN1DClassifier, CNN2DClassifier, ResNetClassifier, MLPClassifier, DBNClassifier]


def labels(X):
    return np.arange(len(X)) % 2 if hasattr(X, "__len__") else Y


def windowed(**params):
    return WindowedClassifier(CNN1DClassifier(n_filters=(2,), max_epochs=1), size=100, **params)


# Places that take samples of one shape, and those that cut windows of recordings.
ONE_SHAPE = {
    **{
        f"{network.__name__}.fit": lambda X, network=network: network().fit(X, labels(X))
        for network in NETWORKS
    },
    "AdaBoostNetClassifier": lambda X: AdaBoostNetClassifier(CNN1DClassifier()).fit(X, labels(X)),
    "DeepOversamplingClassifier": lambda X: DeepOversamplingClassifier(CNN1DClassifier()).fit(
        X, labels(X)
    ),
    "LMLEClassifier": lambda X: LMLEClassifier(CNN1DClassifier()).fit(X, labels(X)),
    "ECOEnsembleClassifier": lambda X: ECOEnsembleClassifier(CNN1DClassifier()).fit(X, labels(X)),
    "BalancedBaggingNetClassifier": lambda X: BalancedBaggingNetClassifier().fit(X, labels(X)),
    "Spectrogram": lambda X: Spectrogram(32).fit(X),
    "SlidingWindow": lambda X: SlidingWindow(32).fit(X),
    "ClusterOverSampler": lambda X: ClusterOverSampler().fit_resample(X, labels(X)),
    "ConditionalGANSampler": lambda X: ConditionalGANSampler().fit_resample(X, labels(X)),
    "ConditionalVAESampler": lambda X: ConditionalVAESampler().fit_resample(X, labels(X)),
    "NDSampler": lambda X: NDSampler(RandomUnderSampler()).fit_resample(X, labels(X)),
}
CUTS = {
    f"{name}, {on_short}": lambda X, cut=cut, on_short=on_short: cut(X, on_short)
    for on_short in ("raise", "pad", "skip")
    for name, cut in {
        "WindowedClassifier": lambda X, on_short: windowed(on_short=on_short).fit(X, labels(X)),
        "index_windows": lambda X, on_short: index_windows(X, 100, 50, on_short=on_short),
        "cut_segments": lambda X, on_short: cut_segments(
            X, labels(X), length=100, n_per_class=1, on_short=on_short
        ),
    }.items()
}
PLACES = {**ONE_SHAPE, **CUTS}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (UNEQUAL[0][0], r"single sample.*list|X\[None\]"),
        (UNEQUAL[0][0].tolist(), r"single sample.*list|X\[None\]"),
        (pd.Series(UNEQUAL[0][0]), r"single sample.*list|X\[None\]"),
        ("machine.wav", "read the file"),
        (["a.wav", "b.wav"] * 6, "read the files"),
        (dict(enumerate(UNEQUAL)), r"list\(X.values\(\)\)"),
        ((recording for recording in UNEQUAL), r"list\(X\)"),
    ],
    ids=["array", "list", "Series", "name", "names", "dict", "generator"],
)
def test_no_list_of_recordings(place, X, message):
    with pytest.raises(ValueError, match=message):
        PLACES[place](X)


@pytest.mark.parametrize("place", ONE_SHAPE)
@pytest.mark.parametrize("wrap", [list, tuple, lambda X: pd.Series(list(X))])
@pytest.mark.parametrize("recordings", [UNEQUAL, [x[0] for x in UNEQUAL]], ids=["stereo", "mono"])
def test_unequal_lengths_where_one_shape_is_needed(place, wrap, recordings):
    with pytest.raises(ValueError, match=r"different shapes: sample 0 .*(cut|index_windows)"):
        ONE_SHAPE[place](wrap(recordings))


@pytest.mark.parametrize("place", CUTS)
@pytest.mark.parametrize("wrap", [list, tuple, lambda X: pd.Series(list(X))])
def test_unequal_lengths_are_cut(place, wrap):
    CUTS[place](wrap(UNEQUAL))


@pytest.mark.parametrize("place", [*CUTS, "Spectrogram", "SlidingWindow"])
@pytest.mark.parametrize(
    "X", [WAV, np.stack([x[:200] for x in WAV])], ids=["list", "array of one length"]
)
def test_channels_last(place, X):
    if place == "index_windows, skip" and isinstance(X, np.ndarray):
        assert len(PLACES[place](X)) == 0
        return
    with pytest.raises(ValueError, match=r"\(length, channels\).*transpose"):
        PLACES[place](X)


@pytest.mark.parametrize("place", CUTS)
@pytest.mark.parametrize("X", [[x[:0] for x in UNEQUAL], np.zeros((12, 0, 200))])
def test_recordings_without_channels(place, X):
    with pytest.raises(ValueError, match=r"recording .*at least one channel"):
        PLACES[place](X)


def test_whole_recordings_are_drawn_as_the_message_says():
    sampler = RandomUnderSampler(random_state=0)
    y = np.repeat(["usual", "rare"], [9, 3])
    rows, y_new = sampler.fit_resample(np.arange(len(UNEQUAL))[:, None], y)
    drawn = [UNEQUAL[row] for row in rows[:, 0]]
    assert len(drawn) == len(y_new) == 6
    windowed().fit(drawn, y_new)


# ---------------------------------------------------------------- networks


@pytest.mark.parametrize("shape", [(300, 3), (128, 9), (50, 3), (200, 2), (1000, 64), (30, 1)])
@pytest.mark.parametrize("pool_size", ["auto", 1])
def test_signals_with_channels_last_are_refused(shape, pool_size):
    network = CNN1DClassifier(pool_size=pool_size)
    X = np.zeros((12, *shape), np.float32)
    for train in (network.fit, lambda X, y: network.partial_fit(X, y, classes=[0, 1])):
        with pytest.raises(ValueError, match=r"channels last.*np.moveaxis\(X, -1, 1\).*If the"):
            train(X, Y)


@pytest.mark.parametrize("shape", [(64, 128), (9, 128), (3, 20), (128, 32), (1, 4), (4, 1)])
def test_signals_of_many_channels_are_taken(shape):
    X = rng.normal(size=(12, *shape))
    CNN1DClassifier(n_filters=(2,), max_epochs=1).fit(X, Y).predict(X)


@pytest.mark.parametrize("network", [CNN2DClassifier(), ResNetClassifier()])
@pytest.mark.parametrize(
    "shape", [(32, 32, 1), (129, 61, 1), (61, 129, 1), (16, 16, 1), (32, 24, 3), (64, 48, 4)]
)
def test_images_with_channels_last_are_refused(network, shape):
    X = np.zeros((12, *shape), np.float32)
    with pytest.raises(ValueError, match=r"channels last.*np.moveaxis\(X, -1, 1\).*If the axes"):
        network.fit(X, Y)


@pytest.mark.parametrize(
    "shape",
    [(1, 32, 32), (3, 32, 24), (3, 32, 1), (15, 33, 1), (32, 33, 6), (32, 3, 33), (8, 8, 3)],
)
def test_images_of_many_channels_are_taken(shape):
    X = rng.normal(size=(12, *shape))
    CNN2DClassifier(n_filters=(2,), max_epochs=1).fit(X, Y).predict(X)


def test_whole_recordings_with_channels_last_are_refused():
    X = np.stack([x[:200] for x in WAV])
    whole = WindowedClassifier(CNN1DClassifier(max_epochs=1))
    with pytest.raises(ValueError, match=r"\(12, 200, 2\), which looks like .* channels last"):
        whole.fit(X, Y)
    pipeline = make_pipeline(Spectrogram(32), CNN2DClassifier(max_epochs=1))
    with pytest.raises(ValueError, match="transpose each"):
        whole.set_params(estimator=pipeline).fit(X, Y)


def test_short_windows_of_many_channels_are_taken():
    X = rng.normal(size=(12, 100, 400))
    network = CNN1DClassifier(n_filters=(2,), max_epochs=1)
    WindowedClassifier(network, size=8, step=200).fit(X, Y).predict(X)


def test_images_of_height_1_are_the_signals_of_the_message():
    X = rng.normal(size=(12, 100, 8))
    settings = {"n_filters": (3, 4), "max_epochs": 2, "random_state": 0}
    images = CNN2DClassifier(**settings, kernel_size=((1, 3), (1, 3)), pool_size=((1, 2), (1, 2)))
    proba = images.fit(X[:, :, None], Y).predict_proba(X[:, :, None])
    long = np.zeros((12, 100, 25))  # refused only for its length
    assert CNN1DClassifier(**settings, kernel_size=3).fit(long, Y).input_shape_ == (100, 25)
    assert np.isfinite(proba).all()


@pytest.mark.parametrize(
    ("X", "advice"),
    [
        (np.zeros((2, 50)), r"single sample, give X\[None\]"),
        (np.zeros((2, 60)), r"single sample, give X\[None\]"),
        (np.zeros((5, 50, 2)), r"channels last: give np.moveaxis\(X, -1, 1\)"),
        (np.zeros((5, 2, 51)), r"shape \(2, 50\)$"),
    ],
)
def test_other_axes_in_prediction(X, advice):
    network = CNN1DClassifier(n_filters=(2,), max_epochs=1)
    network.fit(rng.normal(size=(12, 2, 50)), Y)
    with pytest.raises(ValueError, match=advice):
        network.predict(X)


@pytest.mark.parametrize(
    ("X", "advice"),
    [
        (UNEQUAL[0], r"single recording of 2 channels, give \[X\]"),
        (list(UNEQUAL[0]), r"single recording of 2 channels, give \[X\]"),
        (WAV[0], r"transpose"),
        (WAV, r"transpose"),
        (WAV[:1], r"transpose"),
        (np.stack([x[:200] for x in WAV]), r"transpose"),
        ([x[:1] for x in UNEQUAL], r"of 2 channels$"),
    ],
    ids=["bare", "bare list", "bare WAV", "WAV", "one WAV", "WAV array", "one channel"],
)
def test_other_axes_in_the_prediction_of_recordings(X, advice):
    fitted = windowed().fit(UNEQUAL, Y)
    with pytest.raises(ValueError, match=advice):
        fitted.predict(X)


@pytest.mark.parametrize("bad", ["nan", "stereo"])
def test_a_cost_search_names_a_bad_recording_by_its_place_before_any_training(bad):
    rng = np.random.default_rng(0)
    recordings = [rng.normal(size=(1, 60)) for _ in range(20)]
    if bad == "nan":
        recordings[15][0, 3] = np.nan
    else:
        recordings[15] = rng.normal(size=(2, 60))
    network = MLPClassifier(max_epochs=1000, callbacks=[NeverTrains])
    windowed = WindowedClassifier(make_pipeline(FunctionTransformer(flatten), network), size=20)
    with pytest.raises(ValueError, match="recording 15"):
        TunedCostClassifierCV(windowed, cv=3).fit(recordings, np.arange(20) % 2)


class NeverTrains(skorch.callbacks.Callback):
    def on_train_begin(self, net, **kwargs):
        raise AssertionError("trained before the recordings were checked")


def test_what_wavfile_returns_is_told_to_be_a_pair():
    pairs = [(16000, np.zeros(40, dtype=np.int16)), (16000, np.ones(50, dtype=np.int16))]
    with pytest.raises(ValueError, match=r"recording 0 is a pair \(rate, samples\)"):
        WindowedClassifier(MLPClassifier(), size=20).fit(pairs, [0, 1])
