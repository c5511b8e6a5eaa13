"""Displays: pictures of costs, thresholds, searches, features, trainings and comparisons.

A display holds its data and draws with `plot`, like the displays of scikit-learn. Drawing needs
matplotlib, which the extra ``plot`` installs.
"""

from skimbal.inspection._confusion import ConfusionMatrixGridDisplay
from skimbal.inspection._costs import CostSurfaceDisplay
from skimbal.inspection._drawing import svg_of
from skimbal.inspection._features import FeatureMapDisplay
from skimbal.inspection._ranks import CriticalDifferenceDisplay
from skimbal.inspection._reliability import ReliabilityDiagramDisplay
from skimbal.inspection._search import SearchConvergenceDisplay
from skimbal.inspection._thresholds import ThresholdCurveDisplay
from skimbal.inspection._training import ClassWeightScheduleDisplay, TrainingHistoryDisplay

__all__ = [
    "ClassWeightScheduleDisplay",
    "ConfusionMatrixGridDisplay",
    "CostSurfaceDisplay",
    "CriticalDifferenceDisplay",
    "FeatureMapDisplay",
    "ReliabilityDiagramDisplay",
    "SearchConvergenceDisplay",
    "ThresholdCurveDisplay",
    "TrainingHistoryDisplay",
]

__all__ += [  # for extenders
    "svg_of",
]
