"""The steps of a search for costs: class by class, over a grid, and evolutionary.

The search runs over log cost ratios, bounded by the log-odds that occur: n_classes - 1 dimensions,
in which every decision that the probabilities allow can be reached. Each step scores candidates on
a `DecisionTable` and adds them to a `Trace`; `STRATEGIES` are lists of steps.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from skimbal.cost_sensitive._two_class_cuts import OUTER_WIDTH
from skimbal.metrics import prior_costs
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
# Moves costs off exact ties, which rounding would decide: in log-weights, for each class, so that
# ties go to the lower class as in `decide_by_costs`.
TIE_BREAK = 1e-9


class Trace:
    """The candidates of a search, and the best log-weights so far.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    max_kept : int or None
        Of more candidates in one `record`, only those of the best scores are kept.
    """

    def __init__(self, n_classes, max_kept=None):
        self.max_kept = max_kept
        self.log_candidates = []
        self.scores = []
        self.generations = []
        self.best_score = -np.inf
        self.best = np.zeros(n_classes)
        self.is_swept = False  # whether no sweep along one class improves the best

    def record(self, log_weights, scores, generation=0):
        """Keep candidates of shape (n, n_classes) and their scores; return whether they improve."""
        if self.max_kept is not None and len(scores) > self.max_kept:
            best = np.argsort(-scores, kind="stable")[: self.max_kept]
            log_weights, scores = log_weights[best], scores[best]
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
        limits = np.array([table.limits(c) for c in range(1, table.n_classes)])
        self.bounds = np.where(np.isfinite(limits), limits, log_ratio_bounds(table.log_proba))

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


def centered(log_weights):
    """Log-weights with mean 0: costs with geometric mean 1."""
    return log_weights - log_weights.mean(axis=-1, keepdims=True)


def costs_from_log_weights(log_weights):
    """Costs, positive, with geometric mean 1."""
    return np.exp(centered(log_weights).clip(-MAX_LOG_COST, MAX_LOG_COST))
