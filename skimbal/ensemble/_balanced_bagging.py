"""Bagging of networks on balanced bootstraps, all of them trained as one."""

from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, _num_samples, check_consistent_length

from skimbal._fitting import Fit, run_fit
from skimbal._utils._fitted_attributes import forget_attributes, undone_on_error
from skimbal._utils._groups import (
    check_groups,
    groups_params,
    holds_out,
    takes_groups,
    transformers_that_take_groups,
)
from skimbal._utils._labels import check_label_parameters
from skimbal._utils._log_odds import log_odds
from skimbal._utils._metadata import requests_metadata, score_request, scoring_on_rows
from skimbal._utils._random import MAX_SEED, generator_of_seeds, reseeded
from skimbal._utils._validation import (
    check_known_classes,
    check_labels,
    check_two_classes,
    check_weights,
    takes_sample_weight,
)
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive import (
    BaseCostClassifier,
    PosteriorEnsemble,
    TunedCostClassifierCV,
    find_costs,
    scoring_with_metadata,
)
from skimbal.ensemble._bags import (
    bag_sizes,
    draw_bag,
    draw_group_bag,
    draw_two_units,
    group_strata,
    rows_by_class,
)
from skimbal.ensemble._encoding import ENCODINGS, encoded_for, fit_encoder
from skimbal.ensemble._inputs import check_same, fingerprint_of, validate_inputs
from skimbal.ensemble._out_of_bag import check_out_of_bag, out_of_bag_probabilities
from skimbal.ensemble._stopping import stopping_params, stops_out_of_bag
from skimbal.metrics import (
    check_label_scorer,
    cost_matrix_from_costs,
    decide,
    get_scorer,
    score_labels,
)
from skimbal.neural_network import BaseNetClassifier, MLPClassifier

# Fifteen bags leave 1 sample in 1,000 without out-of-bag probabilities, three bags 1 in 4.
MAX_SHARE_IN_BAG = 0.05
# Smaller tables need mixup and a strong weight decay; the guide to ensembles has the figures.
MIN_ROWS_OF_LARGE_TABLE = 2000
OUT_OF_BAG_ATTRIBUTES = ("oob_proba_", "oob_score_", "n_always_in_bag_", "costs_")


def default_network(n_samples: int | None = None) -> MLPClassifier:
    """Return the network of a `BalancedBaggingNetClassifier` whose `estimator` is None.

    Parameters
    ----------
    n_samples : int, default=None
        Samples of the table that the ensemble is fitted on. From 2,000 on, there is no mixup, and
        the weight decay is 0.01 in place of 0.2: it acts in every step of the optimizer, and a
        larger table has more steps. None is the network of smaller tables, and of inputs that are
        no table.

    Returns
    -------
    MLPClassifier
        Not fitted.

    Examples
    --------
    >>> from skimbal.ensemble import BalancedBaggingNetClassifier, default_network
    >>> ensemble = BalancedBaggingNetClassifier(default_network().set_params(max_epochs=30))
    >>> default_network().weight_decay, default_network(2000).weight_decay
    (0.2, 0.01)
    """
    is_large = n_samples is not None and n_samples >= MIN_ROWS_OF_LARGE_TABLE
    return MLPClassifier(
        hidden_layer_sizes=(32, 32),
        class_weight="balanced",
        mixup=0.0 if is_large else 1.0,
        standardize=False,
        optimizer="adamw",
        learning_rate=0.005,
        weight_decay=0.01 if is_large else 0.2,
        batch_size="auto",
        max_epochs=60,
        early_stopping="auto",
        n_iter_no_change=10,
    )


