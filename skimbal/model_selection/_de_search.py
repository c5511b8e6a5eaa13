"""Search by adaptive differential evolution (JADE) with scikit-learn's interface."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval

from skimbal.model_selection._base_search import _BaseSearch
from skimbal.optim import JADE


class DESearchCV(_BaseSearch):
    """Search hyper-parameters, class weights or costs by adaptive differential evolution.

    The interface is that of scikit-learn's searches. Candidates are points of the unit cube, to
    which the space is mapped (see `search_spaces`), and JADE minimises minus the score over it. A
    generation is evaluated at once: networks of one structure, candidates x folds, train as one
    population, other estimators go through joblib. The size of a generation does not depend on
    `n_jobs`, so results don't either.

    Parameters
    ----------
    estimator : estimator
        Cloned for each candidate and fold.
    search_spaces : dict or list of dict
        Parameter name -> dimension; of a list, each is searched by itself with the whole budget. A
        dimension is ``(low, high)`` or ``(low, high, "log-uniform")``, integers where both bounds
        are; a list of values of any kind, dicts and lists too; a dimension of `skopt.space`; or a
        frozen SciPy distribution. Integers and categories are equal parts of [0, 1], log-uniform
        integers parts from log(v - 1/2) to log(v + 1/2), discrete distributions parts of their
        probabilities; all points of a part are one candidate, which is evaluated once. Names such
        as ``class_weight__<label>``, ``costs__<label>`` and ``cost_matrix__<true>__<predicted>``
        work in any estimator that has the parameter: see `class_weight_space`.
    population_size : int, default=10
        Candidates of a generation, at least 3.
    max_generations : int, default=20
        Generations at most, the first one included.
    patience : int, default=None
        Generations without a better candidate after which the search ends; None is never.
    time_budget_s : float, default=None
        Seconds after which no candidate is begun any more; the population that is in training is
        finished. The one setting that makes results depend on the machine.
    target_score : float, default=None
        Score that is good enough: the search ends with the generation that reaches it.
    x0 : "conventional", dict or list of dict, default=None
        Points to begin with, at most `population_size`. A dict maps names to values; those that it
        lacks are the estimator's own. "conventional" is the inverse-frequency class weights or
        costs, and the estimator's own values of all else. A parameter whose own value is none of
        its space starts in the middle. Bounds that a start point violates are widened, with a
        warning.
    p : float in (0, 1], default=0.05
        Fraction of the population, two at least, that counts as best in the mutation.
    c : float in [0, 1], default=0.1
        Rate at which JADE adapts its own parameters.
    archive : bool, default=True
        Whether JADE draws differences from replaced candidates too.
    scoring : str, callable, list, tuple or dict, default=None
        As in scikit-learn's searches. A name means what it does there; names that only skimbal has,
        such as "g_mean" and "macro_f1", work as well. The search follows the metric that `refit`
        names, and the first one where it names none.
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
        Score of a fit that fails. Where every fit fails, the search does.
    return_train_score : bool, default=False
        Whether `cv_results_` has the scores on the training rows.
    callbacks : callable or list of callable, default=None
        Called with the search after each generation, when `cv_results_` and `best_params_` are
        those of what was done. One that returns True ends the search.
    state_file : str or path, default=None
        File that the state is written to after each generation. If it is there when `fit` begins,
        the search goes on from it, with the result of one that was never interrupted; larger
        budgets may be given. A state of another search is refused. It is a pickle: open only files
        that you trust.
    random_state : int, RandomState instance or None, default=None
        Seed of the search, and of each `random_state` of the estimator that is None.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As in scikit-learn's searches, a row for each candidate evaluated; "batch" is the generation
        in which it first came up.
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
        candidates), "repeated" (nothing new for 100 generations) or "interrupt".
    scorer_ : callable or dict
        The scorer, or the scorers by name.
    refit_time_ : float
        Seconds of the last fit.

    Notes
    -----
    Ctrl-C: the attributes of what was done are set, the last fit is skipped, and the
    KeyboardInterrupt goes on.

    References
    ----------
    J. Zhang and A. C. Sanderson, "JADE: Adaptive Differential Evolution With Optional External
    Archive", IEEE Transactions on Evolutionary Computation 13(5), 945-958, 2009.
    https://doi.org/10.1109/TEVC.2009.2014613

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
        "archive": ["boolean"],
    }
    _budget_parameters = ("max_generations",)

    def __init__(
        self,
        estimator,
        search_spaces,
        *,
        population_size=10,
        max_generations=20,
        patience=None,
        time_budget_s=None,
        target_score=None,
        x0=None,
        p=0.05,
        c=0.1,
        archive=True,
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
        self.population_size = population_size
        self.max_generations = max_generations
        self.patience = patience
        self.time_budget_s = time_budget_s
        self.target_score = target_score
        self.x0 = x0
        self.p = p
        self.c = c
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
            p=self.p,
            c=self.c,
            archive=self.archive,
            random_state=rng,
            initial=initial,
        )

    def _ask(self, optimizer, n_points):
        return optimizer.ask()

    def _batch_size(self, progress):
        return self.population_size if progress.n_batches < self.max_generations else 0
