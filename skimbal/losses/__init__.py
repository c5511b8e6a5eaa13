"""Losses for imbalanced classes: small values that bind to the class counts of a training set."""

from skimbal.losses._base import BaseLoss, BoundLoss, ModuleLoss
from skimbal.losses._class_weights import class_weight_vector
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._registry import all_losses, resolve_loss

__all__ = [
    "BaseLoss",
    "BoundLoss",
    "CrossEntropy",
    "ModuleLoss",
    "all_losses",
    "class_weight_vector",
    "resolve_loss",
]
