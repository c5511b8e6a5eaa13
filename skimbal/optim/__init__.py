"""Optimizers over a box, driven by ask and tell. They need NumPy only."""

from skimbal.optim._base import BaseOptimizer
from skimbal.optim._jade import JADE
from skimbal.optim._random_search import RandomSearch

__all__ = ["JADE", "BaseOptimizer", "RandomSearch"]
