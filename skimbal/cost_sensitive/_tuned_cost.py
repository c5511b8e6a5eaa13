"""A classifier whose misclassification costs are found on posteriors that it did not train on."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, check_cv
from sklearn.utils import _safe_indexing, check_random_state, indexable
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import (
    _check_method_params,
    _check_sample_weight,
    check_is_fitted,
)

from skimbal._fitting import Fit, run_fit
from skimbal._utils._random import MAX_SEED, generator_of_seeds, reseeded, seed_unset
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive._base import BaseCostClassifier, check_labels
from skimbal.cost_sensitive._find_costs import SEARCH_CONSTRAINTS, check_search, find_costs
from skimbal.cost_sensitive._posteriors import (
    PosteriorEnsemble,
    is_class_weighted,
    posteriors,
)
from skimbal.exceptions import FewerFoldsWarning
from skimbal.metrics import check_label_scorer, cost_matrix_from_costs
from skimbal.neural_network import MLPClassifier


def _take(values, rows):
    return None if values is None else values[rows]


def _weighted_classes(y, sample_weight):
    """The classes that have a sample of positive weight."""
    return np.unique(y if sample_weight is None else y[sample_weight > 0])


def _fit_on(estimator, X, y, rows, fit_params):
    """The fit of a clone on some rows, with the parameters of these rows."""
    params = _check_method_params(X, fit_params, indices=rows)
    return Fit(clone(estimator), _safe_indexing(X, rows), y[rows], params)


class TunedCostClassifierCV(BaseCostClassifier):
    r"""Find the misclassification costs that make a classifier's decisions score best.

    The costs c, one a class, decide for argmax_j p_j c_j. They are searched on posteriors of
    samples that the classifier did not train on: posteriors of training samples are so sure of
    themselves that costs change nothing. Out-of-fold posteriors of an inner cross-validation are
    the default; the classifier is then fitted again on all samples.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        Cloned and fitted; None is `MLPClassifier`. Those of its `random_state` that are None are
        drawn from `random_state`.
    scoring : str or callable, default="g_mean"
        Name or scikit-learn scorer that takes labels: see `skimbal.metrics.scorer_names`.
    search : {"auto", "exact", "jade", "grid"}, default="auto"
        How costs are searched: see `find_costs`. "auto" is exact for two classes and adaptive
        differential evolution for more.
    cost_space : {"log_ratio", "unit"}, default="log_ratio"
        Where "jade" searches: log cost ratios, or costs in (0, 1] as in the ECS-DBN paper.
    shrinkage : float in [0, 1], default=0.0
        Moves the log costs from the optimum (0) toward the prior's (1), the inverse class
        frequencies. For a classifier trained with `class_weight` the goal is equal costs: the
        weights have said already what the classes are worth.
    cv : int, float, splitter, iterable, "prefit" or "train", default=5
        Where the posteriors come from. An integer is the number of stratified, shuffled folds;
        fewer are used, with a warning, where a class has fewer samples. A float in (0, 1) is the
        fraction held out once. "prefit" takes a fitted `estimator` and searches on all that `fit`
        is given. "train" searches on the posteriors of the training samples themselves, which is
        the protocol of the ECS-DBN paper and rarely changes a decision.
    population_size : int, default=30
        Candidates of a generation of "jade".
    max_generations : int, default=200
        Generations of "jade" at most.
    n_jobs : int, default=None
        Folds fitted in parallel, by joblib.
    refit : bool or "ensemble", default=True
        True fits the classifier again on all samples. "ensemble" keeps the classifiers of the folds
        and averages their posteriors: one fit less, steadier answers, `n_folds_` times the time of
        a prediction; each has a seed of its own. False keeps the classifier of a `cv` with a single
        split.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, of the search and of the estimators that have none of their own.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier; with ``refit="ensemble"`` the one of the averaged posteriors, whose
        members are `estimator_.estimators_`.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    costs_ : ndarray of shape (n_classes,)
        The costs found, with geometric mean 1.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The same as a matrix, whose decisions are `predict`.
    best_score_ : float
        The score of `costs_` on the posteriors searched.
    unregularized_score_ : float
        The best score found there, before shrinkage.
    cv_results_ : dict of ndarray
        Every candidate: "costs" of shape (n_candidates, n_classes), "score" and "generation".
    fold_costs_ : ndarray of shape (n_folds, n_classes)
        The costs that each fold by itself would have chosen, a row of NaN where it lacks a
        class, and no row where there are no folds: their spread is the uncertainty of `costs_`.
    n_folds_ : int
        Number of splits used; 0 for "prefit" and "train".

    References
    ----------
    C. Zhang, K. C. Tan, H. Li and G. S. Hong 2019, A Cost-Sensitive Deep Belief Network for
    Imbalanced Classification, IEEE TNNLS 30(1), doi:10.1109/TNNLS.2018.2832648.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal import TunedCostClassifierCV
    >>> X, y = make_classification(300, weights=[0.95], random_state=0)
    >>> tuned = TunedCostClassifierCV(LogisticRegression(), random_state=0).fit(X, y)
    >>> bool(tuned.costs_[1] > tuned.costs_[0])
    True
    """

    _parameter_constraints: dict = {
        "estimator": [None, HasMethods(["fit", "predict_proba"])],
        "scoring": [str, callable],
        **SEARCH_CONSTRAINTS,
        "cv": [
            "cv_object",
            StrOptions({"prefit", "train"}),
            Interval(Real, 0.0, 1.0, closed="neither"),
        ],
        "n_jobs": [Integral, None],
        "refit": ["boolean", StrOptions({"ensemble"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        scoring="g_mean",
        search="auto",
        cost_space="log_ratio",
        shrinkage=0.0,
        cv=5,
        population_size=30,
        max_generations=200,
        n_jobs=None,
        refit=True,
        random_state=None,
    ):
        self.estimator = estimator
        self.scoring = scoring
        self.search = search
        self.cost_space = cost_space
        self.shrinkage = shrinkage
        self.cv = cv
        self.population_size = population_size
        self.max_generations = max_generations
        self.n_jobs = n_jobs
        self.refit = refit
        self.random_state = random_state

    def _base_estimator(self):
        return MLPClassifier() if self.estimator is None else self.estimator

    def fit(self, X, y, sample_weight=None, **params):
        """Fit the classifier and find its costs.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, in the classifier where it takes any and in the score.
        **params : dict
            Passed on to the `fit` of the classifier and to the splitter: by metadata routing where
            it is enabled, else all to the classifier, each cut to the rows of the fold.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            Before any training: for one class, a class too small for the folds, a scorer that
            needs probabilities, or a search that does not fit the number of classes.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, **params), n_jobs=self.n_jobs)

    def _fit_coroutine(self, X, y, sample_weight=None, **params):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        X, y = indexable(X, check_labels(y))
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, y, ensure_non_negative=True)
        classes = self._check_classes(y, sample_weight)
        estimator = self._base_estimator()
        if hasattr(type(estimator), "check_training_data") and not self._is("prefit"):
            clone(estimator).check_training_data(X, y, sample_weight)
        rng = check_random_state(self.random_state)
        routed = self._route(sample_weight, params)
        fit_params = routed.estimator.fit
        splits = self._make_splits(X, y, sample_weight, rng, routed.splitter.split)
        if not self._is("prefit"):
            estimator = seed_unset(clone(estimator), self._seed(rng))
        fitted, rows, proba = yield from self._collect_posteriors(
            estimator, X, y, splits, fit_params, classes, rng
        )
        self._check_knows(fitted, classes)
        search = partial(self._search_costs, y, classes, sample_weight, self._seed(rng))
        result = search(np.concatenate(rows), np.concatenate(proba))
        folds = [] if splits is None else zip(rows, proba, strict=True)
        self._publish(fitted, classes, result, [search(*fold) for fold in folds])
        return self

    def _is(self, name):
        return isinstance(self.cv, str) and self.cv == name

    def _seed(self, rng):
        return None if self.random_state is None else rng.randint(MAX_SEED)

    def _check_classes(self, y, sample_weight):
        """Check all that depends on the classes alone; return them."""
        classes = _weighted_classes(y, sample_weight)
        if len(classes) < 2:
            raise ValueError(
                f"y has {len(classes)} class with a positive sample_weight, {classes.tolist()}; "
                "costs need two or more classes"
            )
        weightless = np.setdiff1d(y, classes)
        if len(weightless):
            raise ValueError(
                f"the classes {weightless.tolist()} have no sample with a positive sample_weight; "
                "leave their samples out"
            )
        check_label_scorer(self.scoring, classes)
        check_search(self.search, len(classes))
        return classes

    def _check_knows(self, estimator, classes):
        """Check that a fitted classifier has posteriors of exactly the classes of y."""
        if not np.array_equal(estimator.classes_, classes):
            raise ValueError(
                f"the fitted {type(estimator).__name__} knows the classes "
                f"{estimator.classes_.tolist()}, but y has {classes.tolist()}; costs need samples "
                "and posteriors of every class"
            )

    # ------------------------------------------------------------ posteriors

    def _make_splits(self, X, y, sample_weight, rng, split_params):
        """Make the one list of splits that everything uses; None where there are none."""
        if isinstance(self.cv, str):
            return None
        if self.cv is None or isinstance(self.cv, Real):
            splits = self._stratified_splits(y, sample_weight, rng.randint(MAX_SEED))
        else:
            cv = check_cv(self.cv, y, classifier=True)
            splits = list(cv.split(X, y, **split_params))
        if self.refit is not True:
            self._check_kept_classifiers(splits, y, sample_weight)
        held_out = np.concatenate([test for _, test in splits])
        held_out_classes = _weighted_classes(y[held_out], _take(sample_weight, held_out))
        absent = np.setdiff1d(y, held_out_classes)
        if len(absent):
            raise ValueError(
                f"the splits of cv={self.cv!r} hold out no sample of the classes "
                f"{absent.tolist()}, so their costs can't be found; use stratified splits"
            )
        return splits

    def _stratified_splits(self, y, sample_weight, seed):
        """Splits of the samples that have a weight; those of weight 0 are in none."""
        rows = np.arange(len(y)) if sample_weight is None else np.flatnonzero(sample_weight)
        if isinstance(self.cv, Real) and not isinstance(self.cv, Integral):
            cv = StratifiedShuffleSplit(1, test_size=self.cv, random_state=seed)
        else:
            n_folds = self._possible_folds(y[rows], 5 if self.cv is None else self.cv)
            cv = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        return [(rows[train], rows[test]) for train, test in cv.split(rows, y[rows])]

    def _check_kept_classifiers(self, splits, y, sample_weight):
        """Check that the classifiers of the splits can be the final ones."""
        if self.refit is False and len(splits) != 1:
            raise ValueError(
                f"refit=False keeps the classifier that made the posteriors, but cv={self.cv!r} "
                f"makes {len(splits)} of them; use a cv with a single split, refit='ensemble' to "
                "average them or refit=True"
            )
        for train, _ in splits:
            unseen = np.setdiff1d(y, _weighted_classes(y[train], _take(sample_weight, train)))
            if len(unseen):
                raise ValueError(
                    f"refit={self.refit!r} keeps the classifiers of the splits of cv={self.cv!r}, "
                    f"one of which trains on no sample of the classes {unseen.tolist()}; use "
                    "stratified splits or refit=True"
                )

    def _possible_folds(self, y, n_folds):
        """Number of stratified folds that the smallest class allows."""
        classes, counts = np.unique(y, return_counts=True)
        smallest, label = counts.min(), classes.tolist()[counts.argmin()]
        if smallest < 2:
            raise ValueError(
                f"class {label!r} has 1 sample, but cv={n_folds} needs at least 2 of each class "
                f"(and {n_folds} for all folds); merge classes, add samples or use cv='prefit'"
            )
        if smallest < n_folds:
            warn(
                f"class {label!r} has {smallest} samples, but cv={n_folds} needs {n_folds} of "
                f"each class; {smallest} folds are used",
                FewerFoldsWarning,
            )
        return min(n_folds, smallest)

    def _collect_posteriors(self, estimator, X, y, splits, fit_params, classes, rng):
        """Return the final classifier, the rows judged and their posteriors, split by split."""
        everything = np.arange(len(y))
        if self._is("prefit"):
            check_is_fitted(estimator)
            return FrozenEstimator(estimator), [everything], [posteriors(estimator, X, classes)]
        if self._is("train"):
            fitted = yield from Fit(clone(estimator), X, y, fit_params).coroutine()
            return fitted, [everything], [posteriors(fitted, X, classes)]
        members = [estimator] * len(splits)
        if self.refit == "ensemble":  # of one seed, they would all lean the same way
            seeds = generator_of_seeds(estimator, self.random_state, rng)
            members = [reseeded(member, seeds) for member in members]
        fits = [
            _fit_on(member, X, y, train, fit_params)
            for member, (train, _) in zip(members, splits, strict=True)
        ]
        if self.refit is True:
            fits.append(Fit(clone(estimator), X, y, fit_params))
        fitted = yield fits
        tests = [test for _, test in splits]
        proba = [
            posteriors(classifier, _safe_indexing(X, test), classes)
            for classifier, test in zip(fitted, tests, strict=False)
        ]
        return self._final(fitted), tests, proba

    def _final(self, fitted):
        """Return the classifier that answers: the one fitted again, or those of the folds."""
        if self.refit is True or len(fitted) == 1:
            return fitted[-1]
        return PosteriorEnsemble(fitted)

    # ------------------------------------------------------------ costs

    def _search_costs(self, y, classes, sample_weight, seed, rows, proba):
        """Return the costs for the posteriors of some rows; None where these lack a class."""
        if len(_weighted_classes(y[rows], _take(sample_weight, rows))) < len(classes):
            return None
        is_weighted = is_class_weighted(self._base_estimator())
        return find_costs(
            y[rows],
            proba,
            scoring=self.scoring,
            search=self.search,
            cost_space=self.cost_space,
            shrinkage=self.shrinkage,
            population_size=self.population_size,
            max_generations=self.max_generations,
            classes=classes,
            shrinkage_target=np.ones(len(classes)) if is_weighted else None,
            sample_weight=_take(sample_weight, rows),
            random_state=seed,
        )

    def _publish(self, estimator, classes, result, fold_results):
        """Set all fitted attributes, so that a fit that fails changes none."""
        unknown = np.full(len(classes), np.nan)
        fold_costs = [unknown if fold is None else fold.costs for fold in fold_results]
        self.estimator_ = estimator
        self.classes_ = classes
        self.costs_ = result.costs
        self.cost_matrix_ = cost_matrix_from_costs(result.costs)
        self.best_score_ = result.score
        self.unregularized_score_ = result.unregularized_score
        self.cv_results_ = {
            "costs": result.candidates,
            "score": result.scores,
            "generation": result.generations,
        }
        self.n_folds_ = len(fold_results)
        self.fold_costs_ = np.array(fold_costs).reshape(-1, len(classes))
        self._copy_input_names()

    def get_metadata_routing(self):
        """Route what `fit` is given to the classifier and to the splitter."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self._base_estimator(),
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
            .add(
                splitter=self.cv if hasattr(self.cv, "split") else None,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )
