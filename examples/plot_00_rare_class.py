"""
A rare class, without and with skimbal
======================================

A network that is trained to be right on average misses much of a rare class. Two lines of skimbal
change that: ``class_weight`` makes the rare class count more in training, and
:class:`~skimbal.cost_sensitive.TunedCostClassifierCV` finds how costly it should be to miss it.

The data are two overlapping crescents. One sample in 21 belongs to the rare class.
"""

# %%
# Four classifiers are fitted to 1,000 usual and 50 rare samples: the network of scikit-learn, which
# has no class weights, the network of skimbal without and with class weights, and the network of
# skimbal with costs. All are scored on new samples. The recall of a class is the share of its
# samples that are found.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.neural_network import MLPClassifier as ScikitLearnMLP

from skimbal import MLPClassifier, TunedCostClassifierCV
from skimbal.metrics import recall_per_class

X, y = make_moons((1000, 50), noise=0.3, random_state=0)
X_new, y_new = make_moons((2000, 100), noise=0.3, random_state=1)
classifiers = {
    "scikit-learn": ScikitLearnMLP(max_iter=500, random_state=0),
    "network as it is": MLPClassifier(random_state=0),
    "balanced weights": MLPClassifier(class_weight="balanced", random_state=0),
    "costs found": TunedCostClassifierCV(MLPClassifier(random_state=0), random_state=0),
}
for name, classifier in classifiers.items():
    usual, rare = recall_per_class(y_new, classifier.fit(X, y).predict(X_new))
    print(f"{name:17s} recall of the usual class {usual:.2f}, of the rare class {rare:.2f}")

# %%
# The picture shows the new samples. The shaded region is where each classifier predicts the rare
# class. Without skimbal the region is too small; with skimbal it covers most of the rare samples,
# at the price of some false alarms.

GRAY, RED = "0.6", "#c1272d"
grid_x, grid_y = np.meshgrid(np.linspace(-2, 3, 300), np.linspace(-1.5, 2, 300))
points = np.column_stack([grid_x.ravel(), grid_y.ravel()])
fig, axes = plt.subplots(1, 2, figsize=(9, 3.9), sharex=True, sharey=True, layout="constrained")
for ax, (title, name) in zip(
    axes,
    {"Without skimbal": "scikit-learn", "With skimbal": "costs found"}.items(),
    strict=True,
):
    classifier = classifiers[name]
    region = classifier.predict(points).reshape(grid_x.shape)
    ax.contourf(grid_x, grid_y, region, levels=[0.5, 1.5], colors=[RED], alpha=0.15)
    ax.contour(grid_x, grid_y, region, levels=[0.5], colors=[RED], linewidths=1)
    found = classifier.predict(X_new) == 1
    rare = y_new == 1
    ax.scatter(*X_new[~rare].T, s=4, color=GRAY, label="usual")
    ax.scatter(*X_new[rare & found].T, s=18, color=RED, label="rare, found")
    ax.scatter(*X_new[rare & ~found].T, s=18, marker="x", color="black", label="rare, missed")
    ax.set_title(f"{title}: {(rare & found).sum()} of {rare.sum()} rare samples found")
    ax.set(xticks=[], yticks=[], xlim=(-2, 3), ylim=(-1.5, 2))
axes[1].legend(loc="upper right", framealpha=0.9)
plt.show()
