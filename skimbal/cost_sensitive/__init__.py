"""Misclassification costs: given, or found by search on held-out posteriors."""

from skimbal.cost_sensitive._ecs_dbn import ECSDBNClassifier
from skimbal.cost_sensitive._find_costs import CostSearchResult, find_costs
from skimbal.cost_sensitive._fixed_cost import FixedCostClassifier
from skimbal.cost_sensitive._tuned_cost import TunedCostClassifierCV

__all__ = [
    "CostSearchResult",
    "ECSDBNClassifier",
    "FixedCostClassifier",
    "TunedCostClassifierCV",
    "find_costs",
]
