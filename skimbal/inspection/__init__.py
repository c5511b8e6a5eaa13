"""Displays: pictures of costs, thresholds, searches, features, trainings and comparisons.

A display holds its data and draws with `plot`, like the displays of scikit-learn. Drawing needs
matplotlib: ``pip install 'skimbal[plot]'``.
"""

from skimbal.inspection._costs import CostSurfaceDisplay
from skimbal.inspection._search import SearchConvergenceDisplay
from skimbal.inspection._thresholds import ThresholdCurveDisplay

__all__ = ["CostSurfaceDisplay", "SearchConvergenceDisplay", "ThresholdCurveDisplay"]
