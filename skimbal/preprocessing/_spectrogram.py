"""Spectrograms: the short-time Fourier transform of signals, in amplitude or decibels."""

from numbers import Integral, Real

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import get_window
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal.preprocessing._signals import validate_signals
from skimbal.preprocessing._windows import window_starts

# Bytes of the frames that are transformed at once; the result of it all is as large as it is.
CHUNK_BYTES = 2**24


def amplitude_spectrogram(signals, taper, hop):
    r"""Amplitudes of the frequencies in each frame of signals.

    .. math:: A_{k,m} = \frac{1}{\sum_j w_j}
        \left| \sum_{j=0}^{W-1} w_j \, x_{m h + j} \, e^{-2 \pi i j k / W} \right|

    Only frames that lie within the signal are used; nothing is padded. A sine of amplitude a
    at the frequency of a bin has a / 2 there.

    Parameters
    ----------
    signals : ndarray of shape (..., length)
        Real signals.
    taper : ndarray of shape (window,)
        The window function, w.
    hop : int
        Samples between the starts of two frames, h.

    Returns
    -------
    ndarray of shape (..., n_frequencies, n_frames)
        Of the precision of `signals` (of whole numbers, single), with ``window // 2 + 1``
        frequencies.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.preprocessing import amplitude_spectrogram
    >>> sine = np.sin(2 * np.pi * 4 * np.arange(64) / 32)
    >>> amplitude_spectrogram(sine, np.ones(32), hop=16)[:, 0].round(3).argmax()
    np.int64(4)
    """
    signals = signals.astype(np.result_type(signals.dtype, np.float32), copy=False)
    taper = (taper / taper.sum()).astype(signals.dtype)
    frames = sliding_window_view(signals, len(taper), axis=-1)[..., ::hop, :] * taper
    return np.abs(scipy.fft.rfft(frames, axis=-1, overwrite_x=True)).swapaxes(-1, -2)


def decibels(amplitude, floor_db):
    r"""Level of amplitudes, :math:`20 \log_{10} \max(a, 10^{f / 20})`, in dB relative to 1.

    Parameters
    ----------
    amplitude : ndarray
        Amplitudes, at least 0.
    floor_db : float
        The lowest level f, which silence has too.

    Returns
    -------
    ndarray
        Levels, of the shape and precision of `amplitude`.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.preprocessing import decibels
    >>> decibels(np.array([0.0, 0.1, 10.0]), floor_db=-120.0).tolist()
    [-120.0, -20.0, 20.0]
    """
    amplitude = np.asarray(amplitude)
    with np.errstate(divide="ignore"):
        level = 20.0 * np.log10(amplitude, dtype=np.result_type(amplitude.dtype, np.float32))
    return np.maximum(level, level.dtype.type(floor_db))


