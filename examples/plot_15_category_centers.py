"""
Category centers in the feature space
=====================================

A network is trained on two classes, one of which is rare. Its last hidden layer has two units, so
that the features can be drawn. The last layer of the network and the nearest class center draw
different borders between the same features.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from skimbal import MLPClassifier
from skimbal.ensemble import CategoryCentersClassifier
from skimbal.metrics import g_mean, recall_per_class

# %%
# Two moons overlap, and the second class has 60 samples for 1,200 of the first one.


def draw(counts, seed):
    X, y = make_moons((1200, 1200), noise=0.25, random_state=seed)
    rows = np.concatenate([np.flatnonzero(y == c)[:n] for c, n in enumerate(counts)])
    return X[rows], y[rows]


X, y = draw((1200, 60), seed=0)
X_test, y_test = draw((1000, 1000), seed=1)

# %%
# The classifier trains the network and then computes the mean of the features of each class. The
# trained network is its ``estimator_``, so both decisions are made on the same features.

network = MLPClassifier(
    hidden_layer_sizes=(32, 2), activation="tanh", max_epochs=60, random_state=0
)
classifier = CategoryCentersClassifier(network).fit(X, y)
for name, predicted in {
    "last layer": classifier.estimator_.predict(X_test),
    "nearest center": classifier.predict(X_test),
}.items():
    frequent, rare = recall_per_class(y_test, predicted)
    print(
        f"{name}: recall of the frequent class {frequent:.2f}, of the rare class {rare:.2f}, "
        f"G-mean {g_mean(y_test, predicted):.2f}"
    )

# %%
# Each picture shows the features of the test samples. The line is where the decision changes. The
# last layer has its border near the rare class, because most features in between are of the
# frequent one. The border of the nearest center is half way between the two centers, whatever the
# class frequencies are.

features = classifier.estimator_.transform(X_test)
low, high = features.min(axis=0) - 0.1, features.max(axis=0) + 0.1
grid = np.stack(
    np.meshgrid(np.linspace(low[0], high[0], 300), np.linspace(low[1], high[1], 300)), axis=-1
)
output = classifier.estimator_.net_.module_.output
weight, bias = (p.detach().double().numpy() for p in (output.weight, output.bias))
logits = grid @ weight.T + bias
squares = ((grid[:, :, None] - classifier.centers_) ** 2).sum(axis=3)
borders = {
    "last layer of the network": logits[..., 1] - logits[..., 0],
    "nearest class center": squares[..., 0] - squares[..., 1],
}

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharex=True, sharey=True, layout="constrained")
for ax, (name, score) in zip(axes, borders.items(), strict=True):
    for c, (label, color) in enumerate({"frequent": "C0", "rare": "C1"}.items()):
        own = features[y_test == c][:300]
        ax.scatter(*own.T, s=8, alpha=0.5, color=color, label=f"{label} class, test samples")
    ax.contour(grid[..., 0], grid[..., 1], score, levels=[0.0], colors="black")
    ax.set(title=name, xlabel="feature 1")
for c, color in enumerate(("C0", "C1")):
    axes[1].scatter(*classifier.centers_[c], s=160, marker="X", color=color, edgecolor="black")
axes[0].set_ylabel("feature 2")
axes[0].legend(loc="best")
plt.show()
