"""
Augmentation of signals
=======================

Augmentation changes the training samples at random in each epoch, in ways that leave their class as
it is. This example shows what the augmentations do to a signal and to its spectrogram. It then
measures when a shift in time helps a network, and when it does not.
"""

# %%
# A signal and its changes
# ------------------------
# Each augmentation is a small value. Its ``apply`` takes samples and random numbers, which the
# network draws in training. Here they are drawn by hand.
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.model_selection import train_test_split

from skimbal import CNN1DClassifier, MLPClassifier
from skimbal.augmentation import FrequencyMask, Noise, Scaling, Shift, TimeMask
from skimbal.metrics import macro_f1
from skimbal.preprocessing import Spectrogram

LENGTH = 64
rng = np.random.default_rng(0)


def record(cycles, n):
    """Signals of shape (n, 1, length): a short burst somewhere, in noise."""
    times = np.arange(LENGTH)
    center = rng.uniform(0, LENGTH, size=(n, 1))
    distance = (times - center + LENGTH / 2) % LENGTH - LENGTH / 2
    burst = np.exp(-((distance / 9) ** 2)) * np.sin(2 * np.pi * cycles * distance / LENGTH)
    return (1.5 * burst + 0.3 * rng.normal(size=(n, LENGTH)))[:, None]


def changed(X, augmentation, seed):
    """One sample after an augmentation."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(1, augmentation.n_drawn(X.shape[1:]), generator=generator)
    return augmentation.apply(torch.as_tensor(X, dtype=torch.float32), drawn)[0].numpy()


signal = record(cycles=6, n=1)
augmentations = [Noise(0.4), Shift(0.4), Scaling(0.5), TimeMask(0.4)]
fig, axes = plt.subplots(1, 4, figsize=(10, 2.6), sharex=True, sharey=True, layout="constrained")
for ax, augmentation in zip(axes, augmentations, strict=True):
    ax.plot(signal[0, 0], color="0.7", label="signal")
    ax.plot(changed(signal, augmentation, seed=5)[0], color="C0", label="changed")
    ax.set(title=repr(augmentation), xlabel="sample")
axes[0].set_ylabel("value")
axes[0].legend(loc="lower left", fontsize="small")
plt.show()

# %%
# Masks of a spectrogram
# ----------------------
# In a spectrogram, the last axis is time and the one before is frequency. A mask sets a stretch of
# one of them to 0, the mean of standardized inputs.
sweep = np.sin(np.cumsum(np.linspace(0.2, 2.2, 2000)))[None, None] + 0.3 * rng.normal(size=2000)
levels = Spectrogram(window=64, hop=16).fit_transform(sweep.astype("float32"))
levels = (levels - levels.mean()) / levels.std()
panels = {
    "the spectrogram": levels[0],
    "TimeMask(0.3)": changed(levels, TimeMask(0.3), seed=5),
    "FrequencyMask(0.4)": changed(levels, FrequencyMask(0.4), seed=1),
}
fig, axes = plt.subplots(1, 3, figsize=(10, 2.8), sharey=True, layout="constrained")
for ax, (title, panel) in zip(axes, panels.items(), strict=True):
    image = ax.imshow(panel[0], origin="lower", aspect="auto", vmin=-2, vmax=3)
    ax.set(title=title, xlabel="frame")
axes[0].set_ylabel("frequency / bin")
fig.colorbar(image, ax=axes, label="level / standard deviations")
plt.show()

# %%
# When a shift helps
# ------------------
# The classes are bursts of 4, 6 and 8 cycles, and two of them are rare. The burst can be anywhere.
# A dense network has to learn that for each place. A convolution with the mean of each filter knows
# it from its structure.
counts = {4: 300, 6: 60, 8: 40}
X = np.concatenate([record(cycles, n) for cycles, n in counts.items()])
y = np.repeat(list(counts), list(counts.values()))
networks = {
    "dense network": MLPClassifier(class_weight="balanced", max_epochs=40),
    "convolution": CNN1DClassifier(
        class_weight="balanced", n_filters=(16, 16), learning_rate=0.005, max_epochs=20
    ),
}
choices = {"none": [], "Noise(0.3)": Noise(0.3), "Shift(0.5)": Shift(0.5)}
scores: dict = {name: {choice: [] for choice in choices} for name in networks}
for seed in range(5):
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    for name, network in networks.items():
        for choice, augmentation in choices.items():
            network.set_params(augmentation=augmentation, random_state=seed)
            network.fit(X_train, y_train)
            scores[name][choice].append(macro_f1(y_test, network.predict(X_test)))

fig, ax = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
places = np.arange(len(networks))
for i, choice in enumerate(choices):
    own = np.array([scores[name][choice] for name in networks])
    error = own.std(axis=1, ddof=1) / own.shape[1] ** 0.5
    ax.bar(places + 0.27 * (i - 1), own.mean(axis=1), 0.25, yerr=error, capsize=3, label=choice)
ax.set(
    xticks=places, xticklabels=list(networks), ylabel="macro F1 of the test half", ylim=(0, 1.02)
)
fig.legend(title="augmentation", loc="outside right upper")
plt.show()

# %%
# The bars are means of five splits with their standard errors.
for name, of_network in scores.items():
    figures = ", ".join(f"{choice} {np.mean(own):.2f}" for choice, own in of_network.items())
    print(f"{name:14s} {figures}")
