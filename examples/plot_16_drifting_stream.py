"""
A stream whose rare class changes
=================================

In a stream, the rare class of today may be the frequent class of tomorrow. Class weights that were
computed once then favor the wrong class. With ``forgetting_half_life``, a network computes them
anew from counts that forget old samples.
"""

# %%
# The odds of two overlapping classes swing from 1:30 to 30:1 and back. The class weights of the
# first 500 samples make up for the imbalance at the beginning. Each network predicts 50 samples
# and is then trained on them.

import matplotlib.pyplot as plt
import numpy as np

from skimbal import MLPClassifier
from skimbal.metrics import g_mean

N, BATCH, WINDOW = 6000, 50, 500
rng = np.random.default_rng(0)
share = 1.0 / (1.0 + 30.0 ** np.cos(2.0 * np.pi * np.arange(N) / N))
y = (rng.random(N) < share).astype(int)
X = rng.normal(size=(N, 5)) + 0.7 * y[:, None]

settings = {"hidden_layer_sizes": (16,), "learning_rate": 0.01, "batch_size": 25, "random_state": 0}
networks = {
    "no weights": MLPClassifier(**settings),
    "weights of the start": MLPClassifier(class_weight="balanced", **settings),
    "half-life 50": MLPClassifier(class_weight="balanced", forgetting_half_life=50, **settings),
}
start = {"weights of the start": {"class_counts": np.bincount(y[:WINDOW])}}
scores, estimate = {}, []
for name, network in networks.items():
    predicted = np.zeros_like(y)
    for i in range(0, N, BATCH):
        rows = slice(i, i + BATCH)
        if i:
            predicted[rows] = network.predict(X[rows])
        network.partial_fit(X[rows], y[rows], classes=[0, 1], **start.get(name, {}))
        if name == "half-life 50":
            estimate.append(network.class_frequencies_[1])
    windows = [slice(i, i + WINDOW) for i in range(0, N, WINDOW)]
    scores[name] = [g_mean(y[rows], predicted[rows]) for rows in windows]
    print(f"{name:21s} mean G-mean of the windows {np.mean(scores[name]):.2f}")

# %%
# The estimate follows the share of class 1 (above). Without weights, the network misses the class
# that is rare (below). The weights of the start help at the beginning and at the end, and do harm
# in between. The network that forgets finds both classes all the time.

GRAY, RED, BLUE = "0.6", "#c1272d", "#2b5c8a"
ends = np.arange(BATCH, N + 1, BATCH)
fig, (above, below) = plt.subplots(2, sharex=True, figsize=(7.5, 5), layout="constrained")
above.plot(share, color=GRAY, lw=3, label="in the stream")
above.plot(ends, estimate, color=RED, label="estimate, half-life 50")
above.set(ylabel="share of class 1", ylim=(0, 1))
middles = np.arange(WINDOW // 2, N, WINDOW)
for (name, values), color in zip(scores.items(), (GRAY, BLUE, RED), strict=True):
    below.plot(middles, values, "o-", color=color, label=name)
below.set(xlabel="samples", ylabel=f"G-mean of {WINDOW} samples", ylim=(0, 1.1))
above.legend(frameon=False)
below.legend(frameon=False, loc="upper center", ncols=3)
for ax in (above, below):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
