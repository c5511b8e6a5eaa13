"""Tables and tests of a run: what its cells say about the methods."""

import json
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skimbal._utils._validation import unknown_name_message
from skimbal._utils._warnings import error_line
from skimbal.benchmark._cell import scores_of_confusion
from skimbal.benchmark._damage import check_cells
from skimbal.benchmark._html_report import html_report
from skimbal.benchmark._names import METRICS, RANK_METRICS
from skimbal.benchmark._protocol import Protocol
from skimbal.benchmark._report_files import check_has_cells, export_report, write_all
from skimbal.benchmark._report_latex import latex_report
from skimbal.benchmark._report_markdown import markdown_report
from skimbal.benchmark._report_tables import (
    rank_test_lines,
    scores_as_text,
    scores_of_cells,
    summary_as_text,
    title_of,
)
from skimbal.benchmark._store import Store
from skimbal.metrics import (
    average_ranks,
    friedman,
    holm,
    iman_davenport,
    significant_wins,
    wilcoxon_to_control,
)

DEFAULT_CONTROL = "ecs-dbn"
# Fewer differing pairs cannot reach p < 0.05 in a two-sided signed-rank test (2 / 2^5 = 0.0625).
MIN_PAIRS = 6


@dataclass(frozen=True)
class Report:
    """The results of a run as tables, tests and notes.

    Attributes
    ----------
    metric, control : str
        The reported score, and the method that the others are tested against.
    protocol : Protocol
        Suite, methods, folds, trials, split and seed of the run.
    cells : DataFrame
        A row for each finished cell.
    per_dataset : DataFrame
        A row for each data set and method with finished cells: ``mean`` and ``std`` over folds
        and trials, ``pooled`` (the score of the confusion matrix summed over the folds of a
        trial, mean over trials; not for the AUC and the average precision), ``n_cells``,
        ``n_failed``, ``complete`` and ``outcome``: 1 if the control is significantly better, -1 if
        it is worse, else 0.
    summary : DataFrame
        A row for each method, best mean first, over the data sets that all methods completed.
    tests : dict of str to RankTest
        Friedman's test and Iman and Davenport's, if there are enough methods and data sets. The
        latter does not exist if all data sets rank the methods equally.
    notes : list of str
        Limits of the tables: missing or failed cells, tests that cannot decide.
    environments : list of dict
        Versions of the packages that computed the cells.

    References
    ----------
    J. Demsar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7, 1-30,
    section 3.2.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skimbal.benchmark import Method, Suite, run_benchmark
    >>> suite = Suite("flowers", ("iris",), lambda name: load_iris(return_X_y=True))
    >>> bayes = Method("bayes", "Gaussian naive Bayes", lambda seed: GaussianNB())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = run_benchmark(suite, [bayes], out=folder, n_folds=3)
    >>> result.wide().loc["iris", "bayes"]
    '0.9588 (0.021)'
    """

    metric: str
    control: str
    protocol: Protocol
    cells: pd.DataFrame
    per_dataset: pd.DataFrame
    summary: pd.DataFrame
    tests: dict
    notes: list[str]
    environments: list[dict]

    def wide(self, bold_best: bool = False) -> pd.DataFrame:
        """Table of "mean (std)" with a row for each data set and a column for each method."""
        return scores_as_text(self, "**{}**" if bold_best else "{}")

    def means(self) -> pd.DataFrame:
        """Mean scores of the data sets that all methods completed: a row a set, a column a method.

        ``CriticalDifferenceDisplay.from_results`` of `skimbal.inspection` draws them.
        """
        return _table_of_means(self.per_dataset, self.protocol)

    def to_text(self, width: int | None = None) -> str:
        """The report for a terminal of `width` columns (None: one long line for each row)."""
        options = {"line_width": width, "justify": "right"}
        tables = [self.wide(), summary_as_text(self.summary)] if len(self.cells) else []
        texts = [table.to_string(**options) for table in tables]
        return "\n\n".join([title_of(self), *texts, *rank_test_lines(self), *self.notes])

    def to_markdown(self) -> str:
        """The report as Markdown, with failures, warnings and versions."""
        return markdown_report(self)

    def to_latex(self) -> str:
        """The tables of the report for LaTeX, with the packages booktabs and longtable.

        Raises
        ------
        ValueError
            If no cell is finished.
        """
        check_has_cells(self)
        return latex_report(self)

    def to_html(self) -> str:
        """The report as one web page that needs no other file and no network.

        It has the tables, which can be sorted and filtered, the critical-difference diagram (if
        matplotlib and scikit-posthocs are there), the scores against the time of a fit and on each
        data set, failed cells with their errors, the protocol and the versions.

        Raises
        ------
        ValueError
            If no cell is finished.
        """
        check_has_cells(self)
        return html_report(self)

    def export(self, file: str | os.PathLike, kind: str | None = None) -> None:
        """Write the report to a file of one's choice.

        Parameters
        ----------
        file : path
            An existing file is replaced.
        kind : {"html", "latex", "markdown"} or None, default=None
            None takes it from the ending of the file: ``.html``, ``.tex`` or ``.md``.

        Raises
        ------
        ValueError
            If no cell is finished, or if the kind is unknown or cannot be known from the ending.
        OSError
            If the file can't be written.
        """
        export_report(self, file, kind)

    def to_json(self) -> str:
        """The report as a JSON object, for other programs; a score that does not exist is null.

        Its keys are ``metric``, ``control``, ``suite``, ``summary`` and ``per_dataset`` (a list of
        rows each), ``tests`` (name to ``statistic`` and ``pvalue``), ``notes``, ``n_cells`` (those
        of the run), ``n_finished`` and ``n_failed``.
        """
        content = {
            "metric": self.metric,
            "control": self.control,
            "suite": self.protocol.suite,
            "n_cells": len(self.protocol.cells()),
            "n_finished": len(self.cells),
            "n_failed": self.n_failed,
            "summary": _records(self.summary.reset_index()),
            "per_dataset": _records(self.per_dataset),
            "tests": {
                name: {"statistic": float(statistic), "pvalue": float(p_value)}
                for name, (statistic, p_value) in self.tests.items()
            },
            "notes": self.notes,
        }
        return json.dumps(content, allow_nan=False)

    @property
    def n_failed(self) -> int:
        """Number of cells that failed."""
        return int((self.cells.status == "failed").sum())

    def save(self, folder: str | os.PathLike) -> None:
        """Write ``summary.csv``, ``per_dataset.csv``, ``cells.csv`` and ``report.md``.

        Each file is written under another name and then renamed, so a file is never half written.
        """
        texts = {
            "summary.csv": self.summary.to_csv(),
            "per_dataset.csv": self.per_dataset.to_csv(index=False),
            "cells.csv": self.cells.to_csv(index=False),
            "report.md": self.to_markdown(),
        }
        try:
            write_all(texts, Path(folder))
        except (OSError, RuntimeError) as error:  # the latter for a loop of links
            raise OSError(
                f"the report can't be written to {folder} ({error}); the results are kept. Make "
                "the folder writable or free some space, then use `skimbal report`"
            ) from error


