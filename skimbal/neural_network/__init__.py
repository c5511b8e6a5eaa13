"""Neural networks as scikit-learn classifiers, one at a time or many as one."""

from skimbal.neural_network._base import (
    BaseNetClassifier,
    check_training_data,
    validation_rows,
)
from skimbal.neural_network._convolutional import CNN_PRESETS, CNN1DClassifier, CNN2DClassifier
from skimbal.neural_network._dbn import DBNClassifier
from skimbal.neural_network._fit_population import (
    class_probabilities,
    cross_fit,
    cross_fit_coroutine,
    fit_population,
)
from skimbal.neural_network._mlp import MLPClassifier
from skimbal.neural_network._module import Module
from skimbal.neural_network._net import NetClassifier
from skimbal.neural_network._prediction_steps import PredictionSteps, prediction_steps
from skimbal.neural_network._prior import unknown_prior
from skimbal.neural_network._resnet import ResNetClassifier

__all__ = [
    "CNN_PRESETS",
    "CNN1DClassifier",
    "CNN2DClassifier",
    "DBNClassifier",
    "MLPClassifier",
    "Module",
    "NetClassifier",
    "ResNetClassifier",
    "cross_fit",
    "fit_population",
]
__all__ += [  # for extenders
    "BaseNetClassifier",
    "PredictionSteps",
    "check_training_data",
    "class_probabilities",
    "cross_fit_coroutine",
    "prediction_steps",
    "unknown_prior",
    "validation_rows",
]
