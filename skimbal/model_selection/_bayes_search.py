"""Bayesian search with scikit-learn's interface that takes scikit-optimize's calls."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skimbal.model_selection._base_search import _BaseSearch
from skimbal.model_selection._bayes_optimizer import BayesOptimizer
from skimbal.model_selection._skopt_optimizer import SkoptOptimizer, optimize_result


class BayesSearchCV(_BaseSearch):
    """Search hyper-parameters, class weights or costs by Bayesian optimisation.

    A Gaussian process models minus the score over the unit cube, to which the space is mapped, and
    the next candidate is the one of greatest expected improvement, :math:`E[\\max(y^* - \\xi - y,
    0)]` with the least loss :math:`y^*` so far. The interface is that of scikit-learn's searches,
    and calls of scikit-optimize's `BayesSearchCV` work with this class.

    Parameters
    ----------
    estimator : estimator
        Cloned for each candidate and fold.
    search_spaces : dict, list of dict or list of (dict, int)
        Parameter name -> dimension; of a list, each is searched by itself, with `n_iter` candidates
        or the number beside it. Dimensions are those of `DESearchCV`: ``(low, high)``, ``(low,
        high, "log-uniform")``, lists of values of any kind, dimensions of `skopt.space` and frozen
        SciPy distributions.
    optimizer_kwargs : dict, default=None
        Arguments of `skopt.Optimizer`, such as ``{"base_estimator": "RF"}``. Where they are given,
        that one drives the search, slower, and `n_initial_points` and `xi` have no effect. "EIps"
        and "PIps" are not possible.
    n_iter : int, default=50
        Candidates of each space, those that come up again included.
    n_points : int, default=1
        Candidates that are proposed and evaluated at once. More make use of `n_jobs` and let
        networks train as one population; each proposal then rests on fewer scores. Results don't
        depend on `n_jobs`.
    n_initial_points : int, default=10
        Candidates before the process is asked: `x0`, and a Latin hypercube. They don't depend on
        each other's scores, so they are one batch.
    xi : float, default=0.0
        Gain, in units of the score, that counts as none; larger values look farther away from the
        best candidate. scikit-optimize's default is 0.01.
    x0 : "conventional", dict or list of dict, default=None
        Points to begin with. A dict maps names to values; those that it lacks are the estimator's
        own. "conventional" is the inverse-frequency class weights or costs, and the estimator's own
        values of all else. A parameter whose own value is none of its space starts in the middle.
        Bounds that a start point violates are widened, with a warning.
    patience : int, default=None
        Batches without a better candidate after which the search of a space ends; None is never.
    time_budget_s : float, default=None
        Seconds after which no candidate is begun any more. The one setting that makes results
        depend on the machine.
    target_score : float, default=None
        Score that is good enough: the search ends with the batch that reaches it.
    scoring : str, callable, list, tuple or dict, default=None
        As in scikit-learn's searches; names that only skimbal has, such as "g_mean" and "macro_f1",
        work as well. The search follows the metric that `refit` names, and the first one where it
        names none.
    n_jobs : int, default=None
        Processes, by joblib.
    refit : bool, str or callable, default=True
        As in scikit-learn's searches.
    cv : int, splitter or iterable, default=None
        As in scikit-learn's searches; splits are made once.
    verbose : int, default=0
        Above 0, a progress bar.
    pre_dispatch : int or str, default="2*n_jobs"
        As joblib has it.
    error_score : "raise" or float, default=nan
        Score of a fit that fails. The process is told the worst score so far in its place. Where
        every fit fails, the search does.
    return_train_score : bool, default=False
        Whether `cv_results_` has the scores on the training rows.
    callbacks : callable or list of callable, default=None
        Called with the search after each batch, when `cv_results_` and `best_params_` are those of
        what was done. One that returns True ends the search.
    state_file : str or path, default=None
        File that the state is written to after each batch. If it is there when `fit` begins, the
        search goes on from it, with the result of one that was never interrupted; a larger `n_iter`
        may be given. A state of another search is refused. It is a pickle: open only files that you
        trust.
    random_state : int, RandomState instance or None, default=None
        Seed of the search, and of each `random_state` of the estimator that is None.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As in scikit-learn's searches, a row for each candidate evaluated; "batch" is the batch in
        which it first came up.
    best_estimator_ : estimator
        The best candidate, fitted on all samples; with `refit`.
    best_params_ : dict
        Its parameters.
    best_score_ : float
        Its mean score over the splits. It is the best of many, so it is too good: score on data
        that the search has not seen.
    best_index_ : int
        Its row in `cv_results_`.
    n_splits_ : int
        Number of splits.
    n_repeated_ : int
        Proposals that had been evaluated before, and were not again.
    stopping_reason_ : str
        "budget", "patience", "target", "time", "callback", "exhausted" (the space has no more
        candidates), "repeated" (nothing new for 100 batches) or "interrupt".
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
    Other than in scikit-optimize: `search_spaces` stays as it was given; spaces are checked in
    `fit`; `error_score` is nan by default; the default optimiser is expected improvement alone
    instead of a portfolio of three acquisition functions; `iid` and `fit_params`, which had no
    effect, are gone; all parameters but the first two are keywords.

    Ctrl-C: the attributes of what was done are set, the last fit is skipped, and the
    KeyboardInterrupt goes on.

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
    _budget_parameters = ("n_iter",)

    def __init__(
        self,
        estimator,
        search_spaces,
        *,
        optimizer_kwargs=None,
        n_iter=50,
        n_points=1,
        n_initial_points=10,
        xi=0.0,
        x0=None,
        patience=None,
        time_budget_s=None,
        target_score=None,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
        callbacks=None,
        state_file=None,
        random_state=None,
    ):
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

    def fit(self, X, y=None, *, callback=None, **params):
        """Search, then fit the estimator with the best parameters on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        callback : callable or list of callable, default=None
            As scikit-optimize has them, and its own: called after each batch with an OptimizeResult
            of the candidates of the space so far, without a model. One that returns True ends the
            search.
        **params : dict
            Passed on to the `fit` of the estimator, the scorer and the splitter, as in
            scikit-learn's searches.

        Returns
        -------
        self : BayesSearchCV
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
        callbacks = [] if callback is None else callback
        self._callbacks_of_fit = callbacks if isinstance(callbacks, list) else [callbacks]
        try:
            return super().fit(X, y, **params)
        finally:
            del self._callbacks_of_fit

    @property
    def total_iterations(self):
        """Candidates of all spaces together."""
        return sum(n_iter for _, n_iter in self._budgets())

    @property
    def optimizer_results_(self):
        """For each space an OptimizeResult of scikit-optimize, with a model for its plots."""
        check_is_fitted(self, "cv_results_")
        return [
            self._result_of_space(space, rows, with_model=True)
            for space, rows in self._searched_spaces
            if rows
        ]

    # ------------------------------------------------------------ hooks of the base

    def _budgets(self):
        """(space, number of candidates) for each of `search_spaces`."""
        budgets = []
        for space in super()._spaces():
            if not isinstance(space, tuple):
                space = (space, self.n_iter)
            if not (len(space) == 2 and isinstance(space[1], int | np.integer) and space[1] >= 1):
                raise ValueError(
                    f"search_spaces has the tuple {space!r}; a tuple in it must be (dict, number "
                    "of candidates >= 1)"
                )
            budgets.append(space)
        return budgets

    def _spaces(self):
        return [space for space, _ in self._budgets()]

    def _make_optimizer(self, space, rng, initial):
        n_least = min(n for _, n in self._budgets())
        if len(initial) > n_least:
            raise ValueError(
                f"x0 has {len(initial)} points, but n_iter leaves room for {n_least} candidates of "
                "a space; give fewer points or a larger n_iter"
            )
        if self.optimizer_kwargs is not None:
            return SkoptOptimizer(space, self.optimizer_kwargs, initial=initial, rng=rng)
        return BayesOptimizer(
            space, n_initial_points=self.n_initial_points, xi=self.xi, initial=initial, rng=rng
        )

    def _batch_size(self, progress):
        left = self._budgets()[progress.index][1] - progress.n_proposed
        return min(max(self.n_points, progress.optimizer.n_queued), left)

    def _callback_list(self):
        of_fit = [_WithResult(c) if callable(c) else c for c in self._callbacks_of_fit]
        return super()._callback_list() + of_fit

    def _publish(self, state, scorers, refit_metric, reason):
        super()._publish(state, scorers, refit_metric, reason)
        self._searched_spaces = [(p.space, list(p.seen.values())) for p in state.progresses]

    def _result_of_space(self, space, rows, with_model):
        metric = self.refit if self.multimetric_ and isinstance(self.refit, str) else "score"
        if f"mean_test_{metric}" not in self.cv_results_:
            metric = next(iter(self.scorer_))
        params = [self.cv_results_["params"][row] for row in rows]
        losses = -self.cv_results_[f"mean_test_{metric}"][rows]
        return optimize_result(space, params, losses, with_model)


class _WithResult:
    """A callback of `fit` as the searches call theirs: with the search."""

    def __init__(self, callback):
        self.callback = callback

    def __call__(self, search):
        """Call it with the result of the space that is being searched; return whether it stops."""
        space, rows = [searched for searched in search._searched_spaces if searched[1]][-1]
        # scikit-optimize's own return numpy booleans.
        return bool(self.callback(search._result_of_space(space, rows, with_model=False)))
