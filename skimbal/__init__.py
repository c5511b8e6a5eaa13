"""Class-imbalanced learning with neural networks under the scikit-learn interface."""

from skimbal._version import __version__
from skimbal.cost_sensitive import ECSDBNClassifier, FixedCostClassifier, TunedCostClassifierCV
from skimbal.ensemble import BalancedBaggingNetClassifier, WindowedClassifier
from skimbal.neural_network import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    MLPClassifier,
    ResNetClassifier,
)

__all__ = [
    "BalancedBaggingNetClassifier",
    "CNN1DClassifier",
    "CNN2DClassifier",
    "DBNClassifier",
    "ECSDBNClassifier",
    "FixedCostClassifier",
    "MLPClassifier",
    "ResNetClassifier",
    "TunedCostClassifierCV",
    "WindowedClassifier",
    "__version__",
]
