"""The search for misclassification costs on predicted probabilities that are given.

Costs c, one for each class, decide for argmax_j p_j c_j. Only their ratios matter, and the effect
of a ratio depends on its logarithm. The search therefore runs over log cost ratios, bounded by the
log-odds that occur: n_classes - 1 dimensions, in which every decision that the probabilities allow
can be reached. The evolutionary search follows C. Zhang, K. C. Tan, H. Li and G. S. Hong 2019, A
Cost-Sensitive Deep Belief Network for Imbalanced Classification, doi:10.1109/TNNLS.2018.2832648,
with JADE (doi:10.1109/TEVC.2009.2014613). Its own search space, costs in [0, 1], is
``cost_space="unit"``.

A search is a list of steps (`STRATEGIES`). Each step scores candidates and adds them to a `Trace`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import column_or_1d

from skimbal._utils._labels import columns_by_label, vector_by_label
from skimbal._utils._metadata import RowScorer
from skimbal._utils._validation import check_two_classes, check_weights, in_safe_unit
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive._decision_table import DecisionTable, depends_on_counts
from skimbal.cost_sensitive._measured_balance import measured_costs
from skimbal.cost_sensitive._row_scores import RowTable
from skimbal.cost_sensitive._two_class_cuts import OUTER_WIDTH, chunks
from skimbal.metrics import get_scorer, prior_costs
from skimbal.optim import JADE

# Generations without a lower loss, for each free cost ratio, after which the search ends: the
# paper's number for its two classes. With six classes 30 generations end before JADE adds any.
PATIENCE = 30
# For two classes a sweep has tried every decision before JADE begins.
PATIENCE_AFTER_ALL = 15
# Weight of the way out of a plateau in the fitness: below any difference between two scores.
GAP_WEIGHT = 1e-6
MAX_GRID_CLASSES = 4
GRID_POINTS = {3: 33, 4: 13}
MIN_UNIT_COST = 1e-12
# Beyond this the exponential of a log cost comes near 0 or infinity.
MAX_LOG_COST = 700.0
MAX_ROUNDS = 10
CONSTANT = (
    "all samples have the same predicted probabilities, so costs can only choose one class for all "
    "of them; check the classifier and its inputs"
)
# Moves costs off exact ties, which rounding would decide: in log-weights, for each class, so that
# ties go to the lower class as in `decide_by_costs`.
TIE_BREAK = 1e-9

SEARCH_CONSTRAINTS: dict = {
    "search": [StrOptions({"auto", "exact", "jade", "grid"})],
    "cost_space": [StrOptions({"log_ratio", "unit"})],
    "shrinkage": [Interval(Real, 0, 1, closed="both")],
    "population_size": [Interval(Integral, 4, None, closed="left")],
    "max_generations": [Interval(Integral, 1, None, closed="left")],
}


@dataclass(frozen=True)
class CostSearchResult:
    """The result of a cost search.

    Attributes
    ----------
    costs : ndarray of shape (n_classes,)
        The chosen costs, after shrinkage, with geometric mean 1.
    score : float
        The score of these costs.
    unregularized_score : float
        The best score found, that of the costs before shrinkage.
    candidates : ndarray of shape (n_candidates, n_classes)
        All costs that were evaluated, with geometric mean 1.
    scores : ndarray of shape (n_candidates,)
        Their scores.
    generations : ndarray of shape (n_candidates,)
        The generation of each candidate; 0 is exact search, grid and class-by-class search.
    shrinkage_target : ndarray of shape (n_classes,) or None
        The costs of full shrinkage, given or measured, with geometric mean 1. None without
        shrinkage.
    """

    costs: NDArray[np.float64]
    score: float
    unregularized_score: float
    candidates: NDArray[np.float64]
    scores: NDArray[np.float64]
    generations: NDArray[np.intp]
    shrinkage_target: NDArray[np.float64] | None


class Trace:
    """Every candidate of a search, and the best log-weights so far."""

    def __init__(self, n_classes):
        self.log_candidates = []
        self.scores = []
        self.generations = []
        self.best_score = -np.inf
        self.best = np.zeros(n_classes)
        self.is_swept = False  # whether no sweep along one class improves the best

    def record(self, log_weights, scores, generation=0):
        """Keep candidates of shape (n, n_classes) and their scores; return whether they improve."""
        self.log_candidates.append(log_weights)
        self.scores.append(scores)
        self.generations.append(np.full(len(scores), generation))
        i = scores.argmax()
        if scores[i] <= self.best_score:
            return False
        self.best_score, self.best = scores[i], log_weights[i].copy()
        self.is_swept = False
        return True

    def leaders(self, n):
        """The best log-weights, then the `n` candidates that scored best."""
        order = np.concatenate(self.scores).argsort(kind="stable")[::-1][:n]
        return np.vstack([self.best, np.concatenate(self.log_candidates)[order]])


@dataclass(frozen=True)
class EvolutionOptions:
    """The parameters of `evolve`."""

    cost_space: str
    population_size: int
    max_generations: int
    rng: np.random.RandomState


# ------------------------------------------------------------ the steps of a search


def score_prior_costs(table, trace, options=None):
    """Score the costs of the class frequencies."""
    log_weights = off_ties(np.log(prior_costs(table.counts))[None])
    trace.record(log_weights, table.score_population(log_weights))


def sweep_class(table, trace, c):
    """Move the best to the middle of the widest optimum along class `c`."""
    intervals = table.sweep(trace.best, c)
    log_weights = np.repeat(trace.best[None], len(intervals.score), axis=0)
    log_weights[:, c] = intervals.middle
    improved = trace.record(log_weights, intervals.score)
    middle, score = intervals.widest_best()
    if score >= trace.best_score:
        trace.best[c] = middle
    return improved


def sweep_classes(table, trace, options=None):
    """Sweep class by class until no class improves the score."""
    if trace.is_swept:
        return
    if table.n_classes == 2:
        sweep_class(table, trace, 1)  # every decision lies along one of two classes
    else:
        for _ in range(MAX_ROUNDS):
            improved = [sweep_class(table, trace, c) for c in range(table.n_classes)]
            if not any(improved):
                break
    trace.is_swept = True


def score_grid(table, trace, options=None):
    """Score every decision (two classes) or a grid over quantiles of the log-odds."""
    if table.n_classes == 2:
        sweep_classes(table, trace)
    elif table.n_classes <= MAX_GRID_CLASSES:
        axes = log_ratio_quantiles(table.log_proba, GRID_POINTS[table.n_classes])
        log_weights = off_ties(with_reference(np.array(list(product(*axes)))))
        trace.record(log_weights, table.score_population(log_weights))


def evolve(table, trace, options):
    """Evolve the costs by JADE, from the best candidates so far, until patience runs out."""
    space = SPACES[options.cost_space](table)
    n_leaders = options.population_size // 4
    optimizer = JADE(
        space.bounds,
        population_size=options.population_size,
        random_state=options.rng,
        initial=space.encode(trace.leaders(n_leaders)) if trace.scores else None,
    )
    knows_all = trace.is_swept and table.n_classes == 2
    patience = PATIENCE_AFTER_ALL if knows_all else PATIENCE * (table.n_classes - 1)
    plateau = best_constant_score(table)
    lowest_loss = -trace.best_score if trace.best_score > plateau else np.inf
    last_improvement = 0
    for generation in range(1, options.max_generations + 1):
        genes = optimizer.ask()
        log_weights = space.decode(genes)
        scores = table.score_population(log_weights)
        trace.record(log_weights, scores, generation)
        on_plateau = trace.best_score <= plateau
        optimizer.tell(genes, loss(table, log_weights, scores, on_plateau=on_plateau))
        if optimizer.best[1] < lowest_loss:
            lowest_loss, last_improvement = optimizer.best[1], generation
        elif generation - last_improvement >= patience:
            return


FIRST_STEPS = (score_prior_costs, sweep_classes, score_grid)
STRATEGIES = {
    "exact": (score_prior_costs, sweep_classes),
    "grid": (score_prior_costs, score_grid),
    "jade": (*FIRST_STEPS, sweep_classes, evolve, sweep_classes),
    "jade in the unit box": (evolve,),
}


def choose_strategy(search, cost_space, n_classes):
    """Return the steps of a search; raise where it does not work for this number of classes."""
    if search == "exact" and n_classes > 2:
        raise ValueError(
            f"search='exact' sweeps the thresholds of two classes, but there are {n_classes}; "
            "use 'jade' or 'auto'"
        )
    if search == "grid" and n_classes > MAX_GRID_CLASSES:
        raise ValueError(
            f"search='grid' is for up to {MAX_GRID_CLASSES} classes, because its size is "
            f"exponential in their number, but there are {n_classes}; use 'jade' or 'auto'"
        )
    if search == "auto":
        search = "exact" if n_classes == 2 else "jade"
    if search == "jade" and cost_space == "unit":
        search = "jade in the unit box"
    return STRATEGIES[search]


# ------------------------------------------------------------ formulas


def best_constant_score(table):
    """The best score of a decision for one class: where missing a class leads."""
    constant = table.counts[:, None] * np.eye(table.n_classes)[:, None, :]
    return table.score(constant).max()


def loss(table, log_weights, scores, *, on_plateau):
    """Negative score; on a plateau, plus a little for every missed class, to lead out of it."""
    if not on_plateau:
        return -scores
    gap = table.gap(log_weights)
    return GAP_WEIGHT * gap / (1.0 + gap) - scores


def with_reference(log_ratios):
    """Log-weights (n, n_classes) of log ratios (n, n_classes - 1) to class 0."""
    log_weights = np.zeros((len(log_ratios), log_ratios.shape[1] + 1))
    log_weights[:, 1:] = log_ratios
    return log_weights


def off_ties(log_weights):
    """Log-weights a little in favor of lower classes."""
    return log_weights - TIE_BREAK * np.arange(log_weights.shape[1])


def log_ratio_quantiles(log_proba, n_points):
    """Quantiles of the log-odds of class 0 against each other class, n_points for each class."""
    with np.errstate(invalid="ignore"):
        log_odds = log_proba[:, :1] - log_proba[:, 1:]
    fractions = (np.arange(n_points) + 0.5) / n_points
    # The even odds, so that there is one for a class that no sample can be given to.
    finite = [np.append(odds[np.isfinite(odds)], 0.0) for odds in log_odds.T]
    return [np.quantile(odds, fractions) for odds in finite]


def log_ratio_bounds(log_proba):
    """Bounds, shape (n_classes - 1, 2), on the log cost ratios to class 0.

    Where decisions change, two classes tie for a sample. The corners of each region of equal
    decisions therefore lie between the smallest and the largest log-odds of class 0 against every
    other class.
    """
    with np.errstate(invalid="ignore"):
        log_odds = log_proba[:, :1] - log_proba[:, 1:]
    low, high = log_odds.min(axis=0), log_odds.max(axis=0)
    if not np.isfinite(log_odds).all():
        # With zeros, two classes may be compared only through others: by a chain of log-odds.
        lowest = np.where(np.isfinite(log_proba), log_proba, np.inf).min(axis=1)
        longest = log_odds.shape[1] * (log_proba.max(axis=1) - lowest).max()
        high = np.full(log_odds.shape[1], longest)
        low = -high
    bounds = np.column_stack([low - OUTER_WIDTH, high + OUTER_WIDTH])
    return bounds.clip(-MAX_LOG_COST, MAX_LOG_COST)


class LogRatioSpace:
    """Log cost ratios to class 0."""

    def __init__(self, table):
        self.bounds = log_ratio_bounds(table.log_proba)

    def decode(self, genes):
        """Log-weights of genes."""
        return with_reference(genes)

    def encode(self, log_weights):
        """Genes of log-weights."""
        return log_weights[:, 1:] - log_weights[:, :1]


class UnitSpace:
    """The paper's genes: one cost a class in the unit interval."""

    def __init__(self, table):
        self.bounds = np.tile([MIN_UNIT_COST, 1.0], (table.n_classes, 1))

    def decode(self, genes):
        """Log-weights of genes."""
        return np.log(genes)

    def encode(self, log_weights):
        """Genes of log-weights: the largest cost is 1."""
        return np.exp(log_weights - log_weights.max(axis=1, keepdims=True))


