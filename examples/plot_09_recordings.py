"""
Recordings, and the split that leaks
====================================

This example classifies recordings of machines, and shows why cross-validation must split recordings
and not windows. The recordings are cut into windows, and the windows become spectrograms. Two
windows of one recording are alike, even apart from its label. A split by window puts them into
training and test set, and then a classifier that recognizes the recordings looks as if it
recognized the classes.
"""

# %%
# A generated signal
# ------------------
# Every machine hums at its own frequencies, which a classifier can memorize. A worn machine also
# has a tone at 500 Hz, and a loose one at 300 Hz. Both are rare.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from skimbal import MLPClassifier, WindowedClassifier
from skimbal.inspection import ConfusionMatrixGridDisplay
from skimbal.preprocessing import Spectrogram, index_windows

RATE_HZ = 2000
TONES_HZ = {"healthy": None, "worn": 500, "loose": 300}
rng = np.random.default_rng(0)


def record(label):
    """A recording of shape (1, length), 2 to 3 s long."""
    times_s = np.arange(rng.integers(2 * RATE_HZ, 3 * RATE_HZ)) / RATE_HZ
    signal = rng.normal(size=len(times_s))
    for hum_hz in rng.uniform(50, 950, size=4):
        signal += rng.uniform(0.3, 1.5) * np.sin(2 * np.pi * hum_hz * times_s + rng.uniform(0, 6))
    if TONES_HZ[label]:
        tone_hz = TONES_HZ[label] + rng.normal(scale=5.0)
        signal += 0.9 * np.sin(2 * np.pi * tone_hz * times_s)
    return signal.astype("float32")[None]


y = np.repeat(list(TONES_HZ), [60, 18, 12])
recordings = [record(label) for label in y]

# %%
# Recordings in, recordings out
# -----------------------------
# The classifier takes the list of recordings. Rare classes have a smaller step between windows, and
# so more windows. A sample is a recording, so scikit-learn's cross-validation keeps the windows of
# a recording together.
network = MLPClassifier(
    hidden_layer_sizes=(32,), class_weight="balanced", max_epochs=20, random_state=0
)
spectrogram = Spectrogram(window=128, hop=64, sampling_rate_hz=RATE_HZ)
model = WindowedClassifier(
    make_pipeline(spectrogram, network),
    size=500,
    step=250,
    steps_per_class={"worn": 100, "loose": 60},
)
folds = StratifiedKFold(4, shuffle=True, random_state=0)
by_recording = cross_val_predict(model, recordings, y, cv=folds)

# %%
# The same windows, split by window
# ---------------------------------
# Here a sample is a window, and windows of one recording are in training and test folds.
windows = index_windows(recordings, size=500, step=250)
labels = y[windows.recording]
by_window = cross_val_predict(
    make_pipeline(spectrogram, network), np.asarray(windows), labels, cv=folds
)

# %%
# Results of the two splits
# -------------------------
# The split by window promises a much higher accuracy than the classifier reaches on recordings that
# it has not seen.
truths = {"Split by recording": y, "Split by window (leaks)": labels}
predictions = {"Split by recording": by_recording, "Split by window (leaks)": by_window}
for split, predicted in predictions.items():
    score = balanced_accuracy_score(truths[split], predicted)
    print(f"{split:24s} balanced accuracy {score:.2f}")
ConfusionMatrixGridDisplay.from_predictions(truths, predictions, labels=list(TONES_HZ))
plt.show()

# %%
# The spectrogram of a recording
# ------------------------------
worn = recordings[int(np.flatnonzero(y == "worn")[0])]
spectrogram = Spectrogram(window=256, hop=32, sampling_rate_hz=RATE_HZ).fit(worn)
fig, ax = plt.subplots(figsize=(7.5, 3.2), layout="constrained")
image = ax.pcolormesh(
    spectrogram.times_s_, spectrogram.frequencies_hz_, spectrogram.transform(worn)[0, 0], vmin=-50
)
ax.set(xlabel="time / s", ylabel="frequency / Hz", title="A worn machine: the tone at 500 Hz")
fig.colorbar(image, label="level / dB")
plt.show()
