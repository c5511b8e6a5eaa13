"""Posteriors of fitted classifiers: in one order of the classes, and averaged over several."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if

from skimbal._utils._log_odds import log_odds


def check_no_strangers(estimator, classes):
    """Raise where a fitted estimator knows classes that are not among `classes`."""
    unknown_labels = np.setdiff1d(estimator.classes_, classes)
    if len(unknown_labels):
        raise ValueError(
            f"the fitted estimator knows the classes {unknown_labels.tolist()}, but y has none of "
            "them; costs need samples of every class"
        )


def posteriors(estimator, X, classes):
    """Posteriors in the order of `classes`; 0 for a class that the estimator has not seen."""
    check_no_strangers(estimator, classes)
    seen = estimator.predict_proba(X)
    proba = np.zeros((len(seen), len(classes)))
    proba[:, np.searchsorted(classes, estimator.classes_)] = seen
    return proba


def is_class_weighted(estimator):
    """Whether a classifier, or the last step of a pipeline, is to be trained with class weights."""
    if isinstance(estimator, Pipeline):
        return is_class_weighted(estimator[-1])
    return getattr(estimator, "class_weight", None) is not None


def _members_have(*methods):
    return available_if(
        lambda ensemble: all(hasattr(ensemble.estimators_[0], method) for method in methods)
    )


class PosteriorEnsemble(ClassifierMixin, BaseEstimator):
    """Fitted classifiers of the same classes, p(x) = sum_k p_k(x) / n_estimators.

    Parameters
    ----------
    estimators : list of fitted classifiers
        The members.
    """

    def __init__(self, estimators):
        self.estimators = estimators

    def fit(self, X, y):
        """Do nothing: the members are fitted."""
        return self

    def __sklearn_is_fitted__(self):
        return True

    @property
    def estimators_(self):
        """The members."""
        return self.estimators

    @property
    def classes_(self):
        """The labels."""
        return self.estimators_[0].classes_

    @property
    def n_features_in_(self):
        """Number of inputs, where the members tell it."""
        return self.estimators_[0].n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the inputs, where the members tell them."""
        return self.estimators_[0].feature_names_in_

    def predict_proba(self, X):
        """Return the mean of the members' posteriors, shape (n_samples, n_classes)."""
        return np.mean([member.predict_proba(X) for member in self.estimators_], axis=0)

    @_members_have("predict_log_proba")
    def predict_log_proba(self, X):
        """Return the logarithms of the posteriors."""
        logs = [member.predict_log_proba(X) for member in self.estimators_]
        return np.logaddexp.reduce(logs, axis=0) - np.log(len(logs))

    @_members_have("decision_function", "predict_log_proba")
    def decision_function(self, X):
        """Return the log-odds of ``classes_[1]`` for two classes, log-posteriors for more."""
        return log_odds(self.predict_log_proba(X))

    def predict(self, X):
        """Return the label of the largest posterior."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @_members_have("transform")
    def transform(self, X):
        """Return the members' activations side by side."""
        return np.hstack([member.transform(X) for member in self.estimators_])

    @property
    def _n_features_out(self):
        return sum(member._n_features_out for member in self.estimators_)
