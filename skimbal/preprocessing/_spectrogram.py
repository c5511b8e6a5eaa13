"""Spectrograms: the short-time Fourier transform of signals, in amplitude or decibels."""

from numbers import Integral, Real
from typing import Self

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from scipy.signal import get_window
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal._utils._warnings import warn
from skimbal.preprocessing._signals import validate_signals
from skimbal.preprocessing._windows import signal_window_starts

# Bytes of the frames that are transformed at a time.
CHUNK_BYTES = 2**24


def amplitude_spectrogram(signals, taper, hop):
    r"""Amplitudes of the frequencies in each frame of signals.

    .. math:: A_{k,m} = \frac{1}{\sum_j w_j}
        \left| \sum_{j=0}^{W-1} w_j \, x_{m h + j} \, e^{-2 \pi i j k / W} \right|

    Only frames that lie within the signal are used; nothing is padded. A sine of amplitude a has
    the value a / 2 at its frequency.

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
        With ``window // 2 + 1`` frequencies and the precision of `signals` (float32 for integers).

    Examples
    --------
    >>> import numpy as np
    >>> sine = np.sin(2 * np.pi * 4 * np.arange(64) / 32)
    >>> amplitude_spectrogram(sine, np.ones(32), hop=16)[:, 0].round(3).argmax()
    np.int64(4)
    """
    signals = signals.astype(np.result_type(signals.dtype, np.float32), copy=False)
    taper = (taper / taper.sum()).astype(signals.dtype)
    frames = sliding_window_view(signals, len(taper), axis=-1)[..., ::hop, :] * taper
    return np.abs(scipy.fft.rfft(frames, axis=-1, overwrite_x=True)).swapaxes(-1, -2)


def decibels(amplitude: ArrayLike, floor_db: float) -> NDArray:
    r"""Level of amplitudes, :math:`20 \log_{10} \max(a, 10^{f / 20})`, in dB relative to 1.

    Parameters
    ----------
    amplitude : ndarray
        Amplitudes, 0 or more.
    floor_db : float
        The lowest level f. Silence has this level.

    Returns
    -------
    ndarray
        Levels, of the shape and precision of `amplitude`.

    References
    ----------
    ISO 80000-8:2020, Quantities and units, part 8: Acoustics, level of a field quantity.

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


def _frequencies_hz(window, sampling_rate_hz):
    return scipy.fft.rfftfreq(window, 1.0 / sampling_rate_hz)


class Spectrogram(TransformerMixin, BaseEstimator):
    r"""Turn signals into images of frequency and time.

    .. math:: A_{k,m} = \frac{1}{\sum_j w_j}
        \left| \sum_{j=0}^{W-1} w_j \, x_{m h + j} \, e^{-2 \pi i j k / W} \right| ,
        \qquad D_{k,m} = 20 \log_{10} \max(A_{k,m}, 10^{f / 20})

    with window :math:`W`, hop :math:`h`, window function :math:`w` and floor :math:`f`. Frames
    that would reach beyond the signal are left out, so no value depends on padding: L samples have
    :math:`\lfloor (L - W) / h \rfloor + 1` frames. Nothing is learned from the data, and the
    image of a signal does not depend on the other signals.

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
        window: int = 256,
        hop: int | None = None,
        sampling_rate_hz: float | None = None,
        scale: str = "log",
        window_function: str | tuple = "hann",
        min_hz: float | None = None,
        max_hz: float | None = None,
        floor_db: float = -120.0,
    ):
        self.window = window
        self.hop = hop
        self.sampling_rate_hz = sampling_rate_hz
        self.scale = scale
        self.window_function = window_function
        self.min_hz = min_hz
        self.max_hz = max_hz
        self.floor_db = floor_db

    def fit(self, X: ArrayLike, y: None = None) -> Self:
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
            If a signal is shorter than the window or not finite, a parameter is invalid, or a range
            of frequencies has no `sampling_rate_hz` or no frequency in it.

        Warns
        -----
        UserWarning
            If the signals are so small that all levels are `floor_db`.
        """
        self._validate_params()
        signals = validate_signals(self, X, reset=True)
        starts = signal_window_starts(signals, self.window, self._hop())
        chosen = self._frequency_range()
        self._warn_of_levels_below_the_floor(signals)
        if self.sampling_rate_hz is not None:
            self.frequencies_hz_ = _frequencies_hz(self.window, self.sampling_rate_hz)[chosen]
            self.times_s_ = (starts + self.window / 2) / self.sampling_rate_hz
        return self

    def transform(self, X: ArrayLike) -> NDArray:
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
        signals = validate_signals(self, X, reset=False)
        n, n_channels, _ = signals.shape
        n_frames = len(signal_window_starts(signals, self.window, self._hop()))
        chosen, taper, is_log = self._frequency_range(), self._taper(), self.scale == "log"
        n_frequencies = chosen.stop - chosen.start
        images = np.empty((n, n_channels, n_frequencies, n_frames), dtype=signals.dtype)
        frames_bytes = n_channels * n_frames * self.window * signals.itemsize
        chunk_size = max(1, CHUNK_BYTES // frames_bytes)
        for first in range(0, n, chunk_size):
            chunk = slice(first, first + chunk_size)
            amplitude = amplitude_spectrogram(signals[chunk], taper, self._hop())[:, :, chosen]
            images[chunk] = decibels(amplitude, self.floor_db) if is_log else amplitude
        return images

    def _warn_of_levels_below_the_floor(self, signals):
        """Warn if no amplitude, which is at most the largest value, can reach the floor."""
        taper = self._taper()
        largest = max(float(signals.max()), -float(signals.min()))
        highest = largest * np.abs(taper).sum() / taper.sum()
        floor = 10.0 ** (self.floor_db / 20.0)
        if self.scale == "log" and 0.0 < highest < floor:
            warn(
                f"all levels are floor_db={self.floor_db:g}, an amplitude of {floor:g}, because "
                f"no value of X is larger than {largest:g}; lower floor_db, or scale X"
            )

    def _hop(self):
        return max(1, self.window // 4) if self.hop is None else self.hop

    def _taper(self):
        try:
            taper = get_window(self.window_function, self.window)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"window_function={self.window_function!r} is not usable ({error}); give the name "
                "of a window of scipy.signal.get_window, or a tuple of the name and its parameters"
            ) from error
        if not taper.sum() > 0:
            raise ValueError(
                f"window_function={self.window_function!r} of {self.window} samples adds up to "
                f"{taper.sum():g}, but frames are divided by that sum; use another window function"
            )
        return taper

    def _frequency_range(self):
        """The rows of the transform that are kept, as a slice."""
        if self.min_hz is None and self.max_hz is None:
            return slice(0, self.window // 2 + 1)
        if self.sampling_rate_hz is None:
            raise ValueError(
                f"min_hz={self.min_hz} and max_hz={self.max_hz} are in Hz, which needs "
                "sampling_rate_hz; give it, or leave both at None"
            )
        frequencies_hz = _frequencies_hz(self.window, self.sampling_rate_hz)
        low = -np.inf if self.min_hz is None else self.min_hz
        high = np.inf if self.max_hz is None else self.max_hz
        first = int(np.searchsorted(frequencies_hz, low, side="left"))
        end = int(np.searchsorted(frequencies_hz, high, side="right"))
        if first >= end:
            raise ValueError(
                f"there is no frequency from min_hz={self.min_hz} to max_hz={self.max_hz}: "
                f"frequencies go up to {frequencies_hz[-1]:g} Hz in steps of "
                f"{self.sampling_rate_hz / self.window:g} Hz; widen the range or the window"
            )
        return slice(first, end)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
