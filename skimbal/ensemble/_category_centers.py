"""Category centers: the nearest class center in the feature space of a network (Zhang et al. 2018).

The last layer of a network learns how frequent the classes are; the mean of the features of a class
does not depend on that.
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from skimbal._fitting import Fit, run_fit
from skimbal._utils._fitted_attributes import copy_attributes
from skimbal._utils._groups import check_groups
from skimbal._utils._log_odds import log_odds
from skimbal._utils._validation import (
    check_labels,
    check_two_classes,
    check_weights,
    in_safe_unit,
)
from skimbal.cost_sensitive import BaseCostClassifier
from skimbal.metrics import cost_matrix_from_costs
from skimbal.neural_network import MLPClassifier

INPUT_ATTRIBUTES = ("n_features_in_", "feature_names_in_")
# The smallest variance, as a share of the mean squared distance of the centers by feature.
MIN_VARIANCE = 1e-12


def class_centers(features, targets, sample_weight=None):
    """Return the weighted mean of the features of each class, sum_i s_i f_i / sum_i s_i.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features)
    targets : ndarray of int of shape (n_samples,)
        Classes, 0, 1 and so on, each with a positive sum of weights.
    sample_weight : ndarray of shape (n_samples,), default=None

    Returns
    -------
    ndarray of shape (n_classes, n_features)

    Examples
    --------
    >>> class_centers(np.array([[0.0], [3.0], [5.0]]), np.array([0, 0, 1]), np.array([2, 1, 1]))
    array([[1.],
           [5.]])
    """
    weight = np.ones(len(targets)) if sample_weight is None else np.asarray(sample_weight, float)
    membership = np.zeros((targets.max() + 1, len(targets)))
    membership[targets, np.arange(len(targets))] = weight
    return membership @ features / membership.sum(axis=1, keepdims=True)


def within_class_variance(features, targets, centers, sample_weight=None):
    """Return the pooled variance of a feature, sum_i s_i |f_i - c_{y_i}|^2 / (d sum_i s_i).

    It is one number for all classes and all d features. Where all features of every class are
    equal, it is a tiny share of the mean squared distance of the centers instead of 0.

    >>> features, targets = np.array([[0.0], [2.0], [9.0]]), np.array([0, 0, 1])
    >>> within_class_variance(features, targets, np.array([[1.0], [9.0]])).round(3)
    np.float64(0.667)
    """
    squares = ((features - centers[targets]) ** 2).mean(axis=1)
    between = ((centers - centers.mean(axis=0)) ** 2).mean()
    least = max(MIN_VARIANCE * between, np.finfo(np.float64).tiny)
    return max(np.average(squares, weights=sample_weight), least)


def center_log_proba(features, centers, variance):
    """Return the log-softmax of -|f - c|^2 / (2 variance), shape (n_samples, n_classes).

    These are the posteriors of Gaussian classes of one spherical variance and equal frequency.

    >>> center_log_proba(np.array([[1.0]]), np.array([[0.0], [2.0]]), 1.0).round(3)
    array([[-0.693, -0.693]])
    """
    # Class by class: an array of all differences would have n_samples * n_classes * n_features.
    squares = np.stack([((features - center) ** 2).sum(axis=1) for center in centers], axis=1)
    return log_softmax(-squares / (2.0 * variance), axis=1)


class CategoryCentersClassifier(BaseCostClassifier):
    r"""Predict the class whose center is nearest in the feature space of a network.

    The center of a class is the mean of the features of its training samples,
    :math:`c_k = \sum_{i: y_i = k} s_i f(x_i) / \sum_{i: y_i = k} s_i`, with the sample weights s.
    The features f are the network's `transform`, the inputs of its last layer. The network is
    trained first; the centers replace its last layer. They are not larger for frequent classes, so
    the decision does not favor them.

    The predicted probabilities are

    .. math:: p(k \mid x) \propto \exp\left(-\frac{\|f(x) - c_k\|^2}{2 \sigma^2}\right)

    with the pooled variance within the classes, :math:`\sigma^2`, one number for all features.

    Parameters
    ----------
    estimator : classifier with `transform`, default=None
        Cloned and fitted: a network, or a pipeline that ends in one. Wrap a fitted one in
        `sklearn.frozen.FrozenEstimator`. None is an `MLPClassifier`.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier, whose `transform` gives the features.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    centers_ : ndarray of shape (n_classes, n_units)
        The class centers.
    variance_ : float
        The pooled variance of a feature within the classes.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        Equal costs: `predict` takes the largest probability, which is the nearest center.
    n_features_in_ : int
        Number of features of X, if the classifier has it.
    feature_names_in_ : ndarray of str
        Names of the features of X, if the classifier has them.

    Raises
    ------
    ValueError
        In `fit`, before any training, for invalid labels, weights or groups or for a single class.

    See Also
    --------
    sklearn.neighbors.NearestCentroid : The same on the inputs.
    skimbal.FixedCostClassifier : Keeps the last layer and moves its decision.

    Notes
    -----
    The article decides by the distance to the centers. The probabilities are an addition of this
    package: they treat the classes as equally frequent, and the features as independent. Features
    of a network are correlated, so the probabilities are too close to 0 and 1; calibrate them, or
    use them as a ranking. The network may be trained with any loss, class weights or sampler.

    References
    ----------
    Y. Zhang, L. Shuai, Y. Ren and H. Chen 2018, Image classification with category centers in class
    imbalance situation, 33rd Youth Academic Annual Conference of Chinese Association of Automation
    (YAC); summarized in J. M. Johnson and T. M. Khoshgoftaar 2019, Survey on deep learning with
    class imbalance, Journal of Big Data 6:27, doi:10.1186/s40537-019-0192-5, table 17.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import MLPClassifier
    >>> from skimbal.ensemble import CategoryCentersClassifier
    >>> X, y = make_classification(300, weights=[0.95], random_state=0)
    >>> network = MLPClassifier(max_epochs=20, random_state=0)
    >>> classifier = CategoryCentersClassifier(network).fit(X, y)
    >>> classifier.centers_.shape == (2, classifier.estimator_.transform(X).shape[1])
    True
    """

    _parameter_constraints: dict = {
        "estimator": [None, HasMethods(["fit", "predict", "transform"])],
    }
    _without_weights = "it weights the samples only in the class centers"

    def __init__(self, estimator: BaseEstimator | None = None):
        self.estimator = estimator

    def _base_estimator(self):
        return MLPClassifier() if self.estimator is None else self.estimator

    def fit(
        self,
        X,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **params,
    ) -> Self:
        """Fit the classifier and compute the centers of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the centers and in the variance, and in the classifier if it
            takes weights.
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
            Before any training: for one class, negative weights or groups of another length. After
            it: if the features have another number of rows than X or are not finite.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups, **params))

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None, **params):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        y = check_labels(y)
        weight = in_safe_unit(check_weights(sample_weight, y))
        used = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
        classes, targets = np.unique(y[used], return_inverse=True)
        check_two_classes(classes.tolist())
        routed = self._route(sample_weight, check_groups(groups, y), params)
        fitted = yield from Fit(
            clone(self._base_estimator()), X, y, routed.estimator.fit
        ).coroutine()
        features = check_features(fitted.transform(X), len(y))[used]
        weight = None if weight is None else weight[used]
        self.estimator_ = fitted
        self.classes_ = classes
        self.centers_ = class_centers(features, targets, weight)
        self.variance_ = within_class_variance(features, targets, self.centers_, weight)
        self.cost_matrix_ = cost_matrix_from_costs(np.ones(len(classes)))
        copy_attributes(fitted, self, INPUT_ATTRIBUTES)
        return self

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithms of the predicted probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        return center_log_proba(self.estimator_.transform(X), self.centers_, self.variance_)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the predicted probabilities, largest for the class with the nearest center.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`; each row adds up to 1.
        """
        return np.exp(self.predict_log_proba(X))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the log-odds of ``classes_[1]`` for two classes, log-probabilities for more.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return log_odds(self.predict_log_proba(X))

    def get_metadata_routing(self):
        """Route what `fit` is given to the classifier."""
        router = MetadataRouter(owner=self).add_self_request(self)
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        return router.add(estimator=self._base_estimator(), method_mapping=to_fit)


def check_features(features, n_samples):
    """Return what `transform` gave as finite float64 features, a row a sample, or raise."""
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) != n_samples:
        raise ValueError(
            f"transform of the estimator returned shape {features.shape} for {n_samples} samples; "
            "category centers need one row of features for each sample, (n_samples, n_units)"
        )
    if not np.isfinite(features).all():
        raise ValueError(
            "transform of the estimator returned NaN or infinite features; lower its learning_rate "
            "or check the scale of X"
        )
    return features
