import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

from skimbal.preprocessing import SlidingWindow, WindowIndex, flatten, index_windows
from skimbal.preprocessing._windows import window_starts

rng = np.random.default_rng(0)
SIGNALS = rng.normal(size=(4, 2, 30))
RECORDINGS = [rng.normal(size=(2, length)) for length in (30, 12, 21)]


@parametrize_with_checks([SlidingWindow()])
def test_common_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("length", "size", "step", "n_windows"),
    [(10, 10, 1, 1), (10, 4, 3, 3), (10, 1, 1, 10), (10, 4, 100, 1), (76800, 5000, 2500, 29)],
)
def test_starts_are_those_that_fit(length, size, step, n_windows):
    starts = window_starts(length, size, step)
    assert len(starts) == n_windows
    assert starts.tolist() == [s for s in range(0, length, step) if s + size <= length]


@pytest.mark.parametrize(
    ("size", "step", "message"),
    [(11, 1, "10 samples is shorter than the window of 11"), (4, 0, "step=0"), (0, 1, "size=0")],
)
def test_windows_that_can_not_be(size, step, message):
    with pytest.raises(ValueError, match=message):
        window_starts(10, size, step)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sliding_window_is_a_view_of_the_signal(dtype):
    X = SIGNALS.astype(dtype)
    windows = SlidingWindow(size=8, step=5).fit_transform(X)
    assert windows.dtype == dtype
    assert np.shares_memory(windows, X)
    assert windows.shape == (4, 5, 2, 8)
    for k in range(5):
        np.testing.assert_array_equal(windows[:, k], X[:, :, 5 * k : 5 * k + 8])


def test_two_dimensional_signals_have_one_channel():
    X = SIGNALS[:, 0]
    windows = SlidingWindow(size=8).fit_transform(X)
    assert windows.shape == (4, 3, 1, 8)
    np.testing.assert_array_equal(windows[1, 2, 0], X[1, 16:24])


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        ({"size": 31}, SIGNALS, "shorter than the window of 31"),
        ({"size": 3, "step": 0}, SIGNALS, "step"),
        ({"size": 3}, np.where(SIGNALS > 2, np.nan, SIGNALS), "NaN"),
        ({"size": 3}, SIGNALS[..., None], r"\(n_signals, channels, length\)"),
    ],
)
def test_bad_input_of_sliding_window(params, X, message):
    with pytest.raises(ValueError, match=message):
        SlidingWindow(**params).fit(X)


def naive_windows(recordings, size, step):
    return [
        recording[:, start : start + size]
        for recording in recordings
        for start in range(0, recording.shape[1] - size + 1, step)
    ]


@pytest.mark.parametrize("recordings", [RECORDINGS, SIGNALS], ids=["list", "array"])
def test_index_has_the_windows_of_all_recordings(recordings):
    windows = index_windows(recordings, size=7, step=4)
    expected = np.array(naive_windows(recordings, 7, 4))
    assert windows.shape == expected.shape
    assert len(windows) == len(expected)
    assert windows.ndim == 3
    assert windows.dtype == np.float64
    np.testing.assert_array_equal(np.asarray(windows), expected)
    rows = rng.integers(0, len(expected), 20)
    np.testing.assert_array_equal(windows.take(rows), expected[rows])
    mask = expected[:, 0, 0] > 0
    np.testing.assert_array_equal(windows.take(mask), expected[mask])


@pytest.mark.parametrize("recordings", [RECORDINGS, SIGNALS], ids=["list", "array"])
def test_rows_of_an_index_are_an_index_on_the_same_samples(recordings):
    windows = index_windows(recordings, size=7, step=4)
    expected = np.array(naive_windows(recordings, 7, 4))
    for rows in [
        slice(2, 9, 3),
        np.array([3, 3, 0, -1]),
        expected[:, 0, 0] > 0,
        [1, 2],
        np.array([], dtype=int),
    ]:
        chosen = windows[rows]
        assert isinstance(chosen, WindowIndex)
        assert chosen.recordings is windows.recordings
        np.testing.assert_array_equal(np.asarray(chosen), expected[rows])
    assert windows[[]].shape == (0, 2, 7)
    np.testing.assert_array_equal(windows[2], expected[2])
    np.testing.assert_array_equal(windows[-1], expected[-1])
    assert len(list(windows)) == len(expected)
    with pytest.raises(IndexError):
        windows[len(expected)]
    for select in (windows.__getitem__, windows.take):
        with pytest.raises(IndexError, match="truth values"):
            select(np.array([0.5]))