def _records(table):
    return json.loads(table.to_json(orient="records", double_precision=15))


def report(out: str | os.PathLike, *, metric: str = "g_mean", control: str | None = None) -> Report:
    """Report a run, finished or not.

    A failed cell has a score of 0. It has none where no method can have one: an AUC or an average
    precision of a fold that lacks a class. Means, ranks and tests are over the data sets of which
    every method has finished every cell. The notes say how many data sets are missing.

    Parameters
    ----------
    out : path
        Output folder of a run.
    metric : {"g_mean", "accuracy", "balanced_accuracy", "macro_f1", "auc", \
            "average_precision", "rare_average_precision"}, default="g_mean"
        The score to report. The AUC and the average precision of three or more classes are means
        over the curves of each class against the rest; so is the average precision of two classes.
        "rare_average_precision" is that of the class with the fewest training samples.
        The means leave out one that does not exist: the method predicts labels only, a class is
        missing in the fold, or an older version of skimbal without this score ran the cell.
    control : str or None, default=None
        Method that the others are tested against; None is "ecs-dbn" if the run has it, else the
        first method of the run.

    Returns
    -------
    Report
        Tables, tests and notes.

    Raises
    ------
    ValueError
        If the folder has no run, one of a newer version of skimbal, or one with damaged cells, or
        if the metric or the control is unknown.
    OSError
        If the results file can't be read.

    Examples
    --------
    >>> from skimbal.benchmark import report
    >>> table = report("results/a", metric="macro_f1").summary  # doctest: +SKIP
    """
    store = Store.open(out)
    protocol = store.protocol()
    if metric not in METRICS:
        raise ValueError(unknown_name_message("metric", metric, METRICS))
    control = _resolve_control(control, protocol.methods)
    cells = check_cells(store, protocol)
    scores = cells.assign(score=scores_of_cells(cells, metric))
    per_dataset = _per_dataset(scores, protocol, metric, control)
    means = _table_of_means(per_dataset, protocol)
    return Report(
        metric=metric,
        control=control,
        protocol=protocol,
        cells=cells,
        per_dataset=per_dataset,
        summary=_summary(per_dataset, means, cells, protocol, control),
        tests=_rank_tests(means),
        notes=_notes(scores, means, protocol, metric),
        environments=store.environments(),
    )


