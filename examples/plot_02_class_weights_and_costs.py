"""
Class weights change the network, costs its decision
====================================================

This example shows two ways to find more samples of a rare class. With ``class_weight``, errors on
the rare class count more in the training, so the network predicts other probabilities. Costs leave
the network as it is, and change the probability at which the decision switches.
:class:`~skimbal.cost_sensitive.TunedCostClassifierCV` finds the costs.

The data are two interleaved crescents with noise, in a ratio of 20 to 1.
"""

# %%
# Data
# ----
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from skimbal import MLPClassifier, TunedCostClassifierCV
from skimbal.metrics import g_mean, recall_per_class


def make_crescents(n_frequent, n_rare, random_state):
    return make_moons((n_frequent, n_rare), noise=0.3, random_state=random_state)


X, y = make_crescents(600, 30, random_state=0)
X_test, y_test = make_crescents(6000, 300, random_state=1)

# %%
# Four classifiers
# ----------------
# The same network is used four times: without any measure, with balanced weights, with costs that
# are found on out-of-fold probabilities, and with both.
network = MLPClassifier(random_state=0)
weighted = MLPClassifier(class_weight="balanced", random_state=0)
classifiers = {
    "no measure": network,
    "balanced weights": weighted,
    "tuned costs": TunedCostClassifierCV(network, random_state=0),
    "both": TunedCostClassifierCV(weighted, random_state=0),
}
for name, classifier in classifiers.items():
    predicted = classifier.fit(X, y).predict(X_test)
    frequent, rare = recall_per_class(y_test, predicted)
    score = g_mean(y_test, predicted)
    print(f"{name:17s} G-mean {score:.3f}   recall: frequent {frequent:.2f}, rare {rare:.2f}")

# %%
# Without any measure, the network misses more than a third of the rare class, because it was
# trained to be right on average. Weights and costs find more of the rare class. In return, they
# misclassify more samples of the frequent one.
#
# Probabilities and decisions
# ---------------------------
# The shading is the predicted probability of the rare class. The decision changes at the black
# line, and the probability is one half at the dashed line. With weights, the probability changes
# and the decision stays at one half. With costs, the probability stays and the decision moves.
grid_x, grid_y = np.meshgrid(np.linspace(-2, 3, 200), np.linspace(-1.6, 2.1, 200))
points = np.column_stack([grid_x.ravel(), grid_y.ravel()])
fig, axes = plt.subplots(2, 2, figsize=(8, 6.4), sharex=True, sharey=True, layout="constrained")
for ax, (name, classifier) in zip(axes.flat, classifiers.items(), strict=True):
    proba = classifier.predict_proba(points)[:, 1].reshape(grid_x.shape)
    decision = classifier.predict(points).reshape(grid_x.shape)
    shading = ax.pcolormesh(
        grid_x, grid_y, proba, vmin=0, vmax=1, cmap="RdBu_r", alpha=0.45, rasterized=True
    )
    ax.contour(grid_x, grid_y, proba, levels=[0.5], colors="0.3", linestyles="--")
    ax.contour(grid_x, grid_y, decision, levels=[0.5], colors="black", linewidths=2)
    ax.scatter(*X[y == 0].T, s=5, color="tab:blue", label="frequent")
    ax.scatter(*X[y == 1].T, s=14, color="darkred", label="rare")
    score = g_mean(y_test, classifier.predict(X_test))
    ax.set_title(f"{name}: G-mean {score:.3f}")
fig.supxlabel("feature 1")
fig.supylabel("feature 2")
axes[0, 0].legend(loc="upper right", framealpha=0.9)
fig.colorbar(shading, ax=axes, label="probability of the rare class", shrink=0.8)
plt.show()
