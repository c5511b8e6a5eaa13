"""What searches share: the loop of asking, evaluating and telling, and scikit-learn's results."""

import copy
import pickle
import time
import warnings
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import closing
from numbers import Real
from os import PathLike
from pathlib import Path

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV, _search_estimator_has
from sklearn.model_selection._validation import _insert_error_scores
from sklearn.utils import check_random_state, get_tags, indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, _num_samples
from tqdm import tqdm

from skimbal._utils._random import MAX_SEED, seed_unset
from skimbal._utils._validation import unknown_name_message
from skimbal._utils._warnings import warn
from skimbal.metrics import get_scorer
from skimbal.model_selection._class_weights import (
    conventional_entries,
    with_entries_as_parameters,
)
from skimbal.model_selection._evaluation import Evaluation, loss_of
from skimbal.model_selection._space import SearchSpace
from skimbal.model_selection._state import (
    Progress,
    SearchState,
    digests,
    read_state,
    write_state,
)

# After so many candidates of which every fit failed, it is the estimator that is wrong.
MAX_FAILURES = 10
# So many batches without a new candidate mean that the optimiser stays with old ones.
MAX_REPEATED_BATCHES = 100


def own_scorer(scoring):
    """skimbal's scorer where scikit-learn does not have one of that name; others as they are."""
    is_own = isinstance(scoring, str) and scoring not in get_scorer_names()
    return get_scorer(scoring) if is_own else scoring


def resolve_scoring(scoring):
    """Put skimbal's scorers in the place of their names, in any form of `scoring`."""
    if isinstance(scoring, Mapping):
        return {name: own_scorer(value) for name, value in scoring.items()}
    if isinstance(scoring, list | tuple):
        if not all(isinstance(name, str) for name in scoring):
            return scoring  # scikit-learn says what is wrong with it
        own = {name: own_scorer(name) for name in scoring}
        return scoring if len(own) < len(scoring) else own
    return own_scorer(scoring)


