"""Windows of recordings: as a view of the signals, and as an index that copies on demand.

Overlapping windows hold each sample many times (25 times for windows of 5,000 at a step of 200).
This module therefore never makes an array of all windows.
"""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import assert_all_finite
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal._utils._recordings import (
    ON_SHORT,
    check_collection,
    check_on_short,
    check_order_of_axes,
    pad_short,
    pad_to,
    sample_shape,
    transpose_advice,
)
from skimbal._utils._validation import is_whole_number
from skimbal.preprocessing._signals import validate_signals


def window_starts(length, size, step):
    """Starts of the windows of a recording: 0, step, 2 step and so on as long as they fit.

    .. math:: n = \\lfloor (L - W) / s \\rfloor + 1

    Parameters
    ----------
    length : int
        Samples of the recording, L.
    size : int
        Samples of a window, W, from 1 to `length`.
    step : int
        Samples between the starts of two windows, s, at least 1.

    Returns
    -------
    ndarray of int, shape (n_windows,)
        Starts in samples. The last samples of the recording may be in no window.

    Raises
    ------
    ValueError
        If the recording is shorter than the window, or size or step is below 1.

    Examples
    --------
    >>> window_starts(10, size=4, step=3).tolist()
    [0, 3, 6]
    """
    if not (is_whole_number(size, 1) and is_whole_number(step, 1)):
        raise ValueError(
            f"size={size!r} and step={step!r} are not usable; give whole numbers of 1 or more"
        )
    if length < size:
        raise ValueError(
            f"a recording of {length} samples is shorter than the window of {size}; use a smaller "
            "window, drop the recording, or let on_short pad or skip it where windows are cut"
        )
    return np.arange(0, length - size + 1, step)


def signal_window_starts(signals, size, step):
    """Starts of the windows of signals of one length, (n_signals, channels, length)."""
    check_signal_axes(signals, size)
    return window_starts(signals.shape[2], size, step)


def check_signal_axes(signals, size):
    """Raise a ValueError if signals are short because their axes are swapped.

    Many short signals of one channel may be a single recording of shape (length, channels).
    """
    n, n_channels, length = signals.shape
    check_order_of_axes([(n if n_channels == 1 else n_channels, length)], size)


def flatten(X: ArrayLike) -> NDArray:
    """Put all values of a sample into one row, for classifiers of tables.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Windows, spectrograms or images.

    Returns
    -------
    ndarray of shape (n_samples, n_values)
        A view if the memory layout of X allows it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from skimbal.preprocessing import flatten
    >>> flatten(np.zeros((5, 2, 100))).shape
    (5, 200)
    >>> forest = make_pipeline(FunctionTransformer(flatten), RandomForestClassifier())
    """
    X = np.asarray(X)
    return X.reshape(len(X), int(np.prod(X.shape[1:])))


def _whole_numbers(name, values):
    values = np.asarray(values)
    if values.size and values.dtype.kind not in "iu":
        raise ValueError(f"{name} has the type {values.dtype}; give whole numbers")
    return values.astype(np.intp)


def _window_dtype(dtypes):
    """The type of windows of recordings: float32, or float64 if a recording needs it."""
    if any(np.dtype(own).kind not in "fiub" for own in dtypes):
        raise ValueError(f"recordings have the types {sorted(map(str, dtypes))}; give real numbers")
    dtype = np.result_type(np.float32, *dtypes)
    return min(dtype, np.dtype(np.float64), key=lambda own: own.itemsize)


