"""Windows of recordings: as a view to look at, and as an index that copies nothing until asked.

Overlapping windows hold each sample many times (a step of 200 with windows of 5,000: 25 times), so
an array of them all is what this module avoids.
"""

from numbers import Integral

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import assert_all_finite
from sklearn.utils._param_validation import Interval

from skimbal.preprocessing._signals import validate_signals


def is_count(number):
    """Whether a number is whole and at least 1."""
    return isinstance(number, Integral) and not isinstance(number, bool) and int(number) >= 1


def window_starts(length, size, step):
    """Where the windows of a recording start: 0, step, 2 step, ... as long as they fit.

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
        Starts in samples. What is left at the end of the recording is in no window.

    Raises
    ------
    ValueError
        For a recording that is shorter than the window, or a size or step below 1.

    Examples
    --------
    >>> from skimbal.preprocessing import window_starts
    >>> window_starts(10, size=4, step=3).tolist()
    [0, 3, 6]
    """
    if not (is_count(size) and is_count(step)):
        raise ValueError(
            f"size and step must be whole numbers of at least 1 sample, got size={size!r}, "
            f"step={step!r}"
        )
    if length < size:
        raise ValueError(
            f"a recording of {length} samples is shorter than the window of {size}; use a "
            "smaller size, or leave the recording out"
        )
    return np.arange(0, length - size + 1, step)


def flatten(X):
    """Put all values of a sample into one row, as classifiers for tables need them.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Windows, spectrograms or images.

    Returns
    -------
    ndarray of shape (n_samples, n_values)
        A view where the memory of X allows it.

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
        raise ValueError(f"{name} must be whole numbers, got {values.dtype}")
    return values.astype(np.intp)


class WindowIndex:
    """Windows of recordings as (recording, start) pairs; samples are copied when they are taken.

    Looks like an array of shape (n_windows, channels, size), and selecting rows of it gives
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
        Of the windows: float32, or float64 where a recording needs it. Recordings of small
        integers (16 bits, say) stay as they are, and their windows are float32.

    Raises
    ------
    ValueError
        For windows that don't lie within their recording, unequal numbers of channels, or values
        that are not finite.

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

    def __init__(self, recordings, recording, start, size):
        is_array = isinstance(recordings, np.ndarray)
        self.recordings = recordings if is_array else [np.asarray(x) for x in recordings]
        self.recording = _whole_numbers("recording", recording)
        self.start = _whole_numbers("start", start)
        self.size = size
        self._check()

    def _check(self):
        if self.recording.ndim != 1 or self.recording.shape != self.start.shape:
            raise ValueError(
                f"recording has shape {self.recording.shape} and start {self.start.shape}; both "
                "need one number for each window"
            )
        if not is_count(self.size):
            raise ValueError(f"size must be a whole number of at least 1, got {self.size!r}")
        if len(self.recordings) == 0:
            raise ValueError("recordings is empty; there has to be one at least")
        shapes = [np.shape(recording) for recording in self.recordings]
        if any(len(shape) != 2 for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                "every recording must be (channels, length) with the same number of channels, "
                f"got the shapes {', '.join(map(str, sorted(set(shapes))[:4]))}, ..."
            )
        self._check_places(np.array([shape[1] for shape in shapes]))
        for number, recording in enumerate(self.recordings):
            try:
                assert_all_finite(recording)
            except ValueError as error:
                raise ValueError(f"recording {number}: {error}") from error
        dtypes = {recording.dtype for recording in self.recordings}
        self.dtype = np.result_type(np.float32, *dtypes)
        if self.dtype.kind != "f":
            raise ValueError(f"recordings must be real numbers, got {sorted(map(str, dtypes))}")
        self._n_channels = shapes[0][0]

    def _check_places(self, lengths):
        known = (self.recording >= 0) & (self.recording < len(lengths))
        if not known.all():
            raise ValueError(
                f"there are {len(lengths)} recordings, but a window is of recording "
                f"{self.recording[~known][0]}"
            )
        outside = (self.start < 0) | (self.start + self.size > lengths[self.recording])
        if outside.any():
            row = outside.argmax()
            raise ValueError(
                f"window {row} of {self.size} samples from {self.start[row]} on is not within "
                f"recording {self.recording[row]}, which has {lengths[self.recording[row]]}"
            )

    @property
    def shape(self):
        """(n_windows, channels, size)."""
        return len(self), self._n_channels, self.size

    @property
    def ndim(self):
        """Number of axes, 3."""
        return 3

    def __len__(self):
        return len(self.recording)

    def __repr__(self):
        return f"WindowIndex(shape={self.shape}, n_recordings={len(self.recordings)})"

    def __getitem__(self, rows):
        """Return the index of the chosen windows; for one number, the window itself."""
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
                "rows of a WindowIndex are a number, a slice, or an array of numbers or truth "
                f"values, got {rows.dtype} of shape {rows.shape}"
            )
        return rows if rows.dtype.kind == "b" else rows.astype(np.intp)

    def take(self, rows):
        """Copy windows out of the recordings.

        Parameters
        ----------
        rows : array-like of int, shape (n_rows,)
            Numbers of windows, in any order; or a truth value for each window.

        Returns
        -------
        ndarray of shape (n_rows, channels, size)
            Of the type `dtype`.
        """
        rows = self._row_numbers(rows)
        recording, start = self.recording[rows], self.start[rows]
        if isinstance(self.recordings, np.ndarray):
            view = sliding_window_view(self.recordings, self.size, axis=2)
            return view[recording, :, start].astype(self.dtype, copy=False)
        windows = np.empty((len(recording), *self.shape[1:]), dtype=self.dtype)
        for window, number, first in zip(windows, recording.tolist(), start.tolist(), strict=True):
            window[:] = self.recordings[number][:, first : first + self.size]
        return windows

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("windows of recordings can't be an array without a copy")
        windows = self.take(np.arange(len(self)))
        return windows if dtype is None else windows.astype(dtype, copy=False)


def index_windows(recordings, size, step):
    """Index the windows of recordings, one recording after the other.

    Parameters
    ----------
    recordings : list of ndarray of shape (channels, length), or ndarray of shape \
            (n_recordings, channels, length)
        Recordings, of which none is shorter than `size`.
    size : int
        Samples of a window.
    step : int or array-like of int, shape (n_recordings,)
        Samples between the starts of two windows, one for all or one for each recording.

    Returns
    -------
    WindowIndex
        ``recording`` and ``start`` say where each window is from.

    Raises
    ------
    ValueError
        For a recording that is shorter than the window (the text names it), a step below 1 or
        unequal numbers of channels.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.preprocessing import index_windows
    >>> recordings = [np.zeros((2, 100)), np.zeros((2, 70))]
    >>> windows = index_windows(recordings, size=50, step=10)
    >>> windows.recording.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1]
    """
    starts = []
    steps = np.broadcast_to(step, len(recordings)).tolist()
    for number, (recording, own_step) in enumerate(zip(recordings, steps, strict=True)):
        try:
            starts.append(window_starts(np.shape(recording)[-1], size, own_step))
        except ValueError as error:
            raise ValueError(f"recording {number}: {error}") from error
    n_windows = [len(own_starts) for own_starts in starts]
    return WindowIndex(
        recordings,
        np.repeat(np.arange(len(recordings)), n_windows),
        np.concatenate([np.empty(0, dtype=np.intp), *starts]),
        size,
    )


class SlidingWindow(TransformerMixin, BaseEstimator):
    r"""Cut signals of one length into windows, without a copy.

    Window k of a signal x has the samples

    .. math:: x_{k s}, \dots, x_{k s + W - 1}, \qquad
        k = 0, \dots, \lfloor (L - W) / s \rfloor .

    The result is a view of X in NumPy's sense: all windows share its memory and can only be read.
    To flatten it, or to make it contiguous, copies it W / s times, so it is made for looking and
    for features of windows; `WindowedClassifier` trains classifiers on windows.

    Parameters
    ----------
    size : int, default=None
        Samples of a window, W. None is the whole signal.
    step : int, default=None
        Samples between the starts of two windows, s. None is `size`, windows side by side.

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
    }

    def __init__(self, size=None, step=None):
        self.size = size
        self.step = step

    def fit(self, X, y=None):
        """Check the signals; there is nothing to learn.

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
            For signals that are shorter than the window, NaN, or a size or step below 1.
        """
        self._validate_params()
        self._view(validate_signals(self, X, reset=True))
        return self

    def transform(self, X):
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
        window_starts(X.shape[2], size, step)
        return sliding_window_view(X, size, axis=2)[:, :, ::step].transpose(0, 2, 1, 3)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        return tags
