"""A classifier that decides by costs that are known, or by those of the class frequencies."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from skimbal._fitting import Fit, run_fit
from skimbal._utils._fitted_attributes import copy_attributes
from skimbal._utils._groups import check_groups
from skimbal._utils._labels import carries_labels, is_by_pair, matrix_by_label, vector_by_label
from skimbal._utils._validation import (
    check_cost_matrix,
    check_known_classes,
    check_labels,
    check_two_classes,
    check_weights,
    in_safe_unit,
)
from skimbal.cost_sensitive._base import INPUT_ATTRIBUTES, BaseCostClassifier
from skimbal.cost_sensitive._stated_balance import warn_of_balance
from skimbal.metrics import cost_matrix_from_costs, inverse_frequency_cost_matrix


class FixedCostClassifier(BaseCostClassifier):
    """Decide for the class with the lowest expected cost, with costs that are given.

    The default costs are the inverse class frequencies of the training data. For two classes they
    set the threshold on the probability to the training prevalence. This prior threshold is the
    baseline for every tuned threshold. They are meant for a classifier that does not balance the
    classes: if it says that it does, by class weights, a sampler, a loss or a resampling step,
    `fit` gives a `BalancedTwiceWarning`. `TunedCostClassifierCV` measures the balance.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        Cloned and fitted. Wrap a fitted one in `sklearn.frozen.FrozenEstimator`.
    costs : "inverse_frequency", dict, Series, frame or array-like, default="inverse_frequency"
        Costs of misclassification. A dict or a Series maps labels to the cost of an error on that
        class (default 1). A dict may also map pairs (true label, predicted label) to costs
        (default 1), and a frame has the true labels as its index and the predicted ones as its
        columns. An array of shape (n_classes,) has the costs of errors in the order of `classes_`.
        In an array of shape (n_classes, n_classes), entry (i, j) is the cost of predicting
        ``classes_[j]`` when the truth is ``classes_[i]``. A gain is a negative cost; an error costs
        at least as much as the correct prediction.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The costs by which `predict` decides.
    n_features_in_ : int
        Number of features, if the classifier has it.
    feature_names_in_ : ndarray of str
        Names of the features, if the classifier has them.

    Raises
    ------
    ValueError
        In `fit`, before any training, for costs whose index does not fit the labels, that have a
        wrong shape, are not finite, or make an error cheaper than the correct prediction.

    Warns
    -----
    UnknownLabelWarning
        For costs of labels that are not in `y`, as in a fold that lacks a class.

    References
    ----------
    C. Elkan 2001, The Foundations of Cost-Sensitive Learning, IJCAI, equation 1.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal import FixedCostClassifier
    >>> X, y = make_classification(300, weights=[0.95], random_state=0)
    >>> classifier = FixedCostClassifier(LogisticRegression(), costs={1: 19}).fit(X, y)
    >>> classifier.cost_matrix_
    array([[ 0.,  1.],
           [19.,  0.]])
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "costs": [str, dict, "array-like"],
    }

    def __init__(self, estimator: BaseEstimator, *, costs: Any = "inverse_frequency"):
        self.estimator = estimator
        self.costs = costs

    def _base_estimator(self):
        return self.estimator

    def fit(
        self,
        X,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **params,
    ) -> Self:
        """Fit the classifier and resolve the costs by label.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the class frequencies, and in the classifier if it takes
            weights.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, passed on to the classifier if it takes groups.
        **params : dict
            Passed on to the `fit` of the classifier, by metadata routing if it is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            Before any training: for one class, costs that don't fit the classes, or negative
            weights. After it: if the classifier knows classes that are not in y.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups, **params))

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None, **params):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        y = check_labels(y)
        sample_weight = check_weights(sample_weight, y)
        classes, targets = np.unique(y, return_inverse=True)
        counts = np.bincount(targets, in_safe_unit(sample_weight))
        check_two_classes(classes[counts > 0].tolist())
        cost_matrix = check_cost_matrix(resolve_costs(self.costs, classes, counts), len(classes))
        routed = self._route(sample_weight, check_groups(groups, y), params)
        fitted = yield from Fit(clone(self.estimator), X, y, routed.estimator.fit).coroutine()
        check_known_classes(fitted, classes)
        known = np.isin(classes, fitted.classes_)  # without those whose samples all have weight 0
        self.estimator_ = fitted
        self.classes_ = classes[known]
        if isinstance(self.costs, str):
            warn_of_balance(fitted, self.classes_, f"costs={self.costs!r}")
        self.cost_matrix_ = cost_matrix[np.ix_(known, known)]
        copy_attributes(fitted, self, INPUT_ATTRIBUTES)
        return self

    def get_metadata_routing(self):
        """Route what `fit` is given to the classifier."""
        router = MetadataRouter(owner=self).add_self_request(self)
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        return router.add(estimator=self.estimator, method_mapping=to_fit)


def resolve_costs(costs, classes, counts):
    """Return the matrix of costs that are given in any form."""
    labels = classes.tolist()
    if isinstance(costs, str):
        if costs != "inverse_frequency":
            raise ValueError(
                f"unknown costs {costs!r}; use 'inverse_frequency', a dict label -> cost, one cost "
                "for each class or a matrix"
            )
        return inverse_frequency_cost_matrix(counts)
    by_label = matrix_by_label if carries_labels(costs) and is_by_pair(costs) else vector_by_label
    costs = np.asarray(by_label(costs, classes, "costs"), dtype=np.float64)
    if costs.ndim != 1:
        return costs
    if len(costs) != len(labels):
        raise ValueError(
            f"costs has {len(costs)} entries, but there are {len(labels)} classes {labels}; give "
            "one cost for each class, in this order"
        )
    return cost_matrix_from_costs(costs)
