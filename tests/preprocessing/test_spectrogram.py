import pickle
import tracemalloc

import numpy as np
import pytest
import scipy.signal
from sklearn.utils.estimator_checks import parametrize_with_checks

from skimbal.preprocessing import Spectrogram, decibels
from skimbal.preprocessing._spectrogram import amplitude_spectrogram

rng = np.random.default_rng(0)
SIGNALS = rng.normal(size=(3, 2, 200))


@parametrize_with_checks([Spectrogram(window=1, hop=1, scale="linear"), Spectrogram(window=1)])
def test_common_checks(estimator, check):
    check(estimator)


def test_amplitudes_by_the_sum_itself():
    x, taper, hop = rng.normal(size=23), np.hanning(9)[:8], 5
    k, j = np.arange(5)[:, None], np.arange(8)
    expected = np.stack(
        [
            np.abs((taper * x[m : m + 8] * np.exp(-2j * np.pi * k * j / 8)).sum(axis=1))
            for m in (0, 5, 10, 15)
        ],
        axis=1,
    )
    np.testing.assert_allclose(
        amplitude_spectrogram(x, taper, hop), expected / taper.sum(), atol=1e-12
    )


@pytest.mark.parametrize("window_function", ["hann", "boxcar", ("kaiser", 5.0)])
@pytest.mark.parametrize(("window", "hop"), [(64, 16), (63, 63), (200, 7)])
def test_amplitudes_are_those_of_scipy(window, hop, window_function):
    images = Spectrogram(window, hop, scale="linear", window_function=window_function)
    options = {"window": window_function, "nperseg": window, "noverlap": window - hop}
    _, _, expected = scipy.signal.stft(SIGNALS, **options, boundary=None, padded=False)
    np.testing.assert_allclose(images.fit_transform(SIGNALS), np.abs(expected), atol=1e-12)


def test_a_sine_is_where_its_frequency_is():
    times_s = np.arange(8000) / 8000
    sine = 3.0 * np.sin(2 * np.pi * 1000 * times_s)
    images = Spectrogram(window=256, sampling_rate_hz=8000, scale="linear")
    image = images.fit_transform(sine[None])[0, 0]
    assert image.shape == (129, 122)  # (8000 - 256) // 64 + 1
    np.testing.assert_array_equal(images.frequencies_hz_[image.argmax(axis=0)], 1000.0)
    np.testing.assert_allclose(image.max(axis=0), 1.5)


def test_levels_by_hand():
    levels = decibels(np.array([0.0, 1e-9, 1.0, 100.0]), -80.0)
    np.testing.assert_allclose(levels, [-80.0, -80.0, 0.0, 40.0])


def test_silence_has_the_floor():
    image = Spectrogram(window=16, floor_db=-60.0).fit_transform(np.zeros((1, 50)))
    np.testing.assert_allclose(image, -60.0)


def test_shape_of_the_thesis():
    X = rng.normal(size=(2, 1, 5000)).astype(np.float32)
    image = Spectrogram(window=2048, hop=256).fit_transform(X)
    assert image.shape == (2, 1, 1025, 12)


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_single_precision_stays(scale):
    spectrogram = Spectrogram(window=32, scale=scale)
    single = spectrogram.fit_transform(SIGNALS.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, spectrogram.fit_transform(SIGNALS), rtol=1e-3, atol=1e-3)


def test_range_of_frequencies():
    everything = Spectrogram(window=40, sampling_rate_hz=400.0).fit(SIGNALS)
    part = Spectrogram(window=40, sampling_rate_hz=400.0, min_hz=30.0, max_hz=75.0).fit(SIGNALS)
    assert part.frequencies_hz_.tolist() == [30.0, 40.0, 50.0, 60.0, 70.0]
    np.testing.assert_array_equal(part.transform(SIGNALS), everything.transform(SIGNALS)[:, :, 3:8])


def test_times_are_the_middles_of_the_frames():
    spectrogram = Spectrogram(window=40, hop=50, sampling_rate_hz=100.0).fit(SIGNALS)
    np.testing.assert_allclose(spectrogram.times_s_, [0.2, 0.7, 1.2, 1.7])
    assert not hasattr(Spectrogram(window=40).fit(SIGNALS), "times_s_")


def test_chunks_change_nothing(monkeypatch):
    spectrogram = Spectrogram(window=32, hop=8)
    whole = spectrogram.fit_transform(SIGNALS)
    monkeypatch.setattr("skimbal.preprocessing._spectrogram.CHUNK_BYTES", 1)
    np.testing.assert_array_equal(spectrogram.transform(SIGNALS), whole)
    np.testing.assert_array_equal(spectrogram.transform(SIGNALS[1:2]), whole[1:2])


def test_memory_beside_the_result_is_that_of_a_chunk():
    X = np.ones((300, 1, 5000), dtype=np.float32)
    spectrogram = Spectrogram(window=2048, hop=256).fit(X)
    tracemalloc.start()
    try:
        images = spectrogram.transform(X)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    frames_bytes = 300 * 12 * 2048 * 4  # 29 MB, and as complex numbers as much again
    assert peak - images.nbytes < 2 * frames_bytes


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        ({"window": 201}, SIGNALS, "shorter than the window of 201"),
        ({"window": 16, "hop": 0}, SIGNALS, "hop"),
        ({"window": 16, "min_hz": 5.0}, SIGNALS, "needs sampling_rate_hz"),
        ({"window": 16, "sampling_rate_hz": 0.0}, SIGNALS, "sampling_rate_hz"),
        (
            {"window": 16, "sampling_rate_hz": 160.0, "min_hz": 41.0, "max_hz": 49.0},
            SIGNALS,
            "up to 80 Hz in steps of 10 Hz",
        ),
        ({"window": 16, "scale": "mel"}, SIGNALS, "scale"),
        ({"window": 16, "window_function": "no"}, SIGNALS, "window_function=.no. is not usable"),
        ({"window": 16, "window_function": ("gaussian", "x")}, SIGNALS, "tuple of the name and"),
        ({"window": 16}, np.where(SIGNALS > 2, np.inf, SIGNALS), "infinity"),
    ],
)
def test_bad_input(params, X, message):
    with pytest.raises(ValueError, match=message):
        Spectrogram(**params).fit(X)


def test_no_fit_is_needed_and_pickles_agree():
    spectrogram = Spectrogram(window=32)
    images = spectrogram.transform(SIGNALS)
    again = pickle.loads(pickle.dumps(spectrogram.fit(SIGNALS)))
    np.testing.assert_array_equal(again.transform(SIGNALS), images)


@pytest.mark.parametrize("window_function", ["hann", "flattop"])
@pytest.mark.parametrize(
    ("scale", "params", "warns"),
    [
        (1e-9, {}, True),
        (1e-300, {}, True),
        (1e-9, {"scale": "linear"}, False),
        (1e-9, {"floor_db": -240.0}, False),
        (0.0, {}, False),
        (1e-5, {}, False),
    ],
)
def test_signals_below_the_floor_are_told(scale, params, warns, window_function, recwarn):
    spectrogram = Spectrogram(window=16, window_function=window_function, **params)
    image = spectrogram.fit(scale * SIGNALS).transform(scale * SIGNALS)
    assert warns == any("all levels are floor_db=-120" in str(w.message) for w in recwarn)
    assert not warns or (image == -120.0).all()