class BalancedBaggingNetClassifier(BaseCostClassifier):
    r"""Networks trained on balanced bootstraps, whose predicted probabilities are averaged.

    .. math:: p(y \mid x) = \frac{1}{K} \sum_{k=1}^{K} p_k(y \mid x)

    Each network has its own bag of rows, drawn class by class, its own initial weights and its own
    order of batches. All networks are trained as one computation
    (`skimbal.neural_network.fit_population`). Training the ensemble therefore takes about as long
    as training two networks.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        Cloned for each bag, with a seed of its own. Networks are trained together, other
        classifiers bag by bag. None is `default_network`, an `MLPClassifier` with two layers,
        balanced class weights and, on tables of fewer than 2,000 samples, mixup and strong weight
        decay. Networks that stop early do so on the samples out of their bag. If a bag leaves out
        no sample of some class, its network holds out samples of the bag and `fit` warns. Networks
        inside pipelines always hold out samples of their bag.
    n_estimators : int, default=15
        Number of bags.
    sampling_strategy : float, str, dict, Series, callable or None, default=None
        Rows of each class in a bag, as in imbalanced-learn's under-sampling: "auto" makes all
        classes as large as the smallest, a number is the ratio of the smaller to the larger of two
        classes, a dict or a Series has numbers of rows by label. None keeps the size of every
        class; class weights of the networks can then balance the classes.
    replacement : bool, default=True
        Whether the rows of a bag are drawn with replacement.
    encoding : {"auto", "standard", "rank", "both"} or None, default="auto"
        The features that the networks get: standardized, as Gaussian ranks cut at 3 standard
        deviations, or both side by side; fitted on all samples. "auto" is "standard" for dense
        tables; with at least 10,000 samples, a one-hot column (0 in most of them, one other value
        in all the rest) is only divided by that value. For other inputs, also sparse tables, "auto"
        is None (unchanged).
        With None the classifiers get what `fit` is given: frames with texts, sparse matrices and
        missing values, where they take them.
    oob_score : bool, default=False
        Whether to compute `oob_proba_` and `oob_score_` also with ``tune_costs=False``.
    tune_costs : bool, default=True
        Whether to find misclassification costs on the out-of-bag probabilities, by which `predict`
        then decides. Without costs, the largest probability decides.
    scoring : str or callable, default="g_mean"
        The score `oob_score_`, for which the costs are found: a name or scikit-learn scorer that
        takes labels.
    shrinkage : float in [0, 1], default=0.5
        Moves the log costs from the optimum (0) toward the costs that make up for the imbalance
        (1), measured on the out-of-bag probabilities. See `find_costs`.
    warm_start : bool, default=False
        Whether `fit` keeps the networks of the last fit and adds networks up to `n_estimators`. The
        data and the settings of the networks must be those of the last fit.
    n_jobs : int, default=None
        Processes, by joblib; each trains a part of the networks. Results don't depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the bags and of the networks. The first k of n networks are those of an ensemble
        of k.

    Attributes
    ----------
    estimators_ : list of fitted classifiers
        The networks.
    estimators_samples_ : list of ndarray of int
        The rows of each bag.
    encoder_ : transformer or None
        The transformer of the networks' inputs.
    estimator_ : classifier
        The encoder and the networks as one classifier.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The costs by which `predict` decides.
    costs_ : ndarray of shape (n_classes,)
        The costs found, with geometric mean 1 (`tune_costs`).
    oob_proba_ : ndarray of shape (n_samples, n_classes)
        Mean probabilities of the networks whose bags a sample is not in; NaN if it is in every
        bag (`oob_score` or `tune_costs`). Networks that stop early have chosen their epoch on these
        samples.
    oob_score_ : float
        Score of the decisions on `oob_proba_`, without the samples that are in every bag.
    n_always_in_bag_ : int
        Samples that are in every bag.
    n_features_in_ : int
        Number of features (2-D inputs).
    feature_names_in_ : ndarray of str
        Names of the features, if X is a frame with names.

    See Also
    --------
    skimbal.TunedCostClassifierCV : Finds costs by cross-validation.
    imblearn.ensemble.BalancedBaggingClassifier : Bagging of any classifiers, one by one.

    Notes
    -----
    Use `sklearn.inspection.permutation_importance` for the importance of features.

    References
    ----------
    L. Breiman 1996, Bagging Predictors, Machine Learning 24, doi:10.1007/BF00058655, section 2.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import BalancedBaggingNetClassifier
    >>> X, y = make_classification(300, weights=[0.95], random_state=0)
    >>> ensemble = BalancedBaggingNetClassifier(n_estimators=10, random_state=0).fit(X, y)
    >>> len(ensemble.estimators_), ensemble.oob_proba_.shape
    (10, (300, 2))
    >>> bool(ensemble.oob_score_ > 0.5)
    True
    """

    estimators_: list
    estimators_samples_: list
    _parameter_constraints: dict = {
        "estimator": [None, HasMethods(["fit", "predict_proba"])],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "sampling_strategy": [None, str, Real, HasMethods(["items"]), callable],
        "replacement": ["boolean"],
        "encoding": [None, StrOptions({"auto", *ENCODINGS})],
        "oob_score": ["boolean"],
        "tune_costs": ["boolean"],
        "scoring": [str, callable],
        "shrinkage": TunedCostClassifierCV._parameter_constraints["shrinkage"],
        "warm_start": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        n_estimators: int = 15,
        sampling_strategy: Any = None,
        replacement: bool = True,
        encoding: str | None = "auto",
        oob_score: bool = False,
        tune_costs: bool = True,
        scoring: str | Callable = "g_mean",
        shrinkage: float = 0.5,
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.sampling_strategy = sampling_strategy
        self.replacement = replacement
        self.encoding = encoding
        self.oob_score = oob_score
        self.tune_costs = tune_costs
        self.scoring = scoring
        self.shrinkage = shrinkage
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _base_estimator(self):
        return default_network() if self.estimator is None else self.estimator

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Draw the bags and train the networks.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the training of the networks, in `oob_score_` and in the
            search for costs. Samples of weight 0 are in no bag.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, such as a patient, a machine or a recording. Bags are drawn
            by group: a sample is out of a bag if the bag has no sample of its group. Networks and
            other classifiers that take groups get them.
        **params : dict
            Passed on to the `fit` of the classifiers, cut to the rows of each bag. Validation
            inputs (`X_val`) are encoded and not cut. With metadata routing the parameters are
            routed to the classifiers and to the scorer.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            Before any training: for one class, bags with more rows of a class than there are,
            a class whose samples are all in every bag when out-of-bag probabilities are needed, or
            a warm start with fewer networks than the last fit.
        """
        fit = self._fit_coroutine(X, y, sample_weight, groups, **params)
        return run_fit(fit, n_jobs=self.n_jobs)

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None, **given):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        with undone_on_error(self):
            X, y, sample_weight = self._validate_training_data(X, y, sample_weight)
            groups = check_groups(groups, y)
            to_fit, to_score = routed_params(self, X, sample_weight, given)
            targets = np.unique(y, return_inverse=True)[1]  # texts have several types
            data = {"X": X, "y": targets, "sample_weight": sample_weight, "groups": groups} | given
            fingerprint = fingerprint_of(self, self._base_estimator(), **data)
            units = np.arange(len(y)) if groups is None else groups
            rows = rows_by_class(y, sample_weight)
            check_two_classes(list(rows))
            used = y[np.concatenate(list(rows.values()))]
            classes = np.unique(used)
            check_label_parameters(self._base_estimator(), y, is_fold_possible=True)
            scoring = scoring_with_metadata(self.scoring, to_score, classes, y)
            if not requests_metadata(get_scorer(self.scoring)):
                is_weighted = sample_weight is not None
                check_label_scorer(scoring, classes, is_weighted=is_weighted)
            sizes = bag_sizes(used, self.sampling_strategy)
            forget_attributes(self, OUT_OF_BAG_ATTRIBUTES)
            if not (self.warm_start and hasattr(self, "estimators_")):
                self._begin(X, classes, fingerprint)
            self._check_warm_start(len(y), classes, fingerprint)
            network = network_for(self, X)
            members, bags = self._draw(network, y, rows, sizes, groups)
            self.estimators_samples_ = self.estimators_samples_ + bags
            if self.oob_score or self.tune_costs:
                check_out_of_bag(self.estimators_samples_, units, rows)
            encoded = encoded_for(network, self.encoder_, X)
            to_fit = encoded_validation(self, to_fit)
            own: list[dict] = [{}] * len(bags)
            if stops_out_of_bag(members[0] if members else None, encoded, to_fit):
                own = stopping_params(members, bags, units, encoded, y, to_fit)
            if groups is not None or splits_copies(self._base_estimator()):
                to_fit |= groups_params(self._base_estimator(), units)
            networks = yield [
                Fit.on_rows(member, encoded, y, bag, to_fit | own_params)
                for member, bag, own_params in zip(members, bags, own, strict=True)
            ]
            for network in networks:
                check_known_classes(network, self.classes_)
            self._publish([*self.estimators_, *networks])
            if self.oob_score or self.tune_costs:
                is_rounded = self.encoder_ is not None and encoded.itemsize < X.itemsize
                judged = (X, self.encoder_.transform) if is_rounded else (encoded, None)
                self._judge_out_of_bag(judged, y, sample_weight, units, scoring)
        return self

    def _validate_training_data(self, X, y, sample_weight):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        X = validate_inputs(self, X, reset=True)
        y = check_labels(y)
        check_consistent_length(X, y)
        return X, y, check_weights(sample_weight, y)

    def _begin(self, X, classes, fingerprint):
        """Begin a new ensemble, without networks."""
        rng = check_random_state(self.random_state)
        seeds = generator_of_seeds(self._base_estimator(), self.random_state, rng)
        self._seed = seeds.randint(MAX_SEED)
        self._n_samples = _num_samples(X)
        self._fingerprint = fingerprint
        self.classes_ = classes
        self.encoder_ = fit_encoder(self.encoding, X)
        self.estimators_, self.estimators_samples_ = [], []

    def _check_warm_start(self, n_samples, classes, fingerprint):
        n_networks = len(self.estimators_)
        if self.n_estimators < n_networks:
            raise ValueError(
                f"warm_start=True keeps the {n_networks} networks of the last fit, but "
                f"n_estimators={self.n_estimators}; use more n_estimators or warm_start=False"
            )
        if not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start=True adds networks for the classes {self.classes_.tolist()}, but y "
                f"has {classes.tolist()}; use warm_start=False"
            )
        if n_samples != self._n_samples:
            raise ValueError(
                f"warm_start=True adds networks for the {self._n_samples} samples of the last fit, "
                f"but X has {n_samples}; use warm_start=False"
            )
        check_same(fingerprint, self._fingerprint)
        if self.n_estimators == n_networks:
            warn(
                f"warm_start=True adds no networks, because there are n_estimators={n_networks} "
                "already; use more n_estimators"
            )

    def _draw(self, network, y, rows, sizes, groups):
        """Return the new networks, not fitted, and their bags."""
        draw = bag_drawer(y, rows, sizes, groups, self.replacement, network)
        spawned = np.random.SeedSequence(self._seed).spawn(self.n_estimators)
        members, bags = [], []
        for seeds in spawned[len(self.estimators_) :]:
            member_rng = np.random.RandomState(seeds.generate_state(1))
            members.append(reseeded(network, member_rng))
            bag_rng = np.random.default_rng(seeds)
            bags.append(draw(rng=bag_rng))
        return members, bags

    def _publish(self, networks):
        ensemble = PosteriorEnsemble(networks)
        self.estimators_ = networks
        self.estimator_ = (
            ensemble if self.encoder_ is None else make_pipeline(self.encoder_, ensemble)
        )
        self.cost_matrix_ = cost_matrix_from_costs(np.ones(len(self.classes_)))

    def _judge_out_of_bag(self, judged, y, sample_weight, units, scoring):
        """Set the out-of-bag probabilities, the costs found on them and their score."""
        self.oob_proba_ = out_of_bag_probabilities(
            self.estimators_, self.estimators_samples_, units, judged[0], self.classes_, judged[1]
        )
        is_judged = ~np.isnan(self.oob_proba_[:, 0])
        self.n_always_in_bag_ = int((~is_judged).sum())
        if self.n_always_in_bag_ > MAX_SHARE_IN_BAG * len(y):
            warn(
                f"{self.n_always_in_bag_} of {len(y)} samples are in every bag, so they have no "
                "out-of-bag probabilities, and costs and oob_score_ are those of the others; use "
                "more n_estimators"
            )
        if sample_weight is not None:
            is_judged &= sample_weight > 0
        proba, labels = self.oob_proba_[is_judged], y[is_judged]
        weight = None if sample_weight is None else sample_weight[is_judged]
        scoring = scoring_on_rows(scoring, y, np.flatnonzero(is_judged))
        if self.tune_costs:
            self.costs_ = find_costs(
                labels,
                proba,
                scoring=scoring,
                shrinkage=self.shrinkage,
                classes=self.classes_,
                sample_weight=weight,
                random_state=self._seed,
            ).costs
            self.cost_matrix_ = cost_matrix_from_costs(self.costs_)
        decided = self.classes_[decide(proba, self.cost_matrix_)]
        if scoring is not self.scoring:  # with metadata, which may have weights
            weight = None
        self.oob_score_ = score_labels(scoring, self.classes_, labels, decided, weight)

    def _validate_inputs(self, X):
        return validate_inputs(self, X, reset=False)

    def get_metadata_routing(self):
        """Route what `fit` is given to the classifiers and to the scorer."""
        router = MetadataRouter(owner=self).add_self_request(self)
        to_fit, to_score = (MethodMapping().add(caller="fit", callee=c) for c in ("fit", "score"))
        router.add(estimator=self._base_estimator(), method_mapping=to_fit)
        return router.add(scorer=score_request(get_scorer(self.scoring)), method_mapping=to_score)

    @available_if(lambda self: hasattr(self._base_estimator(), "predict_log_proba"))
    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the log-odds of ``classes_[1]`` for two classes, log-probabilities for more.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Log-odds or log-probabilities.
        """
        return log_odds(self.predict_log_proba(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self.encoding is not None:  # the networks get finite numbers
            for name in ("allow_nan", "string", "categorical"):
                setattr(tags.input_tags, name, False)
            tags.input_tags.sparse &= self.encoding == "auto"
        return tags


def network_for(ensemble, X):
    """The classifier of the bags; the default one standardizes a sparse table itself."""
    if ensemble.estimator is not None:
        return ensemble.estimator
    network = default_network(_num_samples(X) if len(getattr(X, "shape", ())) == 2 else None)
    return network.set_params(standardize="auto") if issparse(X) else network


def splits_copies(estimator):
    """Whether a classifier splits its samples and cannot see which of them are copies.

    Networks compare the inputs of their samples themselves. An encoder of targets before them does
    not, and gives the copies of other folds other inputs.
    """
    while isinstance(estimator, Pipeline):
        if transformers_that_take_groups(estimator):
            return True
        estimator = estimator.steps[-1][1]
    return not isinstance(estimator, BaseNetClassifier) and takes_groups(estimator)


def bag_drawer(y, rows, sizes, groups, replacement, estimator):
    """Return the function that draws a bag with the generator `rng`."""
    if groups is None:
        draw = partial(draw_bag, rows, sizes, replacement=replacement)
        needs_two, units = splits_copies(estimator), np.arange(len(y))
    else:
        used = np.concatenate(list(rows.values()))
        strata = group_strata(y[used], groups[used])
        draw = partial(draw_group_bag, rows, sizes, groups, strata, replacement=replacement)
        needs_two, units = takes_groups(estimator) and holds_out(estimator, len(y)), groups
    return partial(draw_two_units, draw, rows, units) if needs_two else draw


def routed_params(ensemble, X, sample_weight, params):
    """Return what `fit` passes on to the classifiers, and to the scorer."""
    own = {} if sample_weight is None else {"sample_weight": sample_weight}
    params = _check_method_params(X, params)
    if _routing_enabled():
        routed = process_routing(ensemble, "fit", **params, **own)
        return dict(routed.estimator.fit), routed.scorer.score
    consequence = "it weights the samples only in what is done out of bag"
    if own and not takes_sample_weight(ensemble._base_estimator(), consequence):
        own = {}
    return params | own, {}


def encoded_validation(ensemble, params):
    """Encode the validation inputs among the parameters of `fit`, as those for training are."""
    if ensemble.encoder_ is None:
        return params
    given = {k: v for k, v in params.items() if k.endswith("X_val") and v is not None}
    try:
        inputs = {k: validate_inputs(ensemble, v, reset=False) for k, v in given.items()}
    except ValueError as error:
        raise ValueError(f"the validation data X_val cannot be used: {error}") from error
    return params | {k: ensemble.encoder_.transform(v) for k, v in inputs.items()}
