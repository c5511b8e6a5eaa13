"""A classifier that decides by costs that are known, or by those of the class frequencies."""

from collections.abc import Mapping

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import _check_sample_weight

from skimbal._fitting import Fit, run_fit
from skimbal._utils._validation import check_cost_matrix
from skimbal.cost_sensitive._base import BaseCostClassifier, check_labels
from skimbal.cost_sensitive._posteriors import check_no_strangers
from skimbal.metrics import cost_matrix_from_costs, inverse_frequency_cost_matrix


class FixedCostClassifier(BaseCostClassifier):
    """Decide for the class of least expected cost, with costs that are given.

    With the default costs, the inverse class frequencies of the training data, two classes are
    cut at the training prevalence: the prior threshold, the baseline that every tuned threshold
    has to beat.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        Cloned and fitted. Wrap one that is fitted in `sklearn.frozen.FrozenEstimator`.
    costs : "inverse_frequency", dict or array-like, default="inverse_frequency"
        Costs of misclassification. A dict maps labels to the cost of an error on that class
        (default 1), an array of shape (n_classes,) holds these in the order of `classes_`; in one
        of shape (n_classes, n_classes) entry (i, j) is the cost of predicting ``classes_[j]``
        when the truth is ``classes_[i]``.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The costs that decide.

    Raises
    ------
    ValueError
        In `fit`, before any training, for costs of unknown labels, of a wrong shape, negative, not
        finite or with a costly diagonal.

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

    def __init__(self, estimator, *, costs="inverse_frequency"):
        self.estimator = estimator
        self.costs = costs

    def _base_estimator(self):
        return self.estimator

    def fit(self, X, y, sample_weight=None, **params):
        """Fit the classifier and resolve the costs by label.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, in the classifier where it takes any and in the class
            frequencies.
        **params : dict
            Passed on to the `fit` of the classifier, by metadata routing where it is enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            Before any training: for one class, costs that don't fit the classes, or negative
            weights; after it where the classifier knows classes that y lacks.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, **params))

    def _fit_coroutine(self, X, y, sample_weight=None, **params):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        y = check_labels(y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, y, ensure_non_negative=True)
        classes, targets = np.unique(y, return_inverse=True)
        counts = np.bincount(targets, sample_weight)
        present = classes[counts > 0].tolist()
        if len(present) < 2:
            raise ValueError(
                f"y has {len(present)} class with a positive sample_weight, {present}; costs need "
                "two or more classes"
            )
        cost_matrix = self._resolve_costs(classes, counts)
        routed = self._route(sample_weight, params)
        fitted = yield from Fit(clone(self.estimator), X, y, routed.estimator.fit).coroutine()
        check_no_strangers(fitted, classes)
        known = np.isin(classes, fitted.classes_)  # not those whose samples weigh nothing
        self.estimator_ = fitted
        self.classes_ = classes[known]
        self.cost_matrix_ = cost_matrix[np.ix_(known, known)]
        self._copy_input_names()
        return self

    def _resolve_costs(self, classes, counts):
        if isinstance(self.costs, str):
            if self.costs != "inverse_frequency":
                raise ValueError(
                    f"unknown costs {self.costs!r}; use 'inverse_frequency', a dict label -> cost, "
                    "one cost a class or a matrix"
                )
            return inverse_frequency_cost_matrix(counts)
        if isinstance(self.costs, Mapping):
            unknown_labels = [label for label in self.costs if label not in classes.tolist()]
            if unknown_labels:
                raise ValueError(
                    f"costs has costs for {unknown_labels}, which are no classes of y; the classes "
                    f"are {classes.tolist()}"
                )
            costs = np.array([self.costs.get(label, 1.0) for label in classes.tolist()])
        else:
            costs = np.asarray(self.costs, dtype=np.float64)
        if costs.ndim == 1:
            if len(costs) != len(classes):
                raise ValueError(
                    f"costs has {len(costs)} entries, but there are {len(classes)} classes "
                    f"{classes.tolist()}; give one cost for each, in this order"
                )
            costs = cost_matrix_from_costs(costs)
        return check_cost_matrix(costs, len(classes))

    def get_metadata_routing(self):
        """Route what `fit` is given to the classifier."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )
