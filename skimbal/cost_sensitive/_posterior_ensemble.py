"""Fitted classifiers as one, which averages their predicted probabilities."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

from skimbal._utils._labels import proba_by_class
from skimbal._utils._log_odds import log_odds


def _members_have(*methods):
    return available_if(
        lambda ensemble: all(hasattr(ensemble.estimators_[0], method) for method in methods)
    )


class PosteriorEnsemble(ClassifierMixin, BaseEstimator):
    r"""Average the predicted probabilities of fitted classifiers of the same classes.

    .. math:: p(y \mid x) = \frac{1}{K} \sum_{k=1}^{K} p_k(y \mid x)

    Parameters
    ----------
    estimators : list of fitted classifiers
        The members.

    References
    ----------
    J. Kittler, M. Hatef, R. P. W. Duin and J. Matas 1998, On Combining Classifiers, IEEE TPAMI
    20(3), doi:10.1109/34.667881, section 2.2 (sum rule).

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skimbal.cost_sensitive import PosteriorEnsemble
    >>> members = [GaussianNB().fit([[0.0], [x]], [0, 1]) for x in (1.0, 2.0)]
    >>> PosteriorEnsemble(members).predict([[0.1], [1.9]])
    array([0, 1])
    """

    def __init__(self, estimators: list):
        self.estimators = estimators

    def fit(self, X, y) -> Self:
        """Do nothing: the members are fitted."""
        return self

    def __sklearn_is_fitted__(self):
        return True

    @property
    def estimators_(self):
        """The members."""
        return self.estimators

    def _predicted(self, method, X):
        """What each member predicts, in the order of `classes_`."""
        return [
            proba_by_class(getattr(member, method)(X), member.classes_, self.classes_)
            for member in self.estimators_
        ]

    @property
    def classes_(self):
        """The labels."""
        return self.estimators_[0].classes_

    @property
    def n_features_in_(self):
        """Number of features, if the members have it."""
        return self.estimators_[0].n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features, if the members have them."""
        return self.estimators_[0].feature_names_in_

    def predict_proba(self, X) -> NDArray:
        """Return the mean probabilities of the members, shape (n_samples, n_classes)."""
        return np.mean(self._predicted("predict_proba", X), axis=0)

    @_members_have("predict_log_proba")
    def predict_log_proba(self, X) -> NDArray:
        """Return the logarithms of the mean probabilities."""
        logs = self._predicted("predict_log_proba", X)
        return np.logaddexp.reduce(logs, axis=0) - np.log(len(logs))

    @_members_have("decision_function", "predict_log_proba")
    def decision_function(self, X) -> NDArray:
        """Return the log-odds of ``classes_[1]`` for two classes, log-probabilities for more."""
        return log_odds(self.predict_log_proba(X))

    def predict(self, X) -> NDArray:
        """Return the label with the largest mean probability."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @_members_have("transform")
    def transform(self, X) -> NDArray:
        """Return the activations of the members side by side."""
        return np.hstack([member.transform(X) for member in self.estimators_])

    @property
    def _n_features_out(self):
        return sum(member._n_features_out for member in self.estimators_)
