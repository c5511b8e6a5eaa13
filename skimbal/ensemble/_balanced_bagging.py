"""Bagging of networks on balanced bootstraps, all of them trained as one."""

from numbers import Integral, Real

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from skimbal._fitting import Fit, run_fit
from skimbal._training.early_stopping import FixedPosteriorClassifier
from skimbal._utils._fitted_attributes import undone_on_error
from skimbal._utils._log_odds import log_odds
from skimbal._utils._random import MAX_SEED, generator_of_seeds, reseeded
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive import find_costs
from skimbal.cost_sensitive._base import BaseCostClassifier, check_labels
from skimbal.cost_sensitive._find_costs import SEARCH_CONSTRAINTS
from skimbal.cost_sensitive._posteriors import PosteriorEnsemble, is_class_weighted, posteriors
from skimbal.ensemble._bags import bag_sizes, draw_bag, out_of_bag
from skimbal.ensemble._encoding import ENCODINGS, make_encoder
from skimbal.metrics import check_label_scorer, cost_matrix_from_costs, decide, prior_costs
from skimbal.neural_network import MLPClassifier


def _members_have(method):
    return lambda self: hasattr(self._base_estimator(), method)


def default_network():
    """Return the network of a `BalancedBaggingNetClassifier` whose `estimator` is None.

    Returns
    -------
    MLPClassifier
        Not fitted.

    Examples
    --------
    >>> from skimbal.ensemble import BalancedBaggingNetClassifier, default_network
    >>> ensemble = BalancedBaggingNetClassifier(default_network().set_params(max_epochs=30))
    """
    return MLPClassifier(
        hidden_layer_sizes=(32, 32),
        class_weight="balanced",
        mixup=1.0,
        standardize=False,
        optimizer="adamw",
        learning_rate=0.005,
        weight_decay=0.2,
        max_epochs=60,
    )


