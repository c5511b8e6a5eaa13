"""A classifier whose misclassification costs are found on samples that it did not train on."""

import warnings
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, indexable
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, check_is_fitted

from skimbal._fitting import Fit, run_fit
from skimbal._utils._fitted_attributes import copy_attributes, undone_on_error
from skimbal._utils._groups import check_groups
from skimbal._utils._labels import check_label_parameters
from skimbal._utils._metadata import score_request, scoring_on_rows
from skimbal._utils._random import MAX_SEED, generator_of_seeds, reseeded, seed_unset
from skimbal._utils._validation import check_labels, check_weights
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive._base import INPUT_ATTRIBUTES, BaseCostClassifier
from skimbal.cost_sensitive._find_costs import (
    CONSTANT,
    SEARCH_CONSTRAINTS,
    find_costs,
    is_constant,
)
from skimbal.cost_sensitive._posterior_ensemble import PosteriorEnsemble
from skimbal.cost_sensitive._row_scores import scoring_with_metadata
from skimbal.cost_sensitive._splits import (
    in_row_order,
    is_name,
    last_of,
    make_splits,
    take,
    weighted_classes,
)
from skimbal.cost_sensitive._stated_balance import warn_of_balance
from skimbal.cost_sensitive._stream_window import check_classes, empty_window, follow_stream
from skimbal.metrics import cost_matrix_from_costs, get_scorer
from skimbal.neural_network import (
    BaseNetClassifier,
    MLPClassifier,
    check_training_data,
    class_probabilities,
    cross_fit_coroutine,
)


def _follows_streams(tuned):
    """Whether the classifier learns in parts, or is not trained at all."""
    return is_name(tuned.cv, "prefit") or hasattr(tuned._base_estimator(), "partial_fit")