class Spectrogram(TransformerMixin, BaseEstimator):
    r"""Turn signals into images of frequency and time.

    .. math:: A_{k,m} = \frac{1}{\sum_j w_j}
        \left| \sum_{j=0}^{W-1} w_j \, x_{m h + j} \, e^{-2 \pi i j k / W} \right| ,
        \qquad D_{k,m} = 20 \log_{10} \max(A_{k,m}, 10^{f / 20})

    with window :math:`W`, hop :math:`h`, window function :math:`w` and floor :math:`f`. Frames
    that would reach beyond the signal are left out, so that no value depends on a padding: L
    samples have :math:`\lfloor (L - W) / h \rfloor + 1` frames. Nothing is learnt from the data,
    and a signal's image does not depend on the other signals.

    Parameters
    ----------
    window : int, default=256
        Samples of a frame, W.
    hop : int, default=None
        Samples between the starts of two frames, h. None is a quarter of the window.
    sampling_rate_hz : float, default=None
        Samples in a second. Needed for `min_hz`, `max_hz`, `frequencies_hz_` and `times_s_`.
    scale : {"log", "linear"}, default="log"
        Levels D in dB, or amplitudes A.
    window_function : str or tuple, default="hann"
        A window of `scipy.signal.get_window`, in its periodic form.
    min_hz : float, default=None
        Frequencies below are left out.
    max_hz : float, default=None
        Frequencies above are left out.
    floor_db : float, default=-120.0
        The lowest level f of ``scale="log"``, relative to an amplitude of 1.

    Attributes
    ----------
    frequencies_hz_ : ndarray of shape (n_frequencies,)
        Frequencies of the rows, if `sampling_rate_hz` is given.
    times_s_ : ndarray of shape (n_frames,)
        Middles of the frames of the columns, from the start of the signal, if `sampling_rate_hz`
        is given.
    n_features_in_ : int
        Length of the signals (2-D X) or number of channels (3-D X).

    References
    ----------
    .. [1] J. B. Allen, L. R. Rabiner (1977). A unified approach to short-time Fourier analysis and
       synthesis. Proc. IEEE 65(11), 1558-1564. doi:10.1109/PROC.1977.10770

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.preprocessing import Spectrogram
    >>> X = np.random.default_rng(0).normal(size=(3, 1, 5000)).astype("float32")
    >>> images = Spectrogram(window=2048, hop=256, sampling_rate_hz=25600).fit(X)
    >>> images.transform(X).shape
    (3, 1, 1025, 12)
    >>> float(images.frequencies_hz_[-1])
    12800.0
    """

    _parameter_constraints: dict = {
        "window": [Interval(Integral, 1, None, closed="left")],
        "hop": [None, Interval(Integral, 1, None, closed="left")],
        "sampling_rate_hz": [None, Interval(Real, 0, None, closed="neither")],
        "scale": [StrOptions({"log", "linear"})],
        "window_function": [str, tuple],
        "min_hz": [None, Interval(Real, 0, None, closed="left")],
        "max_hz": [None, Interval(Real, 0, None, closed="neither")],
        "floor_db": [Interval(Real, None, None, closed="neither")],
    }

    def __init__(
        self,
        window=256,
        hop=None,
        sampling_rate_hz=None,
        scale="log",
        window_function="hann",
        min_hz=None,
        max_hz=None,
        floor_db=-120.0,
    ):
        self.window = window
        self.hop = hop
        self.sampling_rate_hz = sampling_rate_hz
        self.scale = scale
        self.window_function = window_function
        self.min_hz = min_hz
        self.max_hz = max_hz
        self.floor_db = floor_db

    def fit(self, X, y=None):
        """Check signals and parameters, and set the frequencies and times of the image.

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
            For signals that are shorter than the window, NaN, invalid parameters, or a range of
            frequencies without `sampling_rate_hz` or without any frequency in it.
        """
        self._validate_params()
        X = validate_signals(self, X, reset=True)
        starts = window_starts(X.shape[2], self.window, self._hop())
        chosen = self._frequency_range()
        self._taper()
        if self.sampling_rate_hz is not None:
            self.frequencies_hz_ = self._all_frequencies_hz()[chosen]
            self.times_s_ = (starts + self.window / 2) / self.sampling_rate_hz
        return self

    def transform(self, X):
        """Return the spectrograms.

        Parameters
        ----------
        X : array-like of shape (n_signals, channels, length) or (n_signals, length)
            Finite signals.

        Returns
        -------
        ndarray of shape (n_signals, channels, n_frequencies, n_frames)
            float32 for signals of float32, else float64.
        """
        X = validate_signals(self, X, reset=False)
        n_frames = len(window_starts(X.shape[2], self.window, self._hop()))
        chosen = self._frequency_range()
        n_frequencies = len(range(self.window // 2 + 1)[chosen])
        images = np.empty((*X.shape[:2], n_frequencies, n_frames), dtype=X.dtype)
        frames_bytes = X.shape[1] * n_frames * self.window * X.itemsize
        n_at_once = max(1, CHUNK_BYTES // frames_bytes)
        taper = self._taper()
        for first in range(0, len(X), n_at_once):
            chunk = slice(first, first + n_at_once)
            amplitude = amplitude_spectrogram(X[chunk], taper, self._hop())[:, :, chosen]
            is_log = self.scale == "log"
            images[chunk] = decibels(amplitude, self.floor_db) if is_log else amplitude
        return images

    def _hop(self):
        return max(1, self.window // 4) if self.hop is None else self.hop

    def _taper(self):
        taper = get_window(self.window_function, self.window)
        if not taper.sum() > 0:
            raise ValueError(
                f"window_function={self.window_function!r} of {self.window} samples adds up to "
                f"{taper.sum():g}, and frames are divided by that; use another one"
            )
        return taper

    def _all_frequencies_hz(self):
        return scipy.fft.rfftfreq(self.window, 1.0 / self.sampling_rate_hz)

    def _frequency_range(self):
        """The rows of the transform that are kept, as a slice."""
        if self.min_hz is None and self.max_hz is None:
            return slice(0, self.window // 2 + 1)
        if self.sampling_rate_hz is None:
            raise ValueError(
                f"min_hz={self.min_hz} and max_hz={self.max_hz} are in Hz, which needs "
                "sampling_rate_hz; give it, or leave the range out"
            )
        frequencies_hz = self._all_frequencies_hz()
        low = -np.inf if self.min_hz is None else self.min_hz
        high = np.inf if self.max_hz is None else self.max_hz
        first = int(np.searchsorted(frequencies_hz, low, side="left"))
        end = int(np.searchsorted(frequencies_hz, high, side="right"))
        if first >= end:
            raise ValueError(
                f"no frequency is from min_hz={self.min_hz} to max_hz={self.max_hz}: they go up to "
                f"{frequencies_hz[-1]:g} Hz in steps of "
                f"{self.sampling_rate_hz / self.window:g} Hz; widen the range or the window"
            )
        return slice(first, end)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
