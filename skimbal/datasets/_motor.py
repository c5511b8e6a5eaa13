"""A simulation of the sound of a small motor: normal, misaligned, with a bad bearing, with noise.

Nothing here was measured. The design follows the data that Shin (thesis, Seoul National
University) describes and does not publish: one acoustic channel, 25.6 kHz, recordings of 3 s,
3,000 to 3,600 revolutions a minute, counts 200, 21, 30 and 6. The sounds follow the textbook:

* the shaft gives harmonics of its frequency of rotation;
* misalignment raises the second and third harmonic;
* a foreign body in a bearing gives impacts at a fault frequency, and after each impact the housing
  rings at a resonance;
* extraneous noise consists of a few knocks at random times.
"""

import numbers
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import fftconvolve
from sklearn.utils import Bunch, check_random_state

from skimbal.datasets._checks import check_count, check_number, unusable

CLASSES = ("normal", "misaligned", "bearing", "noise")
_N_HARMONICS = 12
_MIN_SNR_DB = -300.0  # float32 holds the background
# Passages over a defect in one revolution: outer race of a common deep-groove bearing, 9 balls.
_FAULT_ORDER = 3.58
_RESONANCE_HZ = (2500.0, 4500.0)


def power_db(signal):
    """Mean square of a signal in dB; -inf for silence."""
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(np.mean(np.square(signal)))


def scaled_to_snr(noise, signal, snr_db):
    """`noise` times the factor that puts `signal` `snr_db` decibels above it, in mean square."""
    return noise * 10.0 ** ((power_db(signal) - power_db(noise) - snr_db) / 20.0)


def harmonic_sound(revolutions, amplitudes, phases):
    """Sum over h = 1, 2, ... of a_h cos(2 pi h r + p_h), r the revolutions made so far."""
    # Powers of one complex number: twelve products for each sample instead of twelve cosines.
    rotation = np.exp(2j * np.pi * revolutions)
    coefficients = np.concatenate([[0.0], amplitudes * np.exp(1j * phases)])
    return np.polynomial.polynomial.polyval(rotation, coefficients).real


def impulse_train(times_s, amplitudes, n_samples, sampling_rate_hz):
    """Signal with `amplitudes` at the samples nearest to `times_s` (they add up), 0 elsewhere."""
    position = np.rint(np.asarray(times_s) * sampling_rate_hz).astype(np.int64)
    inside = (position >= 0) & (position < n_samples)
    return np.bincount(position[inside], np.asarray(amplitudes)[inside], minlength=n_samples)


def ringing(frequency_hz, decay_s, sampling_rate_hz):
    """Impulse response of a resonance: a sine that falls to 1/e in `decay_s`, 7 `decay_s` long."""
    t = np.arange(max(1, round(7 * decay_s * sampling_rate_hz))) / sampling_rate_hz
    return np.exp(-t / decay_s) * np.sin(2 * np.pi * frequency_hz * t)


def _revolutions(rng, speed_rpm, t):
    """Revolutions at the times `t`: a constant speed with a slow wander of about 0.2 %."""
    rate_hz, start = rng.uniform(0.3, 1.0), rng.uniform(0, 2 * np.pi)
    wander = 0.002 * np.sin(2 * np.pi * rate_hz * t + start) / (2 * np.pi * rate_hz)
    return rng.uniform() + speed_rpm / 60.0 * (t + wander)


def _shaft_amplitudes(rng, misaligned):
    """Amplitudes of the harmonics; misalignment raises the second and third."""
    amplitudes = np.exp(0.4 * rng.standard_normal(_N_HARMONICS)) / np.arange(1, _N_HARMONICS + 1)
    raised = rng.uniform(2.0, 4.0, size=2)
    if misaligned:
        amplitudes[1:3] *= raised
    return amplitudes


def _bearing_impacts(rng, speed_rpm, n_samples, sampling_rate_hz, level):
    """Ringing at the fault frequency, whose intervals vary by 2 %; mean square `level` squared."""
    fault_hz = _FAULT_ORDER * speed_rpm / 60.0
    n_impacts = int(np.ceil(1.2 * n_samples / sampling_rate_hz * fault_hz)) + 1
    intervals_s = (1.0 + 0.02 * rng.standard_normal(n_impacts)) / fault_hz
    times_s = np.cumsum(intervals_s) - rng.uniform() / fault_hz
    amplitudes = np.exp(0.3 * rng.standard_normal(n_impacts))
    frequency_hz = rng.uniform(*_RESONANCE_HZ)
    sound = fftconvolve(
        impulse_train(times_s, amplitudes, n_samples, sampling_rate_hz),
        ringing(frequency_hz, rng.uniform(0.0008, 0.002), sampling_rate_hz),
    )[:n_samples]
    return _with_level(sound, level)


