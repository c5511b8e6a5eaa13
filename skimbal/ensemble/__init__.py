"""Ensembles of networks for imbalanced classes."""

from skimbal.ensemble._balanced_bagging import BalancedBaggingNetClassifier, default_network

__all__ = ["BalancedBaggingNetClassifier", "default_network"]
