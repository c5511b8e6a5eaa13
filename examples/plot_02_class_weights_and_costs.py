"""
Class weights change the network, costs its decision
====================================================

Two ways to find more of a rare class. ``class_weight`` makes errors on it count more while the
network is trained, so its posteriors change. Costs leave the network alone and move the decision
along its posteriors; :class:`~skimbal.cost_sensitive.TunedCostClassifierCV` finds them.

The data are two interleaved crescents, 20 to 1, with noise.
"""

# %%
# Data
# ----
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from skimbal import MLPClassifier, TunedCostClassifierCV
from skimbal.metrics import g_mean, recall_per_class


def make_crescents(n_usual, n_rare, random_state):
    return make_moons((n_usual, n_rare), noise=0.3, random_state=random_state)


X, y = make_crescents(600, 30, random_state=0)
X_test, y_test = make_crescents(6000, 300, random_state=1)

# %%
# Four classifiers
# ----------------
# The same network four times: as it is, with balanced weights, with costs found on out-of-fold
# posteriors, and with both.
network = MLPClassifier(random_state=0)
weighted = MLPClassifier(class_weight="balanced", random_state=0)
classifiers = {
    "as it is": network,
    "balanced weights": weighted,
    "costs found": TunedCostClassifierCV(network, random_state=0),
    "both": TunedCostClassifierCV(weighted, random_state=0),
}
for name, classifier in classifiers.items():
    predicted = classifier.fit(X, y).predict(X_test)
    usual, rare = recall_per_class(y_test, predicted)
    print(f"{name:17s} G-mean {g_mean(y_test, predicted):.3f}   recall {usual:.2f} and {rare:.2f}")

# %%
# The network as it is misses more than a third of the rare class: it was trained to be right on
# average, and on average it is. Weights and costs give up a part of the usual class for it.
#
# Posteriors and decisions
# ------------------------
# The shading is the posterior of the rare class, the black line where the decision changes, and
# the dashed one where the posterior is one half. With weights the posterior moves and the decision
# stays at one half; with costs the posterior stays.
grid_x, grid_y = np.meshgrid(np.linspace(-2, 3, 200), np.linspace(-1.6, 2.1, 200))
points = np.column_stack([grid_x.ravel(), grid_y.ravel()])
fig, axes = plt.subplots(2, 2, figsize=(8, 6.4), sharex=True, sharey=True, layout="constrained")
for ax, (name, classifier) in zip(axes.flat, classifiers.items(), strict=True):
    posterior = classifier.predict_proba(points)[:, 1].reshape(grid_x.shape)
    decision = classifier.predict(points).reshape(grid_x.shape)
    shading = ax.pcolormesh(
        grid_x, grid_y, posterior, vmin=0, vmax=1, cmap="RdBu_r", alpha=0.45, rasterized=True
    )
    ax.contour(grid_x, grid_y, posterior, levels=[0.5], colors="0.3", linestyles="--")
    ax.contour(grid_x, grid_y, decision, levels=[0.5], colors="black", linewidths=2)
    ax.scatter(*X[y == 0].T, s=5, color="tab:blue", label="usual")
    ax.scatter(*X[y == 1].T, s=14, color="darkred", label="rare")
    score = g_mean(y_test, classifier.predict(X_test))
    ax.set_title(f"{name}: G-mean {score:.3f}")
axes[0, 0].legend(loc="upper right", framealpha=0.9)
fig.colorbar(shading, ax=axes, label="posterior of the rare class", shrink=0.8)
plt.show()
