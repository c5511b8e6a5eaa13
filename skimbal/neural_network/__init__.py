"""Neural networks as scikit-learn classifiers."""

from skimbal.neural_network._belief import DBNClassifier
from skimbal.neural_network._mlp import MLPClassifier

__all__ = ["DBNClassifier", "MLPClassifier"]