class TunedCostClassifierCV(BaseCostClassifier):
    """Find the misclassification costs that give a classifier's decisions the best score.

    The costs c, one for each class, decide for argmax_j p_j c_j. They are searched on predicted
    probabilities of samples that the classifier did not train on, because the probabilities of
    training samples are so close to 0 and 1 that costs change no decision. The default is an inner
    cross-validation; the classifier is then fitted again on all samples.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        Cloned and fitted; None is `MLPClassifier`. Its seeds that are None are drawn from
        `random_state`.
    scoring : str or callable, default="g_mean"
        Name or scikit-learn scorer that takes labels: see `skimbal.metrics.scorer_names`.
    search : {"auto", "exact", "jade", "grid"}, default="auto"
        How costs are searched: "exact" for two classes, "jade" (adaptive differential evolution)
        or "grid". "auto" is "exact" for two classes, else "jade". See `find_costs`.
    cost_space : {"log_ratio", "unit"}, default="log_ratio"
        Where "jade" searches: log cost ratios, or costs in (0, 1] as in the ECS-DBN paper.
    shrinkage : float in [0, 1], default=0.0
        Moves the log costs from the optimum (0) toward the costs that make up for the imbalance
        (1). These are measured on the held-out probabilities: the inverse class frequencies for a
        calibrated classifier, equal costs for one that balances the classes. See `find_costs`.
    cv : int, float, splitter, iterable, "prefit" or "train", default=5
        Where the probabilities come from. An integer is the number of stratified, shuffled folds;
        fewer are used, with a warning, if a class has fewer samples. A float in (0, 1) is the
        fraction that is held out once. "prefit" takes a fitted `estimator` and searches on all
        samples that `fit` is given. "train" searches on the probabilities of the training samples,
        which is the protocol of the ECS-DBN paper and rarely changes a decision.
    population_size : int, default=30
        Candidates in a generation of "jade".
    max_generations : int, default=200
        Maximum number of generations of "jade".
    n_jobs : int, default=None
        Folds fitted in parallel, by joblib.
    refit : bool or "ensemble", default=True
        True fits the classifier again on all samples. "ensemble" keeps the classifiers of the
        folds, each with a seed of its own, and averages their probabilities: one fit less and
        steadier probabilities, but a prediction takes `n_folds_` times as long. False keeps the
        classifier of a `cv` with a single split.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, of the search and of the estimators that have none of their own.
    window : int, default=500
        Samples of a stream on which `partial_fit` searches the costs: the last ones, as they were
        predicted before the classifier was trained on them. It must hold some samples of the
        rarest class.
    search_every : int, default=1
        New samples after which `partial_fit` searches again, at most once in a call.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier; with ``refit="ensemble"`` a `PosteriorEnsemble`, whose members are
        `estimator_.estimators_`.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    costs_ : ndarray of shape (n_classes,)
        The costs found, with geometric mean 1.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The same costs as a matrix, by which `predict` decides.
    best_score_ : float
        The score of `costs_` on the held-out samples.
    unregularized_score_ : float
        The best score found on them, before shrinkage.
    cv_results_ : dict of ndarray
        Every candidate: "costs" of shape (n_candidates, n_classes), "score" and "generation".
    fold_costs_ : ndarray of shape (n_folds, n_classes)
        The costs that each fold by itself would have chosen. Their spread is the uncertainty of
        `costs_`. The row of a fold without samples of some class is NaN; without folds there are
        no rows.
    n_folds_ : int
        Number of splits used; 0 for "prefit", "train" and `partial_fit`.
    window_counts_ : ndarray of int, shape (n_classes,)
        Samples of each class in the window of `partial_fit`.
    n_features_in_ : int
        Number of features, if the classifier has it.
    feature_names_in_ : ndarray of str
        Names of the features, if the classifier has them.

    References
    ----------
    C. Zhang, K. C. Tan, H. Li and G. S. Hong 2019, A Cost-Sensitive Deep Belief Network for
    Imbalanced Classification, IEEE TNNLS 30(1), doi:10.1109/TNNLS.2018.2832648, algorithm 1.

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
        "window": [Interval(Integral, 2, None, closed="left")],
        "search_every": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        scoring: str | Callable = "g_mean",
        search: str = "auto",
        cost_space: str = "log_ratio",
        shrinkage: float = 0.0,
        cv: Any = 5,
        population_size: int = 30,
        max_generations: int = 200,
        n_jobs: int | None = None,
        refit: bool | str = True,
        random_state: int | np.random.RandomState | None = None,
        window: int = 500,
        search_every: int = 1,
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
        self.window = window
        self.search_every = search_every

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
        """Fit the classifier and find its costs.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the score, and in the classifier if it takes weights.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, such as a patient, a machine or a recording. No split has
            samples of one group on both sides: a number or fraction as `cv` splits groups, and a
            splitter gets the groups. They are passed on to a classifier that takes groups.
        **params : dict
            Passed on to the `fit` of the classifier, cut to the rows of each fold. With metadata
            routing they are routed to the classifier, to the scorer and to the splitter.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            Before any training: for one class, a class too small for the folds, a `cv` that splits
            groups, a scorer that needs probabilities, or a search that does not work for this
            number of classes.
        """
        fit = self._fit_coroutine(X, y, sample_weight, groups, **params)
        return run_fit(fit, n_jobs=self.n_jobs)

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None, **params):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        X, y = indexable(X, check_labels(y))
        sample_weight = check_weights(sample_weight, y)
        check_classes(y, sample_weight, self.scoring, self.search, self.cost_space)
        estimator = self._base_estimator()
        if not is_name(self.cv, "prefit"):
            if isinstance(estimator, BaseNetClassifier):
                check_training_data(clone(estimator), X, y, sample_weight)
            elif hasattr(estimator, "_check_training_data"):  # of recordings
                estimator._check_training_data(X, y, sample_weight)
        groups = check_groups(groups, y)
        return (yield from self._search_coroutine(X, y, sample_weight, groups, params))

    def _fit_checked_coroutine(self, X, y, sample_weight=None, groups=None, **params):
        """As `_fit_coroutine`, for arrays that an outer estimator has validated."""
        self._validate_params()
        check_classes(y, sample_weight, self.scoring, self.search, self.cost_space)
        data = X, y, sample_weight, groups
        return (yield from self._search_coroutine(*data, params, is_checked=True))

    def _search_coroutine(self, X, y, sample_weight, groups, params, *, is_checked=False):
        """Fit on validated data, search the costs and publish them (a generator)."""
        rng = check_random_state(self.random_state)
        if is_name(self.cv, "prefit"):
            groups = None  # nothing is fitted or split
        routed = self._route(sample_weight, groups, params)
        fit_params, split_params = routed.estimator.fit, routed.splitter.split
        classes, splits = np.unique(y), None
        to_score = _check_method_params(X, routed.scorer.score)
        scoring = scoring_with_metadata(self.scoring, to_score, classes, y)
        check_label_parameters(self._base_estimator(), y, is_fold_possible=True)
        if not isinstance(self.cv, str):
            splits = make_splits(
                self.cv, self.refit, X, y, sample_weight, rng, split_params, groups
            )
        fitted, rows, proba = yield from self._held_out_coroutine(
            X, y, splits, fit_params, classes, rng, is_checked=is_checked
        )
        check_knows_all_classes(fitted, classes)
        data = y, classes, sample_weight, scoring
        search = partial(self._search_costs, *data, self._draw_seed(rng))
        if all(map(is_constant, proba)):
            warn(CONSTANT)
        with warnings.catch_warnings():  # of a single fold, or again
            warnings.filterwarnings("ignore", CONSTANT)
            held_out, held_out_proba = in_row_order(rows, proba)  # a score may depend on it
            result = search(held_out, held_out_proba)
            # A fold alone has too few samples to measure the balance.
            search = partial(search, target=result.shrinkage_target)
            parts = [] if splits is None else zip(rows, proba, strict=True)
            folds = [search(*part) for part in parts]
        window = empty_window(classes)
        if not is_name(self.cv, "train"):
            last = last_of(held_out, len(y), self.window)
            window = window.extended(
                y[last],
                held_out_proba[-self.window :],
                take(sample_weight, last),
                self.window,
                _check_method_params(y, to_score, indices=last),
            )
        self._publish(fitted, classes, result, folds, window)
        return self

    @available_if(_follows_streams)
    def partial_fit(
        self,
        X,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        **params,
    ) -> Self:
        """Follow a stream: predict new samples, search the costs again, then learn the samples.

        The predictions are made before the classifier is trained on the samples, so they are held
        out. The costs are those of the last `window` held-out samples. Where these lack a class,
        the costs stay as they are; before any search they are equal.

        After `fit`, the window starts with the last samples that `fit` held out, so give them in
        the order of the stream. The first call without a `fit` has no classifier that could
        predict; its samples are only learned, and may be of one class. With ``cv="prefit"`` the
        classifier is not trained, and only the costs follow the stream.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.
        y : array-like of shape (n_samples,)
            Labels; classes may be missing.
        classes : array-like of shape (n_classes,), default=None
            All labels; needed in the first call, if there was no `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the score, and in the classifier if it takes weights.
        **params : dict
            Passed on to the `partial_fit` of the classifier, such as `class_counts`. With metadata
            routing they are routed to the classifier and to the scorer; the window keeps what the
            scorer gets.

        Returns
        -------
        self : object
            The classifier.

        Raises
        ------
        ValueError
            Before any training: for labels that are no classes of the stream, a window that is
            smaller than the number of classes, a scorer whose metadata is missing, or a fitted
            ensemble, which cannot be trained further.
        """
        self._validate_params()
        X, y = indexable(X, check_labels(y))
        sample_weight = check_weights(sample_weight, y)
        with undone_on_error(self):
            follow_stream(self, X, y, classes, sample_weight, params)
        return self

    def _draw_seed(self, rng):
        return None if self.random_state is None else rng.randint(MAX_SEED)

    def _held_out_coroutine(self, X, y, splits, fit_params, classes, rng, *, is_checked):
        """Return the final classifier, and for each split its rows and probabilities."""
        estimator, rows = self._base_estimator(), [slice(None)]
        if is_name(self.cv, "prefit"):
            check_is_fitted(estimator)
            return FrozenEstimator(estimator), rows, [class_probabilities(estimator, X, classes)]
        estimator = seed_unset(clone(estimator), self._draw_seed(rng))
        if splits is None:  # cv="train"
            if self.shrinkage > 0:
                parameter = f"shrinkage={self.shrinkage} with cv='train'"
                warn_of_balance(estimator, classes, parameter)
            fitted = yield from Fit(
                clone(estimator), X, y, fit_params, is_checked, True
            ).coroutine()
            proba = [class_probabilities(fitted, X, classes)]
        else:
            members, refit = [estimator] * len(splits), estimator if self.refit is True else None
            if self.refit == "ensemble":  # with one seed, all would make the same errors
                seeds = generator_of_seeds(estimator, self.random_state, rng)
                members = [reseeded(member, seeds) for member in members]
            proba, classifiers = yield from cross_fit_coroutine(
                members, X, y, splits, fit_params, classes, refit=refit, is_checked=is_checked
            )
            rows = [test for _, test in splits]
            is_one = refit is not None or len(classifiers) == 1
            fitted = classifiers[-1] if is_one else PosteriorEnsemble(classifiers)
        return fitted, rows, proba

    def _search_costs(self, y, classes, sample_weight, scoring, seed, rows, proba, target=None):
        """Return the costs for some rows; None if these have no samples of some class."""
        if len(weighted_classes(y[rows], take(sample_weight, rows))) < len(classes):
            return None
        return find_costs(
            y[rows],
            proba,
            scoring=scoring_on_rows(scoring, y, rows),
            **{name: getattr(self, name) for name in SEARCH_CONSTRAINTS},
            classes=classes,
            shrinkage_target=target,
            sample_weight=take(sample_weight, rows),
            random_state=seed,
        )

    def _publish(self, estimator, classes, result, fold_results, window):
        """Set all fitted attributes at the end, so that a fit that fails changes none."""
        unknown = np.full(len(classes), np.nan)
        fold_costs = [unknown if fold is None else fold.costs for fold in fold_results]
        self.estimator_ = estimator
        self.classes_ = classes
        self.costs_ = result.costs
        self.cost_matrix_ = cost_matrix_from_costs(result.costs)
        self.best_score_ = result.score
        self.unregularized_score_ = result.unregularized_score
        scores = {"score": result.scores, "generation": result.generations}
        self.cv_results_ = {"costs": result.candidates, **scores}
        self.n_folds_ = len(fold_results)
        self.fold_costs_ = np.array(fold_costs).reshape(-1, len(classes))
        self._window = window
        self.window_counts_ = window.counts(classes)
        copy_attributes(estimator, self, INPUT_ATTRIBUTES)

    def get_metadata_routing(self):
        """Route metadata of `fit` and `partial_fit` to classifier, scorer and splitter."""
        router = MetadataRouter(owner=self).add_self_request(self)
        to_fit, to_split = (MethodMapping().add(caller="fit", callee=c) for c in ("fit", "split"))
        to_fit.add(caller="partial_fit", callee="partial_fit")
        router.add(estimator=self._base_estimator(), method_mapping=to_fit)
        to_score = MethodMapping().add(caller="fit", callee="score")
        to_score.add(caller="partial_fit", callee="score")
        router.add(scorer=score_request(get_scorer(self.scoring)), method_mapping=to_score)
        splitter = self.cv if hasattr(self.cv, "split") else None
        return router.add(splitter=splitter, method_mapping=to_split)


def check_knows_all_classes(estimator, classes):
    """Raise a ValueError where a fitted classifier does not know exactly the classes of y."""
    if not np.array_equal(estimator.classes_, classes):
        raise ValueError(
            f"the fitted {type(estimator).__name__} knows the classes "
            f"{estimator.classes_.tolist()}, but y has {classes.tolist()}; give samples of the "
            "classes that the classifier knows"
        )
