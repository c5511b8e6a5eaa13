"""
A surface of scores over the costs of two classes
=================================================

The ECS-DBN paper draws the G-mean, the precision and the accuracy of each class over a grid of the
two costs, with the costs that its search has found.
:class:`~skimbal.inspection.CostSurfaceDisplay` draws these pictures for any classifier with
``predict_proba``.
"""

# %%
# A belief network is trained on 1,000 samples, of which one in ten is rare. Its costs are found in
# cross-validation.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skimbal import ECSDBNClassifier
from skimbal.inspection import CostSurfaceDisplay
from skimbal.metrics import g_mean

X, y = make_classification(
    3000, 10, n_informative=5, n_clusters_per_class=3, weights=[0.9], class_sep=0.8, random_state=2
)
y = np.array(["usual", "rare"])[y]
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=1000, stratify=y, random_state=0
)
model = ECSDBNClassifier(max_epochs=40, pretrain_epochs=10, random_state=0).fit(X_train, y_train)
print("costs", dict(zip(model.classes_.tolist(), model.costs_.round(2).tolist(), strict=True)))
print(f"G-mean of new samples {g_mean(y_test, model.predict(X_test)):.3f}")

# %%
# The surfaces are those of new samples, and the dot marks the costs that were found on the training
# samples. Only the ratio of the two costs changes a decision, so the surfaces are constant along
# diagonals. The ridge of the G-mean is where both recalls are high. The precision is highest where
# errors on the rare class cost little, and few rare samples are found there. It is 0 where
# none is predicted.
CostSurfaceDisplay.from_estimator(model, X_test, y_test)
plt.show()

# %%
# In costs between 0 and 1, as in the paper, the useful ratios are in one corner.
CostSurfaceDisplay.from_estimator(model, X_test, y_test, cost_space="unit", scoring="g_mean")
plt.show()

# %%
# The same as lines over the ratio.
CostSurfaceDisplay.from_estimator(model, X_test, y_test, kind="ratio", n_points=201)
plt.show()

# %%
# Three classes
# -------------
# With more classes, the costs of two of them vary. The others keep the costs that were found. Here
# the classifier has no costs of its own, so the display finds them.
X, y = make_classification(
    1500, 8, n_informative=5, n_classes=3, weights=[0.8, 0.15], class_sep=0.8, random_state=0
)
y = np.array(["normal", "worn", "broken"])[y]
logistic = LogisticRegression().fit(X[:700], y[:700])
CostSurfaceDisplay.from_estimator(
    logistic, X[700:], y[700:], scoring=["macro_f1", "g_mean"], shown=("worn", "broken")
)
plt.show()
