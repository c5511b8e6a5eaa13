"""Class-imbalanced learning with neural networks under the scikit-learn interface."""

from skimbal._version import __version__
from skimbal.cost_sensitive import ECSDBNClassifier, FixedCostClassifier, TunedCostClassifierCV
from skimbal.ensemble import BalancedBaggingNetClassifier, WindowedClassifier
from skimbal.neural_network import DBNClassifier, MLPClassifier

__all__ = [
    "BalancedBaggingNetClassifier",
    "DBNClassifier",
    "ECSDBNClassifier",
    "FixedCostClassifier",
    "MLPClassifier",
    "TunedCostClassifierCV",
    "WindowedClassifier",
    "__version__",
]
