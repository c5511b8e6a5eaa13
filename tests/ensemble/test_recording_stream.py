"""Recordings that arrive in blocks: the same probabilities as of the whole, and what is refused."""

import pickle

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skimbal import CNN1DClassifier, MLPClassifier, WindowedClassifier
from skimbal.ensemble import RecordingStream
from skimbal.preprocessing import Spectrogram, flatten

SIZE = 20
LEVELS = make_pipeline(
    Spectrogram(window=8, hop=4), FunctionTransformer(flatten), LogisticRegression(C=1e-4)
)
ESTIMATORS = {
    "levels": LEVELS,
    "network": MLPClassifier(hidden_layer_sizes=(4,), max_epochs=2, random_state=0),
    "convolution": CNN1DClassifier(n_filters=(2,), max_epochs=1, random_state=0),
}


def make_recordings(n_channels=2, dtype=np.float64, n=9):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3 // 2
    recordings = [
        rng.normal(scale=1 + label, size=(n_channels, rng.integers(60, 90))) for label in y
    ]
    if np.dtype(dtype).kind == "i":
        recordings = [3000 * x for x in recordings]
    return [x.astype(dtype) for x in recordings], y


def blocks(signal, size):
    return [signal[:, first : first + size] for first in range(0, signal.shape[1], size)]


def fitted(estimator=LEVELS, step=10, **data):
    return WindowedClassifier(estimator, size=SIZE, step=step).fit(*make_recordings(**data))


@pytest.fixture(scope="module")
def classifiers():
    """A classifier of each estimator and step, of two channels."""
    return {(name, step): fitted(ESTIMATORS[name], step) for name in ESTIMATORS for step in STEPS}


STEPS = [1, 7, SIZE, 33]
SIGNAL = np.random.default_rng(1).normal(size=(2, 205))


@pytest.mark.parametrize("n_at_once", [1, 7, SIZE, 64, 205])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_probabilities_are_those_of_the_whole_recording(classifiers, name, step, n_at_once):
    classifier = classifiers[name, step]
    stream = classifier.stream()
    parts = [stream.feed(block) for block in blocks(SIGNAL, n_at_once)]
    (whole,) = classifier.predict_proba_windows([SIGNAL])
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-12)
    assert (stream.n_samples, stream.n_windows) == (205, len(whole))


@pytest.mark.parametrize("step", STEPS)
def test_a_window_is_returned_with_its_last_sample(classifiers, step):
    stream = classifiers["levels", step].stream()
    n_rows = [len(stream.feed(SIGNAL[:, [t]])) for t in range(205)]
    ends = np.arange(SIZE - 1, 205, step)
    np.testing.assert_array_equal(np.flatnonzero(n_rows), ends)
    assert max(n_rows) == 1


@pytest.mark.parametrize("step", [7, 33])
@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_blocks_of_random_lengths_types_and_one_channel(step, dtype):
    """The levels of float32 round differently with the number of windows."""
    classifier = fitted(step=step, n_channels=1, dtype=dtype)
    signal = make_recordings(1, dtype)[0][3].repeat(5, axis=1)
    rng = np.random.default_rng(0)
    for _ in range(5):
        stream = classifier.stream()
        cuts = np.sort(rng.integers(0, signal.shape[1], size=12))
        parts = [stream.feed(block[0]) for block in np.split(signal, cuts, axis=1)]
        (whole,) = classifier.predict_proba_windows([signal])
        np.testing.assert_allclose(
            np.concatenate(parts), whole, rtol=0, atol=1e-6
        )  # FFT of float32


@pytest.mark.parametrize("n_fed", [5, 26, 40])
@pytest.mark.parametrize("step", [7, 33])
def test_pickled_in_the_middle(classifiers, step, n_fed):
    classifier = classifiers["levels", step]
    stream = classifier.stream()
    before = stream.feed(SIGNAL[:, :n_fed])
    again = pickle.loads(pickle.dumps(stream))
    after = stream.feed(SIGNAL[:, n_fed:])
    np.testing.assert_array_equal(again.feed(SIGNAL[:, n_fed:]), after)
    (whole,) = classifier.predict_proba_windows([SIGNAL])
    np.testing.assert_allclose(np.concatenate([before, after]), whole, rtol=0, atol=1e-12)


def test_reset_begins_another_recording(classifiers):
    stream = classifiers["levels", 7].stream()
    expected = stream.feed(SIGNAL)
    stream.feed(SIGNAL[:, :30])
    stream.reset()
    assert (stream.n_samples, stream.n_windows) == (0, 0)
    np.testing.assert_array_equal(stream.feed(SIGNAL), expected)
    stream.reset()
    stream.feed(SIGNAL.astype(np.float32))  # another type of numbers