def _knocks(rng, n_samples, sampling_rate_hz, level):
    """Three to eight bursts of noise that die away in 10 to 60 ms; the peak is `level`."""
    n_knocks = rng.integers(3, 9)
    envelope = np.zeros(n_samples)
    for start_s, height, decay_s in zip(
        rng.uniform(0, 0.95 * n_samples / sampling_rate_hz, n_knocks),
        rng.uniform(0.4, 1.0, n_knocks),
        rng.uniform(0.01, 0.06, n_knocks),
        strict=True,
    ):
        start = int(start_s * sampling_rate_hz)
        t = np.arange(n_samples - start) / sampling_rate_hz
        envelope[start:] += height * np.exp(-t / decay_s)
    # A mean over 0.3 ms removes the highest frequencies, as walls and air do.
    width = max(1, round(0.0003 * sampling_rate_hz))
    white = rng.standard_normal(n_samples)
    colored = fftconvolve(white, np.full(width, 1 / width), mode="same")
    knocks = envelope * colored
    return level * knocks / np.abs(knocks).max()


def _with_level(signal, level):
    """`signal` with the root mean square `level`; silence stays silent."""
    rms = np.sqrt(np.mean(np.square(signal)))
    return signal if rms == 0 else signal * (level / rms)


def motor_recording(rng, label, speed_rpm, n_samples, sampling_rate_hz, snr_db):
    """One recording of the class `label`, shape (n_samples,), float32.

    `snr_db` is the ratio of the motor's own sound (harmonics and impacts, without knocks) to the
    background. The background is drawn last, so that `snr_db` changes nothing else.
    """
    t = np.arange(n_samples) / sampling_rate_hz
    amplitudes = _shaft_amplitudes(rng, misaligned=label == "misaligned")
    phases = rng.uniform(0, 2 * np.pi, _N_HARMONICS)
    shaft = harmonic_sound(_revolutions(rng, speed_rpm, t), amplitudes, phases)
    loudness = 10.0 ** (rng.uniform(-3.0, 3.0) / 20.0)
    motor = _with_level(shaft, 1.0)
    if label == "bearing":
        level = rng.uniform(0.2, 0.6)
        motor = motor + _bearing_impacts(rng, speed_rpm, n_samples, sampling_rate_hz, level)
    sound = motor
    if label == "noise":
        sound = motor + _knocks(rng, n_samples, sampling_rate_hz, rng.uniform(4.0, 8.0))
    if np.isfinite(snr_db):
        sound = sound + scaled_to_snr(rng.standard_normal(n_samples), motor, snr_db)
    return (loudness * sound).astype(np.float32)


