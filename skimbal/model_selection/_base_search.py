"""Base of the searches: parameters, `fit`, and the attributes that scikit-learn's searches have."""

import copy
import time
import warnings
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from numbers import Real
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, check_cv
from sklearn.model_selection._search import BaseSearchCV, _search_estimator_has
from sklearn.model_selection._validation import _insert_error_scores
from sklearn.utils import check_random_state, get_tags, indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, _routing_enabled
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_method_params, _num_samples

from skimbal._utils._digest import digest
from skimbal._utils._fitted_attributes import forget_attributes
from skimbal._utils._groups import (
    check_groups,
    group_folds,
    groups_params,
    warn_of_lost_groups,
)
from skimbal._utils._labels import other_labels, part_of_larger_fit
from skimbal._utils._random import MAX_SEED
from skimbal.metrics import check_class_scorer, get_scorer
from skimbal.model_selection._evaluation import Evaluation, configured
from skimbal.model_selection._failures import (
    all_failed,
    raise_if_all_failed,
    raise_if_no_mean,
    warn_of_failures,
)
from skimbal.model_selection._label_parameters import check_labels_of_search, put_label_parameters
from skimbal.model_selection._search_run import SearchRun
from skimbal.model_selection._space import SearchSpace
from skimbal.model_selection._start_points import start_points
from skimbal.model_selection._state import Progress, SearchState, read_state

# Parameters that may change between an interrupted search and the one that continues it.
NOT_FINGERPRINTED = {
    *("n_jobs", "pre_dispatch", "verbose", "callbacks", "refit", "state_file"),
    *("patience", "time_budget_s", "target_score", "max_generations", "n_iter"),
}
# Attributes that not every fit sets.
ATTRIBUTES_OF_REFIT = (
    *("best_estimator_", "refit_time_", "feature_names_in_"),
    *("best_score_", "best_index_", "best_params_"),
)


def whole_group_folds(cv, X, y, groups):
    """Splits of as many folds as `cv` has, stratified where it is, that leave groups whole."""
    groups = check_groups(groups, np.empty(_num_samples(X)))
    if isinstance(cv, StratifiedKFold):
        return group_folds(np.unique(y, return_inverse=True)[1], groups, cv.n_splits)
    return list(GroupKFold(cv.n_splits).split(groups, groups=groups))


def resolve_scoring(scoring):
    """Replace names by skimbal's scorers, which mean what scikit-learn's do, in any form."""
    if isinstance(scoring, list | tuple) and all(isinstance(name, str) for name in scoring):
        by_name = {name: name for name in scoring}
        # scikit-learn refuses names that are listed twice
        return scoring if len(by_name) < len(scoring) else resolve_scoring(by_name)
    if isinstance(scoring, Mapping):
        return {name: resolve_scoring(value) for name, value in scoring.items()}
    return get_scorer(scoring) if isinstance(scoring, str) else scoring


def check_scorers(scoring, scorer, estimator, y):
    """Raise a ValueError for metric functions, and for scorers that can't score the classes of y.

    `scoring` is as the user gave it, `scorer` what was made of it.
    """
    if y is None:  # a scorer of (estimator, X) looks like a metric function
        return
    given = scoring.values() if isinstance(scoring, Mapping) else [scoring]
    for each in given:
        if callable(each):
            get_scorer(each)
    if is_classifier(estimator) and type_of_target(y) in ("binary", "multiclass"):
        classes = np.unique(np.asarray(y))
        for each in getattr(scorer, "_scorers", {"score": scorer}).values():
            if len(classes) > 1:
                check_class_scorer(each, classes)


def ranks_of_training_scores(results):
    """The columns "rank_train_..." of results with training scores, as scikit-optimize has them."""
    ranks = {}
    for name, scores in results.items():
        if name.startswith("mean_train_"):
            order = np.where(np.isnan(scores), -np.inf, scores)
            ranks["rank" + name.removeprefix("mean")] = rankdata(-order, "min").astype(np.int32)
    return ranks


def fingerprint_of(search, spaces, **data):
    """Digests of all that the results of a search depend on, except its budget."""
    own = {k: v for k, v in search.get_params(deep=False).items() if k not in NOT_FINGERPRINTED}
    own["search_spaces"] = [space.description() for space in spaces]
    guide = search.refit if isinstance(search.refit, str) else None
    parts = {"search": type(search).__name__, "guide": guide} | data | own
    return {name: digest(value) for name, value in parts.items()}


def listed_callbacks(callbacks):
    """One callback, several or None as a list; a ValueError for those that can't be called."""
    callbacks = [] if callbacks is None else callbacks
    callbacks = callbacks if isinstance(callbacks, list) else [callbacks]
    for callback in callbacks:
        if not callable(callback):
            raise ValueError(f"callbacks has {callback!r}, which can't be called; give functions")
    return callbacks


