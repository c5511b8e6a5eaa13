"""Search spaces of class weights and costs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from skopt.space import Real

from skimbal.model_selection._dimensions import is_number
from skimbal.model_selection._label_parameters import (
    check_distinct,
    labels_and_counts,
    pair_name,
)

MAJORITY = "majority"


class LogUniform(Real):
    """scikit-optimize's log-uniform dimension, which scikit-learn can draw single values from."""

    def __init__(self, low, high):
        super().__init__(low, high, prior="log-uniform")

    def rvs(self, n_samples=None, random_state=None):
        """Draw one number, or a list of `n_samples`."""
        values = super().rvs(n_samples=n_samples or 1, random_state=random_state)
        return float(values[0]) if n_samples is None else values


def _check_range(low, high):
    if not (is_number(low) and is_number(high) and 0 < low < high < np.inf):
        raise ValueError(
            f"low={low!r}, high={high!r} must be finite numbers with 0 < low < high, because the "
            "space is log-uniform"
        )


def _searched_labels(y, reference):
    """All labels, and those except the reference, which may be the most frequent one."""
    labels, counts = labels_and_counts(y)
    if len(labels) < 2:
        raise ValueError(f"y has the single label {labels}; weights need two or more")
    if reference not in labels:
        if not (isinstance(reference, str) and reference == MAJORITY):
            raise ValueError(
                f"reference={reference!r} must be 'majority' or one of the labels {labels} of y"
            )
        reference = labels[int(np.argmax(counts))]
    return labels, [label for label in labels if label != reference]


def class_weight_space(
    y: ArrayLike,
    low: float = 1,
    high: float = 1000,
    reference: Any = MAJORITY,
    param: str = "class_weight",
) -> dict[str, Any]:
    """Search space of class weights: a log-uniform dimension for each label but the reference.

    Only the ratios of weights change what is learned, so one label keeps the weight 1. Both
    searches of skimbal take the space. scikit-learn's `RandomizedSearchCV` and scikit-optimize's
    `BayesSearchCV` take it too, if the estimator has ``class_weight=ClassWeights(y)``.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of the training set.
    low : float, default=1
        Smallest weight, above 0.
    high : float, default=1000
        Largest weight.
    reference : "majority" or label, default="majority"
        The label whose weight is not searched; "majority" is the most frequent one.
    param : str, default="class_weight"
        Name of the parameter that holds the weights: ``"svc__class_weight"`` in a pipeline,
        ``"costs"`` for the output costs of `FixedCostClassifier`.

    Returns
    -------
    dict
        ``<param>__<label>`` -> dimension.

    Raises
    ------
    ValueError
        For bounds without 0 < low < high, a reference that is not a label of y, a single label,
        labels that are equal as text, and missing labels.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI, 973-978, 2001, section 1.2: costs
    may be multiplied by a positive constant.

    Examples
    --------
    >>> from skimbal.model_selection import class_weight_space
    >>> space = class_weight_space(["ok"] * 5 + ["worn", "broken"])
    >>> list(space)
    ['class_weight__broken', 'class_weight__worn']
    >>> space["class_weight__worn"].bounds
    (1, 1000)
    """
    _check_range(low, high)
    labels, searched = _searched_labels(y, reference)
    check_distinct([str(label) for label in labels])
    return {f"{param}__{label}": LogUniform(low, high) for label in searched}


def cost_matrix_space(
    y: ArrayLike,
    low: float = 1,
    high: float = 1000,
    reference: Any = MAJORITY,
    param: str = "cost_matrix",
) -> dict[str, Any]:
    """Search space of cost matrices: a log-uniform dimension for each pair of labels.

    Errors on samples of the reference label cost 1 and are not searched.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of the training set.
    low : float, default=1
        Smallest cost, above 0.
    high : float, default=1000
        Largest cost.
    reference : "majority" or label, default="majority"
        The label whose errors cost 1; "majority" is the most frequent one.
    param : str, default="cost_matrix"
        Name of the parameter that holds the matrix.

    Returns
    -------
    dict
        ``<param>__<true>__<predicted>`` -> dimension, (n_classes - 1)^2 of them.

    Raises
    ------
    ValueError
        As in `class_weight_space`, and for pairs of labels that are equal as text.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI, 973-978, 2001, section 1.2: costs
    may be multiplied by a positive constant.

    Examples
    --------
    >>> from skimbal.model_selection import cost_matrix_space
    >>> list(cost_matrix_space(["ok", "ok", "worn"]))
    ['cost_matrix__worn__ok']
    """
    _check_range(low, high)
    labels, searched = _searched_labels(y, reference)
    check_distinct([pair_name(true, predicted) for true in labels for predicted in labels])
    return {
        f"{param}__{pair_name(true, predicted)}": LogUniform(low, high)
        for true in searched
        for predicted in labels
        if true != predicted
    }
