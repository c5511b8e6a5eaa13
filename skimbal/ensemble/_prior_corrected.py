"""Probabilities of balanced classifiers, corrected to the class frequencies of the data."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from skimbal._fitting import Fit, last_step_fit, run_fit
from skimbal._utils._fitted_attributes import copy_attributes
from skimbal._utils._groups import check_groups
from skimbal._utils._labels import vector_by_label
from skimbal._utils._log_odds import log_odds
from skimbal._utils._validation import (
    check_known_classes,
    check_labels,
    check_two_classes,
    check_weights,
    in_safe_unit,
)
from skimbal.cost_sensitive import BaseCostClassifier, training_prior, unknown_balance
from skimbal.ensemble._eco import ECOEnsembleClassifier
from skimbal.metrics import correct_prior, cost_matrix_from_costs

INPUT_ATTRIBUTES = ("n_features_in_", "feature_names_in_")
PRIOR = [StrOptions({"auto"}), dict, "array-like"]


class PriorCorrectedClassifier(BaseCostClassifier):
    r"""Give the probabilities of a balanced classifier for the class frequencies of the data.

    A classifier that was trained on resampled or weighted classes estimates the posteriors for the
    class frequencies of its training. The correction multiplies them by the ratios of the two
    frequencies:

    .. math:: p'_c(x) \propto p_c(x) \, \pi^\text{data}_c / \pi^\text{training}_c .

    The ranking of samples by the odds of two classes stays as it is. `predict` decides on the
    corrected probabilities: by the costs of the network, if it has any, else for the most probable
    class, which is seldom a rare one. `FixedCostClassifier` and `TunedCostClassifierCV` around this
    classifier decide by costs.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        Cloned and fitted: a pipeline of imbalanced-learn, a network with class weights, a sampler
        or a balancing loss, or a classifier with class weights.
    training_prior : "auto", dict, Series or array-like of shape (n_classes,), default="auto"
        Class frequencies that the classifier is trained on, as shares or counts, by label or in the
        order of `classes_`. With "auto" they are the counts of the labels that the samplers of a
        pipeline return, times the class weights or the shares of a mini-batch sampler.
    data_prior : "auto", dict, Series or array-like of shape (n_classes,), default="auto"
        Class frequencies that the probabilities are for. "auto" are those of the labels in `fit`.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    training_prior_, data_prior_ : ndarray of shape (n_classes,)
        The class frequencies, which add up to 1.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The costs by which `predict` decides: those of the network, else equal costs.
    n_features_in_ : int
        Number of features, if the classifier has it.
    feature_names_in_ : ndarray of str
        Names of the features, if the classifier has them.

    Raises
    ------
    ValueError
        In `fit`, for frequencies that are not positive or don't fit the classes, and where "auto"
        can't derive those of the training: for losses that estimate no posteriors (such as the
        Dice loss) next to class weights, ensembles of balanced bags, and frozen classifiers.

    See Also
    --------
    skimbal.metrics.correct_prior : The correction of an array of probabilities.
    sklearn.calibration.CalibratedClassifierCV : Learns a correction from held-out samples.

    References
    ----------
    M. Saerens, P. Latinne and C. Decaestecker 2002, Adjusting the Outputs of a Classifier to New a
    Priori Probabilities, Neural Computation 14(1), doi:10.1162/089976602753284446, equation 2.4.
    C. Elkan 2001, The Foundations of Cost-Sensitive Learning, IJCAI, theorem 2.

    Examples
    --------
    >>> from imblearn.over_sampling import RandomOverSampler
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal.ensemble import PriorCorrectedClassifier
    >>> X, y = make_classification(500, n_clusters_per_class=1, weights=[0.9], random_state=0)
    >>> pipeline = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    >>> corrected = PriorCorrectedClassifier(pipeline).fit(X, y)
    >>> corrected.training_prior_
    array([0.5, 0.5])
    >>> means = [c.predict_proba(X)[:, 1].mean() for c in (corrected.estimator_, corrected)]
    >>> [round(float(mean), 2) for mean in (y.mean(), *means)]
    [0.1, 0.22, 0.09]
    """

    # As the parameter of the networks: what `stated_balance` looks for.
    probabilities = "data"

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "training_prior": PRIOR,
        "data_prior": PRIOR,
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        training_prior: Any = "auto",
        data_prior: Any = "auto",
    ):
        self.estimator = estimator
        self.training_prior = training_prior
        self.data_prior = data_prior

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
        """Fit the classifier and find the class frequencies of its training.

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
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups, **params))

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None, **params):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        y = check_labels(y)
        sample_weight = check_weights(sample_weight, y)
        classes = np.unique(y)
        counts = weighted_counts(y, sample_weight, classes)
        check_two_classes(classes[counts > 0].tolist())
        given = [given_prior(getattr(self, name), classes, name) for name in PRIORS]
        if given[0] is None:
            check_derivable(self.estimator, classes)
        routed = self._route(sample_weight, check_groups(groups, y), params)
        fit = Fit(clone(self.estimator), X, y, routed.estimator.fit)
        fitted, last = yield from fit_in_parts(fit)
        check_known_classes(fitted, classes)
        if given[0] is None:
            given[0] = derived_prior(last, classes)
        known = np.isin(classes, fitted.classes_)  # without those whose samples all have weight 0
        given[1] = counts if given[1] is None else given[1]
        shares = [as_shares(prior[known], classes[known]) for prior in given]
        self.estimator_ = fitted
        self.classes_ = classes[known]
        self.training_prior_, self.data_prior_ = shares
        costs = getattr(last.estimator, "cost_matrix_", None)
        equal = cost_matrix_from_costs(np.ones(len(self.classes_)))
        self.cost_matrix_ = equal if costs is None else costs
        copy_attributes(fitted, self, INPUT_ATTRIBUTES)
        return self

    def predict_proba(self, X) -> NDArray:
        """Return the probabilities for the class frequencies of the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        proba = super().predict_proba(X)
        return correct_prior(proba, self.training_prior_, self.data_prior_)

    def predict_log_proba(self, X) -> NDArray:
        """Return the logarithms of the probabilities for the class frequencies of the data."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X) -> NDArray:
        """Return the log-odds of two classes, or the log-probabilities of more."""
        return log_odds(self.predict_log_proba(X))

    def get_metadata_routing(self):
        """Route what `fit` is given to the classifier."""
        router = MetadataRouter(owner=self).add_self_request(self)
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        return router.add(estimator=self.estimator, method_mapping=to_fit)


