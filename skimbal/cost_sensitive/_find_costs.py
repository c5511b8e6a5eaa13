"""The search for misclassification costs on predicted probabilities that are given.

Costs c, one for each class, decide for argmax_j p_j c_j. Only their ratios matter, and the effect
of a ratio depends on its logarithm. The search therefore runs over log cost ratios, bounded by the
log-odds that occur: n_classes - 1 dimensions, in which every decision that the probabilities allow
can be reached. The evolutionary search follows C. Zhang, K. C. Tan, H. Li and G. S. Hong 2019, A
Cost-Sensitive Deep Belief Network for Imbalanced Classification, doi:10.1109/TNNLS.2018.2832648,
with JADE (doi:10.1109/TEVC.2009.2014613). Its own search space, costs in [0, 1], is
``cost_space="unit"``.

The steps of a search are in `_search_steps`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from skimbal.cost_sensitive._decision_table import (
    DecisionTable,
    as_floats,
    depends_on_counts,
)
from skimbal.cost_sensitive._large_search import is_large, search_large
from skimbal.cost_sensitive._measured_balance import measured_costs
from skimbal.cost_sensitive._row_scores import RowTable
from skimbal.cost_sensitive._search_steps import (
    EvolutionOptions,
    Trace,
    centered,
    choose_strategy,
    costs_from_log_weights,
)
from skimbal.cost_sensitive._two_class_cuts import chunks
from skimbal.metrics import get_scorer

CONSTANT = (
    "all samples have the same predicted probabilities, so costs can only choose one class for all "
    "of them; check the classifier and its inputs"
)

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
        frame must be the classes, in any order. Arrays of float32 and float64 are not copied, but
        with `shrinkage` the balance is measured on copies in float64.
    scoring : str or callable, default="g_mean"
        Name or scikit-learn scorer that takes labels.
    search : {"auto", "exact", "jade", "grid"}, default="auto"
        The search strategy.

        - "exact" tries every decision that two classes allow, in O(n log n). Of more than 100,000
          decisions, `candidates` has evenly spaced ones and the best.
        - "jade" is adaptive differential evolution, for any number of classes. It starts from a
          class-by-class search and, for up to four classes, a grid. It ends with a class-by-class
          search. Its result is therefore never below theirs. With more than 100,000 samples of
          three or more classes, it runs on parts of them instead (see the notes).
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

    Notes
    -----
    With more than two classes and more than 100,000 samples, "jade" in the log ratios runs on parts
    of the samples: first on about 20,000 that stand for all, with weights, among them all samples
    of rare classes; then near its result, on samples whose decision may still change. The last
    class-by-class searches have all of these, up to 100,000. `candidates` and `scores` are only
    those that were scored on all samples, and their generation is 0. Up to 100,000 samples, every
    step is scored on all of them. The same holds for any number of samples if `scoring` needs each
    of them, as a scorer with metadata does; this may take long.

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
    if is_large(table, strategy):
        search_large(table, trace, strategy, options)
    else:
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
    proba = as_floats(columns_by_label(proba, labels))
    if proba.shape != (len(y_true), len(labels)):
        raise ValueError(
            f"proba has shape {proba.shape}, but with {len(y_true)} samples and the classes "
            f"{labels.tolist()} it must be {(len(y_true), len(labels))}; leave out the columns of "
            "classes that y_true lacks"
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
    check_weight_of_classes(targets, sample_weight, labels)
    if Table is DecisionTable:
        proba, targets, sample_weight = samples_that_count(proba, targets, sample_weight)
    return Table(proba, targets, scoring, labels, sample_weight)


def check_weight_of_classes(targets, sample_weight, labels):
    """Raise a ValueError for classes whose samples have no weight."""
    if sample_weight is None:
        return
    is_absent = np.bincount(targets, sample_weight, len(labels)) == 0
    if is_absent.any():
        raise ValueError(
            f"all samples of the classes {labels[is_absent].tolist()} have the weight 0; give "
            "positive weights, or leave out these classes, in proba, too"
        )


def samples_that_count(proba, targets, sample_weight):
    """The samples whose weight is not 0; all of them without weights."""
    if sample_weight is None or sample_weight.all():
        return proba, targets, sample_weight
    counts = sample_weight > 0
    return proba[counts], targets[counts], sample_weight[counts]


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
        proba = np.asarray(table.proba, dtype=np.float64)
        return np.log(measured_costs(table.targets, proba, table.weight))
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
