"""What all cost-sensitive classifiers share: a fitted classifier and a decision by costs."""

from abc import ABCMeta, abstractmethod
from dataclasses import replace

from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import Bunch, assert_all_finite, get_tags
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, has_fit_parameter

from skimbal._utils._warnings import warn
from skimbal.metrics import decide


def _estimator_has(method):
    def check(self):
        estimator = getattr(self, "estimator_", None)
        getattr(self._base_estimator() if estimator is None else estimator, method)
        return True

    return check


def check_labels(y):
    """Return labels as a finite 1-d array of classes, or raise a ValueError."""
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    return y


class BaseCostClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator, metaclass=ABCMeta):
    """Base of the classifiers that decide for the class of least expected cost.

    A subclass sets `estimator_`, `cost_matrix_` and `classes_` in `fit`.
    """

    @abstractmethod
    def _base_estimator(self):
        """Return the unfitted classifier that is wrapped."""

    def predict(self, X):
        """Return the class of least expected cost, argmin_j sum_i p_i C_ij (Elkan 2001, eq. 1).

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            What the classifier takes.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        check_is_fitted(self)
        return self.classes_[decide(self.estimator_.predict_proba(X), self.cost_matrix_)]

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Return the posteriors of the classifier; costs don't change them."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the logarithms of the posteriors."""
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Return the decision function of the classifier; costs don't change it."""
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def _route(self, sample_weight, params):
        """What `fit` hands on, as `process_routing` tells it, and without metadata routing too."""
        if _routing_enabled():
            if sample_weight is not None:
                params = {**params, "sample_weight": sample_weight}
            return process_routing(self, "fit", **params)
        fit_params = self._with_weight(params, sample_weight)
        return Bunch(estimator=Bunch(fit=fit_params), splitter=Bunch(split={}))

    def _with_weight(self, params, sample_weight):
        """Add the weights to parameters of the classifier's `fit`, if it takes any."""
        if sample_weight is None:
            return params
        if has_fit_parameter(self._base_estimator(), "sample_weight"):
            return {**params, "sample_weight": sample_weight}
        warn(
            f"{type(self._base_estimator()).__name__} takes no sample_weight; it weighs the "
            "samples in what decides the costs only",
        )
        return params

    def _copy_input_names(self):
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
            elif hasattr(self, name):  # of an earlier fit
                delattr(self, name)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "cost_matrix_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._base_estimator())
        tags.input_tags = inner.input_tags
        if inner.classifier_tags is not None:
            tags.classifier_tags = replace(inner.classifier_tags, multi_label=False)
        return tags
