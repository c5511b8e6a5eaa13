"""
What the layers of a belief network learn without labels
========================================================

This example shows what a :class:`~skimbal.neural_network.DBNClassifier` learns in its two phases.
In pre-training, it trains one layer after the other on the inputs only. In fine-tuning, it trains
all layers on the labels. The inputs are images of handwritten digits, so the weights of a hidden
unit are an image too. The rare class is the digit 8.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skimbal import DBNClassifier, FixedCostClassifier
from skimbal.metrics import g_mean

X, digits = load_digits(return_X_y=True)
X = X / 16.0
kept = (digits != 8) | (np.cumsum(digits == 8) <= 60)
X, y = X[kept], np.where(digits[kept] == 8, "eight", "other")
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print({label: int((y_train == label).sum()) for label in ("eight", "other")})

# %%
# Pre-training
# ------------
# The visible units are Bernoulli: the value of a pixel is its probability of being on. The network
# has one epoch of fine-tuning with a tiny learning rate, so the layers stay as pre-training made
# them. A hidden unit responds to images that are bright where its weights are red and dark where
# they are blue.
settings = {
    "hidden_layer_sizes": (64, 32),
    "visible": "bernoulli",
    "pretrain_epochs": 60,
    "pretrain_learning_rate": 0.1,
    "random_state": 0,
}
pretrained = DBNClassifier(**settings, max_epochs=1, learning_rate=1e-9).fit(X_train, y_train)

fig = plt.figure(figsize=(8.4, 3.1), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=[1.5, 1])
left.suptitle("weights of 32 hidden units of the first layer")
for ax, weights in zip(left.subplots(4, 8).flat, pretrained.rbms_[0].weight, strict=False):
    limit = weights.abs().max().item()
    ax.imshow(weights.reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set_axis_off()
ax = right.subplots()
for layer, errors in pretrained.pretrain_history_.groupby("layer"):
    relative = errors.reconstruction_error / errors.reconstruction_error.iloc[0]
    ax.plot(errors.epoch, relative, label=f"layer {layer + 1}")
ax.set(xlabel="epoch", ylabel="relative reconstruction error")
ax.legend()
plt.show()

# %%
# Fine-tuning
# -----------
# Now both networks, with and without pre-training, are trained on the labels. The decision is at
# the prevalence of the rare digit. The page on belief networks measures whether pre-training helps
# on tables: it hardly does.
for name, pretrain_epochs in [("with pre-training", 60), ("without", 0)]:
    scores = []
    for seed in range(3):
        network = DBNClassifier(
            **{**settings, "pretrain_epochs": pretrain_epochs, "random_state": seed}
        )
        predicted = FixedCostClassifier(network).fit(X_train, y_train).predict(X_test)
        scores.append(g_mean(y_test, predicted))
    print(f"{name:18s} G-mean {np.mean(scores):.3f} +- {np.std(scores):.3f}")
