"""A soft vote of classifiers of several kinds, with costs found on held-out probabilities."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.utils import Bunch, _safe_indexing, check_random_state, get_tags, indexable
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from skimbal._fitting import run_fit
from skimbal._utils._fitted_attributes import forget_attributes, undone_on_error
from skimbal._utils._groups import check_groups, groups_params
from skimbal._utils._labels import check_label_parameters
from skimbal._utils._log_odds import log_odds
from skimbal._utils._random import MAX_SEED, seed_unset
from skimbal._utils._validation import (
    check_labels,
    check_two_classes,
    check_weights,
    in_safe_unit,
    takes_sample_weight,
)
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive import find_costs, make_splits, measured_costs
from skimbal.ensemble._balanced_bagging import BalancedBaggingNetClassifier
from skimbal.ensemble._held_out import held_out_attribute, held_out_coroutine
from skimbal.ensemble._inputs import COLUMN_ATTRIBUTES
from skimbal.ensemble._weighted_elm import WeightedELMClassifier
from skimbal.metrics import check_label_scorer, cost_matrix_from_costs, decide, score_labels
from skimbal.neural_network import class_probabilities

KERNEL = "kernel"
WITHOUT_WEIGHTS = "it weights the samples only in the vote's costs"


def default_voters() -> list[tuple[str, BaseEstimator]]:
    """Return the members of a `VotingCostClassifier` whose `estimators` is None.

    Returns
    -------
    list of (str, classifier)
        "networks", "kernel" and "trees", not fitted.

    Examples
    --------
    >>> from skimbal.ensemble import default_voters
    >>> [name for name, _ in default_voters()]
    ['networks', 'kernel', 'trees']
    """
    trees = ExtraTreesClassifier(200, min_samples_leaf=2, bootstrap=True, oob_score=True)
    return [
        ("networks", BalancedBaggingNetClassifier()),
        (KERNEL, WeightedELMClassifier()),
        ("trees", trees),
    ]


def weighted_by_costs(proba, costs):
    """Probabilities p_c times costs a_c, with rows that add up to 1.

    >>> weighted_by_costs(np.array([[0.9, 0.1]]), np.array([1.0, 9.0])).tolist()
    [[0.5, 0.5]]
    """
    weighted = proba * costs
    return weighted / weighted.sum(axis=1, keepdims=True)


def vote(probas, balances, weights, prior):
    """Mean of probabilities that are balanced first, for the class frequencies `prior`.

    Parameters
    ----------
    probas : list of ndarray of shape (n_samples, n_classes)
        The probabilities of each member.
    balances : ndarray of shape (n_members, n_classes)
        Costs that balance them.
    weights : ndarray of shape (n_members,)
    prior : ndarray of shape (n_classes,)

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    pairs = zip(probas, balances, strict=True)
    balanced = [weighted_by_costs(proba, costs) for proba, costs in pairs]
    return weighted_by_costs(np.average(balanced, axis=0, weights=weights), prior)


