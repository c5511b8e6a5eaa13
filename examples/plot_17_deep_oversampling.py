"""
Over-sampling in the feature space of a network
===============================================

SMOTE makes new samples between neighbors in the space of the inputs.
:class:`~skimbal.ensemble.DeepOversamplingClassifier` makes them between neighbors in the feature
space of the network while it trains. This example shows the features of a network with two units
before its last layer.
"""

# %%
# Three nested shells, of which the middle one is rare. The factor ``clustering`` says how strongly
# the features of a rare sample are pulled toward mixtures of its neighbors. With 0, the mixtures
# only train the classifier. One seed is shown; a network with two units before its last layer is
# hard to train, and wider ones depend less on the factor.
import matplotlib.pyplot as plt
import numpy as np

from skimbal import MLPClassifier
from skimbal.datasets import make_nested_spheres
from skimbal.ensemble import DeepOversamplingClassifier
from skimbal.metrics import g_mean, recall_per_class

X, X_new, y, y_new = make_nested_spheres(
    (300, 30, 300), n_features=5, n_test=3000, random_state=0, return_X_y=True
)
network = MLPClassifier(
    hidden_layer_sizes=(32, 2), activation="tanh", max_epochs=150, learning_rate=0.005
)
models = {
    f"clustering={clustering:g}": DeepOversamplingClassifier(
        network, clustering=clustering, random_state=0
    )
    for clustering in (0.0, 1.0, 100.0)
}
for name, model in models.items():
    predicted = model.fit(X, y).predict(X_new)
    features = model.estimator_.transform(X)
    part = features[y == 1].var(axis=0).sum() / features.var(axis=0).sum()
    recalls = recall_per_class(y_new, predicted).round(2)
    print(f"{name}: the rare class has {part:.2f} of the variance of all features")
    print(f"    new samples: G-mean {g_mean(y_new, predicted):.2f}, recalls {recalls}")

# %%
# The features of the training samples (top) and of new samples (bottom). The background has the
# color of the predicted class. Without clustering, the units saturate, and the network learns some
# of the rare samples by heart. With clustering, the rare training samples form one group. The
# largest factor also keeps all features small, and finds the most samples of the rare shell. New
# samples of the shell are spread more widely than the group of its training samples.
COLORS = ("#7f7f7f", "#c1272d", "#4c72b0")
NAMES = ("inner", "middle (rare)", "outer")
grid = np.linspace(-1.08, 1.08, 150)
points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
fig, axes = plt.subplots(2, 3, figsize=(9, 6), sharex=True, sharey=True, layout="constrained")
shown = np.arange(0, len(X_new), 5)
for (name, model), column in zip(models.items(), axes.T, strict=True):
    layer = model.estimator_.net_.module_.output
    weight, bias = (tensor.detach().numpy() for tensor in (layer.weight, layer.bias))
    region = (points @ weight.T + bias).argmax(axis=1).reshape(150, 150)
    for ax, inputs, labels in zip(column, (X, X_new[shown]), (y, y_new[shown]), strict=True):
        features = model.estimator_.transform(inputs)
        ax.contourf(grid, grid, region, levels=[-0.5, 0.5, 1.5, 2.5], colors=COLORS, alpha=0.15)
        for label in (0, 2, 1):
            rows = labels == label
            ax.scatter(*features[rows].T, s=12, color=COLORS[label], label=NAMES[label])
        ax.set(xticks=[], yticks=[])
    column[0].set_title(name)
axes[0, 0].set_ylabel("training samples")
axes[1, 0].set_ylabel("new samples")
axes[0, 0].legend(fontsize=8)
plt.show()
