"""
Features that keep clusters and classes apart
=============================================

:class:`~skimbal.ensemble.LMLEClassifier` trains the features of a network by distances: a sample
shall be nearer to its own cluster than to its class, and nearer to its class than to other classes.
This example shows the features of such a network, and those of a network that is trained with cross
entropy.
"""

# %%
# The data are three nested shells. The middle one is rare: it has 30 training samples, the others
# have 300. Both networks have the same layers and epochs.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from skimbal import MLPClassifier
from skimbal.datasets import make_nested_spheres
from skimbal.ensemble import LMLEClassifier
from skimbal.metrics import g_mean, recall_per_class

X, X_new, y, y_new = make_nested_spheres(
    (300, 30, 300), n_features=3, n_test=3000, random_state=0, return_X_y=True
)
network = MLPClassifier(
    hidden_layer_sizes=(32, 16), learning_rate=0.005, max_epochs=60, random_state=0
)
models = {
    "cross entropy": network.fit(X, y),
    "LMLE": LMLEClassifier(network, cluster_size=10, random_state=0).fit(X, y),
}
for name, model in models.items():
    predicted = model.predict(X_new)
    recalls = recall_per_class(y_new, predicted).round(2)
    print(f"{name}: G-mean {g_mean(y_new, predicted):.2f} on new samples, recalls {recalls}")

# %%
# The pictures show the first two principal components of the features, scaled to length 1. The
# crosses are the centers of the clusters. LMLE pulls each class into a thin band, and the rare
# training samples into one small group at the end of the outer shell. More of the new rare samples
# are found this way. But the margins hold for the training samples, not for new ones: new samples
# of the outer shell fall near the rare group, their recall is lower, and so is the G-mean.
COLORS = ("#7f7f7f", "#c1272d", "#4c72b0")
NAMES = ("inner", "middle (rare)", "outer")
fig, axes = plt.subplots(2, 2, figsize=(8, 7), sharex="col", sharey="col", layout="constrained")
shown = np.arange(0, len(X_new), 5)
for (name, model), column in zip(models.items(), axes.T, strict=True):
    trained = getattr(model, "estimator_", model)
    components = PCA(2).fit(normalize(trained.transform(X)))
    for ax, inputs, labels in zip(column, (X, X_new[shown]), (y, y_new[shown]), strict=True):
        points = components.transform(normalize(trained.transform(inputs)))
        for label in (0, 2, 1):
            ax.scatter(*points[labels == label].T, s=12, color=COLORS[label], label=NAMES[label])
        ax.set(xticks=[], yticks=[])
    column[0].set_title(name)
centers = components.transform(models["LMLE"].cluster_centers_)
for label in (0, 2, 1):
    own = models["LMLE"].cluster_classes_ == label
    axes[0, 1].scatter(*centers[own].T, s=35, marker="X", color=COLORS[label], ec="black", lw=0.7)
axes[0, 0].set_ylabel("training samples")
axes[1, 0].set_ylabel("new samples")
axes[0, 0].legend(fontsize=8)
plt.show()
