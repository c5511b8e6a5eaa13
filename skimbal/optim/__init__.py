"""Optimisers over a box that are driven by ask and tell (numpy alone)."""

from ._base import BaseOptimizer
from ._jade import JADE
from ._random_search import RandomSearch

__all__ = ["JADE", "BaseOptimizer", "RandomSearch"]
