"""
Boosting of networks, and over-sampling in clusters that evolve
===============================================================

Two ensembles that are made step by step. The networks of the first are trained one after the other,
on weights that follow their errors. The members of the second are the survivors of an evolution
that looks for the best way to over-sample.
"""

# %%
# Boosting with transfer
# ----------------------
# The classes are three shells around the origin, and the middle one is rare in training. Each
# network of the ensemble starts from the parameters of the one before, trains for 10 epochs, and
# gets large weights for the samples that the one before was wrong about.
import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.base import clone

from skimbal import AdaBoostNetClassifier, ECOEnsembleClassifier, MLPClassifier
from skimbal.datasets import make_nested_spheres
from skimbal.metrics import balanced_accuracy
from skimbal.sampling import ClusterOverSampler

X, X_test, y, y_test = make_nested_spheres(
    (240, 80, 300), n_features=5, n_test=6000, random_state=0, return_X_y=True
)
N_NETWORKS, N_EPOCHS = 12, 10
network = MLPClassifier(hidden_layer_sizes=(24,), learning_rate=0.01, max_epochs=N_EPOCHS)
curves = {"boosted, with transfer": [], "boosted, new initial weights": [], "one network": []}
for seed in range(4):
    for name, transfer in (("with transfer", True), ("new initial weights", False)):
        boosted = AdaBoostNetClassifier(
            network, n_estimators=N_NETWORKS, transfer=transfer, random_state=seed
        ).fit(X, y)
        scores = [balanced_accuracy(y_test, labels) for labels in boosted.staged_predict(X_test)]
        scores += [scores[-1]] * (N_NETWORKS - len(scores))  # where the boosting has ended early
        curves[f"boosted, {name}"].append(scores)
    alone, scores = clone(network).set_params(random_state=seed), []
    for epoch in range(1, N_NETWORKS * N_EPOCHS + 1):
        alone.partial_fit(X, y, classes=np.unique(y))
        if epoch % N_EPOCHS == 0:
            scores.append(balanced_accuracy(y_test, alone.predict(X_test)))
    curves["one network"].append(scores)

# %%
# A line is the mean of four seeds, and the band is between the worst and the best of them. All
# three have trained for as many epochs.
fig, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
epochs = N_EPOCHS * np.arange(1, N_NETWORKS + 1)
for (name, scores), color in zip(curves.items(), ("C0", "C2", "0.4"), strict=True):
    ax.plot(epochs, np.mean(scores, axis=0), color=color, marker="o", markersize=3, label=name)
    ax.fill_between(epochs, np.min(scores, axis=0), np.max(scores, axis=0), color=color, alpha=0.15)
    print(f"{name}: {np.mean(scores, axis=0)[-1]:.3f} after {epochs[-1]} epochs")
ax.set_xlabel("epochs of all networks together")
ax.set_ylabel("balanced accuracy on new samples")
ax.set_title("Boosting against one network of as many epochs")
ax.legend(loc="lower right")
plt.show()

# %%
# Over-sampling in clusters
# -------------------------
# The rare class has two groups. SMOTE would draw new samples between them as well, where the usual
# class is. ``ClusterOverSampler`` draws inside agglomerative clusters, which ``scale`` contracts or
# expands.
rng = np.random.default_rng(3)


def two_groups(n_usual, n_rare):
    """A usual class around the origin, and a rare one of two groups at its edge."""
    side = np.where(rng.random(n_rare) < 0.5, 1.7, -1.7)
    rare = np.column_stack([side, 0.6 * side]) + 0.45 * rng.normal(size=(n_rare, 2))
    return np.concatenate([rng.normal(size=(n_usual, 2)), rare]), np.repeat(
        ["usual", "rare"], [n_usual, n_rare]
    )


X, y = two_groups(150, 16)
fig, axes = plt.subplots(1, 3, figsize=(9, 3.3), layout="constrained", sharex=True, sharey=True)
for ax, scale in zip(axes, (0.5, 1.0, 1.5), strict=True):
    new, _ = ClusterOverSampler(n_clusters=2, scale=scale, random_state=0).fit_resample(X, y)
    ax.plot(*X[y == "usual"].T, ".", color="0.75", markersize=4, label="usual")
    ax.plot(*new[len(X) :].T, ".", color="C1", markersize=4, label="new")
    ax.plot(*X[y == "rare"].T, "o", color="C3", markersize=5, label="rare")
    ax.set_title(f"scale = {scale}")
    ax.set_aspect("equal")
axes[0].legend(loc="upper left", fontsize="small")
plt.show()

# %%
# ``ECOEnsembleClassifier`` looks for the number of clusters, their scale, their shares and the
# weight of the new samples. A dot is a candidate: its G-mean on samples that its networks were not
# trained on. The filled dots are in the last population, whose networks are the ensemble. The best
# scores grow a little. Those of one generation differ more, because the seed of a network counts.
network = MLPClassifier(hidden_layer_sizes=(16,), learning_rate=0.01, max_epochs=30)
ensemble = ECOEnsembleClassifier(network, max_generations=8, random_state=0).fit(X, y)
results = ensemble.cv_results_
is_member = results["is_member"]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", sharey=True)
for ax, name in zip(axes, ("generation", "scale"), strict=True):
    ax.plot(
        results[name][~is_member],
        results["score"][~is_member],
        "o",
        color="C0",
        mfc="none",
        label="replaced",
    )
    ax.plot(results[name][is_member], results["score"][is_member], "o", color="C0", label="member")
    ax.set_xlabel(name)
axes[0].set_ylabel("G-mean on held-out samples")
axes[0].legend(loc="upper left")
fig.suptitle("Candidates of the evolution")
plt.show()

# %%
# The score of the best candidate is optimistic, because it is the best of many. New samples show
# what the ensemble is worth, and how far SMOTE in front of one network gets.
X_test, y_test = two_groups(5000, 500)
network.set_params(random_state=0)
models = {
    "one network": network.fit(X, y),
    "SMOTE, one network": make_pipeline(SMOTE(random_state=0), clone(network)).fit(X, y),
    "ECO-ensemble": ensemble,
}
for name, model in models.items():
    print(f"{name}: balanced accuracy {balanced_accuracy(y_test, model.predict(X_test)):.3f}")
print(f"best G-mean of the search: {ensemble.best_score_:.3f}")
