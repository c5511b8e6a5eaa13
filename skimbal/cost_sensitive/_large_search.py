"""The search for the costs of more than two classes on many samples.

The whole search runs on representatives of the samples. Boxes around its result, narrower each
time, have representatives of the samples that may still be decided in several ways; the others are
counted. The last boxes have all such samples, so that the scores are exact.
"""

from dataclasses import replace

import numpy as np

from skimbal.cost_sensitive._decision_table import DecisionTable
from skimbal.cost_sensitive._part_table import (
    PartTable,
    box_around,
    decisions_and_leads,
    representatives,
)
from skimbal.cost_sensitive._search_steps import (
    STRATEGIES,
    Trace,
    evolve,
    off_ties,
    sweep_class,
    sweep_classes,
)
from skimbal.metrics import prior_costs

# Above this number of samples, a search of more than two classes is done on parts of them.
LARGE = 100_000
# Representatives in the search of all log-weights, and in that of a box.
SAMPLE_ROWS, BOX_ROWS = 20_000, 40_000
# Samples that may be decided in several ways in the first box, as a part of all, and how many
# times less they are in the next one.
FIRST_OPEN, NARROWER = 0.5, 4
BOX_GENERATIONS = 50
# The same in the boxes whose scores are exact.
EXACT_OPEN = 100_000
MAX_BOXES = 4
# A round of sweeps that gains less ends the search in a box, and a box that gains less the search.
MIN_GAIN = 1e-6
MAX_ROUNDS = 5
# Candidates of one step that are kept where scores are estimates.
N_KEPT = 100


def is_large(table, strategy):
    """Whether `search_large` is to do a search.

    It does not where scores need every sample (`RowTable`), nor the search in the unit box, which
    is that of the article, nor a grid alone.
    """
    is_many = table.n_classes > 2 and len(table.targets) > LARGE
    return is_many and type(table) is DecisionTable and strategy is STRATEGIES["jade"]


def search_large(table, trace, strategy, options):
    """Search on parts of the samples; only scores of all samples are added to the trace."""
    prior = off_ties(np.log(prior_costs(table.counts))[None])[0]
    decided, lead = decisions_and_leads(table.proba, prior)
    trace.record(prior[None], table.score(table.count(decided[None])))
    rows, weight = representatives(table.targets, decided, lead, table.weight, SAMPLE_ROWS)
    best = search_part(PartTable(table, rows, weight), prior, strategy, options)
    best = search_boxes(table, best, options)
    decided, _ = decisions_and_leads(table.proba, best)
    trace.record(best[None], table.score(table.count(decided[None])))
    sweep_boxes(table, trace)


def search_part(part, start, strategy, options):
    """Best log-weights on a part of the samples."""
    trace = Trace(part.n_classes, N_KEPT)
    trace.record(start[None], part.score_population(start[None]))
    for step in strategy:
        step(part, trace, options)
    return trace.best


def search_boxes(table, best, options):
    """Evolve the log-weights in boxes that are narrower each time."""
    options = replace(options, max_generations=min(BOX_GENERATIONS, options.max_generations))
    n_open = int(FIRST_OPEN * len(table.targets))
    while n_open > 2 * EXACT_OPEN:
        box = box_around(table, best, n_open, BOX_ROWS)
        if box is not None:
            best = search_part(box, best - best[0], (evolve, sweep_classes), options)
        n_open //= NARROWER
    return best


def sweep_boxes(table, trace):
    """Sweep class by class in boxes around the best, with the scores of all samples."""
    for _ in range(MAX_BOXES):
        before = trace.best_score
        box = box_around(table, trace.best, EXACT_OPEN)
        if box is None:
            return
        trace.best = trace.best - trace.best[0]
        for _ in range(MAX_ROUNDS):
            before_round = trace.best_score
            for c in range(table.n_classes):
                sweep_class(box, trace, c)
            if trace.best_score - before_round < MIN_GAIN:
                break
        if trace.best_score - before < MIN_GAIN:
            return
