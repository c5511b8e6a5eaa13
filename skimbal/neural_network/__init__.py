"""Neural networks as scikit-learn classifiers, one at a time or many as one."""

from skimbal.neural_network._belief import DBNClassifier
from skimbal.neural_network._fit_population import cross_fit, fit_population
from skimbal.neural_network._mlp import MLPClassifier

__all__ = ["DBNClassifier", "MLPClassifier", "cross_fit", "fit_population"]
