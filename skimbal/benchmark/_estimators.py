"""Estimators that only the methods of the comparison need."""

import warnings
from collections import Counter

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state

from skimbal._fitting import Fit, run_fit
from skimbal.cost_sensitive import FixedCostClassifier


class ResamplingWarning(UserWarning):
    """A sampler used fewer neighbors, or could not resample a fold."""


def allowed_neighbors(parameters, n_smallest, n_samples):
    """Numbers of neighbors that a training set allows, for a sampler's parameters.

    A neighbor within a class needs one more sample of that class; the neighborhood of
    ``m_neighbors`` is taken among all samples.

    Parameters
    ----------
    parameters : dict of str to int
        Values of ``k_neighbors`` or ``n_neighbors`` (within a class) and ``m_neighbors``.
    n_smallest : int
        Samples of the smallest class that is over-sampled.
    n_samples : int
        Samples of all classes.

    Returns
    -------
    dict of str to int
        The same names with values of at least 1.

    Examples
    --------
    >>> allowed_neighbors({"k_neighbors": 5, "m_neighbors": 10}, n_smallest=4, n_samples=50)
    {'k_neighbors': 3, 'm_neighbors': 10}
    """
    available = {"k_neighbors": n_smallest, "n_neighbors": n_smallest, "m_neighbors": n_samples}
    return {name: max(1, min(value, available[name] - 1)) for name, value in parameters.items()}


def channel_summaries(X):
    """Mean, standard deviation, minimum, maximum and mean absolute step of each channel.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_channels, length)

    Returns
    -------
    ndarray of shape (n_samples, 5 * n_channels)

    Examples
    --------
    >>> channel_summaries([[[0.0, 4.0, 2.0, 2.0]]]).tolist()
    [[2.0, 1.4142135623730951, 0.0, 4.0, 2.0]]
    """
    X = np.asarray(X, dtype=np.float64)
    steps = np.abs(np.diff(X, axis=2)).mean(axis=2)
    return np.hstack([X.mean(axis=2), X.std(axis=2), X.min(axis=2), X.max(axis=2), steps])


class FoldSafeSampler(BaseEstimator):
    """An over-sampler that also works on the small folds of a comparison.

    If the smallest over-sampled class has too few samples for the sampler's number of neighbors,
    the sampler uses as many neighbors as there are. If the sampler cannot work at all (ADASYN when
    no sample is to be generated, SVM-SMOTE when every support vector is noise, a class of one
    sample), the data is not changed. Both raise a `ResamplingWarning`.

    Parameters
    ----------
    sampler : imbalanced-learn sampler
        SMOTE or a variant of it; it is cloned.
    """

    def __init__(self, sampler):
        self.sampler = sampler

    def fit_resample(self, X, y):
        """Resample X of shape (n_samples, n_features) and y of shape (n_samples,)."""
        sampler = self._adapted_sampler(y)
        try:
            return sampler.fit_resample(X, y)
        except (ValueError, RuntimeError) as error:
            warnings.warn(
                f"{type(sampler).__name__} did not change the training data: {error}",
                ResamplingWarning,
                stacklevel=2,
            )
            return X, y

    def _adapted_sampler(self, y):
        counts = sorted(Counter(np.asarray(y).tolist()).values())
        given = self.sampler.get_params()
        names = {"k_neighbors", "n_neighbors", "m_neighbors"}.intersection(given)
        parameters = {name: given[name] for name in sorted(names)}
        allowed = allowed_neighbors(parameters, counts[0], sum(counts))
        if allowed != parameters:
            warnings.warn(
                f"{type(self.sampler).__name__} uses {allowed} instead of {parameters}: the "
                f"smallest class of this training set has {counts[0]} samples",
                ResamplingWarning,
                stacklevel=3,
            )
        return clone(self.sampler).set_params(**allowed)


class _Wrapper(ClassifierMixin, BaseEstimator):
    """A classifier that hands predictions on to its fitted `estimator_`.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
        It is cloned.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def predict(self, X):
        """Labels, of shape (n_samples,)."""
        return self.estimator_.predict(X)

    def predict_proba(self, X):
        """Probabilities of the estimator, of shape (n_samples, n_classes)."""
        return self.estimator_.predict_proba(X)


class RandomCostClassifier(_Wrapper):
    """A classifier that decides by one random cost for each class, uniform in (0, 1].

    CSDBN of Zhang et al. (2018), https://doi.org/10.1109/TNNLS.2018.2832648, is this around a deep
    belief network.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
        It is cloned.
    random_state : int, RandomState instance or None, default=None
        Draws the costs.
    """

    def __init__(self, estimator, *, random_state=None):
        super().__init__(estimator)
        self.random_state = random_state

    def fit(self, X, y):
        """Draw the costs and fit the estimator."""
        return run_fit(self._fit_coroutine(X, y))

    def _fit_coroutine(self, X, y):
        self.classes_ = np.unique(y)
        random = check_random_state(self.random_state)
        self.costs_ = 1.0 - random.uniform(size=len(self.classes_))
        estimator = FixedCostClassifier(clone(self.estimator), costs=self.costs_)
        self.estimator_ = yield from Fit(estimator, X, y).coroutine()
        return self


class EncodedLabelsClassifier(_Wrapper):
    """Any labels for a classifier that takes the classes 0, 1 and so on only, such as XGBoost's."""

    def fit(self, X, y):
        """Encode the labels and fit the estimator."""
        self.classes_, targets = np.unique(y, return_inverse=True)
        self.estimator_ = clone(self.estimator).fit(X, targets)
        return self

    def predict(self, X):
        """Labels, of shape (n_samples,)."""
        return self.classes_[super().predict(X)]


class CategoriesAtFitClassifier(_Wrapper):
    """A classifier whose `fit` must be told which columns are categories, as CatBoost's."""

    def fit(self, X, y):
        """Fit the estimator; the columns of the type category of a frame are its categories."""
        is_frame = isinstance(X, pd.DataFrame)
        names = list(X.select_dtypes("category")) if is_frame else None
        self.estimator_ = clone(self.estimator).fit(X, y, cat_features=names)
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X):
        """Labels, of shape (n_samples,)."""
        return np.ravel(super().predict(X))
