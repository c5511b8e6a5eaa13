"""Class-imbalanced learning with neural networks under the scikit-learn interface."""

from skimbal._version import __version__
from skimbal.cost_sensitive import ECSDBNClassifier, FixedCostClassifier, TunedCostClassifierCV
from skimbal.ensemble import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    ECOEnsembleClassifier,
    WindowedClassifier,
)
from skimbal.model_selection import BayesSearchCV, DESearchCV
from skimbal.neural_network import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    MLPClassifier,
    ResNetClassifier,
)

__all__ = [
    "AdaBoostNetClassifier",
    "BalancedBaggingNetClassifier",
    "BayesSearchCV",
    "CNN1DClassifier",
    "CNN2DClassifier",
    "DBNClassifier",
    "DESearchCV",
    "ECOEnsembleClassifier",
    "ECSDBNClassifier",
    "FixedCostClassifier",
    "MLPClassifier",
    "ResNetClassifier",
    "TunedCostClassifierCV",
    "WindowedClassifier",
    "__version__",
]