def _resolve_control(control, methods):
    if control is None:
        return DEFAULT_CONTROL if DEFAULT_CONTROL in methods else methods[0]
    if control not in methods:
        raise ValueError(unknown_name_message("control", control, methods))
    return control


def _per_dataset(scores, protocol, metric, control):
    """A row for each data set and method that has finished cells, in the order of the run."""
    groups = scores.groupby(["dataset", "method"], sort=False)
    table = groups.agg(
        mean=("score", "mean"),
        std=("score", "std"),
        n_cells=("score", "size"),
        n_failed=("status", lambda status: int((status == "failed").sum())),
    )
    if metric not in RANK_METRICS:
        pooled = {key: _pooled_score(group, metric) for key, group in groups}
        table.insert(2, "pooled", pd.Series(pooled, dtype=float))
    order = pd.MultiIndex.from_product(
        [protocol.datasets, protocol.methods], names=["dataset", "method"]
    )
    table = table.loc[order[order.isin(table.index)]].reset_index()
    expected = table.dataset.map({d: len(f) * protocol.n_trials for d, f in protocol.folds.items()})
    table["complete"] = table.n_cells == expected
    outcomes = _outcomes(scores, control)
    table["outcome"] = [outcomes.get((row.dataset, row.method), 0) for row in table.itertuples()]
    return table


def _pooled_score(cells, metric):
    """Mean over trials of the score of the confusion matrix summed over a trial's folds."""
    columns = ["trial", "status", "confusion", "support"]
    totals: dict = {}
    for trial, *of_cell in zip(*(cells[name] for name in columns), strict=True):
        totals[trial] = totals.get(trial, 0) + _confusion(*of_cell)
    return float(np.mean([scores_of_confusion(total)[metric] for total in totals.values()]))


def _confusion(status, confusion, support):
    """Confusion matrix of a cell; a failed cell has no sample right."""
    if status == "done":
        return np.array(json.loads(confusion))
    return np.roll(np.diag(json.loads(support)), 1, axis=1)


def _outcomes(scores, control):
    """Dict of (data set, method) to 1, -1 or 0: the control is significantly better, worse or not.

    The test is over folds and trials.
    """
    keys = ["dataset", "trial", "fold"]
    of_control = scores.loc[scores.method == control, [*keys, "score"]]
    pairs = scores[[*keys, "method", "score"]].merge(of_control, on=keys, suffixes=("", "_control"))
    return {
        key: int(significant_wins([pair.score_control], [pair.score])[0])
        for key, pair in pairs.groupby(["dataset", "method"])
    }


