"""Class-imbalanced learning with neural networks under the scikit-learn interface."""

import typing

from skimbal._lazy import lazy_names as _lazy_names
from skimbal._version import __version__

if typing.TYPE_CHECKING:
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
        NetClassifier,
        ResNetClassifier,
    )
else:
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "skimbal.cost_sensitive": "ECSDBNClassifier FixedCostClassifier TunedCostClassifierCV",
            "skimbal.ensemble": (
                "AdaBoostNetClassifier BalancedBaggingNetClassifier ECOEnsembleClassifier "
                "WindowedClassifier"
            ),
            "skimbal.model_selection": "BayesSearchCV DESearchCV",
            "skimbal.neural_network": (
                "CNN1DClassifier CNN2DClassifier DBNClassifier MLPClassifier NetClassifier "
                "ResNetClassifier"
            ),
        },
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
    "NetClassifier",
    "ResNetClassifier",
    "TunedCostClassifierCV",
    "WindowedClassifier",
    "__version__",
]