def test_recordings_as_nested_lists():
    windows = index_windows([[[1, 2, 3]], [[4, 5]]], size=2, step=1)
    assert windows.take([0, 2]).tolist() == [[[1, 2]], [[4, 5]]]


def test_scikit_learn_splits_an_index():
    windows = index_windows(RECORDINGS, size=7, step=4)
    first, second = train_test_split(windows, random_state=0)
    assert len(first) + len(second) == len(windows)
    together = np.concatenate([first, second])[:, 0, 0]
    np.testing.assert_array_equal(np.sort(together), np.sort(np.asarray(windows)[:, 0, 0]))


def test_recordings_in_an_array_of_objects():
    objects = np.empty(len(RECORDINGS), dtype=object)
    objects[:] = RECORDINGS
    windows = index_windows(objects, size=7, step=4)
    np.testing.assert_array_equal(windows, np.array(naive_windows(RECORDINGS, 7, 4)))


@pytest.mark.parametrize("step", [[1, 2], np.ones((len(RECORDINGS), 1), dtype=int), []])
def test_steps_that_are_not_one_for_each_recording(step):
    with pytest.raises(ValueError, match=rf"step has shape .*one for each of {len(RECORDINGS)} "):
        index_windows(RECORDINGS, 7, step)


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        ((np.float32, np.float32), np.float32),
        ((np.float32, np.float64), np.float64),
        ((np.int16, np.int16), np.float32),
        ((np.int32, np.float32), np.float64),
        ((np.float16, np.float16), np.float32),
        ((np.longdouble, np.float32), np.float64),
    ],
)
def test_type_of_the_windows_holds_all_samples(dtypes, expected):
    recordings = [np.arange(10).reshape(1, 10).astype(dtype) for dtype in dtypes]
    windows = index_windows(recordings, size=5, step=5)
    assert windows.dtype == expected
    assert windows.take([3, 0]).dtype == expected
    assert windows.take([3]).tolist() == [[[5, 6, 7, 8, 9]]]


def test_integer_array_of_recordings():
    windows = index_windows(np.arange(20, dtype=np.int16).reshape(2, 1, 10), size=5, step=5)
    assert windows.dtype == np.float32
    assert windows.take([2]).dtype == np.float32
    assert windows.take([2]).tolist() == [[[10, 11, 12, 13, 14]]]


def test_one_step_for_each_recording():
    windows = index_windows(RECORDINGS, size=10, step=[10, 1, 11])
    assert windows.recording.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert windows.start.tolist() == [0, 10, 20, 0, 1, 2, 0, 11]


def test_index_survives_a_pickle():
    windows = index_windows(RECORDINGS, size=7, step=4)[3:]
    again = pickle.loads(pickle.dumps(windows))
    np.testing.assert_array_equal(np.asarray(again), np.asarray(windows))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((RECORDINGS, [0], [24], 7), "recording 0, which has 30"),
        ((RECORDINGS, [0], [-1], 7), "from -1 on"),
        ((RECORDINGS, [3], [0], 7), "3 recordings, but a window is of recording 3"),
        ((RECORDINGS, [0, 1], [0], 7), "one number for each window in both"),
        ((RECORDINGS, [0], [0], 0), "size"),
        (([], [], [], 7), "empty"),
        (([np.zeros((1, 9)), np.zeros((2, 9))], [0], [0], 7), "same number of channels"),
        (([np.zeros(9)], [0], [0], 7), r"\(channels, length\)"),
        (([np.zeros((1, 9), dtype=complex)], [0], [0], 7), "real numbers"),
    ],
)
def test_bad_index(arguments, message):
    with pytest.raises(ValueError, match=message):
        WindowIndex(*arguments)


