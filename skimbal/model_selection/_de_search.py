"""Search by adaptive differential evolution (JADE) with scikit-learn's interface."""

from collections.abc import Callable
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from skimbal.model_selection._base_search import _BaseSearch, listed_spaces
from skimbal.optim import JADE


class DESearchCV(_BaseSearch):
    """Search hyper-parameters, class weights or costs by adaptive differential evolution.

    The interface is that of scikit-learn's searches. Candidates are points of the unit cube, to
    which the space is mapped (see `search_spaces`). JADE maximizes the mean score over the cube. A
    generation is evaluated at once: networks of one structure, candidates x folds, train as one
    population, and other estimators are fitted by joblib. The size of a generation does not depend
    on `n_jobs`, so the results don't either.

    Parameters
    ----------
    estimator : estimator
        Cloned for each candidate and fold.
    search_spaces : dict or list of dict
        Parameter name -> dimension. Each dict of a list is searched by itself with the whole
        budget. A dimension is ``(low, high)`` or ``(low, high, "log-uniform")``, integers where
        both bounds are; a list of values of any type, including dicts and lists; a dimension of
        `skopt.space`; or a frozen SciPy distribution. Categories and uniform integers are equal
        parts of [0, 1], log-uniform integers are parts from log(v - 1/2) to log(v + 1/2), values of
        discrete distributions are parts as wide as their probabilities. All points of a part are
        one candidate, which is evaluated once. Names such as ``class_weight__<label>``,
        ``costs__<label>`` and ``cost_matrix__<true>__<predicted>`` work in any estimator that has
        the parameter; see `class_weight_space`.
    population_size : int, default=10
        Candidates of a generation, at least 3 and at least the number of points of `x0`. Each
        generation is a batch.
    max_generations : int, default=20
        Largest number of generations, including the first.
    patience : int, default=None
        Batches without a better candidate after which the search of a space ends; None is never.
    time_budget_s : float, default=None
        Seconds after which no new candidate is started. A population that is in training is
        finished. This is the only parameter that makes results depend on the machine.
    target_score : float, default=None
        Score that is good enough. The search ends with the batch that reaches it.
    x0 : "conventional", dict or list of dict, default=None
        Points to begin with. A dict maps names to values; missing ones are the estimator's own.
        "conventional" stands for the inverse-frequency class weights or costs and the estimator's
        own values of all other parameters. A parameter whose own value is not in its space starts
        in the middle. Bounds that a start point violates are widened, with a warning.
    pbest_fraction : float in (0, 1], default=0.05
        Fraction of the population, at least two candidates, that counts as best in the mutation.
    adaptation_rate : float in [0, 1], default=0.1
        Rate at which JADE adapts its crossover rate and mutation factor.
    archive : bool, default=True
        Whether the mutation also uses candidates that were replaced.
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
    scorer_ : callable or dict
        The scorer, or the scorers by name.
    refit_time_ : float
        Seconds of the last fit.

    See Also
    --------
    BayesSearchCV : Bayesian optimization, for small budgets.

    Notes
    -----
    On Ctrl-C, the attributes of what was done are set, the last fit is skipped, and
    KeyboardInterrupt is raised.

    References
    ----------
    J. Zhang and A. C. Sanderson, "JADE: Adaptive Differential Evolution With Optional External
    Archive", IEEE Transactions on Evolutionary Computation 13(5), 945-958, 2009.
    https://doi.org/10.1109/TEVC.2009.2014613. `pbest_fraction` is the paper's p, `adaptation_rate`
    its c.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal.model_selection import DESearchCV, class_weight_space
    >>> X, y = make_classification(300, weights=[0.95], random_state=0)
    >>> search = DESearchCV(
    ...     LogisticRegression(),
    ...     class_weight_space(y) | {"C": (0.01, 100.0, "log-uniform")},
    ...     max_generations=3,
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
        "population_size": [Interval(Integral, JADE.min_population_size, None, closed="left")],
        "max_generations": [Interval(Integral, 1, None, closed="left")],
        "pbest_fraction": [Interval(Real, 0, 1, closed="right")],
        "adaptation_rate": [Interval(Real, 0, 1, closed="both")],
        "archive": ["boolean"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        search_spaces: dict[str, Any] | list[dict[str, Any]],
        *,
        population_size: int = 10,
        max_generations: int = 20,
        patience: float | None = None,
        time_budget_s: float | None = None,
        target_score: float | None = None,
        x0: str | dict[str, Any] | list[dict[str, Any]] | None = None,
        pbest_fraction: float = 0.05,
        adaptation_rate: float = 0.1,
        archive: bool = True,
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
        self.population_size = population_size
        self.max_generations = max_generations
        self.patience = patience
        self.time_budget_s = time_budget_s
        self.target_score = target_score
        self.x0 = x0
        self.pbest_fraction = pbest_fraction
        self.adaptation_rate = adaptation_rate
        self.archive = archive
        self.callbacks = callbacks
        self.state_file = state_file
        self.random_state = random_state

    def _make_optimizer(self, space, rng, initial):
        if len(initial) > self.population_size:
            raise ValueError(
                f"x0 has {len(initial)} points, but a generation has population_size="
                f"{self.population_size} candidates; give fewer points or a larger population"
            )
        return JADE(
            [(0.0, 1.0)] * space.n_dims,
            population_size=self.population_size,
            p=self.pbest_fraction,
            c=self.adaptation_rate,
            archive=self.archive,
            random_state=rng,
            initial=initial,
        )

    def _ask(self, optimizer, n_left):
        return optimizer.ask()

    def _budgets(self):
        n_candidates = self.population_size * self.max_generations
        return [(space, n_candidates) for space in listed_spaces(self.search_spaces)]
