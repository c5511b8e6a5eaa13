"""
Thresholds, their scores and their expected cost
================================================

A missed fault costs 20 times as much as a false alarm. These costs decide from which probability on
a machine is called faulty. :class:`~skimbal.inspection.ThresholdCurveDisplay` shows what other
thresholds would do, and :class:`~skimbal.inspection.ReliabilityDiagramDisplay` whether the
probabilities can be trusted: the threshold of the costs is the best one only for calibrated
probabilities.
"""

# %%
# Two networks are compared. The second has class weights, which make the probabilities of the rare
# class too large.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from skimbal import MLPClassifier
from skimbal.inspection import ReliabilityDiagramDisplay, ThresholdCurveDisplay
from skimbal.metrics import expected_cost

X, y = make_classification(
    12_000, 8, n_informative=5, n_redundant=0, weights=[0.95], class_sep=0.9, random_state=1
)
y = np.array(["normal", "faulty"])[y]
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=2000, stratify=y, random_state=0
)
COSTS = {("faulty", "normal"): 20, ("normal", "faulty"): 1}
settings = {"hidden_layer_sizes": (16,), "max_epochs": 40, "random_state": 0}
networks = {
    "plain": MLPClassifier(**settings, cost_matrix=COSTS),
    "balanced weights": MLPClassifier(**settings, class_weight="balanced", cost_matrix=COSTS),
}
for name, network in networks.items():
    predicted = network.fit(X_train, y_train).predict(X_test)
    print(f"{name:17s} expected cost {expected_cost(y_test, predicted, COSTS):.3f}")

# %%
# The dashed line is the threshold of the costs, 1 / 21, and the dot the threshold with the lowest
# expected cost on the samples of the picture. They are close for the plain network. For the network
# with weights, the threshold of the costs is too low: weights and costs make up for the same.
fig, axes = plt.subplots(2, 1, figsize=(7, 9), layout="constrained")
for ax, (name, network) in zip(axes, networks.items(), strict=True):
    ThresholdCurveDisplay.from_estimator(network, X_test, y_test, ax=ax, scale="logit")
    ax.set_title(name)
plt.show()

# %%
# The reliability diagram shows the reason. Where the line is below the diagonal, the predicted
# probabilities are too large. ``probabilities="data"`` corrects them to the frequencies of the
# data.
networks["corrected"] = MLPClassifier(
    **settings, class_weight="balanced", cost_matrix=COSTS, probabilities="data"
).fit(X_train, y_train)
predicted = networks["corrected"].predict(X_test)
print(f"corrected: expected cost {expected_cost(y_test, predicted, COSTS):.3f}")
ReliabilityDiagramDisplay.from_estimator(networks, X_test, y_test)
plt.show()
