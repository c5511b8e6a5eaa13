"""
Leave-one-out without refits: extreme learning machines
=======================================================

An extreme learning machine is a weighted ridge regression on fixed features. Its fit is one linear
system, and the inverse matrix of the system also gives the outputs of all machines that lack one
sample. This example shows what the weights of
:class:`~skimbal.ensemble.WeightedELMClassifier` do, and why its costs are found on leave-one-out
outputs and not on those of the training.
"""

# %%
# Two overlapping crescents, with 400 usual and 25 rare samples. Without weights, the usual class
# decides most of the regression. With the weights "W1", both classes count the same.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from skimbal.cost_sensitive import find_costs
from skimbal.ensemble import WeightedELMClassifier
from skimbal.metrics import decide_by_costs, g_mean, recall_per_class

X, y = make_moons((400, 25), noise=0.35, random_state=3)
X_new, y_new = make_moons((2000, 125), noise=0.35, random_state=4)
machines = {
    "no weights": WeightedELMClassifier("rbf", weighting=None, tune_costs=False),
    "weights W1": WeightedELMClassifier("rbf", weighting="W1", tune_costs=False),
}
for name, machine in machines.items():
    predicted = machine.fit(X, y).predict(X_new)
    usual, rare = recall_per_class(y_new, predicted)
    print(f"{name}: recall of the usual class {usual:.2f}, of the rare class {rare:.2f}")
    print(f"    G-mean {g_mean(y_new, predicted):.2f}, in leave-one-out {machine.loo_score_:.2f}")

# %%
# A machine with little regularization (a large ``C``) fits every training sample. Its outputs for
# the training samples are near -1 and 1. The outputs for samples that were left out,
# ``loo_decision_``, are like those for new samples. With 25 rare samples, most of those for the
# rare class are below 0. Costs that are found on the leave-one-out probabilities move the
# threshold there. Costs that are found on the training probabilities change almost nothing.
flexible = WeightedELMClassifier("rbf", C=100.0, gamma=10.0).fit(X, y)
proba_new = flexible.predict_proba(X_new)
costs = {
    "equal": np.ones(2),
    "found on the training": find_costs(y, flexible.predict_proba(X), shrinkage=0.5).costs,
    "found on leave-one-out": flexible.costs_,
}
for name, own in costs.items():
    score = g_mean(y_new, decide_by_costs(proba_new, own))
    print(f"costs {name:22s} {own.round(2)}: G-mean of new samples {score:.2f}")

# %%
# The left panel shows the new samples, and where each of the first two machines changes its
# decision. The other panels show the outputs of the flexible machine. The dashed line is the
# threshold of the costs that were found on leave-one-out.
GRAY, RED = "0.6", "#c1272d"
grid_x, grid_y = np.meshgrid(np.linspace(-2, 3, 200), np.linspace(-1.8, 2.2, 200))
points = np.column_stack([grid_x.ravel(), grid_y.ravel()])
fig, axes = plt.subplot_mosaic(
    [["map", "training samples"], ["map", "the same, left out"], ["map", "new samples"]],
    figsize=(9, 4.2),
    layout="constrained",
)
axes["map"].scatter(*X_new[y_new == 0].T, s=3, color=GRAY, label="usual")
axes["map"].scatter(*X_new[y_new == 1].T, s=12, color=RED, label="rare")
for (name, machine), style in zip(machines.items(), (":", "-"), strict=True):
    region = machine.predict(points).reshape(grid_x.shape)
    axes["map"].contour(grid_x, grid_y, region, levels=[0.5], colors="black", linestyles=style)
    axes["map"].plot([], [], style, color="black", label=name)
axes["map"].set(xticks=[], yticks=[], title="Decisions")
axes["map"].legend(loc="lower left", fontsize=8, framealpha=0.9)
outputs = {
    "training samples": (flexible.decision_function(X), y),
    "the same, left out": (flexible.loo_decision_, y),
    "new samples": (flexible.decision_function(X_new), y_new),
}
threshold = np.log(flexible.costs_[0] / flexible.costs_[1]) / flexible.slope_
bins = np.linspace(-1.6, 1.6, 33)
for name, (output, labels) in outputs.items():
    ax = axes[name]
    ax.hist(output[labels == 0], bins, density=True, color=GRAY, alpha=0.6, label="usual")
    ax.hist(output[labels == 1], bins, density=True, color=RED, alpha=0.6, label="rare")
    ax.set(title=f"Outputs: {name}", yticks=[], xlim=(-1.6, 1.6))
    ax.axvline(threshold, color="black", ls="--", lw=1, label="threshold")
axes["training samples"].legend(fontsize=8, loc="upper center")
plt.show()