def _table_of_means(per_dataset, protocol):
    """Means of the data sets that all methods completed: rows are data sets, columns methods."""
    complete = per_dataset[per_dataset.complete]
    table = complete.pivot(index="dataset", columns="method", values="mean")
    n_methods = complete.groupby("dataset").size()
    kept = [d for d in protocol.datasets if n_methods.get(d, 0) == len(protocol.methods)]
    # On some data sets no method has a score, such as an AUC where every fold lacks a class.
    return table.reindex(index=kept, columns=protocol.methods).dropna(how="all")


def _summary(per_dataset, means, cells, protocol, control):
    """A row for each method, over the data sets of `means`."""
    rows = per_dataset[per_dataset.dataset.isin(means.index)].groupby("method")
    table = pd.DataFrame({"mean": means.mean(), "std": means.std()})
    if "pooled" in per_dataset:
        table["pooled"] = rows.pooled.mean()
    table["rank"] = average_ranks(means) if len(means) else np.nan
    for name, outcome in [("control_wins", 1), ("control_loses", -1), ("draws", 0)]:
        table[name] = rows.outcome.agg(lambda values, o=outcome: int((values == o).sum()))
    if len(means):
        p_values = wilcoxon_to_control(means, protocol.methods.index(control))
        table["p"], table["p_holm"] = p_values, holm(p_values)
    by_method = cells.groupby("method")
    table["n_failed"] = by_method.status.agg(lambda status: int((status == "failed").sum()))
    table["n_warned"] = by_method.n_warnings.agg(lambda n: int((n > 0).sum()))
    table["fit_seconds"] = by_method.fit_seconds.mean()
    table["fit_mib"] = by_method.fit_mib.max().astype(float)
    table.loc[control, ["control_wins", "control_loses", "draws"]] = np.nan
    return table.sort_values("mean", ascending=False, kind="stable").rename_axis("method")


def _rank_tests(means):
    if means.shape[0] < 2 or means.shape[1] < 3:
        return {}
    tests = {"Friedman": friedman(means), "Iman-Davenport": iman_davenport(means)}
    # Its F is infinite and its p 0 where all data sets rank the methods equally, however few.
    return {name: test for name, test in tests.items() if np.isfinite(test.statistic)}


def _notes(cells, means, protocol, metric):
    """Limits of the tables that a reader must know."""
    n_all, n_sets, methods = len(protocol.cells()), len(protocol.datasets), set(protocol.methods)
    failed = cells[cells.status == "failed"]
    counts = ", ".join(f"{method} {n}" for method, n in failed.method.value_counts().items())
    n_pairs = max(len(folds) for folds in protocol.folds.values()) * protocol.n_trials
    has_search = any(name.startswith("ecs-dbn") for name in methods)
    n_undefined = int(cells.score.isna().sum())
    title = {"auc": "AUC"}.get(metric, metric.replace("_", " "))
    notes = {
        f"INCOMPLETE: {len(cells)} of {n_all} cells are finished. Means, ranks and tests are over "
        f"the {len(means)} of {n_sets} data sets that every method completed. `skimbal resume` "
        "runs the missing cells.": len(cells) < n_all,
        f"FAILED: {len(failed)} cells failed and have a score of 0 ({counts}). The first error: "
        f"{_first_error(failed)}": len(failed) > 0,
        f"With {n_pairs} scores for each data set (folds x trials), no difference on one data set "
        f"can be significant at 5 %, so all are draws. Use {MIN_PAIRS} scores or more.": (
            n_pairs < MIN_PAIRS
        ),
        "dbn-prior is not among the methods. Add it to see what the cost search gains over the "
        "same network decided at the training prevalence.": (
            has_search and "dbn-prior" not in methods
        ),
        f"The {title} is undefined in {n_undefined} cells, which are left out.": n_undefined > 0,
    }
    left_out = [f"LEFT OUT: {name}; {why}." for name, why in protocol.left_out.items()]
    return left_out + [note for note, applies in notes.items() if applies]


def _first_error(failed):
    """The error that the first traceback ends with, without further lines of its message."""
    texts = failed.error.dropna()
    line = error_line(texts.iloc[0]) if len(texts) else "not recorded"
    return textwrap.shorten(line, 200, placeholder=" ...")
