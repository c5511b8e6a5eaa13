"""A report as one web page, made by Jinja2 from ``templates``: no other file and no network.

Every name and text of a run is escaped by Jinja2. A policy in the page refuses all scripts but its
own, whose checksum it has, and everything from elsewhere.
"""

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from skimbal._utils._warnings import error_line
from skimbal.benchmark._html_charts import cost_chart, panels
from skimbal.benchmark._progress import clock
from skimbal.benchmark._report_latex import latex_tables
from skimbal.benchmark._report_tables import (
    MATRIX_LEGEND,
    MEMORY_NOTE,
    SUMMARY_LEGEND,
    TITLES,
    by_method,
    counted,
    is_best,
    protocol_table,
    rank_test_lines,
    warning_table,
    win_lose_draw_matrix,
)
from skimbal.inspection import CriticalDifferenceDisplay, svg_of
from skimbal.metrics import nemenyi_critical_difference

COLUMNS = {  # of the summary: its heading and the format of its numbers
    "rank": ("average rank", "{:.2f}"),
    "mean": ("mean", "{:.4f}"),
    "std": ("std", "{:.4f}"),
    "pooled": ("pooled", "{:.4f}"),
    "control_wins": ("control wins", "{:.0f}"),
    "control_loses": ("control loses", "{:.0f}"),
    "draws": ("draws", "{:.0f}"),
    "p": ("p", "{:.3g}"),
    "p_holm": ("p (Holm)", "{:.3g}"),
    "n_failed": ("failed cells", "{:.0f}"),
    "n_warned": ("cells with warnings", "{:.0f}"),
    "fit_seconds": ("fit, seconds", "{:.3g}"),
    "fit_mib": ("fit, MiB", "{:.0f}"),
}
N_CELLS_SHOWN = 20  # of those that failed with the same error


@dataclass(frozen=True)
class Number:
    """A number of a table: as text, and as what the script sorts by ("" if there is none)."""

    text: str
    key: str
    is_best: bool = False
    spread: str = ""
    note: str = ""


@dataclass(frozen=True)
class Failure:
    """Cells of a method that failed with the same last line of their errors."""

    method: str
    error: str
    n_cells: int
    cells: str
    traceback: str


def html_report(result, *, progress=None, refresh_s=None, stopped=None):
    """The page as text; of a run that goes on with its `Progress`, and loaded anew by itself.

    `stopped` says that the run was stopped; then the page is not loaded anew.
    """
    if stopped is not None:
        refresh_s = None
    script = _asset("report.js")
    diagram, no_diagram = rank_diagram(result)
    page = {
        "question": question(result),
        "answer": answer(result),
        "notes": result.notes,
        "progress": None if progress is None else progress_texts(progress, refresh_s, stopped),
        "refresh_s": refresh_s,
        "tests": list(rank_test_lines(result)),
        "metric": TITLES[result.metric],
        "methods": list(by_method(result, "mean").columns),
        "summary": summary_rows(result.summary),
        "summary_legend": summary_legend(result.control),
        "diagram": diagram,
        "no_diagram": no_diagram,
        "nemenyi": nemenyi_text(result),
        "scores": score_rows(result),
        "mean_row": mean_row(result),
        "matrix": _matrix(result),
        "matrix_legend": MATRIX_LEGEND,
        "charts": cost_charts(result.summary),
        "memory_note": MEMORY_NOTE,
        "panels": panels(result),
        "failures": failures(result.cells),
        "warnings": list(warning_table(result.cells).itertuples()),
        "protocol": protocol_table(result.protocol),
        "left_out": result.protocol.left_out,
        "environments": result.environments,
        "latex": dict(latex_tables(result)),
        "csv": csv_texts(result),
        "checksum": Markup(checksum_of(script)),  # its "+" is no text of a user
        "script": Markup(script),
        "style": Markup(_asset("report.css")),
    }
    return _environment().get_template("report.html").render(page)