class BalancedBaggingNetClassifier(BaseCostClassifier):
    r"""Networks trained on balanced bootstraps, whose posteriors are averaged.

    .. math:: p(y \mid x) = \frac{1}{K} \sum_{k=1}^{K} p_k(y \mid x)

    Each network has its own bag of rows, drawn class by class, its own initial weights and its own
    order of batches. All of them are trained as one computation
    (`skimbal.neural_network.fit_population`), which is what makes an ensemble of networks cost
    about as much as two of them.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        Cloned for each bag, with a seed of its own; a network, or anything else, which is then
        fitted bag by bag. None is an `MLPClassifier` of two layers with balanced class weights,
        mixup and strong weight decay.
    n_estimators : int, default=15
        Number of bags.
    sampling_strategy : float, str, dict, callable or None, default=None
        Rows of each class in a bag, as in imbalanced-learn's under-sampling: "auto" makes all
        classes as large as the smallest, a number is the ratio of the smaller to the larger of two
        classes, a dict has a number of rows for each label. None keeps the size of every class;
        balance is then up to the networks' class weights.
    replacement : bool, default=True
        Whether the rows of a bag are drawn with replacement.
    encoding : {"auto", "standard", "rank", "both"} or None, default="auto"
        How features are presented to the networks: standardised, as Gaussian ranks cut at 3
        deviations, or both side by side; fitted on all samples. "auto" is "standard" for tables
        and None, as they are, for other inputs.
    oob_score : bool, default=False
        Whether to compute `oob_proba_` and `oob_score_` also where no costs are found.
    tune_costs : bool, default=True
        Whether misclassification costs that decide in `predict` are found on the out-of-bag
        posteriors; else the largest posterior decides.
    scoring : str or callable, default="g_mean"
        Of `oob_score_`, and what costs are found for: a name or scikit-learn scorer that takes
        labels.
    shrinkage : float in [0, 1], default=0.5
        Moves the log costs found toward those that the bags and class weights stand for already,
        equal costs where these balance the classes: see `find_costs`.
    warm_start : bool, default=False
        Whether `fit` keeps the networks that there are and adds those that `n_estimators` has
        more.
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
        What the networks' inputs have gone through.
    estimator_ : classifier
        The ensemble with its encoder, deciding for the largest posterior.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The costs that decide.
    costs_ : ndarray of shape (n_classes,)
        The costs found, with geometric mean 1 (`tune_costs`).
    oob_proba_ : ndarray of shape (n_samples, n_classes)
        Mean posteriors of the networks whose bags a sample is not in; NaN where it is in every
        bag (`oob_score` or `tune_costs`).
    oob_score_ : float
        Score of the decisions on `oob_proba_` over the samples that have some.
    n_always_in_bag_ : int
        Samples that are in every bag.
    n_features_in_ : int
        Number of features (2-D inputs).

    See Also
    --------
    skimbal.TunedCostClassifierCV : Finds costs by cross-validation.
    imblearn.ensemble.BalancedBaggingClassifier : The same for any classifier, one by one.

    Notes
    -----
    `sklearn.inspection.permutation_importance` tells the importance of features.

    References
    ----------
    L. Breiman 1996, Bagging Predictors, Machine Learning 24, doi:10.1007/BF00058655.

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
        "sampling_strategy": [None, str, Real, dict, callable],
        "replacement": ["boolean"],
        "encoding": [None, StrOptions({"auto", *ENCODINGS})],
        "oob_score": ["boolean"],
        "tune_costs": ["boolean"],
        "scoring": [str, callable],
        "shrinkage": SEARCH_CONSTRAINTS["shrinkage"],
        "warm_start": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        n_estimators=15,
        sampling_strategy=None,
        replacement=True,
        encoding="auto",
        oob_score=False,
        tune_costs=True,
        scoring="g_mean",
        shrinkage=0.5,
        warm_start=False,
        n_jobs=None,
        random_state=None,
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

    def fit(self, X, y, sample_weight=None):
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

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            Before any training: for one class, bags that ask for more rows of a class than there
            are, out-of-bag posteriors of a class whose samples are in every bag, or fewer networks
            than a warm start has.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight), n_jobs=self.n_jobs)

    def _fit_coroutine(self, X, y, sample_weight=None):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        with undone_on_error(self):
            X, y, sample_weight = self._validate_training_data(X, y, sample_weight)
            for name in OUT_OF_BAG_ATTRIBUTES:
                self.__dict__.pop(name, None)
            rows = self._rows_by_class(y, sample_weight)
            sizes = bag_sizes(y[np.concatenate(list(rows.values()))], self.sampling_strategy)
            if not (self.warm_start and hasattr(self, "estimators_")):
                self._forget(X, list(rows))
            self._check_warm_start(len(y), rows)
            members, bags = self._draw(rows, sizes)
            if sample_weight is not None:
                warn_of_lost_weights(members)
            self.estimators_samples_ = self.estimators_samples_ + bags
            self._check_out_of_bag(y, rows)
            encoded = X if self.encoder_ is None else self.encoder_.transform(X)
            networks = yield [
                _fit_on(member, encoded, y, bag, sample_weight)
                for member, bag in zip(members, bags, strict=True)
            ]
            self._publish([*self.estimators_, *networks])
            if self.oob_score or self.tune_costs:
                self._use_out_of_bag(encoded, y, sample_weight, sizes)
        return self

    def _validate_training_data(self, X, y, sample_weight):
        X, y = validate_data(self, X, y, allow_nd=True, dtype=[np.float64, np.float32])
        if X.ndim > 2:
            del self.n_features_in_
        y = check_labels(y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, y, ensure_non_negative=True)
        return X, y, sample_weight

    def _rows_by_class(self, y, sample_weight):
        """Rows that a bag can have, by label; checks all that depends on the classes alone."""
        used = np.arange(len(y)) if sample_weight is None else np.flatnonzero(sample_weight)
        classes = np.unique(y[used])
        if len(classes) < 2:
            raise ValueError(
                f"y has {len(classes)} class with a positive sample_weight, {classes.tolist()}; a "
                "classifier needs samples of two or more classes"
            )
        check_label_scorer(self.scoring, classes)
        return {label: used[y[used] == label] for label in classes.tolist()}

    def _forget(self, X, classes):
        """Begin a new ensemble, without a network."""
        self.classes_ = np.array(classes)
        rng = check_random_state(self.random_state)
        seeds = generator_of_seeds(self._base_estimator(), self.random_state, rng)
        self._seed = seeds.randint(MAX_SEED)
        self.encoder_ = self._fitted_encoder(X)
        self.estimators_, self.estimators_samples_ = [], []
        self._n_samples = len(X)

    def _fitted_encoder(self, X):
        encoding = self.encoding
        if encoding == "auto":
            encoding = "standard" if X.ndim == 2 else None
        if encoding is None:
            return None
        if X.ndim != 2:
            raise ValueError(
                f"encoding={encoding!r} takes X of shape (n_samples, n_features), got an X of "
                f"shape {X.shape}; use encoding=None"
            )
        return make_encoder(encoding, len(X)).fit(X)

    def _check_warm_start(self, n_samples, classes):
        n_networks = len(self.estimators_)
        if self.n_estimators < n_networks:
            raise ValueError(
                f"warm_start=True and n_estimators={self.n_estimators}, but there are {n_networks} "
                "networks already; ask for more, or use warm_start=False"
            )
        if list(classes) != self.classes_.tolist():
            raise ValueError(
                f"warm_start=True adds networks for the classes {self.classes_.tolist()}, but y "
                f"has {list(classes)}; use warm_start=False"
            )
        if n_samples != self._n_samples:
            raise ValueError(
                f"warm_start=True adds networks for the same samples, but there were "
                f"{self._n_samples} and are {n_samples} now; use warm_start=False"
            )

    def _draw(self, rows, sizes):
        """Make the networks that are still wanting, and draw their bags."""
        spawned = np.random.SeedSequence(self._seed).spawn(self.n_estimators)
        members, bags = [], []
        for seeds in spawned[len(self.estimators_) :]:
            members.append(
                reseeded(self._base_estimator(), np.random.RandomState(seeds.generate_state(1)))
            )
            rng = np.random.default_rng(seeds)
            bags.append(draw_bag(rows, sizes, replacement=self.replacement, rng=rng))
        return members, bags

    def _check_out_of_bag(self, y, rows):
        """Check that some sample of each class is not in every bag, if that matters."""
        if not (self.oob_score or self.tune_costs):
            return
        judged = out_of_bag(self.estimators_samples_, len(y)).any(axis=0)
        with_weight = np.concatenate(list(rows.values()))
        missing = np.setdiff1d(self.classes_, y[with_weight[judged[with_weight]]])
        if len(missing):
            raise ValueError(
                f"all samples of the classes {missing.tolist()} are in every bag, so they have no "
                "out-of-bag posteriors; use replacement=True, a sampling_strategy that leaves some "
                "of them out or more n_estimators, or oob_score=False and tune_costs=False"
            )

    def _publish(self, networks):
        self.estimators_ = networks
        ensemble = PosteriorEnsemble(networks)
        self.estimator_ = (
            ensemble if self.encoder_ is None else make_pipeline(self.encoder_, ensemble)
        )
        self.cost_matrix_ = cost_matrix_from_costs(np.ones(len(self.classes_)))

    # ---------------------------------------------------------------- out of bag

    def _use_out_of_bag(self, encoded, y, sample_weight, sizes):
        """Compute the out-of-bag posteriors, the costs found on them and their score."""
        self.oob_proba_ = self._out_of_bag_posteriors(encoded, len(y))
        judged = ~np.isnan(self.oob_proba_[:, 0])
        self.n_always_in_bag_ = int((~judged).sum())
        if sample_weight is not None:
            judged &= sample_weight > 0
        weight = None if sample_weight is None else sample_weight[judged]
        if self.tune_costs:
            self.costs_ = find_costs(
                y[judged],
                self.oob_proba_[judged],
                scoring=self.scoring,
                shrinkage=self.shrinkage,
                shrinkage_target=self._balancing_costs(sizes),
                classes=self.classes_,
                sample_weight=weight,
                random_state=self._seed,
            ).costs
            self.cost_matrix_ = cost_matrix_from_costs(self.costs_)
        scorer = check_label_scorer(self.scoring, self.classes_)
        answers = FixedPosteriorClassifier(
            self.classes_, self.oob_proba_[judged], self.cost_matrix_
        )
        params = {} if weight is None else {"sample_weight": weight}
        self.oob_score_ = scorer(answers, self.oob_proba_[judged], y[judged], **params)

    def _out_of_bag_posteriors(self, encoded, n_samples):
        total = np.zeros((n_samples, len(self.classes_)))
        is_out = out_of_bag(self.estimators_samples_, n_samples)
        for network, rows in zip(self.estimators_, is_out, strict=True):
            if rows.any():
                total[rows] += posteriors(network, encoded[rows], self.classes_)
        n_networks = is_out.sum(axis=0)[:, None]
        return np.where(n_networks > 0, total / np.maximum(n_networks, 1), np.nan)

    def _balancing_costs(self, sizes):
        """Costs that make up for what imbalance the bags have, unless class weights do already."""
        if is_class_weighted(self._base_estimator()):
            return np.ones(len(sizes))
        return prior_costs(list(sizes.values()))

    # ---------------------------------------------------------------- prediction

    def predict(self, X):
        """Return the class of least expected cost; without `tune_costs`, of the largest posterior.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        proba = self.predict_proba(X)
        return self.classes_[decide(proba, self.cost_matrix_)]

    def predict_proba(self, X):
        """Return the mean of the networks' posteriors, shape (n_samples, n_classes)."""
        X = self._validated(X)
        return self.estimator_.predict_proba(X)

    @available_if(_members_have("predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the logarithms of the posteriors."""
        X = self._validated(X)
        return self.estimator_.predict_log_proba(X)

    @available_if(_members_have("predict_log_proba"))
    def decision_function(self, X):
        """Return the log-odds of ``classes_[1]`` for two classes, log-posteriors for more."""
        return log_odds(self.predict_log_proba(X))

    def _validated(self, X):
        check_is_fitted(self)
        return validate_data(self, X, reset=False, allow_nd=True, dtype=[np.float64, np.float32])

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def warn_of_lost_weights(members):
    """Warn where the networks take no weights."""
    if members and not has_fit_parameter(members[0], "sample_weight"):
        warn(
            f"{type(members[0]).__name__} takes no sample_weight; it weighs the samples in what is "
            "done out of bag only"
        )


OUT_OF_BAG_ATTRIBUTES = ("oob_proba_", "oob_score_", "n_always_in_bag_", "costs_")


def _fit_on(member, encoded, y, bag, sample_weight):
    """The fit of a network on a bag."""
    params = {}
    if sample_weight is not None and has_fit_parameter(member, "sample_weight"):
        params = {"sample_weight": sample_weight[bag]}
    return Fit(member, encoded[bag], y[bag], params)
