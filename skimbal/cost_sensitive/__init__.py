"""Misclassification costs: given, or found by search on held-out samples."""

from skimbal.cost_sensitive._base import BaseCostClassifier
from skimbal.cost_sensitive._ecs_dbn import ECSDBNClassifier
from skimbal.cost_sensitive._find_costs import find_costs
from skimbal.cost_sensitive._fixed_cost import FixedCostClassifier
from skimbal.cost_sensitive._posterior_ensemble import PosteriorEnsemble
from skimbal.cost_sensitive._row_scores import scoring_with_metadata
from skimbal.cost_sensitive._training_prior import training_prior, unknown_balance
from skimbal.cost_sensitive._tuned_cost import TunedCostClassifierCV

__all__ = [
    "ECSDBNClassifier",
    "FixedCostClassifier",
    "TunedCostClassifierCV",
    "find_costs",
]
__all__ += [  # for extenders
    "BaseCostClassifier",
    "PosteriorEnsemble",
    "scoring_with_metadata",
    "training_prior",
    "unknown_balance",
]
