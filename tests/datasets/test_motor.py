import numpy as np
import pytest
from scipy.signal import hilbert

from skimbal.datasets import make_motor_sound
from skimbal.datasets._motor import (
    harmonic_sound,
    impulse_train,
    power_db,
    ringing,
    scaled_to_snr,
)

FEW = {"n_normal": 0, "n_misaligned": 0, "n_bearing": 0, "n_noise": 0}


def few(**arguments):
    return make_motor_sound(**{**FEW, "random_state": 0, **arguments})


def test_defaults_are_those_of_the_thesis():
    sound = make_motor_sound(random_state=0, duration_s=0.1)
    labels, counts = np.unique(sound.target, return_counts=True)
    assert dict(zip(labels.tolist(), counts.tolist(), strict=True)) == {
        "normal": 200,
        "misaligned": 21,
        "bearing": 30,
        "noise": 6,
    }
    assert sound.sampling_rate_hz == 25_600
    assert sound.frame["speed_rpm"].between(3000, 3600).all()
    assert sound.frame["speed_rpm"].nunique() == 257
    assert few(n_noise=1).data[0].shape == (1, 3 * 25_600)


@pytest.mark.parametrize(
    ("signal", "power"), [([1.0, -1.0], 0.0), ([10.0] * 5, 20.0), ([0.0] * 3, -np.inf)]
)
def test_power_by_hand(signal, power):
    assert power_db(np.array(signal)) == pytest.approx(power)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.0])
def test_noise_is_scaled_to_the_ratio(snr_db):
    rng = np.random.default_rng(0)
    signal, noise = 3 * rng.standard_normal(1000), 0.2 * rng.standard_normal(1000)
    scaled = scaled_to_snr(noise, signal, snr_db)
    ratio = np.mean(signal**2) / np.mean(scaled**2)
    assert 10 * np.log10(ratio) == pytest.approx(snr_db)


def test_harmonics_against_cosines():
    rng = np.random.default_rng(1)
    r, amplitudes = np.linspace(0, 3, 50), rng.uniform(size=4)
    phases = rng.uniform(0, 6, size=4)
    naive = sum(amplitudes[h - 1] * np.cos(2 * np.pi * h * r + phases[h - 1]) for h in range(1, 5))
    np.testing.assert_allclose(harmonic_sound(r, amplitudes, phases), naive, atol=1e-12)


def test_impulses_by_hand():
    train = impulse_train([0.0, 0.2, 0.21, 0.5, -0.1], [1.0, 2.0, 4.0, 8.0, 16.0], 5, 10)
    assert train.tolist() == [1.0, 0.0, 6.0, 0.0, 0.0]


def test_ringing_falls_to_an_e_th():
    envelope = np.abs(hilbert(ringing(3000.0, 0.002, 25_600)))
    at = round(0.002 * 25_600)
    assert envelope[3 * at] / envelope[2 * at] == pytest.approx(np.exp(-1), rel=0.02)
    assert ringing(3000.0, 0.002, 25_600)[0] == 0.0


@pytest.mark.parametrize("snr_db", [-3.0, 6.0, 20.0])
@pytest.mark.parametrize("label", ["n_normal", "n_misaligned", "n_bearing"])
def test_the_realised_signal_to_noise_ratio(label, snr_db):
    clean = few(**{label: 2}, snr_db=np.inf).data
    noisy = few(**{label: 2}, snr_db=snr_db).data
    for one, other in zip(clean, noisy, strict=True):
        background = other.astype(float) - one
        assert power_db(one.astype(float)) - power_db(background) == pytest.approx(snr_db, abs=1e-3)
        assert abs(np.corrcoef(background[0, 1:], background[0, :-1])[0, 1]) < 0.02  # white


def test_knocks_do_not_raise_the_background():
    clean, noisy = (few(n_noise=1, snr_db=snr).data[0][0] for snr in (np.inf, 10.0))
    quiet = clean[np.abs(clean) < 3 * np.median(np.abs(clean))]
    background = noisy.astype(float) - clean
    assert power_db(quiet) - power_db(background) == pytest.approx(10.0, abs=1.5)


@pytest.mark.parametrize(
    "arguments", [{"n_normal": 2}, {"n_misaligned": 1}, {"n_bearing": 1}, {"n_noise": 1}], ids=str
)
def test_a_recording_does_not_depend_on_the_counts(arguments):
    many = make_motor_sound(
        n_normal=3, n_misaligned=2, n_bearing=1, n_noise=2, duration_s=0.2, random_state=5
    )
    alone = few(**arguments, duration_s=0.2, random_state=5)
    first = many.target.tolist().index(alone.target[0])
    for k, recording in enumerate(alone.data):
        np.testing.assert_array_equal(recording, many.data[first + k])


def test_seeds():
    one, again, other = (few(n_bearing=1, random_state=s).data[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    state = np.random.RandomState(3)
    first, second = (few(n_normal=1, random_state=state).data[0] for _ in range(2))
    assert not np.array_equal(first, second)


def band_power(recording, low_hz, high_hz):
    spectrum = np.abs(np.fft.rfft(recording[0])) ** 2
    frequency = np.fft.rfftfreq(recording.shape[1], 1 / 25_600)
    return spectrum[(frequency >= low_hz) & (frequency < high_hz)].sum()


def test_misalignment_raises_the_second_and_third_harmonic():
    def share(recording, hz):
        second_and_third = band_power(recording, 1.9 * hz, 3.1 * hz)
        return second_and_third / band_power(recording, 0.9 * hz, 13 * hz)

    shares = {}
    for label in ("n_normal", "n_misaligned"):
        sound = few(**{label: 12}, snr_db=np.inf)
        speeds_hz = sound.frame["speed_rpm"] / 60
        shares[label] = [share(x, hz) for x, hz in zip(sound.data, speeds_hz, strict=True)]
    assert np.median(shares["n_misaligned"]) > 1.8 * np.median(shares["n_normal"])


def test_the_impacts_come_at_the_fault_frequency():
    """The envelope of the band of the resonance peaks at 3.58 times the speed."""
    sound = few(n_bearing=3, snr_db=np.inf)
    for recording, rpm in zip(sound.data, sound.frame["speed_rpm"], strict=True):
        spectrum = np.fft.rfft(recording[0])
        spectrum[np.fft.rfftfreq(recording.shape[1], 1 / 25_600) < 1500] = 0
        envelope = np.abs(hilbert(np.fft.irfft(spectrum))) ** 2
        lines = np.abs(np.fft.rfft(envelope - envelope.mean()))
        frequency = np.fft.rfftfreq(len(envelope), 1 / 25_600)
        lines[frequency < 100] = 0
        assert frequency[lines.argmax()] == pytest.approx(3.58 * rpm / 60, rel=0.05)


def test_knocks_are_short():
    normal, noise = (few(**{n: 6}, snr_db=np.inf).data for n in ("n_normal", "n_noise"))
    crest = [[np.abs(x).max() / x.std() for x in group] for group in (normal, noise)]
    assert max(crest[0]) < 4 < min(crest[1])


def test_what_is_returned():
    sound = few(n_normal=1, n_noise=2)
    assert [x.dtype for x in sound.data] == [np.float32] * 3
    assert sound.target.tolist() == ["normal", "noise", "noise"]
    assert sound.groups.tolist() == [0, 1, 2]
    assert sound.frame["number"].tolist() == [0, 0, 1]
    assert "SIMULATION" in sound.DESCR
    data, target = few(n_normal=1, n_noise=2, return_X_y=True)
    np.testing.assert_array_equal(data[2], sound.data[2])
    np.testing.assert_array_equal(target, sound.target)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "all counts are 0"),
        ({"n_normal": -1}, "n_normal=-1 is not usable; give an integer >= 0"),
        ({"n_bearing": 2.0}, r"n_bearing=2\.0 is not usable"),
        ({"n_normal": 1, "duration_s": 0}, "duration_s=0 is not usable; give a number >= 0.1"),
        ({"n_normal": 1, "sampling_rate_hz": 500}, "number >= 10000"),
        ({"n_normal": 1, "speed_rpm": (3600, 3000)}, "give \\(low, high\\)"),
        ({"n_normal": 1, "speed_rpm": 3000}, "give \\(low, high\\)"),
        ({"n_normal": 1, "speed_rpm": ("low", "high")}, "give \\(low, high\\)"),
        ({"n_normal": 1, "speed_rpm": {0: 3000, 1: 3600}}, "give \\(low, high\\)"),
        ({"n_normal": 1, "snr_db": -1e6}, "give decibels >= -300, or inf"),
        ({"n_normal": 1, "speed_rpm": (3000, 1e6)}, "do not fit below half"),
        ({"n_normal": 1, "snr_db": float("nan")}, "snr_db=nan is not usable"),
        ({"n_normal": 1, "snr_db": -np.inf}, "snr_db=-inf is not usable"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        few(**arguments)
