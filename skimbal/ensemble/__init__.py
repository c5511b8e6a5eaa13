"""Ensembles: of networks for imbalanced classes, and of the windows of recordings."""

from skimbal.ensemble._balanced_bagging import BalancedBaggingNetClassifier, default_network
from skimbal.ensemble._category_centers import CategoryCentersClassifier
from skimbal.ensemble._windowed import WindowedClassifier

__all__ = [
    "BalancedBaggingNetClassifier",
    "CategoryCentersClassifier",
    "WindowedClassifier",
    "default_network",
]