def _environment():
    return Environment(
        loader=PackageLoader("skimbal.benchmark"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def _asset(name):
    return (resources.files("skimbal.benchmark") / "templates" / name).read_text(encoding="utf-8")


def checksum_of(script):
    """The checksum of a script, as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def progress_texts(progress, refresh_s, stopped):
    """A title and a line on a run that goes on or was stopped; its methods as rows of texts."""
    if stopped is None:
        title = "The run goes on"
        line = f"{progress.to_text()}. This page loads itself anew every {refresh_s:g} seconds."
    else:
        title, line = "The run was stopped", f"{stopped[:1].upper()}{stopped[1:]}."
    if progress.last_finished is not None:
        line += f" The latest cell was finished at {clock(progress.last_finished)}."
    rows = [
        (
            str(method),
            f"{row.done:.0f} of {row.of:.0f}",
            _number(row.per_minute, "{:.3g}").text,
            _number(row.cell_seconds, "{:.3g}").text,
            _number(row.left_seconds / 60.0, "{:.3g}").text,
        )
        for method, row in progress.methods.iterrows()
    ]
    share = progress.n_finished / progress.n_cells
    return {"title": title, "line": line, "rows": rows, "share": share}


def question(result):
    """What the run asks."""
    run = result.protocol
    n_methods, sets = len(run.methods), counted(len(run.datasets), "data set")
    if n_methods == 1:
        return f"{TITLES[result.metric]} of {run.methods[0]} on {sets} of {run.suite}"
    return (
        f"Which of {n_methods} methods has the best {TITLES[result.metric]} on {sets} of "
        f"{run.suite}?"
    )


def answer(result):
    """What the run says, no more than its tests allow."""
    means, summary = result.means(), result.summary
    if len(means) == 0:
        return "No data set is complete for every method, so the methods are not ranked."
    if len(summary) == 1:
        (row,) = summary.itertuples()
        return f"The mean is {row.mean:.4f}."
    best = summary["rank"].idxmin()
    text = (
        f"{best} has the best average rank, {summary.loc[best, 'rank']:.2f} of {len(summary)}, "
        f"with a mean of {summary.loc[best, 'mean']:.4f} over {counted(len(means), 'data set')}."
    )
    # Iman and Davenport's test is the sharper one (Demsar 2006, section 3.2.2), but its statistic
    # is infinite where all data sets rank the methods equally.
    for name in ("Iman-Davenport", "Friedman"):
        if name in result.tests:
            p_value = result.tests[name].p_value
            decided = "differ" if p_value < 0.05 else "do not differ"
            return f"{text} The methods {decided} significantly at 5 % ({name}, p = {p_value:.3g})."
    return f"{text} There are too few methods or data sets for a test of all methods."


def rank_diagram(result):
    """The critical-difference diagram as an SVG element and None, or None and why it is missing."""
    n_sets, n_methods = result.means().shape
    if n_sets < 2 or n_methods < 3:
        return None, "The diagram needs at least three methods and two complete data sets."
    size = (8.0, 1.4 + 0.25 * n_methods)
    try:
        svg = svg_of(lambda ax: CriticalDifferenceDisplay.from_results(result, ax=ax), size)
    except ImportError as error:
        return None, f"The diagram is left out: {error}."
    return Markup(svg), None  # matplotlib has escaped the names


def nemenyi_text(result):
    """The critical difference of Nemenyi's test in words; None without two methods and a set."""
    n_sets, n_methods = result.means().shape
    if n_sets < 1 or n_methods < 2:
        return None
    difference = nemenyi_critical_difference(n_methods, n_sets)
    return (
        f"By Nemenyi's test, two methods differ at 5 % if their average ranks differ by "
        f"{difference:.2f} or more."
    )


def cost_charts(summary):
    """Triples of a short name, the words for what a fit costs, and the chart."""
    kinds = [
        ("time", "mean time of a fit", "fit_seconds", "s"),
        ("memory", "largest memory of a fit", "fit_mib", "MiB"),
    ]
    charts = [(name, words, cost_chart(summary, *rest)) for name, words, *rest in kinds]
    return [chart for chart in charts if chart[2] is not None]


def _number(value, form, **options):
    if value is None or not np.isfinite(value):
        return Number("–", "")
    return Number(form.format(value), repr(float(value)), **options)


def summary_legend(control):
    """The legend of the summary, with the headings that the page has."""
    legend = SUMMARY_LEGEND
    for name in ("control_wins", "control_loses", "p_holm", "fit_seconds", "fit_mib"):
        legend = legend.replace(name, COLUMNS[name][0])
    return legend.format(control=control)


def summary_rows(summary):
    """Headings, and pairs of a method and its numbers; the best rank and mean are marked."""
    names = [name for name in COLUMNS if name in summary]
    best = {"rank": summary["rank"].min(), "mean": summary["mean"].max()}
    rows = [
        (
            str(method),
            [
                _number(row[name], COLUMNS[name][1], is_best=bool(row[name] == best.get(name)))
                for name in names
            ],
        )
        for method, row in summary.astype(float).iterrows()
    ]
    return [COLUMNS[name][0] for name in names], rows


def score_rows(result):
    """Pairs of a data set and the scores of the methods; None where no cell is finished."""
    means, stds = by_method(result, "mean"), by_method(result, "std")
    failed, marks = by_method(result, "n_failed"), is_best(means)
    rows = []
    for dataset in means.index:
        numbers = [
            _number(
                means.at[dataset, method],
                "{:.4f}",
                is_best=bool(marks.at[dataset, method]),
                spread=_spread(stds.at[dataset, method]),
                note=_failed_note(failed.at[dataset, method]),
            )
            for method in means
        ]
        rows.append((str(dataset), numbers))
    return rows


def _spread(std):
    return "" if np.isnan(std) else f"{std:.3f}"


def _failed_note(n_failed):
    return f"{n_failed:.0f} failed" if n_failed > 0 else ""


def mean_row(result):
    """The means over the complete data sets, in the order of the columns, and their number."""
    means = result.means()
    if len(means) == 0:
        return None
    columns = by_method(result, "mean").columns
    averages = means.mean().reindex(columns)
    best = averages.max()
    return [_number(v, "{:.4f}", is_best=bool(v == best)) for v in averages], len(means)


def _matrix(result):
    means = result.means()
    if len(means) == 0 or means.shape[1] < 2:
        return None
    return list(win_lose_draw_matrix(result).itertuples(name=None))


def failures(cells):
    """The failed cells, grouped by method and by the last line of the error."""
    failed = cells[cells.status == "failed"].assign(error=lambda c: c.error.fillna("not recorded"))
    groups = failed.groupby(["method", failed.error.map(error_line)], sort=False)
    return [
        Failure(str(method), line, len(group), _cell_names(group), group.error.iloc[0].strip())
        for (method, line), group in groups
    ]


def _cell_names(cells):
    triples = zip(cells.dataset, cells.fold, cells.trial, strict=True)
    names = [f"{dataset} fold {fold} trial {trial}" for dataset, fold, trial in triples]
    more = len(names) - N_CELLS_SHOWN
    return ", ".join(names[:N_CELLS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def csv_texts(result):
    """The tables of the page as CSV, by name."""
    columns = ["dataset", "method", "mean", "std", "n_cells", "n_failed"]
    texts = {
        "summary": result.summary.to_csv(),
        "scores": result.per_dataset[columns].to_csv(index=False),
    }
    matrix = _matrix(result) or []
    names = [row[0] for row in matrix]
    pairs = [
        (method, other, *counts)
        for method, *of_method in matrix
        for other, counts in zip(names, of_method, strict=True)
        if counts
    ]
    if pairs:
        columns = ["method", "other", "wins", "losses", "draws"]
        texts["pairs"] = pd.DataFrame(pairs, columns=columns).to_csv(index=False)
    return texts