class VotingCostClassifier(MetaEstimatorMixin, ClassifierMixin, _BaseComposition):
    r"""Soft vote of classifiers of several kinds, which decides by costs found on held-out samples.

    The probabilities of each member k are first corrected to equal class frequencies by its own
    costs :math:`a_k`, then averaged, and the mean is corrected to the class frequencies
    :math:`\pi` of the data:

    .. math::

        p(c \mid x) \propto \pi_c \sum_k w_k
            \frac{a_{kc} \, p_k(c \mid x)}{\sum_j a_{kj} \, p_k(j \mid x)} .

    So members that were trained on balanced classes and members that were not can vote together.
    The :math:`a_k`, and the costs by which `predict` decides, are found on probabilities of samples
    that a member did not train on. Networks in bags give out-of-bag ones, extreme learning machines
    leave-one-out ones and forests with ``oob_score=True`` out-of-bag ones, so they are fitted once;
    other classifiers are fitted on folds as well.

    Parameters
    ----------
    estimators : list of (str, classifier with `predict_proba`), default=None
        The members and their names. They are cloned; seeds that are None are drawn from
        `random_state`. None is `default_voters`: a `BalancedBaggingNetClassifier`, a
        `WeightedELMClassifier` and 200 extremely randomized trees.
    weights : array-like of shape (n_estimators,), default=None
        Weights >= 0 of the members; None is equal ones.
    cv : int, float, splitter or iterable, default=5
        The folds for members that keep no held-out probabilities, as for `TunedCostClassifierCV`.
        Samples that no fold holds out are left out of the search for costs.
    scoring : str or callable, default="g_mean"
        The score `held_out_score_`, for which the costs are found: a name or scikit-learn scorer
        that takes labels.
    shrinkage : float in [0, 1], default=0.5
        Moves the log costs from the optimum (0) toward the costs that make up for the imbalance
        (1), measured on the held-out probabilities. See `find_costs`.
    max_kernel_rows : int >= 0, default=2000
        With ``estimators=None`` the extreme learning machine is left out, with a warning, above
        this number of samples: its memory grows with their square, its time with the third power.
        0 leaves it out without a warning.
    n_jobs : int, default=None
        Processes, by joblib, for the networks and for what is fitted on folds. Results don't depend
        on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, of the members and of the cost search.

    Attributes
    ----------
    estimators_ : list of fitted classifiers
        The members, without those that were left out.
    named_estimators_ : Bunch
        The same by name.
    weights_ : ndarray of shape (n_estimators,)
        The weights of the members, which add up to 1.
    left_out_ : dict of str to str
        Default members that were left out, and why.
    held_out_by_ : dict of str to str
        Where the held-out probabilities of each member come from: "out of bag", "leave-one-out" or
        a number of folds.
    balance_ : ndarray of shape (n_estimators, n_classes)
        The costs :math:`a_k` of the members, each with geometric mean 1. Those of a member with
        balanced classes are about 1.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    prior_ : ndarray of shape (n_classes,)
        The class frequencies of the samples in `fit`.
    held_out_proba_ : ndarray of shape (n_samples, n_classes)
        The vote on the members' held-out probabilities. A row is NaN if a member has none for the
        sample, or if the sample has the weight 0.
    held_out_score_ : float
        Score of the decisions on `held_out_proba_`, without the rows of NaN.
    costs_ : ndarray of shape (n_classes,)
        The costs found, with geometric mean 1.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The costs by which `predict` decides.
    n_features_in_ : int
        Number of features (2-D inputs).
    feature_names_in_ : ndarray of str
        Names of the features, if X is a frame with names.

    See Also
    --------
    sklearn.ensemble.VotingClassifier : Averages probabilities as they come.
    sklearn.ensemble.StackingClassifier : Trains a classifier on out-of-fold probabilities.
    TunedCostClassifierCV : Finds the costs of one classifier.

    Notes
    -----
    Put what encodes a frame in front, ``make_pipeline(encoder, VotingCostClassifier())``: a member
    that is a pipeline is fitted on the folds as well.

    `skimbal.persistence.load` needs ``trusted=["sklearn.tree._tree.Tree"]`` for trees.

    References
    ----------
    J. Kittler, M. Hatef, R. P. W. Duin and J. Matas 1998, On Combining Classifiers, IEEE TPAMI
    20(3), doi:10.1109/34.667881, section 2.2 (sum rule).

    M. Saerens, P. Latinne and C. Decaestecker 2002, Adjusting the Outputs of a Classifier to New a
    Priori Probabilities, Neural Computation 14(1), doi:10.1162/089976602753284446, equation 2.4.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal.ensemble import VotingCostClassifier
    >>> X, y = make_classification(300, weights=[0.95], random_state=0)
    >>> classifier = VotingCostClassifier(random_state=0).fit(X, y)
    >>> classifier.held_out_by_
    {'networks': 'out of bag', 'kernel': 'leave-one-out', 'trees': 'out of bag'}
    >>> bool(classifier.held_out_score_ > 0.5)
    True
    """

    __metadata_request__fit = {"groups": True}

    # As the parameter of the networks: what `stated_balance` looks for.
    probabilities = "data"

    _parameter_constraints: dict = {
        "estimators": [None, list],
        "weights": [None, "array-like"],
        "cv": ["cv_object", Interval(Real, 0.0, 1.0, closed="neither")],
        "scoring": [str, callable],
        "shrinkage": [Interval(Real, 0, 1, closed="both")],
        "max_kernel_rows": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimators: list | None = None,
        *,
        weights: ArrayLike | None = None,
        cv: Any = 5,
        scoring: str | Callable = "g_mean",
        shrinkage: float = 0.5,
        max_kernel_rows: int = 2000,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.estimators = estimators
        self.weights = weights
        self.cv = cv
        self.scoring = scoring
        self.shrinkage = shrinkage
        self.max_kernel_rows = max_kernel_rows
        self.n_jobs = n_jobs
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict:
        """Return the parameters, with those of the members as ``name__parameter``."""
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters; a member is replaced by its name."""
        return self._set_params("estimators", **params)

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit the members and find the costs.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs, as the members take them.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the costs, in the class frequencies, and in the members that
            take weights. 0 is the same as no sample.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, such as a patient, a machine or a recording. Held-out
            probabilities are those of members that have seen no sample of the group. Forests of
            scikit-learn draw single samples; they are fitted on folds of groups.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            Before any training: for invalid parameters or members, one class, a class that is too
            small for the folds, or a scorer that needs probabilities. Later: for what a member
            refuses, and for a class without held-out probabilities.

        Warns
        -----
        UserWarning
            If a default member is left out.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups), n_jobs=self.n_jobs)

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        if self.estimators is not None:
            check_members(self.estimators, self.get_params(deep=False))
        with undone_on_error(self):
            X, y, weight, groups, used = self._validate_training_data(X, y, sample_weight, groups)
            classes = np.unique(y)
            check_two_classes(classes.tolist())
            check_label_scorer(self.scoring, classes, is_weighted=weight is not None)
            rng = check_random_state(self.random_state)
            members, left_out = self._members(X, rng)
            weights = member_weights(self.weights, [name for name, _ in members])
            for _, member in members:
                check_label_parameters(member, y, is_fold_possible=True)
            splits = []
            if any(held_out_attribute(member, groups) is None for _, member in members):
                by_group = {} if groups is None else {"groups": groups}
                splits = make_splits(self.cv, True, X, y, weight, rng, by_group, groups)
            results = yield [
                held_out_coroutine(
                    member, X, y, groups, splits, fit_params(member, weight, groups), classes
                )
                for _, member in members
            ]
            seed = rng.randint(MAX_SEED)
            self._publish([name for name, _ in members], results, classes, weights, left_out)
            self._judge([held_out for _, held_out, _ in results], y, weight, used, seed)
        return self

    def _validate_training_data(self, X, y, sample_weight, groups):
        """Return the samples that have a weight, and which these are."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        (X,) = indexable(X)
        y = check_labels(y)
        check_consistent_length(X, y)
        validate_data(self, X, reset=True, skip_check_array=True)
        if len(getattr(X, "shape", (0, 0))) != 2:
            forget_attributes(self, COLUMN_ATTRIBUTES)
        weight, groups = check_weights(sample_weight, y), check_groups(groups, y)
        used = np.ones(len(y), dtype=bool) if weight is None else weight > 0
        if used.all():
            return X, y, weight, groups, used
        rows = np.flatnonzero(used)
        groups = None if groups is None else np.unique(groups[rows], return_inverse=True)[1]
        return _safe_indexing(X, rows), y[rows], weight[rows], groups, used

    def _members(self, X, rng):
        """Return the names and unfitted clones of the members, and who is left out and why."""
        if self.estimators is None:
            given, left_out = usable_voters(X, self.max_kernel_rows)
        else:
            given, left_out = self.estimators, {}
        seed = None if self.random_state is None else rng
        return [(name, seed_unset(clone(member), seed)) for name, member in given], left_out

    def _publish(self, names, results, classes, weights, left_out):
        self.estimators_ = [fitted for fitted, _, _ in results]
        self.named_estimators_ = Bunch(**dict(zip(names, self.estimators_, strict=True)))
        self.held_out_by_ = {n: source for n, (_, _, source) in zip(names, results, strict=True)}
        self.classes_, self.weights_, self.left_out_ = classes, weights, left_out

    def _judge(self, held_out, y, weight, used, seed):
        """Measure the balance of the members, and find costs of the vote, on held-out rows."""
        targets = np.searchsorted(self.classes_, y)
        known = ~np.isnan(held_out).any(axis=(0, 2))
        unknown = np.setdiff1d(self.classes_, self.classes_[targets[known]])
        if len(unknown):
            raise ValueError(
                f"the classes {unknown.tolist()} have no sample with held-out probabilities of all "
                "members, so their costs cannot be found; use more bags or trees, or more samples"
            )
        own = None if weight is None else weight[known]
        counts = np.bincount(targets, in_safe_unit(weight), len(self.classes_))
        self.prior_ = counts / counts.sum()
        self.balance_ = np.array([measured_costs(targets[known], p[known], own) for p in held_out])
        proba = vote([p[known] for p in held_out], self.balance_, self.weights_, self.prior_)
        self.costs_ = find_costs(
            y[known],
            proba,
            scoring=self.scoring,
            shrinkage=self.shrinkage,
            classes=self.classes_,
            sample_weight=own,
            random_state=seed,
        ).costs
        self.cost_matrix_ = cost_matrix_from_costs(self.costs_)
        self.held_out_proba_ = np.full((len(used), len(self.classes_)), np.nan)
        self.held_out_proba_[np.flatnonzero(used)[known]] = proba
        decided = self.classes_[decide(proba, self.cost_matrix_)]
        self.held_out_score_ = score_labels(self.scoring, self.classes_, y[known], decided, own)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of the vote, for the class frequencies of the training samples.

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
        probas = [class_probabilities(member, X, self.classes_) for member in self.estimators_]
        return vote(probas, self.balance_, self.weights_, self.prior_)

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the log-odds of ``classes_[1]`` for two classes, log-probabilities for more."""
        return log_odds(self.predict_log_proba(X))

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the label with the lowest expected cost.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        proba = self.predict_proba(X)
        return self.classes_[decide(proba, self.cost_matrix_)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        members = default_voters() if self.estimators is None else self.estimators
        can_leave_out = self.estimators is None
        inner = [
            get_tags(member).input_tags
            for name, member in members
            if not (can_leave_out and name == KERNEL)
        ]
        for name in ("sparse", "allow_nan", "string", "categorical"):
            setattr(tags.input_tags, name, all(getattr(each, name) for each in inner))
        return tags


def usable_voters(X, max_kernel_rows):
    """Return the default members that can take the inputs, and who is left out and why."""
    shape = np.shape(X)
    if len(shape) != 2:
        raise ValueError(
            f"X has shape {shape}, but the default members take tables of shape (n_samples, "
            "n_features); give estimators=[(name, classifier), ...] that take these inputs"
        )
    members = default_voters()
    if issparse(X):
        reason = "it takes dense tables, and X is sparse"
    elif shape[0] > max_kernel_rows:
        reason = f"X has {shape[0]} rows, more than max_kernel_rows={max_kernel_rows}"
    else:
        return members, {}
    if max_kernel_rows > 0:
        warn(f"the member {KERNEL!r} is left out: {reason}; max_kernel_rows=0 leaves it out always")
    return [member for member in members if member[0] != KERNEL], {KERNEL: reason}


def check_members(estimators, parameters):
    """Raise a ValueError for members that cannot be ones."""
    pairs = [isinstance(pair, tuple) and len(pair) == 2 for pair in estimators]
    if not estimators or not all(pairs):
        raise ValueError(
            f"estimators={estimators!r} must be a list of one or more pairs (name, classifier)"
        )
    names = [name for name, _ in estimators]
    wrong = [n for n in names if not isinstance(n, str) or "__" in n or n in parameters]
    if wrong or len(set(names)) < len(names):
        raise ValueError(
            f"the names {names} of the estimators must differ from each other and from the "
            "parameters, and be texts without '__'"
        )
    for name, member in estimators:
        if isinstance(member, type) or not all(
            hasattr(member, method) for method in ("fit", "predict_proba", "get_params")
        ):
            raise ValueError(
                f"the member {name!r} is {member!r}; give an unfitted classifier with predict_proba"
            )


def member_weights(weights, names):
    """Return weights that add up to 1, or raise a ValueError."""
    if weights is None:
        return np.full(len(names), 1.0 / len(names))
    weights = np.asarray(weights, dtype=np.float64)
    is_valid = weights.shape == (len(names),) and np.isfinite(weights).all()
    if not is_valid or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"weights={weights.tolist()} must be {len(names)} numbers >= 0, one for each of the "
            f"members {names}, and not all 0"
        )
    return weights / weights.max() / (weights / weights.max()).sum()


def fit_params(member, weight, groups):
    """Return what the `fit` of a member gets beside the samples."""
    params = groups_params(member, groups)
    if weight is not None and takes_sample_weight(member, WITHOUT_WEIGHTS):
        params["sample_weight"] = weight
    return params
