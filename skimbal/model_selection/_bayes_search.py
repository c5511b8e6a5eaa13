"""Bayesian search with scikit-learn's interface that also takes the calls of scikit-optimize."""

from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skimbal.model_selection._base_search import _BaseSearch, listed_callbacks, listed_spaces
from skimbal.model_selection._bayes_optimizer import BayesOptimizer
from skimbal.model_selection._skopt_optimizer import SkoptOptimizer, optimize_result


class BayesSearchCV(_BaseSearch):
    r"""Search hyper-parameters, class weights or costs by Bayesian optimization.

    A Gaussian process models the losses, which are minus the mean scores, over the unit cube, to
    which the space is mapped. The next candidate is the one with the largest expected improvement,
    :math:`E[\max(y^* - \xi - y, 0)]`, where :math:`y^*` is the lowest loss so far. The interface is
    that of scikit-learn's searches. Calls of scikit-optimize's
    `BayesSearchCV` work with this class.

    Parameters
    ----------
    estimator : estimator
        Cloned for each candidate and fold.
    search_spaces : dict, list of dict or list of (dict, int)
        Parameter name -> dimension. Each dict of a list is searched by itself, with the number of
        candidates in its tuple, or `n_iter` without a tuple. Dimensions are those of `DESearchCV`:
        ``(low, high)``, ``(low, high, "log-uniform")``, lists of values of any type, dimensions of
        `skopt.space` and frozen SciPy distributions.
    optimizer_kwargs : dict, default=None
        Arguments of `skopt.Optimizer`, such as ``{"base_estimator": "RF"}``. If they are given,
        scikit-optimize's optimizer drives the search. It is slower, and `n_initial_points` and `xi`
        have no effect. The acquisition functions "EIps" and "PIps" are not possible.
    n_iter : int, default=50
        Candidates of each space, including those that come up again.
    n_points : int, default=1
        Candidates that are proposed and evaluated at once, as a batch. Larger batches make use of
        `n_jobs` and let networks train as one population, but each proposal is based on fewer
        scores.
    n_initial_points : int, default=10
        Candidates before the process is used: those of `x0`, and a Latin hypercube. They don't
        depend on each other's scores, so they are one batch.
    xi : float, default=0.0
        Improvement, in units of the score, that does not count. Larger values lead to candidates
        farther away from the best one. scikit-optimize's default is 0.01.
    x0 : "conventional", dict or list of dict, default=None
        Points to begin with. A dict maps names to values; missing ones are the estimator's own.
        "conventional" stands for the inverse-frequency class weights or costs and the estimator's
        own values of all other parameters. A parameter whose own value is not in its space starts
        in the middle. Bounds that a start point violates are widened, with a warning.
    patience : int, default=None
        Batches without a better candidate after which the search of a space ends; None is never.
    time_budget_s : float, default=None
        Seconds after which no new candidate is started. A population that is in training is
        finished. This is the only parameter that makes results depend on the machine.
    target_score : float, default=None
        Score that is good enough. The search ends with the batch that reaches it.
    scoring : str, callable, list, tuple or dict, default=None
        As in scikit-learn's searches, with the names of `skimbal.metrics.scorer_names`. Metric
        functions of (y_true, y_pred), and scores that can't score the labels, are refused. The
        search follows the metric that `refit` names, and the first one if it names none.
    n_jobs : int, default=None
        Number of processes, as in joblib. Results don't depend on it.
    refit : bool, str or callable, default=True
        As in scikit-learn's searches.
    cv : int, splitter or iterable, default=None
        As in scikit-learn's searches. The splits are made once.
    verbose : int, default=0
        Above 0, a progress bar is shown.
    pre_dispatch : int or str, default="2*n_jobs"
        As in joblib.
    error_score : "raise" or float, default=nan
        Score of a fit or a score that fails. If all fits or all scores of the first ten candidates
        fail, or are NaN, the search raises an error.
    return_train_score : bool, default=False
        Whether `cv_results_` has the scores on the training rows.
    callbacks : callable or list of callable, default=None
        Called with the search after each batch, when `cv_results_` and `best_params_` are those of
        what was done. One that returns True ends the search.
    state_file : str or path, default=None
        File to which the state is written before the first fit and after each batch. If the file
        exists when `fit` begins, the search continues from it, with the same result as a search
        that was never interrupted. A larger budget may be given. The state of another search, and a
        damaged file, are refused. A symbolic link is followed. The file is a pickle: open only
        files that you trust.
    random_state : int, RandomState instance or None, default=None
        Seed of the search, and of each `random_state` of the estimator that is None.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As in scikit-learn's searches, with a row for each candidate that was evaluated. "batch" is
        the batch in which the candidate first came up.
    best_estimator_ : estimator
        The best candidate, fitted on all samples, if `refit` is not False.
    best_params_ : dict
        Parameters of the best candidate.
    best_score_ : float
        Mean score of the best candidate over the splits. It is optimistic, as the best of many
        scores; score the candidate on data that the search has not seen.
    best_index_ : int
        Row of the best candidate in `cv_results_`.
    n_splits_ : int
        Number of splits.
    n_repeated_ : int
        Number of proposals that had been evaluated before. They are not evaluated again.
    stopping_reason_ : str
        "budget", "patience", "target", "time", "callback", "exhausted" (the space has no more
        candidates), "repeated" (nothing new in 100 batches), "interrupt" or "error" (of a callback
        or the state file).
    optimizer_results_ : list of OptimizeResult
        What scikit-optimize's plots take, one for each space; losses are minus the mean score.
        scikit-optimize's own Gaussian process is fitted when the attribute is read.
    scorer_ : callable or dict
        The scorer, or the scorers by name.
    refit_time_ : float
        Seconds of the last fit.

    See Also
    --------
    DESearchCV : Adaptive differential evolution, for larger budgets and generations in parallel.

    Notes
    -----
    These differences from scikit-optimize matter: `search_spaces` is not changed; spaces are
    checked in `fit`; the default of `error_score` is nan; the default optimizer uses expected
    improvement instead of a portfolio of three acquisition functions; `iid` and `fit_params`,
    which had no effect, do not exist; all parameters but the first two are keyword-only.

    On Ctrl-C, the attributes of what was done are set, the last fit is skipped, and
    KeyboardInterrupt is raised.

    References
    ----------
    D. R. Jones, M. Schonlau and W. J. Welch, "Efficient Global Optimization of Expensive Black-Box
    Functions", Journal of Global Optimization 13, 455-492, 1998, eq. 15.
    https://doi.org/10.1023/A:1008306431147

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal.model_selection import BayesSearchCV, class_weight_space
    >>> X, y = make_classification(300, weights=[0.95], random_state=0)
    >>> search = BayesSearchCV(
    ...     LogisticRegression(),
    ...     class_weight_space(y) | {"C": (0.01, 100.0, "log-uniform")},
    ...     n_iter=15,
    ...     scoring="g_mean",
    ...     x0="conventional",
    ...     random_state=0,
    ... ).fit(X, y)
    >>> sorted(search.best_params_)
    ['C', 'class_weight__1']
    >>> bool(search.best_score_ >= search.cv_results_["mean_test_score"][0])
    True
    """

    _parameter_constraints: dict = {
        **_BaseSearch._parameter_constraints,
        "optimizer_kwargs": [dict, None],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "n_points": [Interval(Integral, 1, None, closed="left")],
        "n_initial_points": [Interval(Integral, 1, None, closed="left")],
        "xi": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        search_spaces: dict[str, Any] | list[dict[str, Any] | tuple[dict[str, Any], int]],
        *,
        optimizer_kwargs: dict[str, Any] | None = None,
        n_iter: int = 50,
        n_points: int = 1,
        n_initial_points: int = 10,
        xi: float = 0.0,
        x0: str | dict[str, Any] | list[dict[str, Any]] | None = None,
        patience: float | None = None,
        time_budget_s: float | None = None,
        target_score: float | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        callbacks: Callable | list[Callable] | None = None,
        state_file: str | PathLike | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.search_spaces = search_spaces
        self.optimizer_kwargs = optimizer_kwargs
        self.n_iter = n_iter
        self.n_points = n_points
        self.n_initial_points = n_initial_points
        self.xi = xi
        self.x0 = x0
        self.patience = patience
        self.time_budget_s = time_budget_s
        self.target_score = target_score
        self.callbacks = callbacks
        self.state_file = state_file
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        callback: Callable | list[Callable] | None = None,
        **params: Any,
    ) -> "BayesSearchCV":
        """Search, then fit the estimator with the best parameters on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        callback : callable or list of callable, default=None
            As in scikit-optimize. Called after each candidate with an OptimizeResult of the
            candidates of the space so far, without a model. One that returns True ends the search.
        **params : dict
            Passed to the `fit` of the estimator, the scorer and the splitter, as in scikit-learn's
            searches.

        Returns
        -------
        self : BayesSearchCV
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
        of_fit = [partial(_call_with_result, each) for each in listed_callbacks(callback)]
        return self._search(X, y, params, listed_callbacks(self.callbacks), of_fit)

    @property
    def total_iterations(self) -> int:
        """Number of candidates of all spaces together."""
        return sum(n_candidates for _, n_candidates in self._budgets())

    @property
    def optimizer_results_(self) -> list:
        """For each space an OptimizeResult of scikit-optimize, with a model for its plots."""
        check_is_fitted(self, "cv_results_")
        return [
            _result_of_space(self, space, indices, with_model=True)
            for space, indices in self._searched_spaces
            if indices
        ]

    def _budgets(self):
        budgets = []
        for given in listed_spaces(self.search_spaces):
            budget = given if isinstance(given, tuple) else (given, self.n_iter)
            if not (
                len(budget) == 2 and isinstance(budget[1], int | np.integer) and budget[1] >= 1
            ):
                raise ValueError(
                    f"search_spaces has the tuple {budget!r}; a tuple in it must be (dict, number "
                    "of candidates >= 1)"
                )
            budgets.append(budget)
        return budgets

    def _make_optimizer(self, space, rng, initial):
        n_min = min(n_candidates for _, n_candidates in self._budgets())
        if len(initial) > n_min:
            raise ValueError(
                f"x0 has {len(initial)} points, but n_iter leaves room for {n_min} candidates of "
                "a space; give fewer points or a larger n_iter"
            )
        if self.optimizer_kwargs is not None:
            return SkoptOptimizer(space, self.optimizer_kwargs, initial=initial, rng=rng)
        return BayesOptimizer(
            space, n_initial_points=self.n_initial_points, xi=self.xi, initial=initial, rng=rng
        )

    def _ask(self, optimizer, n_left):
        return optimizer.ask(min(max(self.n_points, optimizer.n_queued), n_left))

    def _publish(self, run, reason):
        super()._publish(run, reason)
        self._searched_spaces = [
            (progress.space, list(run.state.indices_of(progress.index).values()))
            for progress in run.state.progresses
        ]


def _result_of_space(search, space, indices, with_model):
    """OptimizeResult of the candidates of one space."""
    metric = search.refit if search.multimetric_ and isinstance(search.refit, str) else "score"
    if f"mean_test_{metric}" not in search.cv_results_:
        metric = next(iter(search.scorer_))
    params = [search.cv_results_["params"][i] for i in indices]
    losses = -search.cv_results_[f"mean_test_{metric}"][indices]
    return optimize_result(space, params, losses, with_model)


def _call_with_result(callback, search):
    """Call a callback of `fit` with the result of the space that is being searched."""
    space, indices = [searched for searched in search._searched_spaces if searched[1]][-1]
    # The callbacks of scikit-optimize return numpy booleans.
    return bool(callback(_result_of_space(search, space, indices, with_model=False)))
