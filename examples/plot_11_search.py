"""
Searching class weights
=======================

Inverse class frequencies are conventional weights, and often not the best. This example searches
the two free class weights of a network for the best macro F1 in cross-validation, with
:class:`~skimbal.model_selection.DESearchCV` and with random search. Both evaluate about a hundred
candidates. The networks of a generation (ten candidates in three folds) train as one population.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, train_test_split

from skimbal import DESearchCV, MLPClassifier
from skimbal.inspection import SearchConvergenceDisplay
from skimbal.model_selection import class_weight_space

X, y = make_classification(
    3000,
    10,
    n_informative=5,
    n_redundant=0,
    n_classes=3,
    n_clusters_per_class=2,
    weights=[0.9, 0.07, 0.03],
    class_sep=0.8,
    flip_y=0.02,
    random_state=0,
)
labels = np.array(["normal", "worn", "broken"])[y]
X_train, X_test, y_train, y_test = train_test_split(
    X, labels, train_size=700, stratify=labels, random_state=0
)

# %%
# The space has one dimension for each class except the most frequent one, whose weight is 1. The
# search begins with the inverse-frequency weights.
network = MLPClassifier(hidden_layer_sizes=(16,), learning_rate=0.01, max_epochs=30)
space = class_weight_space(y_train, low=0.3, high=100)
settings = {
    "scoring": "macro_f1",
    "cv": StratifiedKFold(3, shuffle=True, random_state=0),
    "x0": "conventional",
    "random_state": 0,
}
search = DESearchCV(network, space, max_generations=10, **settings).fit(X_train, y_train)
print(search.best_params_)

# %%
# The first generation of a search is random, so a search with one generation is random search.
random = DESearchCV(network, space, population_size=100, max_generations=1, **settings)
random.fit(X_train, y_train)

# %%
# The best cross-validation score of a hundred candidates was selected because it is high, so it is
# not an honest estimate. Test data that no search has used give one.
counts = {label: np.sum(y_train == label) for label in np.unique(y_train)}
conventional = {label: counts["normal"] / count for label, count in counts.items()}
contenders = {
    "equal weights": MLPClassifier(**network.get_params() | {"random_state": 0}),
    "conventional weights": MLPClassifier(
        **network.get_params() | {"class_weight": conventional, "random_state": 0}
    ),
    "random search": random,
    "DE search": search,
}
for name, model in contenders.items():
    if name.endswith("weights"):
        model.fit(X_train, y_train)
    in_search = f"{model.best_score_:.3f}" if hasattr(model, "best_score_") else "  -  "
    on_test = f1_score(y_test, model.predict(X_test), average="macro")
    print(f"{name:21s} macro F1: in the search {in_search}, on test data {on_test:.3f}")

# %%
# The left panel shows the candidates of the DE search. They gather where the score is high. This is
# far from the conventional weights, which are too large here. The right panel shows the best score
# so far. In two dimensions, random search with a hundred candidates is hard to beat, and one run
# does not show which search is better.
results = search.cv_results_
worn, broken = (
    results[f"param_class_weight__{label}"].astype(float) for label in ("worn", "broken")
)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
points = left.scatter(worn, broken, c=results["mean_test_score"], cmap="viridis", s=25)
left.plot(worn[0], broken[0], "s", mfc="none", mec="tab:red", ms=11, label="conventional")
best = search.best_index_
left.plot(worn[best], broken[best], "*", mfc="none", mec="tab:red", ms=16, label="best")
left.set(xscale="log", yscale="log", xlabel="weight of worn", ylabel="weight of broken")
left.legend(loc="lower right")
fig.colorbar(points, ax=left, label="macro F1")
SearchConvergenceDisplay.from_estimator({"DE": search, "random": random}, ax=right)
plt.show()