SPACES: dict = {"log_ratio": LogRatioSpace, "unit": UnitSpace}


@validate_params(
    {"y_true": ["array-like"], "proba": ["array-like"], **SEARCH_CONSTRAINTS},
    prefer_skip_nested_validation=True,
)
def find_costs(
    y_true: ArrayLike,
    proba: ArrayLike,
    *,
    scoring: str | Callable = "g_mean",
    search: str = "auto",
    cost_space: str = "log_ratio",
    shrinkage: float = 0.0,
    population_size: int = 30,
    max_generations: int = 200,
    classes: ArrayLike | None = None,
    shrinkage_target: ArrayLike | Mapping | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> CostSearchResult:
    r"""Find the costs whose decisions on given probabilities have the best score.

    .. math:: \max_c \; \mathrm{score}\big(y, \arg\max_j \, p_j(x) \, c_j\big)

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels; every class must occur.
    proba : array-like of shape (n_samples, n_classes)
        Predicted probabilities of a model that was not trained on these samples. The columns of a
        frame must be the classes, in any order.
    scoring : str or callable, default="g_mean"
        Name or scikit-learn scorer that takes labels.
    search : {"auto", "exact", "jade", "grid"}, default="auto"
        The search strategy.

        - "exact" tries every decision that two classes allow, in O(n log n). Of more than 100,000
          decisions, `candidates` has evenly spaced ones and the best.
        - "jade" is adaptive differential evolution, for any number of classes. It starts from a
          class-by-class search and, for up to four classes, a grid. It ends with a class-by-class
          search. Its result is therefore never below theirs.
        - "grid" is only the grid, for up to four classes.
        - "auto" is "exact" for two classes and "jade" for more.
    cost_space : {"log_ratio", "unit"}, default="log_ratio"
        Where "jade" searches. "log_ratio" is the log cost ratios. "unit" is costs in (0, 1], as in
        the paper, without the grid and the class-by-class search.
    shrinkage : float in [0, 1], default=0.0
        Moves the log costs from the optimum (0) toward `shrinkage_target` (1).
    population_size : int, default=30
        Candidates in a generation of "jade", at least 4.
    max_generations : int, default=200
        Maximum number of generations of "jade". It stops earlier after 30 generations without a
        better score for each class but one; for two classes after 15.
    classes : array-like of shape (n_classes,), default=None
        Labels of the columns of an array `proba`, and the order of the costs that are returned;
        None is the sorted labels of `y_true`.
    shrinkage_target : array-like of shape (n_classes,), dict or Series, default=None
        Costs > 0, by label or in the order of the classes. None is w_c / n_c with the weights w
        that bring the mean of `proba` to the class frequencies n_c / n. For the probabilities of a
        calibrated model they are the inverse class frequencies; for those of a model that balances
        the classes they are equal.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples in the score.
    random_state : int, RandomState instance or None, default=None
        Seed of "jade".

    Returns
    -------
    CostSearchResult
        An object with the attributes

        - `costs`: the chosen costs, after shrinkage, with geometric mean 1;
        - `score`: the score of these costs;
        - `unregularized_score`: the best score found, that of the costs before shrinkage;
        - `candidates`, `scores`, `generations`: all costs that were evaluated, their scores, and
          the generation of "jade" that made them (0 for the other searches);
        - `shrinkage_target`: the costs of full shrinkage, given or measured; None without
          shrinkage.

    Raises
    ------
    ValueError
        For invalid probabilities, columns of a frame that are not the classes, a class without
        samples, a scorer that needs probabilities, or a
        search that does not work for this number of classes.

    References
    ----------
    C. Zhang, K. C. Tan, H. Li and G. S. Hong 2019, A Cost-Sensitive Deep Belief Network for
    Imbalanced Classification, IEEE TNNLS 30(1), doi:10.1109/TNNLS.2018.2832648, algorithm 1.

    J. Zhang and A. C. Sanderson 2009, JADE: Adaptive Differential Evolution with Optional External
    Archive, IEEE TEVC 13(5), doi:10.1109/TEVC.2009.2014613.

    M. Saerens, P. Latinne and C. Decaestecker 2002, Adjusting the Outputs of a Classifier to New a
    Priori Probabilities, Neural Computation 14(1), doi:10.1162/089976602753284446, equation 2.4
    (`shrinkage_target`).

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.cost_sensitive import find_costs
    >>> y = np.array(["no", "no", "no", "yes", "yes"])
    >>> p_yes = np.array([0.01, 0.02, 0.2, 0.1, 0.3])
    >>> result = find_costs(y, np.column_stack([1 - p_yes, p_yes]))
    >>> result.costs.round(2), round(result.score, 4)
    (array([0.22, 4.58]), 0.8165)
    """
    table = make_table(y_true, proba, scoring, classes, sample_weight)
    if is_constant(table.proba):
        warn(CONSTANT)
    strategy = choose_strategy(search, cost_space, table.n_classes)
    log_target: Any = 0.0
    if shrinkage > 0 or shrinkage_target is not None:
        labels = np.unique(y_true) if classes is None else np.asarray(classes)
        log_target = log_target_costs(table, shrinkage_target, labels)
    rng = check_random_state(random_state)
    options = EvolutionOptions(cost_space, population_size, max_generations, rng)
    trace = Trace(table.n_classes)
    for step in strategy:
        step(table, trace, options)
    return conclude(table, trace, log_target, shrinkage)


def is_constant(proba):
    """Whether all samples, of which there are several, have the same probabilities."""
    return len(proba) > 1 and all((proba[i] == proba[0]).all() for i in chunks(proba))


def make_table(y_true, proba, scoring, classes, sample_weight):
    """Return the validated data of a search; all errors are raised before any evaluation."""
    y_true = column_or_1d(y_true)
    present, positions = labels_and_positions(y_true)
    labels = present if classes is None else np.asarray(classes)
    proba = np.asarray(columns_by_label(proba, labels), dtype=np.float64)
    if proba.shape != (len(y_true), len(labels)):
        raise ValueError(
            f"proba has shape {proba.shape}, but with {len(y_true)} samples and the classes "
            f"{labels.tolist()} it must be {(len(y_true), len(labels))}; give classes=... if some "
            "are missing from y_true"
        )
    check_two_classes(labels.tolist())
    if not (proba.min(initial=0.0) >= 0 and proba.max(initial=0.0) < np.inf):
        raise ValueError(
            "proba has negative, NaN or infinite entries; give predicted probabilities"
        )
    if not all((proba[rows] @ np.ones(len(labels))).all() for rows in chunks(proba)):
        raise ValueError(
            f"row {proba.any(axis=1).argmin()} of proba is all zero; the probabilities of a sample "
            "must sum to 1"
        )
    order = np.argsort(labels)
    if not np.array_equal(labels[order], present):
        raise ValueError(
            f"the classes {np.setdiff1d(labels, present).tolist()} are absent from y_true, and the "
            f"labels {np.setdiff1d(present, labels).tolist()} are not in classes; give samples of "
            "all classes and of no others"
        )
    sample_weight = in_safe_unit(check_weights(sample_weight, y_true))
    is_weighted = sample_weight is not None
    Table: type[DecisionTable] = RowTable
    if not isinstance(scoring, RowScorer):
        if depends_on_counts(scoring, labels, is_weighted=is_weighted):
            Table = DecisionTable
        else:
            weight = {"sample_weight": sample_weight} if is_weighted else {}
            scoring = RowScorer(get_scorer(scoring), weight)
    targets = positions if is_sorted(order) else order.astype(positions.dtype)[positions]
    return Table(proba, targets, scoring, labels, sample_weight)


def labels_and_positions(y_true):
    """The sorted labels, and the place of each sample's label among them, of a small type.

    Two numbers are found in a tenth of the time that a sort of millions takes.

    >>> labels_and_positions(np.array([3, 1, 3]))
    (array([1, 3]), array([1, 0, 1], dtype=uint8))
    """
    if y_true.dtype.kind in "biuf" and len(y_true):
        low, high = y_true.min(), y_true.max()
        is_high = y_true == high
        if low != high and np.array_equal(y_true != low, is_high):
            return np.array([low, high]), is_high.view(np.uint8)
    labels = np.unique(y_true)
    return labels, np.searchsorted(labels, y_true).astype(np.min_scalar_type(len(labels)))


def is_sorted(order):
    """Whether an order changes nothing."""
    return bool((order == np.arange(len(order))).all())


def log_target_costs(table, costs, labels):
    """Return the logarithms of the costs to shrink to: those given, or those measured."""
    n_classes = table.n_classes
    if costs is None:
        return np.log(measured_costs(table.targets, table.proba, table.weight))
    costs = vector_by_label(costs, labels, "shrinkage_target", None, is_outer=True)
    costs = np.asarray(costs, dtype=np.float64)
    if costs.shape != (n_classes,) or not (np.isfinite(costs) & (costs > 0)).all():
        raise ValueError(
            f"shrinkage_target={costs.tolist()} must be {n_classes} costs > 0, one for each class"
        )
    return np.log(costs)


def conclude(table, trace, log_target, shrinkage):
    """Shrink the optimum toward the target and score what will be used."""
    optimum = centered(trace.best)
    chosen = (1.0 - shrinkage) * optimum + shrinkage * log_target
    costs = costs_from_log_weights(np.array([optimum, chosen] if shrinkage > 0 else [optimum]))
    scores = table.score_costs(costs)
    return CostSearchResult(
        costs=costs[-1],
        score=float(scores[-1]),
        unregularized_score=float(scores[0]),
        candidates=costs_from_log_weights(np.concatenate(trace.log_candidates)),
        scores=np.concatenate(trace.scores),
        generations=np.concatenate(trace.generations),
        shrinkage_target=costs_from_log_weights(log_target) if shrinkage > 0 else None,
    )


def centered(log_weights):
    """Log-weights with mean 0: costs with geometric mean 1."""
    return log_weights - log_weights.mean(axis=-1, keepdims=True)


def costs_from_log_weights(log_weights):
    """Costs, positive, with geometric mean 1."""
    return np.exp(centered(log_weights).clip(-MAX_LOG_COST, MAX_LOG_COST))