def test_error_names_the_short_recording():
    with pytest.raises(ValueError, match="recording 1: a recording of 12 samples"):
        index_windows(RECORDINGS, size=15, step=5)


@pytest.mark.parametrize("as_array", [False, True])
def test_short_recordings_are_padded_or_skipped(as_array):
    recordings = [np.arange(1.0, 2 * n + 1).reshape(2, n) for n in (3, 8, 5)]
    if as_array:
        recordings = np.stack([x[:, :3] for x in recordings])
    padded = index_windows(recordings, size=5, step=2, on_short="pad")
    expected = [np.pad(x, ((0, 0), (0, max(0, 5 - x.shape[1])))) for x in recordings]
    np.testing.assert_array_equal(np.asarray(padded), naive_windows(expected, 5, 2))
    skipped = index_windows(recordings, size=5, step=2, on_short="skip")
    long = [x for x in recordings if x.shape[1] >= 5]
    assert skipped.shape == (len(naive_windows(long, 5, 2)), 2, 5)
    assert skipped.recording.tolist() == ([] if as_array else [1, 1, 2])
    assert np.asarray(skipped).tolist() == [x.tolist() for x in naive_windows(long, 5, 2)]


def test_recordings_of_one_window_are_not_short():
    X = [np.ones((1, 5))]
    for on_short in ("raise", "pad", "skip"):
        windows = index_windows(X, 5, 1, on_short=on_short)
        assert np.shares_memory(windows.recordings[0], X[0])
        assert len(windows) == 1


@pytest.mark.parametrize("on_short", ["drop", None, ["pad"]])
def test_unknown_treatment_of_short_recordings(on_short):
    with pytest.raises(ValueError, match=r"on_short=.* is not usable; give one of"):
        index_windows(RECORDINGS, 5, 1, on_short=on_short)


@pytest.mark.parametrize(
    ("recordings", "message"),
    [
        (np.zeros((2, 50)), r"put a single recording into a list"),
        ([np.zeros(50)], r"give one channel as recording\[None\]"),
        ([[[1.0, 2.0], [1.0]]], "rows of different lengths"),
    ],
)
def test_recordings_without_channels(recordings, message):
    with pytest.raises(ValueError, match=message):
        index_windows(recordings, 5, 1)


def test_sliding_window_on_short_signals():
    X = np.ones((3, 2, 4))
    windows = SlidingWindow(size=6, on_short="pad").fit_transform(X)
    np.testing.assert_array_equal(windows, np.pad(X, ((0, 0), (0, 0), (0, 2)))[:, None])
    assert SlidingWindow(size=6, on_short="skip").fit_transform(X).shape == (3, 0, 2, 6)
    assert np.shares_memory(SlidingWindow(size=3, on_short="pad").fit_transform(X), X)


def test_windows_are_no_array_without_a_copy():
    windows = index_windows(RECORDINGS, size=7, step=4)
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(windows, copy=False)
    assert np.asarray(windows, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("as_list", [True, False])
def test_windows_of_a_long_signal_take_no_second_copy(as_list):
    signal = np.zeros((1, 1, 5_000_000), dtype=np.float32)  # 20 MB
    recordings = list(signal) if as_list else signal
    tracemalloc.start()
    try:
        windows = index_windows(recordings, size=4800, step=200)
        batch = windows[np.arange(0, len(windows), 7)].take(np.arange(64))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.prod(windows.shape) > 23 * signal.size
    assert np.shares_memory(windows.recordings[0], signal)
    assert not np.shares_memory(batch, signal)
    assert peak < signal.nbytes / 5


def test_flatten_is_a_view():
    X = rng.normal(size=(3, 2, 5))
    assert np.shares_memory(flatten(X), X)
    assert flatten(X)[1].tolist() == X[1, 0].tolist() + X[1, 1].tolist()
    assert flatten(np.empty((0, 2, 5))).shape == (0, 10)


def test_sliding_window_is_cloned_and_needs_no_fit():
    transformer = clone(SlidingWindow(size=5, step=2))
    assert transformer.transform(SIGNALS).shape == (4, 13, 2, 5)
