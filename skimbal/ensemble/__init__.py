"""Ensembles of networks for imbalanced classes."""

from skimbal.ensemble._balanced_bagging import BalancedBaggingNetClassifier

__all__ = ["BalancedBaggingNetClassifier"]
