"""
Costs found on held-out probabilities
=====================================

This example searches the cost ratio with the best G-mean, on two kinds of predicted probabilities.
A network that fits its training set is sure of every training sample. On its training
probabilities, a wide range of ratios looks perfect, and the search learns nothing. On out-of-fold
probabilities, the curve has the shape of the curve on new data, and its maximum is a good choice
there too.
"""

# %%
# The data are two overlapping classes; one sample in ten is of the rare class. The network fits its
# training set.

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
probabilities = {
    "training": (y_train, network.predict_proba(X_train)),
    "out-of-fold": (
        y_train,
        cross_val_predict(network, X_train, y_train, cv=cv, method="predict_proba"),
    ),
    "test": (y_test, network.predict_proba(X_test)),
}

# %%
# :func:`~skimbal.cost_sensitive.find_costs` tries every threshold. On training probabilities, the
# optimum is a wide range, whose middle means nothing. On out-of-fold probabilities it is elsewhere,
# and it gives a better G-mean on the test set.

found = {name: find_costs(y_train, probabilities[name][1]) for name in ("training", "out-of-fold")}
prior = np.log((y_train == 0).sum() / (y_train == 1).sum())
y_new, proba_new = probabilities["test"]
log_ratios = {name: np.log(result.costs[1] / result.costs[0]) for name, result in found.items()}
choices = {
    "equal costs": 0.0,
    "found on training data": log_ratios["training"],
    "prior threshold": prior,
    "found out-of-fold": log_ratios["out-of-fold"],
}
for name, log_ratio in choices.items():
    score = g_mean(y_new, decide_by_costs(proba_new, [1.0, np.exp(log_ratio)]))
    print(f"{name:30s} cost ratio {np.exp(log_ratio):7.2f}   test G-mean {score:.3f}")

# %%
# The figure shows the G-mean for all cost ratios. With a ratio of c, a sample is assigned to the
# rare class where its probability is above 1 / (1 + c).

COLORS = {"training": "0.55", "out-of-fold": "C0", "test": "C1"}
LABEL_HEIGHTS = {"training": 8, "out-of-fold": -34}
ratios = np.linspace(-6, 12, 721)
figure, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
for name, (truth, proba) in probabilities.items():
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
ax.set(xlabel="log of the cost ratio, rare to frequent class", ylabel="G-mean", ylim=(0, 1.09))
ax.set_xlim(ratios[[0, -1]])
above = ax.secondary_xaxis("top", functions=(lambda r: r, lambda r: r))
thresholds = np.array([0.99, 0.9, 0.5, 0.1, 0.01, 0.001, 1e-4, 1e-5])
above.set_xticks(np.log(1 / thresholds - 1), [f"{t:g}" for t in thresholds])
above.set_xlabel("threshold on the probability of the rare class")
ax.legend(title="probabilities", loc="lower right")
ax.spines["right"].set_visible(False)
plt.show()

# %%
# :class:`~skimbal.cost_sensitive.TunedCostClassifierCV` does all of this in one ``fit``. Its
# ``fold_costs_`` are the costs that each fold alone would have chosen; their spread shows how
# certain the choice is.

tuned = TunedCostClassifierCV(network, cv=cv).fit(X_train, y_train)
print("cost ratio", round(tuned.costs_[1] / tuned.costs_[0], 2))
print("by fold   ", np.sort(tuned.fold_costs_[:, 1] / tuned.fold_costs_[:, 0]).round(1).tolist())
print("test G-mean", round(g_mean(y_test, tuned.predict(X_test)), 3))
