"""
A vote of networks, a kernel machine and trees
==============================================

Three kinds of classifiers draw different borders of the same rare class. Their vote averages
probabilities that are balanced first, and decides by costs that are found on samples which its
members did not train on.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.metrics import roc_auc_score

from skimbal.ensemble import VotingCostClassifier
from skimbal.metrics import g_mean

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
# One call fits the three members. The networks and the trees are judged out of bag, the kernel
# machine by leave-one-out, so nothing is fitted twice.

vote = VotingCostClassifier(random_state=0).fit(X, y)
print(vote.held_out_by_)
print(f"costs {vote.costs_.round(2)}, held-out G-mean {vote.held_out_score_:.3f}")

# %%
# ``named_estimators_`` has the members, each of which is a classifier of its own. ``balance_`` has
# the costs that bring their probabilities to equal class frequencies: those of the trees are far
# from 1, because the trees see the classes as they are.

classifiers = {**vote.named_estimators_, "vote": vote}
for name, row in zip(vote.named_estimators_, vote.balance_, strict=True):
    print(f"{name}: balanced by the costs {row.round(2)}")
for name, classifier in classifiers.items():
    auc = roc_auc_score(y_test == "rare", classifier.predict_proba(X_test)[:, 1])
    score = g_mean(y_test, classifier.predict(X_test))
    print(f"{name}: AUC {auc:.3f}, G-mean of its decisions {score:.3f}")

# %%
# The AUC of the vote is the highest, by little. The trees alone decide for the largest probability,
# which is seldom the rare class; the vote has the costs that it has found.
#
# The color is the balanced probability of the rare class, and the line is where it is one half. The
# border of the networks is smooth, that of the trees has corners, and that of the kernel machine
# follows single samples. The vote is in between.

axes_of_grid = np.linspace(-1.8, 2.8, 120), np.linspace(-1.5, 2.0, 120)
points = np.stack(np.meshgrid(*axes_of_grid), axis=-1).reshape(-1, 2)
balanced = {
    name: member.predict_proba(points) * costs
    for (name, member), costs in zip(vote.named_estimators_.items(), vote.balance_, strict=True)
}
balanced["vote"] = vote.predict_proba(points) / vote.prior_

figure, axes = plt.subplots(2, 2, figsize=(9, 6.5), sharex=True, sharey=True, layout="constrained")
for ax, (name, weighted) in zip(axes.flat, balanced.items(), strict=True):
    shares = (weighted[:, 1] / weighted.sum(axis=1)).reshape(120, 120)
    image = ax.pcolormesh(*axes_of_grid, shares, cmap="RdBu_r", vmin=0, vmax=1, rasterized=True)
    ax.contour(*axes_of_grid, shares, levels=[0.5], colors="black", linewidths=1)
    ax.scatter(*X[y == "rare"].T, s=9, color="black", label="rare training samples")
    ax.set(title=name, aspect="equal")
axes[0, 0].legend(loc="lower left", framealpha=0.9)
figure.colorbar(image, ax=axes, label="balanced probability of the rare class", shrink=0.6)
plt.show()