PRIORS = ("training_prior", "data_prior")


def given_prior(given: str | Mapping | ArrayLike, classes, name):
    """Class frequencies in the order of the classes, None for "auto", or a ValueError."""
    if isinstance(given, str):
        return None
    prior = np.asarray(vector_by_label(given, classes, name, None), dtype=np.float64)
    if prior.shape != classes.shape or not (np.isfinite(prior).all() and (prior > 0).all()):
        raise ValueError(
            f"{name} is {prior.tolist()}, but there are the classes {classes.tolist()}; give one "
            "positive, finite frequency or count for each class"
        )
    return prior


def weighted_counts(y, sample_weight, classes):
    """Sample-weighted number of samples of each class; all labels are among the classes."""
    targets = np.searchsorted(classes, y)
    return np.bincount(targets, in_safe_unit(sample_weight), len(classes)).astype(np.float64)


def as_shares(prior, classes):
    """Numbers divided by their sum; a ValueError if one of them is 0."""
    if not prior.all():
        raise ValueError(
            f"the classes {classes[prior == 0].tolist()} have no weight, so their probabilities "
            "can't be corrected; leave their samples out, or give them a weight"
        )
    prior = prior / prior.max()
    return prior / prior.sum()


def last_step(estimator):
    """The last step of a pipeline, or of one that is a step of it."""
    return last_step(estimator.steps[-1][1]) if isinstance(estimator, Pipeline) else estimator


def check_derivable(estimator, classes):
    """Raise a ValueError if the class frequencies of the training can't be derived."""
    last = last_step(estimator)
    reason = unknown_balance(last, classes)
    if isinstance(last, ECOEnsembleClassifier):
        reason = f"{last!r} over-samples each training set in its own way"
    if reason is not None:
        raise ValueError(
            f"the class frequencies that the classifier is trained on can't be derived: {reason}. "
            "Give them, as in training_prior={label: share, ...} or, for classes that are equally "
            "frequent, training_prior=[1] * n_classes. If a search or another classifier is "
            "around a pipeline that resamples, put PriorCorrectedClassifier around the pipeline"
        )


def fit_in_parts(fit):
    """Fit; return the fitted classifier, and the `Fit` of the last step of its pipelines.

    A generator. The fit of the last step has the labels that the samplers have returned.
    """
    if not isinstance(fit.estimator, Pipeline):
        fitted = yield from fit.coroutine()
        return fitted, Fit(fitted, fit.X, fit.y, fit.params)
    inner = last_step_fit(fit.estimator, fit.X, fit.y, fit.params)
    _, last = yield from fit_in_parts(inner)
    return fit.estimator, last


def derived_prior(last, classes):
    """The class frequencies that the last step has seen."""
    check_derivable(last.estimator, classes)
    y = check_labels(last.y)
    sample_weight = check_weights(last.params.get("sample_weight"), y)
    counts = weighted_counts(y, sample_weight, classes)
    return training_prior(last.estimator, classes, counts)
