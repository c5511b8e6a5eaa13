"""Ensembles: of networks for imbalanced classes, and of the windows of recordings."""

from skimbal.ensemble._adaboost import AdaBoostNetClassifier
from skimbal.ensemble._balanced_bagging import BalancedBaggingNetClassifier, default_network
from skimbal.ensemble._eco import ECOEnsembleClassifier
from skimbal.ensemble._windowed import WindowedClassifier

__all__ = [
    "AdaBoostNetClassifier",
    "BalancedBaggingNetClassifier",
    "ECOEnsembleClassifier",
    "WindowedClassifier",
    "default_network",
]
