"""A fitted estimator as a chain: the steps that a sample goes through, to its probabilities.

The steps are fitted scalers, one network, and what is done to its probabilities. Everything else is
refused here, by the name of its place.
"""

from dataclasses import dataclass
from functools import singledispatch

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skimbal._utils._labels import proba_by_class
from skimbal.cost_sensitive import (
    BaseCostClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    PosteriorEnsemble,
    TunedCostClassifierCV,
)
from skimbal.ensemble import PriorCorrectedClassifier
from skimbal.neural_network import BaseNetClassifier

Scaler = StandardScaler | MinMaxScaler | MaxAbsScaler | RobustScaler


@dataclass
class Mean:
    """Average the probabilities of several chains.

    Attributes
    ----------
    chains : list of list
        The chain of each member.
    """

    chains: list


@dataclass
class Columns:
    """Bring probabilities into the order of other classes.

    Attributes
    ----------
    selection : ndarray of shape (n_own_classes, n_classes)
        1 where both are the same class.
    """

    selection: np.ndarray


@dataclass
class PriorRatio:
    """Multiply the probabilities by a ratio of class frequencies, and divide them by their sum.

    Attributes
    ----------
    ratio : ndarray of shape (n_classes,)
    """

    ratio: np.ndarray


def refuse(estimator, place):
    """Raise a ValueError for an estimator that can't be exported."""
    raise ValueError(
        f"to_onnx can't export {place}, {type(estimator).__name__}; it exports the scalers "
        "StandardScaler, MinMaxScaler, MaxAbsScaler and RobustScaler, the networks of skimbal, "
        "FixedCostClassifier, TunedCostClassifierCV, ECSDBNClassifier, PriorCorrectedClassifier, "
        "and pipelines and searches of these"
    )


@singledispatch
def chain(estimator, place="the estimator"):
    """Return the steps of a fitted classifier; a ValueError names the one that has none."""
    refuse(estimator, place)


@chain.register
def _(estimator: BaseNetClassifier, place="the estimator"):
    if hasattr(estimator, "input_parts_"):
        raise ValueError(
            f"to_onnx can't export {place}, {type(estimator).__name__}, which was fitted on a dict "
            "of arrays; fit it on a table and say by columns=... which columns are which input"
        )
    return [estimator]


@chain.register
def _(estimator: Pipeline, place="the estimator"):
    *before, (name, last) = estimator.steps
    scalers = [scaler for step in before for scaler in scalers_of(*step)]
    return scalers + chain(last, f"the step {name!r}")


def scalers_of(name, step):
    """The scalers of a step of a pipeline; samplers of imbalanced-learn only take part in `fit`."""
    if step in (None, "passthrough") or hasattr(step, "fit_resample"):
        return []
    if isinstance(step, Pipeline):
        return [scaler for inner in step.steps for scaler in scalers_of(*inner)]
    if not isinstance(step, Scaler):
        refuse(step, f"the step {name!r}")
    return [step]


@chain.register
def _(estimator: FrozenEstimator, place="the estimator"):
    return chain(estimator.estimator, place)


@chain.register
def _(estimator: BaseSearchCV, place="the estimator"):
    if not hasattr(estimator, "best_estimator_"):
        name = type(estimator).__name__
        raise ValueError(f"{place}, {name}, has no best_estimator_ to export; set refit=True")
    return chain(estimator.best_estimator_, f"the best_estimator_ of {type(estimator).__name__}")


@chain.register(FixedCostClassifier)
@chain.register(TunedCostClassifierCV)
@chain.register(ECSDBNClassifier)
def _(estimator, place="the estimator"):
    inner = estimator.estimator_
    steps = chain(inner, f"the estimator_ of {type(estimator).__name__}")
    return steps + columns(inner.classes_, estimator.classes_)


@chain.register
def _(estimator: PosteriorEnsemble, place="the estimator"):
    members = [
        chain(member, "a member of the ensemble") + columns(member.classes_, estimator.classes_)
        for member in estimator.estimators_
    ]
    return [Mean(members)]


@chain.register
def _(estimator: PriorCorrectedClassifier, place="the estimator"):
    inner = estimator.estimator_
    steps = chain(inner, "the estimator_ of PriorCorrectedClassifier")
    ratio = PriorRatio(estimator.data_prior_ / estimator.training_prior_)
    return [*steps, *columns(inner.classes_, estimator.classes_), ratio]


def columns(own_classes, classes):
    """The step that orders the probabilities of a classifier; none if they are in order."""
    if np.array_equal(own_classes, classes):
        return []
    return [Columns(proba_by_class(np.eye(len(own_classes)), own_classes, classes))]


def first_path(steps):
    """The scalers before the network, and the network; of an ensemble, those of one member."""
    path: list = []
    for step in steps:
        if isinstance(step, Mean):
            return path + first_path(step.chains[0])
        path.append(step)
        if isinstance(step, BaseNetClassifier):
            return path
    raise AssertionError("a chain has a network")


def deciding_costs(estimator):
    """The cost matrix by which `predict` decides; None for the largest probability."""
    if isinstance(estimator, Pipeline):
        return deciding_costs(estimator.steps[-1][1])
    if isinstance(estimator, FrozenEstimator):
        return deciding_costs(estimator.estimator)
    if isinstance(estimator, BaseSearchCV):
        return deciding_costs(estimator.best_estimator_)
    if isinstance(estimator, BaseCostClassifier | BaseNetClassifier):
        return estimator.cost_matrix_
    return None
