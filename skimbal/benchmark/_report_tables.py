"""The tables of a report as frames of numbers and of text, for all the formats that it has."""

import json
from itertools import combinations

import numpy as np
import pandas as pd

from skimbal._utils._warnings import error_line
from skimbal.benchmark._names import RANK_METRICS
from skimbal.metrics import win_lose_draw

TITLES = {
    "g_mean": "G-mean",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "auc": "AUC",
    "average_precision": "average precision",
    "rare_average_precision": "average precision of the rarest class",
}
SUMMARY_LEGEND = (
    "mean and std: over the data sets, of the mean over folds and trials; pooled: from the "
    "confusion matrix summed over the folds of a trial; rank: average rank, 1 is the best. "
    "control_wins, control_loses, draws: data sets on which {control} is significantly better or "
    "worse than the method, or neither (Wilcoxon signed-rank over folds and trials, 5 %). p: "
    "Wilcoxon signed-rank over the data sets against {control}; p_holm: adjusted for all methods. "
    "fit_seconds: mean time of a fit; fit_mib: largest memory of a fit in MiB, above what the "
    "process had before. "
)
MEMORY_NOTE = (
    "The memory of networks is that of all cells that were trained together. Compare it with that "
    "of other networks only, and not with that of methods whose cells are trained one by one."
)
SUMMARY_LEGEND += MEMORY_NOTE
MATRIX_LEGEND = (
    "Data sets on which the method of the row is significantly better than that of the column, "
    "significantly worse, and neither (Wilcoxon signed-rank over folds and trials, 5 %)."
)
_FORMATS = {"rank": "{:.3f}", "p": "{:.3g}", "p_holm": "{:.3g}", "fit_seconds": "{:.3g}"}
_COUNTS = ("control_wins", "control_loses", "draws", "n_failed", "n_warned", "fit_mib")


def title_of(result):
    """What was compared, in a line."""
    run = result.protocol
    return (
        f"{result.metric} on {counted(len(run.datasets), 'data set')} of {run.suite}: "
        f"{run.n_folds} {run.split} folds, {counted(run.n_trials, 'trial')}, seed {run.seed}"
    )


def counted(number, noun):
    """A number of things in words.

    >>> counted(1, "trial"), counted(2, "trial")
    ('1 trial', '2 trials')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def rank_test_lines(result):
    """A line for each test of all methods."""
    for name, (statistic, p_value) in result.tests.items():
        yield f"{name}: statistic {statistic:.4g}, p = {p_value:.3g}"


def scores_of_cells(cells, metric):
    """Score of each cell; 0 for a failed one, unless no method can have a score in its fold."""
    failed = cells.status == "failed"
    scores = cells[metric].astype(float).mask(failed, 0.0)
    if metric not in RANK_METRICS:
        return scores
    lacks_class = cells.support.map(lambda text: text is not None and 0 in json.loads(text))
    return scores.mask(failed & lacks_class, np.nan)


def by_method(result, column):
    """A column of ``per_dataset`` with a row for each data set and a column for each method."""
    table = result.per_dataset.pivot(index="dataset", columns="method", values=column)
    run = result.protocol
    return table.reindex(
        index=[d for d in run.datasets if d in table.index],
        columns=[m for m in run.methods if m in table.columns],
    )


def is_best(means):
    """Where a mean is the best of its data set, ties included."""
    return means.eq(means.max(axis=1), axis=0)


def mean_and_std(mean, std, bold="{}"):
    """A score with its spread, as text.

    >>> mean_and_std(0.5, 0.25, "**{}**")
    '**0.5000** (0.250)'
    """
    if np.isnan(mean):
        return "-"
    text = bold.format(f"{mean:.4f}")
    return text if np.isnan(std) else f"{text} ({std:.3f})"


def scores_as_text(result, bold="{}"):
    """Frame of "mean (std)"; the best of each data set is written as `bold` says."""
    means, stds = by_method(result, "mean"), by_method(result, "std")
    marks = is_best(means)
    columns = {
        method: [
            mean_and_std(mean, std, bold if mark else "{}")
            for mean, std, mark in zip(means[method], stds[method], marks[method], strict=True)
        ]
        for method in means
    }
    return pd.DataFrame(columns, means.index)


def summary_as_text(summary):
    """The summary as text: scores with four digits, counts with none."""
    formats = {**_FORMATS, **dict.fromkeys(_COUNTS, "{:.0f}")}
    columns = {
        name: [formats.get(name, "{:.4f}").format(value) for value in column.astype(float)]
        for name, column in summary.items()
    }
    return pd.DataFrame(columns, index=summary.index).replace("nan", "-")


def win_lose_draw_matrix(result):
    """Frame of (wins, losses, draws) of each pair of methods, None on the diagonal.

    It counts the data sets that all methods completed. The tests are those of the summary.
    """
    sets, methods = result.means().index, list(result.means().columns)
    scores = result.cells.assign(score=scores_of_cells(result.cells, result.metric))
    scores = scores[scores.dataset.isin(sets)]
    table = scores.pivot(index=["dataset", "trial", "fold"], columns="method", values="score")
    by_set = [part.to_numpy() for _, part in table.reindex(columns=methods).groupby("dataset")]
    counts: list[list] = [[None] * len(methods) for _ in methods]
    for i, j in combinations(range(len(methods)), 2):
        first, second = ([part[:, k] for part in by_set] for k in (i, j))
        win, lose, draw = win_lose_draw(first, second)
        counts[i][j], counts[j][i] = (win, lose, draw), (lose, win, draw)
    return pd.DataFrame(counts, methods, methods, dtype=object).rename_axis("method")


def matrix_as_text(matrix):
    """The matrix of wins, losses and draws as text, such as "12 / 3 / 43"."""
    return matrix.map(lambda counts: "-" if counts is None else " / ".join(map(str, counts)))


def failure_table(cells):
    """Failed cells grouped by method and error."""
    failures = cells[cells.status == "failed"]
    names = failures.dataset + " fold " + failures.fold.astype(str)
    names += " trial " + failures.trial.astype(str)
    errors = failures.error.fillna("").map(error_line)
    grouped = pd.DataFrame({"method": failures.method, "error": errors, "cells": names})
    table = grouped.groupby(["method", "error"], sort=False).cells.agg(", ".join)
    return table.reset_index().set_index("method")


def warning_table(cells):
    """Number of cells in which each method raised each kind of warning."""
    kinds = [
        (method, kind)
        for method, warnings in zip(cells.method, cells.warnings, strict=True)
        for kind in {text.partition(":")[0] for text in json.loads(warnings or "{}")}
    ]
    table = pd.DataFrame(kinds, columns=["method", "warning"])
    counts = table.groupby(["method", "warning"]).size().rename("cells")
    return counts.reset_index().set_index("method")


def protocol_table(protocol):
    """What decides the numbers of a run, as pairs of texts."""
    return {
        "suite": protocol.suite,
        "data sets": str(len(protocol.datasets)),
        "methods": ", ".join(protocol.methods),
        "folds": f"{protocol.n_folds}, {protocol.split}",
        "trials": str(protocol.n_trials),
        "cells": f"{len(protocol.cells())} (data set x method x fold x trial)",
        "seed": str(protocol.seed),
    }
