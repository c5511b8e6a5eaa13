"""Ensembles, extreme learning machines, and the windows of recordings."""

from skimbal.ensemble._adaboost import AdaBoostNetClassifier
from skimbal.ensemble._balanced_bagging import BalancedBaggingNetClassifier, default_network
from skimbal.ensemble._category_centers import CategoryCentersClassifier
from skimbal.ensemble._deep_oversampling import DeepOversamplingClassifier
from skimbal.ensemble._eco import ECOEnsembleClassifier
from skimbal.ensemble._evolutionary_elm import EvolutionaryELMClassifier
from skimbal.ensemble._lmle import LMLEClassifier
from skimbal.ensemble._prior_corrected import PriorCorrectedClassifier
from skimbal.ensemble._recording_stream import RecordingStream
from skimbal.ensemble._weighted_elm import WeightedELMClassifier
from skimbal.ensemble._windowed import WindowedClassifier

__all__ = [
    "AdaBoostNetClassifier",
    "BalancedBaggingNetClassifier",
    "CategoryCentersClassifier",
    "DeepOversamplingClassifier",
    "ECOEnsembleClassifier",
    "EvolutionaryELMClassifier",
    "LMLEClassifier",
    "PriorCorrectedClassifier",
    "RecordingStream",
    "WeightedELMClassifier",
    "WindowedClassifier",
    "default_network",
]
