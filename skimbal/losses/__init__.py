"""Losses for imbalanced classes: small values that bind to the class counts of a training set."""

from skimbal.losses._asymmetric import Asymmetric
from skimbal.losses._auc import AUCMargin
from skimbal.losses._base import BaseLoss, BoundBatchLoss, BoundLoss, Formula
from skimbal.losses._class_rectification import ClassRectification
from skimbal.losses._class_weights import class_weight_vector
from skimbal.losses._cosen import CoSen
from skimbal.losses._costs import CostWeightedCrossEntropy, ExpectedCost
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._deep_oversampling import DeepOversampling
from skimbal.losses._dice import Dice, GeneralizedDice
from skimbal.losses._false_error import MeanFalseError, MeanSquaredFalseError
from skimbal.losses._focal import Focal
from skimbal.losses._functional import cross_entropy
from skimbal.losses._g_mean import SoftGMean
from skimbal.losses._incremental import IncrementalWeightedCrossEntropy
from skimbal.losses._ldam import LDAM
from skimbal.losses._logit_adjustment import BalancedSoftmax, LogitAdjustment, adjust_logits
from skimbal.losses._quintuplets import Quintuplets
from skimbal.losses._registry import all_losses, resolve_loss
from skimbal.losses._wrapped import ClassBalanced, DeferredReweighting

__all__ = [
    "LDAM",
    "AUCMargin",
    "Asymmetric",
    "BalancedSoftmax",
    "ClassBalanced",
    "ClassRectification",
    "CoSen",
    "CostWeightedCrossEntropy",
    "CrossEntropy",
    "DeepOversampling",
    "DeferredReweighting",
    "Dice",
    "ExpectedCost",
    "Focal",
    "GeneralizedDice",
    "IncrementalWeightedCrossEntropy",
    "LogitAdjustment",
    "MeanFalseError",
    "MeanSquaredFalseError",
    "SoftGMean",
    "adjust_logits",
    "all_losses",
    "class_weight_vector",
]
__all__ += [  # for extenders
    "BaseLoss",
    "BoundBatchLoss",
    "BoundLoss",
    "Formula",
    "Quintuplets",
    "cross_entropy",
    "resolve_loss",
]