class _BaseSearch(BaseSearchCV):
    """Base of the searches that drive an optimiser by ask and tell.

    A subclass writes `_make_optimizer` and `_batch_size`, and names in `_budget_parameters` what
    may change between an interrupted search and the one that goes on from its state.
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
    _budget_parameters: tuple = ()
    _no_part_of_the_search = (
        "n_jobs", "pre_dispatch", "verbose", "callbacks", "refit", "state_file", "patience",
        "time_budget_s", "target_score",
    )  # fmt: skip

    @abstractmethod
    def _make_optimizer(self, space, rng, initial):
        """Return an optimiser over the unit cube of `space` that begins with the points `initial`.

        `rng` is a numpy Generator, `initial` an array (n_points, n_dims), which may have no rows.
        """

    @abstractmethod
    def _batch_size(self, progress):
        """Number of candidates to propose next; 0 when the budget of this space is spent."""

    def _ask(self, optimizer, n_points):
        """Points of the unit cube, array (<= n_points, n_dims); none when there are no more."""
        return optimizer.ask(n_points)

    def fit(self, X, y=None, **params):
        """Search, then fit the estimator with the best parameters on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        **params : dict
            Passed on to the `fit` of the estimator, the scorer and the splitter, as in
            scikit-learn's searches: arrays of as many entries as there are samples are cut to the
            rows of the split, and `groups` goes to the splitter.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            Before any fit for spaces, start points, callbacks and state files that don't fit, and
            where every fit fails.
        KeyboardInterrupt
            When the user interrupts: the attributes of what was done are set then, and nothing is
            fitted again.
        """
        self._validate_params()
        self._check_callbacks()
        if y is None and get_tags(self.estimator).target_tags.required:
            raise ValueError(
                f"{type(self.estimator).__name__} requires y to be passed, but the target y is None"
            )
        X, y = indexable(X, y)
        scorers, refit_metric = self._get_scorers()
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        state = self._begin(X, y, params, routed.splitter.split)
        evaluation = Evaluation(
            X, y, state.splits, scorers, refit_metric, routed.estimator.fit, routed.scorer.score,
            self.return_train_score, self.error_score, self.n_jobs, self.pre_dispatch,
        )  # fmt: skip
        self._forget()
        try:
            reason = self._search(state, evaluation)
        except KeyboardInterrupt:
            if state.params:
                self._publish(state, scorers, refit_metric, "interrupt")
            raise
        self._check_failures(state)
        self._publish(state, scorers, refit_metric, reason)
        self._warn_about_failures(state)
        if self.refit:
            self._fit_best(state, X, y, routed.estimator.fit)
        return self

    @available_if(_search_estimator_has("transform"))
    def fit_transform(self, X, y=None, **params):
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = copy.deepcopy(get_tags(self.estimator))
        for name in ("input_tags", "target_tags", "transformer_tags"):
            setattr(tags, name, getattr(inner, name))
        return tags

    # ------------------------------------------------------------ before

    def _get_scorers(self):
        """As scikit-learn's, with skimbal's names where scikit-learn has none."""
        resolved = copy.copy(self)
        resolved.scoring = resolve_scoring(self.scoring)
        return BaseSearchCV._get_scorers(resolved)

    def _check_callbacks(self):
        if getattr(self, "_skl_callbacks", None):
            raise ValueError(
                f"{type(self).__name__} does not call what set_callbacks was given; use the "
                "parameter callbacks"
            )
        for callback in self._callback_list():
            if not callable(callback):
                raise ValueError(f"callbacks has {callback!r}, which can't be called")

    def _callback_list(self):
        callbacks = [] if self.callbacks is None else self.callbacks
        return callbacks if isinstance(callbacks, list) else [callbacks]

    def _begin(self, X, y, params, split_params):
        """The state to go on from: a new one, or that of the file."""
        rng = check_random_state(self.random_state)
        parsed = self._prepare(y, rng)  # before a file is read: it checks what the user wrote
        expected = {}
        if self.state_file is not None:
            expected = self._fingerprint(X, y, params)
            state = read_state(self.state_file, expected)
            if state is not None:
                return state
            if not Path(self.state_file).absolute().parent.is_dir():
                raise ValueError(f"state_file={self.state_file!r} is in no folder that exists")
        estimator, progresses, seed = parsed
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **split_params))
        if not splits:
            raise ValueError(f"cv={self.cv!r} makes no split of {_num_samples(X)} samples")
        return SearchState(expected, estimator, seed, splits, progresses)

    def _fingerprint(self, X, y, params):
        own = self.get_params(deep=False)
        for name in (*self._no_part_of_the_search, *self._budget_parameters):
            own.pop(name)
        own["search_spaces"] = [SearchSpace.parse(space).description() for space in self._spaces()]
        guide = self.refit if isinstance(self.refit, str) else None
        return digests(search=type(self).__name__, guide=guide, X=X, y=y, params=params, **own)

    def _prepare(self, y, rng):
        """The estimator with weights in place, an optimiser for each space, and a seed."""
        estimator = clone(self.estimator)
        seeds = [None if self.random_state is None else rng.randint(MAX_SEED) for _ in range(2)]
        given = self._spaces()
        generators = np.random.default_rng(seeds[0]).spawn(len(given))
        for space in given:
            with_entries_as_parameters(estimator, list(SearchSpace.parse(space).names), y)
        # With all entries in place, the names are checked against the estimator's parameters.
        progresses: list[Progress] = []
        for index, (space, generator) in enumerate(zip(given, generators, strict=True)):
            space, initial = self._start(SearchSpace.parse(space, estimator), estimator, y)
            optimizer = self._make_optimizer(space, generator, initial)
            progresses.append(Progress(space, optimizer, index))
        return estimator, progresses, seeds[1]

    def _spaces(self):
        """The dicts of `search_spaces`, one or several."""
        spaces = self.search_spaces
        if not isinstance(spaces, list):
            return [spaces]
        if not spaces:
            raise ValueError("search_spaces is an empty list; give a dict, or a list of dicts")
        return spaces

    # ------------------------------------------------------------ where to start

    def _start(self, space, estimator, y):
        """The space, widened where start points need it, and these points in its cube."""
        points = []
        for given in self._given_points(space, estimator, y):
            space, names = space.widened(given)
            for name in names:
                warn(
                    f"the start value {name}={given[name]!r} is outside its search space, which "
                    f"is widened to ({space.dimensions[name].low}, {space.dimensions[name].high})"
                )
            points.append(given)
        points = [space.from_params(given) for given in points]
        return space, np.array(points).reshape(-1, space.n_dims)

    def _given_points(self, space, estimator, y):
        """The start points as dicts of all parameters of the space."""
        if self.x0 is None:
            return []
        is_conventional = isinstance(self.x0, str)
        points = [{}] if is_conventional else self.x0
        points = [points] if isinstance(points, dict) else points
        others = self._own_values(space, estimator)
        if is_conventional:
            others |= conventional_entries(space.names, estimator, y)
        for point in points:
            if not isinstance(point, dict):
                raise ValueError(f"x0 has the point {point!r}; a point is a dict name -> value")
            for name in set(point) - set(space.names):
                raise ValueError(unknown_name_message("parameter of x0", name, space.names))
        return [{name: (others | point)[name] for name in space.names} for point in points]

    @staticmethod
    def _own_values(space, estimator):
        """The estimator's own values; the middle of the space where it has none that fits."""
        values = space.to_params(np.full(space.n_dims, 0.5))
        own = estimator.get_params(deep=True)
        for name, dimension in space.dimensions.items():
            value = own.get(name)
            if dimension.holds(value) or dimension.widened(value) is not None:
                values[name] = value
        return values

    # ------------------------------------------------------------ the loop

    def _search(self, state, evaluation):
        """Search one space after the other; returns why the search ended."""
        budget = np.inf if self.time_budget_s is None else self.time_budget_s
        deadline = time.monotonic() + budget
        reason = "budget"
        with tqdm(initial=len(state.params), unit="candidate", disable=not self.verbose) as bar:
            for progress in state.progresses:
                while (reason := self._reason_to_stop(progress)) is None:
                    reason = self._do_batch(progress, state, evaluation, deadline, bar)
                    reason = reason or self._reason_to_end(state, evaluation)
                    if reason is not None:
                        break
                if reason in ("time", "target", "callback"):
                    break
        return reason

    def _reason_to_stop(self, progress):
        """Why the search of this space is over, or None."""
        if progress.is_exhausted:
            return "exhausted"
        if progress.n_without_new >= MAX_REPEATED_BATCHES:
            return "repeated"
        if self.patience is not None and progress.n_without_gain >= self.patience:
            return "patience"
        return "budget" if self._batch_size(progress) < 1 else None

    def _reason_to_end(self, state, evaluation):
        """Why the whole search is over after a batch, or None."""
        self._check_failures(state, enough=MAX_FAILURES)
        least = min(progress.best_loss for progress in state.progresses)
        stops = []
        if self._callback_list() and not self._all_failed(state):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of scores that are not finite: once, at the end
                self._publish(state, evaluation.scorer, evaluation.metric, None)
            stops = [callback(self) for callback in self._callback_list()]
        if self.target_score is not None and -least >= self.target_score:
            return "target"
        return "callback" if any(stop is True for stop in stops) else None

    def _do_batch(self, progress, state, evaluation, deadline, bar):
        """Ask, evaluate what is new, and tell; returns why the search ends in the middle, or None.

        The state is written after each batch; after an interrupt, too, with the optimiser as it was
        before it was asked, so that it asks for the same points again.
        """
        before = None if self.state_file is None else pickle.dumps(progress.optimizer)
        points = self._ask(progress.optimizer, self._batch_size(progress))
        if not len(points):
            return "exhausted"
        keys = [point.tobytes() for point in progress.space.snap(points) + 0.0]
        params = {k: progress.space.to_params(p) for k, p in zip(keys, points, strict=True)}
        new = [key for key in params if key not in progress.seen]
        try:
            finished = self._evaluate(
                {key: params[key] for key in new}, progress, state, evaluation, deadline, bar
            )
        except KeyboardInterrupt:
            self._write(state, progress, before)
            raise
        if not finished:
            self._write(state, progress, before)
            return "time"
        outcomes = [state.outcomes[progress.seen[key]] for key in keys]
        losses = [loss_of(results, evaluation.metric) for results in outcomes]
        progress.n_without_new = 0 if new else progress.n_without_new + 1
        progress.tell(points, np.array(losses))
        state.n_repeated += len(keys) - len(new)
        state.n_batches += 1
        bar.set_postfix_str(f"best {-min(p.best_loss for p in state.progresses):.4g}")
        self._write(state)
        return None

    def _evaluate(self, new, progress, state, evaluation, deadline, bar):
        """Evaluate candidates and take each when it is done; returns whether all are."""
        candidates = [self._configured(state, params) for params in new.values()]
        with closing(evaluation.run(candidates)) as outcomes:
            for n_done, ((key, params), outcome) in enumerate(
                zip(new.items(), outcomes, strict=True), start=1
            ):
                progress.seen[key] = state.add(params, outcome)
                bar.update()
                if time.monotonic() > deadline and n_done < len(new):
                    return False
        return time.monotonic() <= deadline

    def _configured(self, state, params):
        """An estimator with parameters and seeds, or the exception that says why there is none."""
        values = {name: clone(value, safe=False) for name, value in params.items()}
        try:
            return seed_unset(clone(state.estimator).set_params(**values), state.seed)
        except Exception as error:
            if self.error_score == "raise":
                raise
            return error

    def _write(self, state, progress=None, optimizer_before=None):
        if self.state_file is None:
            return
        if progress is not None:
            progress.optimizer = pickle.loads(optimizer_before)
        write_state(self.state_file, state)

    # ------------------------------------------------------------ after

    @staticmethod
    def _errors(state):
        """Tracebacks of the fits that failed, and the number of all fits."""
        fits = [result["fit_error"] for outcome in state.outcomes for result in outcome]
        return [error for error in fits if error is not None], len(fits)

    def _all_failed(self, state):
        errors, n_fits = self._errors(state)
        return len(errors) == n_fits

    def _check_failures(self, state, enough=0):
        """Raise a ValueError where every fit failed, if there were enough candidates."""
        errors, n_fits = self._errors(state)
        if errors and len(errors) == n_fits and len(state.params) >= enough:
            raise ValueError(
                f"all {n_fits} fits of {len(state.params)} candidates failed; "
                f"error_score='raise' stops at the first one, which was:\n{errors[0]}"
            )

    def _warn_about_failures(self, state):
        errors, n_fits = self._errors(state)
        if errors:
            warn(
                f"{len(errors)} of {n_fits} fits failed and have the score {self.error_score}; "
                f"the first one with:\n{errors[0]}",
                FitFailedWarning,
            )

    def _forget(self):
        """Delete what a search before has fitted: after an interrupt it would not belong here."""
        for name in ("best_estimator_", "refit_time_", "feature_names_in_", "best_score_"):
            if hasattr(self, name):
                delattr(self, name)

    def _publish(self, state, scorers, refit_metric, reason):
        """Set the attributes of what was done, as scikit-learn's searches have them."""
        outcomes = state.outcomes
        out = [dict(result) for outcome in outcomes for result in outcome]
        if callable(self.scoring):
            _insert_error_scores(out, self.error_score)
        first = out[0]["test_scores"]
        self.multimetric_ = isinstance(first, dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(first)
            refit_metric = self.refit
        self.n_splits_ = len(state.splits)
        more = {"batch": state.batches}
        self.cv_results_ = self._format_results(list(state.params), self.n_splits_, out, more)
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, self.cv_results_)
            if not callable(self.refit):
                self.best_score_ = self.cv_results_[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        self.n_repeated_ = state.n_repeated
        self.stopping_reason_ = reason

    def _fit_best(self, state, X, y, fit_params):
        self.best_estimator_ = self._configured(state, self.best_params_)
        if isinstance(self.best_estimator_, Exception):
            raise self.best_estimator_
        start = time.perf_counter()
        if y is None:
            self.best_estimator_.fit(X, **fit_params)
        else:
            self.best_estimator_.fit(X, y, **fit_params)
        self.refit_time_ = time.perf_counter() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_