def test_memory_of_the_caller_may_be_used_again(classifiers):
    stream = classifiers["levels", 7].stream()
    memory, parts = np.empty((2, 5)), []
    for block in blocks(SIGNAL, 5):
        memory[:] = block
        parts.append(stream.feed(memory))
        memory[:] = 1e6
    (whole,) = classifiers["levels", 7].predict_proba_windows([SIGNAL])
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("step", [1, 7, 33])
def test_few_samples_are_kept(classifiers, step):
    stream = classifiers["levels", step].stream()
    for block in blocks(SIGNAL, 9):
        stream.feed(block)
        kept = sum(piece.shape[1] for piece in stream._pieces)
        assert kept < SIZE
        assert all(piece.base is None for piece in stream._pieces)


BAD = [
    (SIGNAL[:1, :5], r"has shape \(1, 5\), so it has 1 channels"),
    (SIGNAL[0], "1 channels, but the classifier was fitted on recordings of 2"),
    (SIGNAL[:, :5].T, "transpose it"),
    (np.full((2, 5), np.nan), "NaN or infinite"),
    (np.full((2, 5), np.inf), "NaN or infinite"),
    (SIGNAL[:, :5].astype(np.float32), "the blocks before are float64 and this one is float32"),
    (np.full((2, 5), "a"), "must be numbers"),
    (np.full((2, 5), 1j), "must be numbers"),
    (np.zeros((1, 2, 5)), "must be numbers"),
    (3.0, "must be numbers"),
    (None, "must be numbers"),
    ([[1.0, 2.0], [3.0]], "channels differ in length"),
]


@pytest.mark.parametrize(("block", "message"), BAD, ids=[message[:20] for _, message in BAD])
def test_bad_blocks_leave_the_stream_as_it_was(classifiers, block, message):
    stream = classifiers["levels", 7].stream()
    before = stream.feed(SIGNAL[:, :32])
    with pytest.raises(ValueError, match=message):
        stream.feed(block)
    assert (stream.n_samples, stream.n_windows) == (32, 2)
    (whole,) = classifiers["levels", 7].predict_proba_windows([SIGNAL])
    parts = [before, stream.feed(SIGNAL[:, 32:])]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-12)


def test_a_failed_prediction_leaves_the_stream_as_it_was(monkeypatch):
    classifier = fitted()
    stream = classifier.stream()
    stream.feed(SIGNAL[:, :15])
    with monkeypatch.context() as patch:
        patch.setattr(type(classifier.estimator_), "predict_proba", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            stream.feed(SIGNAL[:, 15:40])
    np.testing.assert_allclose(
        stream.feed(SIGNAL[:, 15:40]), classifier.predict_proba_windows([SIGNAL[:, :40]])[0]
    )


def _interrupt(self, X):
    raise KeyboardInterrupt


def test_empty_blocks_bring_nothing(classifiers):
    stream = classifiers["levels", 7].stream()
    assert stream.feed(SIGNAL[:, :0]).shape == (0, 2)
    stream.feed(SIGNAL[:, :19])
    assert stream.feed(SIGNAL[:, :0]).shape == (0, 2)
    assert stream.feed(SIGNAL[:, 19:20]).shape == (1, 2)


def test_a_classifier_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        WindowedClassifier(LEVELS).stream()
    with pytest.raises(NotFittedError):
        RecordingStream(WindowedClassifier(LEVELS))


def test_a_classifier_that_is_fitted_again():
    classifier = fitted()
    stream = classifier.stream()
    classifier.set_params(size=30).fit(*make_recordings())
    with pytest.raises(ValueError, match="fitted again, on windows of 30 samples at a step of 10"):
        stream.feed(SIGNAL)
    stream.reset()
    assert len(stream.feed(SIGNAL)) == len(classifier.predict_proba_windows([SIGNAL])[0])


def test_another_scale_is_warned_of_once():
    recordings, y = make_recordings()
    classifier = WindowedClassifier(LEVELS, size=SIZE).fit([x / 10 for x in recordings], y)
    stream = classifier.stream()
    stream.feed(np.zeros((2, 5), dtype=np.int16))  # silence says nothing
    with pytest.warns(UserWarning, match="the samples are int16 .* divide them by 32768"):
        stream.feed(np.full((2, 5), 20000, dtype=np.int16))
    stream.feed(np.full((2, 5), 20000, dtype=np.int16))
