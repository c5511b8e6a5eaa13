"""
Many networks as one population, and the gain from averaging them
=================================================================

On a small table, networks with different seeds have very different scores. This example trains
sixty networks as one population, and shows how the score improves when more and more of them are
averaged.
"""

# %%
# Sixty networks
# --------------
# The networks differ in their seed and in their bootstrap sample of the training rows.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skimbal import BalancedBaggingNetClassifier, MLPClassifier
from skimbal.metrics import g_mean
from skimbal.neural_network import fit_population

X, y = make_classification(
    2600, 10, n_informative=5, n_clusters_per_class=3, weights=[0.94], class_sep=1.2, random_state=4
)
X, X_test, y, y_test = train_test_split(X, y, train_size=600, stratify=y, random_state=0)
scaler = StandardScaler().fit(X)
X, X_test = scaler.transform(X), scaler.transform(X_test)
rng = np.random.default_rng(0)
networks = [
    MLPClassifier(
        hidden_layer_sizes=(32,), class_weight="balanced", max_epochs=60, random_state=seed
    )
    for seed in range(60)
]
subsets = [rng.choice(600, 600) for _ in networks]
fitted = fit_population(networks, X, y, subsets, verbose=1)

# %%
# Single networks and averages
# ----------------------------
# A gray dot is the G-mean of one network on 2000 new samples. The line is the G-mean of the average
# of k networks, and the band contains 80 % of the choices of k networks. The threshold is always
# 1/2, because the class weights are balanced.
proba = np.array([network.predict_proba(X_test)[:, 1] for network in fitted])
alone = [g_mean(y_test, p > 0.5) for p in proba]
sizes = [1, 2, 3, 5, 8, 12, 20, 30, 45, 60]
averaged = np.array(
    [
        [g_mean(y_test, proba[rng.permutation(60)[:k]].mean(axis=0) > 0.5) for k in sizes]
        for _ in range(40)
    ]
)
ensemble = BalancedBaggingNetClassifier(random_state=0).fit(X, y)
fig, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
ax.plot(np.full(60, 0.8), alone, "o", color="0.6", markersize=4, label="one network")
ax.plot(sizes, averaged.mean(axis=0), color="C0", label="mean of k networks")
low, high = np.quantile(averaged, [0.1, 0.9], axis=0)
ax.fill_between(sizes, low, high, color="C0", alpha=0.2, label="80 % of the choices")
ax.axhline(
    g_mean(y_test, ensemble.predict(X_test)),
    color="C1",
    linestyle="--",
    label="BalancedBaggingNetClassifier()",
)
ax.set_xscale("log")
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.set(xlabel="number of averaged networks k", ylabel="G-mean on new samples")
ax.legend(loc="lower right")
plt.show()

# %%
# Out of bag
# ----------
# The ensemble estimates its own score: each sample is predicted by the networks that were not
# trained on it. It has found its costs on these predictions too.
print(f"out of bag {ensemble.oob_score_:.3f}, new {g_mean(y_test, ensemble.predict(X_test)):.3f}")
print("costs", ensemble.costs_.round(2))
