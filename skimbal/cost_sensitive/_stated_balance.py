"""What an estimator says about balancing the classes, where nothing is held out to measure it."""

import warnings

import numpy as np
from sklearn.calibration import CalibratedClassifierCV

from skimbal._utils._labels import as_mapping, carries_labels, part_of_larger_fit, vector_by_label
from skimbal.exceptions import BalancedTwiceWarning
from skimbal.losses import BaseLoss, all_losses

# Where classifiers keep the one that they wrap: the fitted one of a search comes first. In a stack,
# the last one decides.
WRAPPED = ("best_estimator_", "estimator_", "estimator", "base_estimator", "final_estimator_")


def warn_of_balance(estimator, labels, parameter):
    """Warn where costs, set by a parameter, would count the balance a second time."""
    reason = stated_balance(estimator, labels)
    if reason is not None:
        warnings.warn(
            f"{parameter} makes up for the imbalance of the classes, but the classifier does so "
            f"already: {reason}. The balance counts twice. Leave one of the two out, or use "
            "TunedCostClassifierCV, which measures the balance on samples that it holds out.",
            BalancedTwiceWarning,
            stacklevel=2,
        )


def stated_balance(estimator, labels) -> str | None:
    """Return how a classifier balances the classes, according to its parameters, else None.

    Parameters
    ----------
    estimator : classifier
        Fitted or not. Pipelines, searches and other wrappers are looked into. A calibrated
        classifier says nothing: its probabilities are those of the samples that it was given. So
        does one whose probabilities are corrected to the class frequencies of the data.
    labels : array-like of shape (n_classes,)
        The classes.

    Returns
    -------
    str or None
        The parameter or step that does it.
    """
    if isinstance(estimator, CalibratedClassifierCV) or gives_data_prior(estimator):
        return None
    for name in balancing_parameters(estimator, labels):
        return f"{type(estimator).__name__} has {name}={getattr(estimator, name)!r}"
    *steps, last = [step for _, step in getattr(estimator, "steps", [])] or [None]
    for step in steps:
        if hasattr(step, "fit_resample"):
            return f"a step of the pipeline resamples, {step!r}"
    inner = [last] if last is not None else wrapped_estimators(estimator)
    reasons = (stated_balance(each, labels) for each in inner)
    return next((reason for reason in reasons if reason is not None), None)


def balancing_parameters(estimator, labels):
    """Return the names of the parameters by which a classifier itself balances the classes."""
    given = {name: getattr(estimator, name, None) for name in BALANCING_PARAMETERS}
    return [
        name
        for name, value in given.items()
        if value is not None and BALANCING_PARAMETERS[name](value, labels)
    ]


def gives_data_prior(estimator):
    """Whether a classifier corrects its probabilities to the class frequencies of the data."""
    return getattr(estimator, "probabilities", None) == "data"


def wrapped_estimators(estimator):
    """Return the classifiers whose probabilities another one takes over, a list."""
    candidates = [getattr(estimator, name, None) for name in WRAPPED]
    if hasattr(estimator, "_base_estimator"):  # a default of ours
        candidates.append(estimator._base_estimator())
    one = [inner for inner in candidates if hasattr(inner, "get_params")][:1]
    members = getattr(estimator, "estimators", None)  # of a vote or a mean
    if one or not isinstance(members, list):
        return one
    members = [member[1] if isinstance(member, tuple) else member for member in members]
    return [member for member in members if hasattr(member, "get_params")]


def weights_differ(class_weight, labels):
    """Whether class weights, in any form, differ between classes."""
    if isinstance(class_weight, str):
        return True
    if carries_labels(class_weight):
        try:
            with part_of_larger_fit():
                class_weight = vector_by_label(class_weight, labels, "class_weight")
        except ValueError:  # the labels of an inner classifier, such as 0 and 1
            class_weight = [*as_mapping(class_weight, "class_weight").values(), 1.0]
    weights = np.asarray(class_weight, dtype=np.float64)
    return bool((weights != weights.flat[0]).any())


def loss_balances(loss, labels):
    """Whether a loss weights the classes or depends on their frequencies."""
    if isinstance(loss, str):
        loss = all_losses()[loss]() if loss in all_losses() else None
    if isinstance(loss, BaseLoss):
        return loss.weights_classes or loss.needs_counts
    weight = getattr(loss, "weight", None)  # of a loss of torch
    return weight is not None and weights_differ(weight.detach().cpu(), labels)


BALANCING_PARAMETERS = {
    "class_weight": weights_differ,
    "sampler": lambda value, labels: True,
    "loss": loss_balances,
    # Ensembles of imbalanced-learn and of this package.
    "sampling_strategy": lambda value, labels: True,
    # Extreme learning machines: the second one searches weights.
    "weighting": lambda value, labels: True,
    "max_factor": lambda value, labels: True,
    # LightGBM, XGBoost and CatBoost.
    "scale_pos_weight": lambda value, labels: value != 1,
    "is_unbalance": lambda value, labels: bool(value),
    "auto_class_weights": lambda value, labels: value != "None",
}
