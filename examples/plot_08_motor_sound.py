"""
The simulated sound of a motor
==============================

This example shows the spectrograms of a healthy motor and of three rare faults, made by
:func:`~skimbal.datasets.make_motor_sound`. By default, the function makes 200 healthy recordings,
and 21, 30 and 6 of the faults. **It is a simulation**: it shows what a method has to detect in such
data, and it says nothing about a real motor.
"""

# %%
# One recording of each class
# ---------------------------
# A spectrogram cuts a recording into short frames and shows the power of each frame by frequency.
# The left panels show low frequencies in long frames, where the harmonics of the shaft are lines.
# The right panels show frequencies up to 6 kHz in short frames, where short events are sharp in
# time.
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from skimbal.datasets import make_motor_sound

sound = make_motor_sound(
    n_normal=1, n_misaligned=1, n_bearing=1, n_noise=1, duration_s=1.0, random_state=2
)


def spectrogram_db(recording, window, hop):
    """Times in s, frequencies in Hz and power in dB."""
    stft = ShortTimeFFT(hann(window), hop, sound.sampling_rate_hz, scale_to="psd")
    power = stft.spectrogram(recording[0].astype(float))
    return stft.t(recording.shape[1]), stft.f, 10 * np.log10(power + 1e-12)


fig, axes = plt.subplots(4, 2, figsize=(9, 9), sharex=True, layout="constrained")
for row, recording, label in zip(axes, sound.data, sound.target, strict=True):
    for ax, window, hop, top_hz in ((row[0], 4096, 256, 500), (row[1], 256, 64, 6000)):
        times_s, frequencies_hz, power_db = spectrogram_db(recording, window, hop)
        shown = frequencies_hz <= top_hz
        image = ax.pcolormesh(
            times_s,
            frequencies_hz[shown],
            power_db[shown],
            vmin=-60,
            vmax=-10,
            rasterized=True,
        )
        ax.set_xlim(0, 1)
        ax.set_title(label)
    row[0].set_ylabel("frequency / Hz")
for ax in axes[-1]:
    ax.set_xlabel("time / s")
fig.colorbar(image, ax=axes, label="power / dB", shrink=0.4)
plt.show()

# %%
# How the classes differ
# ----------------------
# * *misaligned*: in the left panel, the second and third line (about 110 and 170 Hz) are stronger
#   relative to the first. Some healthy motors have strong harmonics too, so this class is the
#   hardest.
# * *bearing*: the right panel has a band between 2.5 and 4.5 kHz. It is the resonance that each
#   impact excites.
# * *noise*: the right panel has a few vertical stripes. Most windows of such a recording contain no
#   knock and look healthy, so a decision about a recording has to combine its windows.
for recording, label in zip(sound.data, sound.target, strict=True):
    peak = np.abs(recording).max() / recording.std()
    print(f"{label:10s} peak over root mean square {peak:.1f}")