def listed_spaces(search_spaces):
    """One search space or several as a list."""
    if isinstance(search_spaces, list) and not search_spaces:
        raise ValueError("search_spaces is an empty list; give a dict, or a list of dicts")
    return search_spaces if isinstance(search_spaces, list) else [search_spaces]


def publish_quietly(search, run, reason):
    """Set the attributes of what was done, without a warning of scores that are not finite."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search._publish(run, reason)


class _BaseSearch(BaseSearchCV):
    """Base of the searches that drive an optimizer by ask and tell.

    A subclass writes `_make_optimizer`, `_ask` and `_budgets`.
    """

    _parameter_constraints: dict = {
        **BaseSearchCV._parameter_constraints,
        "search_spaces": [dict, list],
        "scoring": [str, callable, list, tuple, dict, None],
        "random_state": ["random_state"],
        "x0": [StrOptions({"conventional"}), dict, list, None],
        "patience": [Interval(Real, 1, None, closed="left"), None],
        "time_budget_s": [Interval(Real, 0, None, closed="neither"), None],
        "target_score": [Interval(Real, None, None, closed="neither"), None],
        "callbacks": [callable, list, None],
        "state_file": [str, PathLike, None],
    }

    @abstractmethod
    def _make_optimizer(self, space, rng, initial):
        """Return an optimizer over the unit cube of `space` that begins with the points `initial`.

        `rng` is a numpy Generator, `initial` an array (n_points, n_dims), which may have no rows.
        """

    @abstractmethod
    def _ask(self, optimizer, n_left):
        """Points of the next batch, array (n_points, n_dims); no rows where the space has no more.

        `n_left` is the number of candidates that are left in the budget, at least 1.
        """

    @abstractmethod
    def _budgets(self):
        """Return pairs of a search space, as the user wrote it, and its number of candidates."""

    __metadata_request__fit = {"groups": True}

    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> "_BaseSearch":
        """Search, then fit the estimator with the best parameters on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        **params : dict
            Passed to the `fit` of the estimator, the scorer and the splitter, as in scikit-learn's
            searches. Arrays with one entry for each sample are cut to the rows of the split.
            `groups` goes to the splitter and to an estimator that takes groups. A number of folds
            as `cv` leaves groups whole.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            Before any fit for invalid spaces, start points, callbacks, scores and state files, and
            where every fit or every score fails.
        KeyboardInterrupt
            If the user interrupts. The attributes of what was done are set, and the best candidate
            is not fitted again. The same holds for an error of a callback or of the state file.
        """
        self._validate_params()
        return self._search(X, y, params, listed_callbacks(self.callbacks))

    @available_if(_search_estimator_has("transform"))
    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> NDArray:
        """Fit, and transform the same samples with the best estimator.

        Parameters
        ----------
        X, y, **params
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            What `transform` returns.
        """
        return self.fit(X, y, **params).transform(X)

    def get_metadata_routing(self) -> MetadataRouter:
        """Route what `fit` is given to the estimator, the scorer and the splitter."""
        return super().get_metadata_routing().add_self_request(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = copy.deepcopy(get_tags(self.estimator))
        for name in ("input_tags", "target_tags", "transformer_tags"):
            setattr(tags, name, getattr(inner, name))
        return tags

    def _get_scorers(self):
        """As scikit-learn's, with skimbal's names too."""
        if callable(self.scoring):
            return self.scoring, "score"
        scoring, raise_exc = resolve_scoring(self.scoring), self.error_score == "raise"
        scorer = check_scoring(self.estimator, scoring, raise_exc=raise_exc)
        if not isinstance(scorer, _MultimetricScorer):
            return scorer, "score"
        self._check_refit_for_multimetric(scorer._scorers)
        return scorer, self.refit

    def _search(self, X, y, params, callbacks, after_candidate=()):
        """`fit`, with the callbacks as a list, and callbacks for each candidate."""
        if getattr(self, "_skl_callbacks", None):
            raise ValueError(
                f"{type(self).__name__} does not call what set_callbacks was given; use the "
                "parameter callbacks"
            )
        if y is None and get_tags(self.estimator).target_tags.required:
            name = type(self.estimator).__name__
            raise ValueError(f"{name} requires y to be passed, but the target y is None")
        X, y = indexable(X, y)
        run = self._begin(X, y, params, callbacks, after_candidate)
        try:
            reason = run.run()
        except KeyboardInterrupt:
            if run.state.candidates:
                self._publish(run, "interrupt")
            raise
        except BaseException:  # of a callback, a full disk, a candidate with error_score="raise"
            if run.state.candidates and not all_failed(run.state.candidates):
                publish_quietly(self, run, "error")
            raise
        raise_if_all_failed(run.state.candidates)
        self._publish(run, reason)
        warn_of_failures(run.state.candidates, self.error_score)
        raise_if_no_mean(run.state.candidates, run.losses())
        if self.refit:
            self._fit_best(run)
        return self

    def _begin(self, X, y, params, callbacks, after_candidate):
        """Check everything, and return the run of the search."""

        def call_all(functions, run):
            if functions:
                publish_quietly(self, run, None)
            stops = [function(self) is True for function in functions]  # all are called
            return any(stops)

        scorer, metric = self._get_scorers()
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        if _routing_enabled():
            if params.get("groups") is not None:
                warn_of_lost_groups(self.estimator, len(params["groups"]))
        else:  # scikit-learn's searches keep the groups for the splitter
            routed.estimator.fit.update(groups_params(self.estimator, params.get("groups")))
        state = self._state(X, y, params, routed.splitter.split)
        spaces = [progress.space for progress in state.progresses]
        check_labels_of_search(spaces, state.estimator, scorer, y)
        check_scorers(self.scoring, scorer, self.estimator, y)
        evaluation = Evaluation(
            X,
            y,
            splits=state.splits,
            scorer=scorer,
            metric=metric,
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
            return_train_score=self.return_train_score,
            error_score=self.error_score,
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
        )
        budgets = [n_candidates for _, n_candidates in self._budgets()]
        calls = [partial(call_all, functions) for functions in (callbacks, after_candidate)]
        return SearchRun(self, state, evaluation, self._ask, budgets, *calls)

    def _state(self, X, y, params, split_params):
        """The state to begin with: a new one, or the one in the file."""
        rng = check_random_state(self.random_state)
        seeds = [None if self.random_state is None else rng.randint(MAX_SEED) for _ in range(2)]
        spaces = [SearchSpace.parse(space) for space, _ in self._budgets()]
        estimator = clone(self.estimator)
        progresses = self._progresses(spaces, estimator, y, np.random.default_rng(seeds[0]))
        fingerprint = {}
        if self.state_file is not None:
            fingerprint = fingerprint_of(self, spaces, X=X, y=y, params=params)
            state = read_state(self.state_file, fingerprint)
            if state is not None:
                return state
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        groups = params.get("groups")
        if groups is not None and cv is not self.cv and isinstance(cv, KFold | StratifiedKFold):
            splits = whole_group_folds(cv, X, y, groups)
        else:
            splits = list(cv.split(X, y, **split_params))
        if not splits:
            raise ValueError(f"cv={self.cv!r} makes no split of {_num_samples(X)} samples")
        return SearchState(fingerprint, estimator, seeds[1], splits, progresses)

    def _progresses(self, spaces, estimator, y, rng):
        """An optimizer for each space; the label parameters of all are put into the estimator."""
        for space in spaces:
            put_label_parameters(estimator, space.names, y)
        progresses = []
        for index, (space, own_rng) in enumerate(zip(spaces, rng.spawn(len(spaces)), strict=True)):
            space.check_names(estimator)
            space, initial = start_points(self.x0, space, estimator, y)
            optimizer = self._make_optimizer(space, own_rng, initial)
            progresses.append(Progress(space, optimizer, index))
        return progresses

    def _publish(self, run, reason):
        """Set the attributes of what was done, as scikit-learn's searches have them."""
        forget_attributes(self, ATTRIBUTES_OF_REFIT)
        candidates, metric = run.state.candidates, run.evaluation.metric
        out = [dict(result) for candidate in candidates for result in candidate.results]
        if callable(self.scoring):
            for result in out:
                result["fit_error"] = result["fit_error"] or result["score_error"]
            _insert_error_scores(out, self.error_score)
        first = out[0]["test_scores"]
        self.multimetric_ = isinstance(first, dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(first)
            metric = self.refit
        self.n_splits_ = len(run.state.splits)
        params = [candidate.params for candidate in candidates]
        batches = {"batch": [candidate.batch for candidate in candidates]}
        self.cv_results_ = self._format_results(params, self.n_splits_, out, batches)
        self.cv_results_ |= ranks_of_training_scores(self.cv_results_)
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, metric, self.cv_results_)
            if not callable(self.refit):
                self.best_score_ = self.cv_results_[f"mean_test_{metric}"][self.best_index_]
            self.best_params_ = self.cv_results_["params"][self.best_index_]
        scorer = run.evaluation.scorer
        self.scorer_ = getattr(scorer, "_scorers", scorer)
        self.n_repeated_ = sum(progress.n_repeated for progress in run.state.progresses)
        self.stopping_reason_ = reason

    def _fit_best(self, run):
        evaluation = run.evaluation
        best = configured(run.state.estimator, self.best_params_, run.state.seed)
        data = [given for given in (evaluation.X, evaluation.y) if given is not None]
        start = time.perf_counter()
        with part_of_larger_fit(other_labels(best, evaluation.y)):  # of which was said something
            best.fit(*data, **evaluation.fit_params)
        self.refit_time_ = time.perf_counter() - start
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_
