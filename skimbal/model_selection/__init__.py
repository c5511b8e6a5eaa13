"""Searches over hyper-parameters, class weights and costs, and the spaces they run over."""

from skimbal.model_selection._bayes_search import BayesSearchCV
from skimbal.model_selection._class_weights import (
    ClassWeights,
    CostMatrix,
    class_weight_space,
    cost_matrix_space,
)
from skimbal.model_selection._de_search import DESearchCV
from skimbal.model_selection._space import as_distributions, as_grid

__all__ = [
    "BayesSearchCV",
    "ClassWeights",
    "CostMatrix",
    "DESearchCV",
    "as_distributions",
    "as_grid",
    "class_weight_space",
    "cost_matrix_space",
]
