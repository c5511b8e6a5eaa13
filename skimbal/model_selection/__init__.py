"""Searches over hyper-parameters, class weights and costs, and the spaces they run over."""

from skimbal.model_selection._bayes_search import BayesSearchCV
from skimbal.model_selection._de_search import DESearchCV
from skimbal.model_selection._label_parameters import ClassWeights, CostMatrix
from skimbal.model_selection._weight_spaces import class_weight_space, cost_matrix_space

__all__ = [
    "BayesSearchCV",
    "ClassWeights",
    "CostMatrix",
    "DESearchCV",
    "class_weight_space",
    "cost_matrix_space",
]