def make_motor_sound(
    *,
    n_normal: int = 200,
    n_misaligned: int = 21,
    n_bearing: int = 30,
    n_noise: int = 6,
    duration_s: float = 3.0,
    sampling_rate_hz: float = 25_600,
    speed_rpm: tuple[float, float] = (3000, 3600),
    snr_db: float = 10.0,
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
) -> Any:
    r"""Simulate recordings of a motor with three rare kinds of fault.

    **This is a simulation** for examples and tests. Figures measured on it say nothing about a
    real motor. Up to its loudness, a recording is

    .. math::

        s(t) = \sum_{h=1}^{12} a_h \cos(2 \pi h r(t) + \varphi_h) + b(t) + k(t) + \epsilon(t),

    with r the revolutions made so far, random amplitudes that fall as 1 / h, b the impacts of a
    bad bearing, k knocks from outside and white background noise. The classes are:

    * "normal": harmonics and background.
    * "misaligned": the harmonics h = 2 and 3 are raised by factors from 2 to 4.
    * "bearing" (a foreign body in it): a train of decaying resonances at 3.58 times the speed of
      rotation, intervals varying by 2 %, at 0.2 to 0.6 times the level of the shaft.
    * "noise" (extraneous): three to eight knocks that die away in 10 to 60 ms.

    Parameters
    ----------
    n_normal, n_misaligned, n_bearing, n_noise : int, default=200, 21, 30, 6
        Recordings of each class, 0 or more.
    duration_s : float, default=3.0
        Length of a recording in seconds; 0.1 or more.
    sampling_rate_hz : float, default=25_600
        Samples in a second, 10,000 or more: the resonance of the bearing is at 2.5 to 4.5 kHz.
    speed_rpm : (float, float), default=(3000, 3600)
        Range that the speed of each recording is drawn from, in revolutions a minute.
    snr_db : float, default=10.0
        Mean square of the motor's own sound (without knocks) over that of the background, in
        decibels, in each recording, -300 or more; ``inf`` gives no background.
    random_state : int, RandomState or None, default=None
        Seed. Recording k of a class does not depend on the numbers of recordings.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data``, a list of float32 arrays of shape (1, n_samples), class by class in the order
        above; ``target`` of shape (n_recordings,), the class names; ``groups`` of shape
        (n_recordings,), the number of the recording; ``frame``, a DataFrame with columns label,
        number (within the class) and speed_rpm; ``sampling_rate_hz``; ``channel_names``;
        ``target_names``; ``DESCR``.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        If a size, rate or range is not usable.

    Notes
    -----
    Counts, rate, length and speeds are those of the washing-machine motor of Shin (thesis, Seoul
    National University), whose recordings are not public. All recordings are in class order:
    shuffle before a split that does not stratify.

    References
    ----------
    R. B. Randall, J. Antoni (2011), Rolling element bearing diagnostics: a tutorial, Mechanical
    Systems and Signal Processing 25(2), 485-520, section 2, doi:10.1016/j.ymssp.2010.07.017.

    Examples
    --------
    >>> from skimbal.datasets import make_motor_sound
    >>> sound = make_motor_sound(n_normal=3, n_misaligned=1, n_bearing=1, n_noise=1, random_state=0)
    >>> len(sound.data), sound.data[0].shape
    (6, (1, 76800))
    >>> sound.target.tolist()
    ['normal', 'normal', 'normal', 'misaligned', 'bearing', 'noise']
    """
    counts = dict(zip(CLASSES, (n_normal, n_misaligned, n_bearing, n_noise), strict=True))
    _check_arguments(counts, duration_s, sampling_rate_hz, speed_rpm, snr_db)
    entropy = int(check_random_state(random_state).randint(2**31 - 1))
    n_samples = round(duration_s * sampling_rate_hz)
    data, rows = [], []
    for k, (label, count) in enumerate(counts.items()):
        for number in range(count):
            rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(k, number)))
            rpm = rng.uniform(*speed_rpm)
            recording = motor_recording(rng, label, rpm, n_samples, sampling_rate_hz, snr_db)
            data.append(recording[None])
            rows.append((label, number, rpm))
    frame = pd.DataFrame(rows, columns=["label", "number", "speed_rpm"])
    target = frame["label"].to_numpy(dtype=str)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        groups=np.arange(len(data)),
        frame=frame,
        sampling_rate_hz=sampling_rate_hz,
        channel_names=["microphone"],
        target_names=list(CLASSES),
        DESCR=(
            f"A SIMULATION of the sound of a motor: {len(data)} recordings of {duration_s:g} s "
            f"at {sampling_rate_hz:g} Hz, "
            f"{', '.join(f'{count} {label}' for label, count in counts.items())}; "
            f"{speed_rpm[0]:g} to {speed_rpm[1]:g} rpm, {snr_db:g} dB above the background. "
            "Nothing in it was measured."
        ),
    )


def _is_range(values):
    """Whether these are two positive finite numbers in ascending order."""
    is_pair = isinstance(values, tuple | list | np.ndarray) and np.shape(values) == (2,)
    if not is_pair or not all(isinstance(value, numbers.Real) for value in values):
        return False
    return 0 < values[0] <= values[1] < np.inf


def _check_arguments(counts, duration_s, sampling_rate_hz, speed_rpm, snr_db):
    for label, count in counts.items():
        check_count(f"n_{label}", count)
    if not sum(counts.values()):
        raise ValueError("all counts are 0, so there is nothing to simulate; give a positive count")
    check_number("duration_s", duration_s, 0.1)
    check_number("sampling_rate_hz", sampling_rate_hz, 10_000)
    if not isinstance(snr_db, numbers.Real) or not float(snr_db) >= _MIN_SNR_DB:
        raise unusable("snr_db", snr_db, f"decibels >= {_MIN_SNR_DB:g}, or inf for no background")
    if not _is_range(speed_rpm):
        raise unusable("speed_rpm", speed_rpm, "(low, high) with 0 < low <= high")
    highest_hz = _N_HARMONICS * speed_rpm[1] / 60.0
    if highest_hz >= sampling_rate_hz / 2:
        raise ValueError(
            f"the harmonics reach {highest_hz:g} Hz and do not fit below half of sampling_rate_hz="
            f"{sampling_rate_hz:g}; raise it, or lower speed_rpm"
        )
