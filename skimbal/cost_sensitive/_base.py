"""What all cost-sensitive classifiers share: a fitted classifier and a decision by costs."""

from abc import ABCMeta, abstractmethod
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import Bunch, get_tags
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skimbal._utils._groups import groups_params, warn_of_lost_groups
from skimbal._utils._labels import proba_by_class
from skimbal._utils._number_columns import conversion_named
from skimbal._utils._validation import check_probabilities, takes_sample_weight
from skimbal.metrics import decide

INPUT_ATTRIBUTES = ("n_features_in_", "feature_names_in_")


def _estimator_has(method):
    def check(self):
        estimator = getattr(self, "estimator_", None)
        getattr(self._base_estimator() if estimator is None else estimator, method)
        return True

    return check


class BaseCostClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator, metaclass=ABCMeta):
    """Base of the classifiers that decide for the class with the lowest expected cost.

    A subclass sets `estimator_`, `cost_matrix_` and `classes_` in `fit`, and defines
    `_base_estimator`, the unfitted classifier that is wrapped.

    References
    ----------
    C. Elkan 2001, The Foundations of Cost-Sensitive Learning, IJCAI, equation 1.
    """

    __metadata_request__fit = {"groups": True}
    # What sample weights do if the wrapped classifier takes none, for a warning.
    _without_weights = "it weights the samples only in what decides the costs"

    @abstractmethod
    def _base_estimator(self):
        """Return the unfitted classifier that is wrapped."""

    def _validate_inputs(self, X):
        """Return the inputs as the fitted classifier takes them."""
        return X

    def predict(self, X) -> NDArray:
        """Return the class with the lowest expected cost.

        This is argmin_j sum_i p_i C_ij (Elkan 2001, eq. 1).

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        ValueError
            If the probabilities of the classifier are not finite.
        """
        proba = self.predict_proba(X)
        source = getattr(self, "estimator_", self)  # an ensemble has several
        check_probabilities(np.asarray(proba), source, len(self.classes_))
        return self.classes_[decide(proba, self.cost_matrix_)]

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X) -> NDArray:
        """Return the predicted probabilities; costs don't change them.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        check_is_fitted(self)
        with conversion_named(self.estimator_, X):
            proba = self.estimator_.predict_proba(self._validate_inputs(X))
        return proba_by_class(proba, self.estimator_.classes_, self.classes_)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X) -> NDArray:
        """Return the logarithms of the predicted probabilities."""
        check_is_fitted(self)
        with conversion_named(self.estimator_, X):
            proba = self.estimator_.predict_log_proba(self._validate_inputs(X))
        return proba_by_class(proba, self.estimator_.classes_, self.classes_)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X) -> NDArray:
        """Return the decision function of the classifier; costs don't change it."""
        check_is_fitted(self)
        with conversion_named(self.estimator_, X):
            return self.estimator_.decision_function(self._validate_inputs(X))

    def _route(self, sample_weight, groups, params, method="fit"):
        """Return what `fit` or `partial_fit` passes on, as `process_routing` structures it."""
        if _routing_enabled():
            own = {"sample_weight": sample_weight, "groups": groups}
            own = {name: value for name, value in own.items() if value is not None}
            if groups is not None:
                warn_of_lost_groups(self._base_estimator(), len(groups))
            return process_routing(self, method, **params, **own)
        if sample_weight is not None and takes_sample_weight(
            self._base_estimator(), self._without_weights
        ):
            params = {**params, "sample_weight": sample_weight}
        params = {**params, **groups_params(self._base_estimator(), groups)}
        split = {} if groups is None else {"groups": groups}
        scorer = Bunch(score={})
        to_estimator = Bunch(**{method: params})
        return Bunch(estimator=to_estimator, splitter=Bunch(split=split), scorer=scorer)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "cost_matrix_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._base_estimator())
        tags.input_tags = inner.input_tags
        if inner.classifier_tags is not None:
            tags.classifier_tags = replace(inner.classifier_tags, multi_label=False)
        return tags
