"""
A recording that is classified while it is made
===============================================

A microphone listens to a machine. This example trains a classifier on short recordings, most of
them of healthy machines. It then feeds a long recording in blocks of 20 ms to a stream, as a sound
card delivers it. The machine breaks in the middle of the recording.
"""

# %%
# Recordings of twelve machines
# -----------------------------
# Each machine has frequencies of its own. One in 16 recordings has the fault: a rattle, which is a
# short tone at 1.2 kHz in each turn of the shaft. The sound of a recording is loud or quiet.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from skimbal import MLPClassifier, TunedCostClassifierCV, WindowedClassifier
from skimbal.metrics import decide
from skimbal.preprocessing import Spectrogram

RATE_HZ = 4000
rng = np.random.default_rng(0)


def record(hum_hz, length_s, fault_from_s=np.inf):
    """A recording of shape (1, length), with the fault from a time on."""
    times_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    signal = rng.normal(scale=0.05, size=len(times_s))
    for frequency in hum_hz:
        signal += 0.04 * np.sin(2 * np.pi * frequency * times_s + rng.uniform(0, 6))
    since_turn_s = times_s % 0.11
    rattle = np.exp(-since_turn_s / 0.012) * np.sin(2 * np.pi * 1200 * since_turn_s)
    signal += 0.2 * rattle * (times_s >= fault_from_s)
    return (rng.uniform(0.7, 1.4) * signal).astype("float32")[None]


machine = np.repeat(np.arange(12), 16)
hums_hz = rng.uniform(60, 900, size=(12, 4))
y = np.where(np.arange(len(machine)) % 16 == 0, "faulty", "healthy")
recordings = [
    record(hums_hz[own], 2, 0 if label == "faulty" else np.inf)
    for own, label in zip(machine, y, strict=True)
]

# %%
# The classifier
# --------------
# Windows of half a second become spectrograms. A decision is made for each window, so the cost
# search is inside the classifier of recordings, where it sees windows. The groups keep all
# recordings of a machine on one side of its folds.
network = MLPClassifier(hidden_layer_sizes=(32,), max_epochs=20, random_state=0)
levels = Spectrogram(window=128, hop=64, sampling_rate_hz=RATE_HZ)
model = WindowedClassifier(
    make_pipeline(levels, TunedCostClassifierCV(network, cv=3, random_state=0)),
    size=RATE_HZ // 2,
    step=RATE_HZ // 4,
)
model.fit(recordings, y, groups=machine)

# %%
# The stream
# ----------
# The recording is of a machine that is not in the training data. Each call of ``feed`` returns a
# row for each window that is complete with this block, mostly none. The rows are those that
# ``predict_proba_windows`` returns for the whole recording.
long_recording = record(rng.uniform(60, 900, size=4), 40, fault_from_s=20)
stream = model.stream()
ends_s, posteriors = [], []
for first in range(0, long_recording.shape[1], RATE_HZ // 50):
    for row in stream.feed(long_recording[:, first : first + RATE_HZ // 50]):
        posteriors.append(row)
        ends_s.append(stream.n_samples / RATE_HZ)
posteriors, ends_s = np.array(posteriors), np.array(ends_s)
whole = model.predict_proba_windows([long_recording])[0]
print(f"largest difference from the whole: {np.abs(posteriors - whole).max():.0e}")

# %%
# The costs that were found decide. The alarm comes within a second of the fault.
labels = model.classes_[decide(posteriors, model.cost_matrix_)]
alarms_s = ends_s[labels == "faulty"]
print(f"windows with an alarm before the fault: {np.sum(alarms_s < 20)} of {np.sum(ends_s < 20)}")
print(f"first alarm after the fault: {alarms_s[alarms_s >= 20].min() - 20:.2f} s")

costs = model.cost_matrix_
threshold = costs[1, 0] / (costs[1, 0] + costs[0, 1])
image = Spectrogram(window=256, hop=128, sampling_rate_hz=RATE_HZ).fit(long_recording)
fig, (top, bottom) = plt.subplots(2, sharex=True, figsize=(8, 5.4), layout="constrained")
top.pcolormesh(
    image.times_s_,
    image.frequencies_hz_,
    image.transform(long_recording)[0, 0],
    vmin=-80,
    vmax=-35,
    rasterized=True,
)
top.set(ylabel="frequency / Hz", title="A machine that begins to rattle after 20 s")
bottom.axvspan(20, 40, color="0.9", label="fault")
bottom.step(ends_s, posteriors[:, 0], where="post", label="probability of the fault")
bottom.axhline(threshold, color="black", linestyle="--", label="threshold of the costs found")
bottom.set_yscale("logit")
bottom.set(xlabel="time / s", ylabel="posterior of the last window", xlim=(0, 40))
bottom.legend(loc="lower right")
plt.show()
