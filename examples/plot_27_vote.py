"""
A vote of networks, a kernel machine and trees
==============================================

Three kinds of classifiers draw different borders of the same rare class. Their vote averages
probabilities that are balanced first, and decides by costs that are found on samples which the
members did not train on. :ref:`The guide <vote>` says when it pays.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score

from skimbal import BalancedBaggingNetClassifier
from skimbal.cost_sensitive import find_costs
from skimbal.ensemble import WeightedELMClassifier
from skimbal.metrics import correct_prior, decide_by_costs, g_mean

# %%
# Two moons overlap. The second class is rare: 54 of 554 training samples.


def draw(n_samples, seed):
    X, y = make_moons(n_samples, noise=0.4, random_state=seed)
    kept = (y == 0) | (np.random.default_rng(seed).uniform(size=n_samples) < 0.12)
    return X[kept], np.array(["frequent", "rare"])[y[kept]]


X, y = draw(1000, seed=0)
X_test, y_test = draw(10_000, seed=1)
print(np.unique(y, return_counts=True))

# %%
# The networks and the trees are judged out of bag, the kernel machine by leave-one-out, so nothing
# is fitted twice. The networks and the machine balance the classes in their training. The trees do
# not; the correction brings their probabilities to equal class frequencies.

members = {
    "networks": BalancedBaggingNetClassifier(random_state=0).fit(X, y),
    "kernel machine": WeightedELMClassifier(random_state=0).fit(X, y),
    "trees": ExtraTreesClassifier(
        200, min_samples_leaf=2, bootstrap=True, oob_score=True, random_state=0
    ).fit(X, y),
}
counts = np.unique(y, return_counts=True)[1]


def balanced(probabilities):
    networks, machine, trees = probabilities
    table = dict(
        zip(members, (networks, machine, correct_prior(trees, counts, [1, 1])), strict=True)
    )
    return table | {"vote": sum(table.values()) / 3}


networks, machine, trees = members.values()
held_out = balanced([networks.oob_proba_, machine.loo_proba_, trees.oob_decision_function_])

# %%
# The costs of each are found on its held-out probabilities. A sample that is in every bag of the
# networks has none.

known = ~np.isnan(held_out["vote"][:, 0])
labels = networks.classes_
test = balanced([member.predict_proba(X_test) for member in members.values()])
for name, proba in test.items():
    costs = find_costs(y[known], held_out[name][known], shrinkage=0.5).costs
    score = g_mean(y_test, labels[decide_by_costs(proba, costs)])
    auc = roc_auc_score(y_test == "rare", proba[:, 1])
    print(f"{name}: AUC {auc:.3f}, G-mean {score:.3f}, costs {costs.round(2)}")

# %%
# The color is the balanced probability of the rare class, and the line is where it is one half. The
# border of the networks is smooth, that of the trees has corners, and that of the kernel machine
# follows single samples. The vote is in between.

axes_of_grid = np.linspace(-1.8, 2.8, 120), np.linspace(-1.5, 2.0, 120)
points = np.stack(np.meshgrid(*axes_of_grid), axis=-1).reshape(-1, 2)
on_grid = balanced([member.predict_proba(points) for member in members.values()])

figure, axes = plt.subplots(2, 2, figsize=(9, 6.5), sharex=True, sharey=True, layout="constrained")
for ax, (name, proba) in zip(axes.flat, on_grid.items(), strict=True):
    shares = proba[:, 1].reshape(120, 120)
    image = ax.pcolormesh(*axes_of_grid, shares, cmap="RdBu_r", vmin=0, vmax=1, rasterized=True)
    ax.contour(*axes_of_grid, shares, levels=[0.5], colors="black", linewidths=1)
    ax.scatter(*X[y == "rare"].T, s=9, color="black", label="rare training samples")
    ax.set(title=name, aspect="equal")
axes[0, 0].legend(loc="lower left", framealpha=0.9)
figure.colorbar(image, ax=axes, label="balanced probability of the rare class", shrink=0.6)
plt.show()
