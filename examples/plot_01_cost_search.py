"""
Costs found on held-out posteriors
==================================

Which cost ratio gives the best G-mean? The answer depends on whose posteriors are asked. A network
that fits its training set is sure of every training sample, so any ratio over a wide range looks
perfect there and the search has nothing to go by. On out-of-fold posteriors the curve has the shape
of the curve on new data, and its best place is a good place there too.
"""

# %%
# A set of two overlapping classes, one in ten of the rare one, and a network that fits it.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split

from skimbal import MLPClassifier, TunedCostClassifierCV
from skimbal.cost_sensitive import find_costs
from skimbal.metrics import decide_by_costs, g_mean

X, y = make_classification(
    3000,
    n_features=12,
    n_informative=6,
    n_redundant=2,
    n_clusters_per_class=3,
    weights=[0.9],
    class_sep=0.7,
    flip_y=0.02,
    random_state=3,
)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=700, stratify=y, random_state=0
)
network = MLPClassifier(hidden_layer_sizes=(64, 32), max_epochs=150, random_state=0)
network.fit(X_train, y_train)
cv = StratifiedKFold(5, shuffle=True, random_state=0)
posteriors = {
    "training": (y_train, network.predict_proba(X_train)),
    "out-of-fold": (
        y_train,
        cross_val_predict(network, X_train, y_train, cv=cv, method="predict_proba"),
    ),
    "test": (y_test, network.predict_proba(X_test)),
}

# %%
# :func:`~skimbal.cost_sensitive.find_costs` tries every threshold. The optimum on training
# posteriors is wide and says nothing; that on out-of-fold posteriors is elsewhere, and serves the
# test set better.

found = {name: find_costs(y_train, posteriors[name][1]) for name in ("training", "out-of-fold")}
prior = np.log((y_train == 0).sum() / (y_train == 1).sum())
y_new, proba_new = posteriors["test"]
log_ratios = {name: np.log(result.costs[1] / result.costs[0]) for name, result in found.items()}
choices = {
    "equal costs": 0.0,
    "found on training posteriors": log_ratios["training"],
    "prior threshold": prior,
    "found out-of-fold": log_ratios["out-of-fold"],
}
for name, log_ratio in choices.items():
    score = g_mean(y_new, decide_by_costs(proba_new, [1.0, np.exp(log_ratio)]))
    print(f"{name:30s} cost ratio {np.exp(log_ratio):7.2f}   test G-mean {score:.3f}")

# %%
# The G-mean of all cost ratios. A ratio of c puts the threshold on the posterior of the rare class
# at 1 / (1 + c).

COLORS = {"training": "0.55", "out-of-fold": "C0", "test": "C1"}
LABEL_HEIGHTS = {"training": 8, "out-of-fold": -34}
ratios = np.linspace(-6, 12, 721)
figure, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
for name, (truth, proba) in posteriors.items():
    decisions = decide_by_costs(proba, np.exp(np.column_stack([0 * ratios, ratios])))
    ax.plot(ratios, [g_mean(truth, d) for d in decisions], color=COLORS[name], lw=1.8, label=name)
for name, result in found.items():
    ax.plot(log_ratios[name], result.score, "o", ms=8, mec="white", color=COLORS[name], zorder=3)
    ax.annotate(
        "optimum",
        (log_ratios[name], result.score),
        (0, LABEL_HEIGHTS[name]),
        textcoords="offset points",
        ha="center",
        color=COLORS[name],
    )
ax.axvline(prior, color="0.3", lw=1, ls="--")
ax.annotate("prior threshold", (prior, 0.03), (5, 0), textcoords="offset points", color="0.3")
ax.axvline(0, color="0.3", lw=1, ls=":")
ax.annotate("equal costs", (0, 0.03), (-5, 0), textcoords="offset points", ha="right", color="0.3")
ax.set(xlabel="log of the cost ratio, rare to usual class", ylabel="G-mean", ylim=(0, 1.09))
ax.set_xlim(ratios[[0, -1]])
above = ax.secondary_xaxis("top", functions=(lambda r: r, lambda r: r))
thresholds = np.array([0.99, 0.9, 0.5, 0.1, 0.01, 0.001, 1e-4, 1e-5])
above.set_xticks(np.log(1 / thresholds - 1), [f"{t:g}" for t in thresholds])
above.set_xlabel("threshold on the posterior of the rare class")
ax.legend(title="posteriors of", loc="lower right")
ax.spines["right"].set_visible(False)
plt.show()

# %%
# :class:`~skimbal.cost_sensitive.TunedCostClassifierCV` does all of this in one ``fit``. The costs
# that its folds would have chosen by themselves show how sure the choice is.

tuned = TunedCostClassifierCV(network, cv=cv).fit(X_train, y_train)
print("cost ratio", round(tuned.costs_[1] / tuned.costs_[0], 2))
print("by fold   ", np.sort(tuned.fold_costs_[:, 1] / tuned.fold_costs_[:, 0]).round(1).tolist())
print("test G-mean", round(g_mean(y_test, tuned.predict(X_test)), 3))