class WindowIndex:
    """Windows of recordings as (recording, start) pairs; `take` copies their samples.

    The index looks like an array of shape (n_windows, channels, size). A selection of its rows is
    another index on the same recordings.

    Parameters
    ----------
    recordings : list of ndarray of shape (channels, length), or ndarray of shape \
            (n_recordings, channels, length)
        The recordings; the lengths in a list may differ. They are kept, not copied.
    recording : array-like of int, shape (n_windows,)
        The recording of each window, counted from 0.
    start : array-like of int, shape (n_windows,)
        The first sample of each window.
    size : int
        Samples of a window.

    Attributes
    ----------
    shape : tuple of int
        (n_windows, channels, size).
    ndim : int
        3.
    dtype : dtype
        Type of the windows: float32, or float64 if a recording needs it. Recordings of 16-bit
        integers are not converted; their windows are float32.

    Raises
    ------
    ValueError
        If a window is not within its recording, the numbers of channels differ, or a value is not
        finite.

    See Also
    --------
    index_windows : The windows of all recordings at a constant step.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.preprocessing import WindowIndex
    >>> recordings = [np.arange(6.0).reshape(1, 6), np.arange(10.0, 14.0).reshape(1, 4)]
    >>> windows = WindowIndex(recordings, recording=[0, 0, 1], start=[0, 3, 1], size=3)
    >>> windows.shape
    (3, 1, 3)
    >>> windows[1:].take([0, 1]).tolist()
    [[[3.0, 4.0, 5.0]], [[11.0, 12.0, 13.0]]]
    """

    def __init__(
        self, recordings: Sequence | NDArray, recording: ArrayLike, start: ArrayLike, size: int
    ):
        is_array = isinstance(recordings, np.ndarray) and recordings.dtype != object
        self.recordings = recordings if is_array else [np.asarray(x) for x in recordings]
        self.recording = _whole_numbers("recording", recording)
        self.start = _whole_numbers("start", start)
        self.size = size
        self._check()

    def _check(self):
        if self.recording.ndim != 1 or self.recording.shape != self.start.shape:
            raise ValueError(
                f"recording has shape {self.recording.shape} and start has shape "
                f"{self.start.shape}; give one number for each window in both"
            )
        if not is_whole_number(self.size, 1):
            raise ValueError(f"size={self.size!r} is not usable; give a whole number of 1 or more")
        if len(self.recordings) == 0:
            raise ValueError("recordings is empty; give one or more recordings")
        shapes = [np.shape(recording) for recording in self.recordings]
        if any(len(shape) != 2 for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                f"the first shapes of recordings are {sorted(set(shapes))[:4]}; give recordings of "
                "shape (channels, length) with the same number of channels"
                + transpose_advice(shapes)
            )
        self._check_bounds(np.array([shape[1] for shape in shapes]))
        for number, recording in enumerate(self.recordings):
            try:
                assert_all_finite(recording)
            except ValueError as error:
                raise ValueError(f"recording {number}: {error}") from error
        self.dtype = _window_dtype({recording.dtype for recording in self.recordings})
        self._n_channels = shapes[0][0]

    def _check_bounds(self, lengths):
        exists = (self.recording >= 0) & (self.recording < len(lengths))
        if not exists.all():
            raise ValueError(
                f"there are {len(lengths)} recordings, but a window is of recording "
                f"{self.recording[~exists][0]}; count recordings from 0"
            )
        outside = (self.start < 0) | (self.start + self.size > lengths[self.recording])
        if outside.any():
            row = outside.argmax()
            raise ValueError(
                f"window {row} of {self.size} samples from {self.start[row]} on is not within "
                f"recording {self.recording[row]}, which has {lengths[self.recording[row]]} "
                "samples; choose another start"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_windows, channels, size)."""
        return len(self), self._n_channels, self.size

    @property
    def ndim(self) -> int:
        """Number of axes, 3."""
        return 3

    def __len__(self) -> int:
        return len(self.recording)

    def __repr__(self) -> str:
        return f"WindowIndex(shape={self.shape}, n_recordings={len(self.recordings)})"

    def __getitem__(self, rows: Any) -> Any:
        """Return the index of the chosen windows, or one window for one number."""
        if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:
            rows = rows[0]  # scikit-learn selects rows as X[rows, ...]
        if isinstance(rows, Integral):
            return self.take([range(len(self))[rows]])[0]
        if not isinstance(rows, slice):
            rows = self._row_numbers(rows)
        chosen = object.__new__(type(self))
        chosen.__dict__.update(self.__dict__)
        chosen.recording, chosen.start = self.recording[rows], self.start[rows]
        return chosen

    def _row_numbers(self, rows):
        rows = np.asarray(rows)
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iub"):
            raise IndexError(
                f"rows have the type {rows.dtype} and shape {rows.shape}; select windows by a "
                "number, a slice, or an array of numbers or truth values"
            )
        return rows if rows.dtype.kind == "b" else rows.astype(np.intp)

    def take(self, rows: ArrayLike) -> NDArray:
        """Copy windows out of the recordings.

        Parameters
        ----------
        rows : array-like of int, shape (n_rows,)
            Numbers of windows, in any order; or a truth value for each window.

        Returns
        -------
        ndarray of shape (n_rows, channels, size)
            Windows of the type `dtype`.
        """
        numbers = self._row_numbers(rows)
        recording, start = self.recording[numbers], self.start[numbers]
        if isinstance(self.recordings, np.ndarray) and len(numbers):
            view = sliding_window_view(self.recordings, self.size, axis=2)
            return view[recording, :, start].astype(self.dtype, copy=False)
        windows = np.empty((len(recording), *self.shape[1:]), dtype=self.dtype)
        for window, number, first in zip(windows, recording.tolist(), start.tolist(), strict=True):
            window[:] = self.recordings[number][:, first : first + self.size]
        return windows

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        if copy is False:
            raise ValueError("windows of recordings can't be an array without a copy; allow a copy")
        windows = self.take(np.arange(len(self)))
        return windows if dtype is None else windows.astype(dtype, copy=False)


def index_windows(
    recordings: Sequence | NDArray, size: int, step: int | ArrayLike, *, on_short: str = "raise"
) -> WindowIndex:
    """Index the windows of recordings, one recording after the other.

    Parameters
    ----------
    recordings : list of ndarray of shape (channels, length), or ndarray of shape \
            (n_recordings, channels, length)
        Recordings.
    size : int
        Samples of a window.
    step : int or array-like of int, shape (n_recordings,)
        Samples between the starts of two windows: one number, or one for each recording.
    on_short : {"raise", "pad", "skip"}, default="raise"
        What happens to recordings that are shorter than a window: an error, zeros at their end up
        to the size of a window, or no window.

    Returns
    -------
    WindowIndex
        ``recording`` and ``start`` are the place of each window.

    Raises
    ------
    ValueError
        If a recording is shorter than the window (the message names it), the axes of the recordings
        seem to be swapped, a step is below 1, or the numbers of channels differ.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.preprocessing import index_windows
    >>> recordings = [np.zeros((2, 100)), np.zeros((2, 70))]
    >>> windows = index_windows(recordings, size=50, step=10)
    >>> windows.recording.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1]
    """
    check_on_short(on_short)
    shapes = recording_shapes(recordings)
    if is_whole_number(size, 1) and on_short != "skip":
        check_order_of_axes(shapes, size)
    if is_whole_number(size, 1) and on_short == "pad":
        recordings = pad_short(recordings, size)
        shapes = recording_shapes(recordings)
    starts = []
    if np.shape(step) not in ((), (len(recordings),)):
        raise ValueError(
            f"step has shape {np.shape(step)}; give one number, or one for each of "
            f"{len(recordings)} recordings"
        )
    steps = np.broadcast_to(step, len(recordings)).tolist()
    for number, (shape, own_step) in enumerate(zip(shapes, steps, strict=True)):
        if on_short == "skip" and is_whole_number(size, 1) and shape[-1] < size:
            starts.append(np.empty(0, dtype=np.intp))
            continue
        try:
            starts.append(window_starts(shape[-1], size, own_step))
        except ValueError as error:
            raise ValueError(f"recording {number}: {error}") from error
    n_windows = [len(own_starts) for own_starts in starts]
    return WindowIndex(
        recordings,
        np.repeat(np.arange(len(recordings)), n_windows),
        np.concatenate([np.empty(0, dtype=np.intp), *starts]),
        size,
    )


def recording_shapes(recordings):
    """The shapes of recordings; a ValueError for a single recording in place of a list."""
    check_collection(recordings, "a single recording of shape (channels, length) goes into a list")
    shapes = [sample_shape(recording) for recording in recordings]
    wrong = [shape for shape in shapes if shape is None or len(shape) != 2]
    if wrong:
        given = f"shape {wrong[0]}" if wrong[0] is not None else "rows of different lengths"
        raise ValueError(
            f"a recording has {given}, but it must be (channels, length); put a single "
            "recording into a list, [recording], and give one channel as recording[None]"
        )
    if any(shape[0] == 0 for shape in shapes):
        raise ValueError("a recording has 0 channels; give recordings of at least one channel")
    return shapes


class SlidingWindow(TransformerMixin, BaseEstimator):
    r"""Cut signals of one length into windows without a copy.

    Window k of a signal x has the samples

    .. math:: x_{k s}, \dots, x_{k s + W - 1}, \qquad
        k = 0, \dots, \lfloor (L - W) / s \rfloor .

    The result is a read-only NumPy view of X: all windows share its memory. Flattening the view, or
    making it contiguous, copies X about W / s times. Use it to look at windows and to compute
    features of windows. `WindowedClassifier` trains classifiers on windows.

    Parameters
    ----------
    size : int, default=None
        Samples of a window, W. None is the complete signal.
    step : int, default=None
        Samples between the starts of two windows, s. None is `size`: windows side by side.
    on_short : {"raise", "pad", "skip"}, default="raise"
        What happens to signals that are shorter than a window: an error, zeros at their end (which
        copies them), or no windows.

    Attributes
    ----------
    n_features_in_ : int
        Length of the signals (2-D X) or number of channels (3-D X).

    See Also
    --------
    index_windows : For recordings of different lengths.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.preprocessing import SlidingWindow
    >>> X = np.random.default_rng(0).normal(size=(8, 2, 1000))
    >>> windows = SlidingWindow(size=200, step=100).fit_transform(X)
    >>> windows.shape
    (8, 9, 2, 200)
    >>> np.shares_memory(windows, X)
    True
    """

    _parameter_constraints: dict = {
        "size": [None, Interval(Integral, 1, None, closed="left")],
        "step": [None, Interval(Integral, 1, None, closed="left")],
        "on_short": [StrOptions(set(ON_SHORT))],
    }

    def __init__(self, size: int | None = None, step: int | None = None, on_short: str = "raise"):
        self.size = size
        self.step = step
        self.on_short = on_short

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Check the signals; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_signals, channels, length) or (n_signals, length)
            Finite signals; 2-D X has one channel.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The transformer.

        Raises
        ------
        ValueError
            If a signal is shorter than the window or not finite, or size or step is below 1.
        """
        self._validate_params()
        self._view(validate_signals(self, X, reset=True))
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Return a read-only view of the windows.

        Parameters
        ----------
        X : array-like of shape (n_signals, channels, length) or (n_signals, length)
            Finite signals.

        Returns
        -------
        ndarray of shape (n_signals, n_windows, channels, size)
            A view of X, if X is an array of floats.
        """
        return self._view(validate_signals(self, X, reset=False))

    def _view(self, X):
        size = X.shape[2] if self.size is None else self.size
        step = size if self.step is None else self.step
        check_signal_axes(X, size)
        if self.on_short == "skip" and X.shape[2] < size:
            return np.empty((len(X), 0, X.shape[1], size), dtype=X.dtype)
        if self.on_short == "pad" and X.shape[2] < size:
            X = pad_to(X, size)
        window_starts(X.shape[2], size, step)
        return sliding_window_view(X, size, axis=2)[:, :, ::step].transpose(0, 2, 1, 3)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        return tags
