"""Damage in a results file: cells whose values do not agree with each other.

SQLite notices a broken structure and a changed name of a cell, which its index has, too. It does
not notice another changed value. The scores of a cell are functions of its confusion matrix, and
all methods are tested on the same samples.
"""

import json
import math
from collections import Counter, defaultdict
from numbers import Real
from typing import Any

import numpy as np

from skimbal.benchmark._cell import scores_of_confusion
from skimbal.benchmark._names import RANK_METRICS
from skimbal.benchmark._protocol import Cell

_TOLERANCE = 1e-9
_N_SHOWN = 3
_NUMBERS = (
    *("log_loss", "fit_seconds", "fit_cpu_seconds", "predict_seconds"),
    *("fit_mib", "n_warnings"),
)


def check_cells(store, protocol):
    """The finished cells of a store; ValueError if one of them is damaged."""
    cells = store.cells()
    found = damaged_cells(cells, protocol)
    if found:
        shown = "; ".join(f"{tuple(cell)}: {why}" for cell, why in list(found.items())[:_N_SHOWN])
        raise ValueError(
            f"{store.path} has {len(found)} damaged cells ({shown}); restore a copy of the file, "
            "or run these cells again with `skimbal resume DIR --retry-failed`"
        )
    return cells


def damaged_cells(cells, protocol):
    """Cells of a results file that are damaged, and what is wrong with each.

    Parameters
    ----------
    cells : DataFrame
        As `Store.cells` returns it.
    protocol : Protocol

    Returns
    -------
    dict of Cell to str
    """
    known = set(protocol.cells())
    found, supports = {}, {}
    for row in cells.itertuples():
        cell = Cell(row.dataset, row.method, row.fold, row.trial)
        if cell not in known:
            found[cell] = "the run has no such cell"
            continue
        try:
            _check_values(row)
            supports[cell] = _support(row)
        except (TypeError, ValueError) as error:
            found[cell] = str(error)
    return found | _differing(supports)


def _support(row):
    """Number of test samples of each class; ValueError if the results of a cell disagree."""
    support = None if row.support is None else _counts(row, "support", 1)
    if row.status == "failed":
        if support is None:
            raise ValueError("its support is missing")
        if row.confusion is not None:
            raise ValueError("it failed, but it has a confusion matrix")
        return tuple(support.tolist())
    confusion = _counts(row, "confusion", 2)
    n_true = confusion.sum(axis=1)
    has_other_support = support is not None and support.tolist() != n_true.tolist()
    if confusion.shape != 2 * n_true.shape or has_other_support or not n_true.any():
        raise ValueError(
            f"its confusion matrix is {row.confusion}, but its support is {row.support}"
        )
    _check_scores(row, scores_of_confusion(confusion))
    return tuple(n_true.tolist())


def _check_scores(row, right):
    differing = [
        f"its {name} is {found}, but its confusion matrix gives {score}"
        for name, score in right.items()
        if (found := _number(row, name)) is None or abs(found - score) > _TOLERANCE
    ]
    ranks = {name: _number(row, name) for name in RANK_METRICS}
    differing += [
        f"its {name} is {score}"
        for name, score in ranks.items()
        if score is not None and not 0 <= score <= 1
    ]
    if differing:
        raise ValueError("; ".join(differing))


def _check_values(row):
    """Raise a ValueError if a value is of another kind than the runner writes."""
    for name in _NUMBERS:
        if (_number(row, name) or 0) < 0:
            raise ValueError(f"its {name} is {getattr(row, name)!r}")
    if not isinstance(row.error, str | None) or not isinstance(_json(row, "warnings"), dict | None):
        raise ValueError(f"its error is {row.error!r}, and its warnings are {row.warnings!r}")


def _differing(supports):
    """Cells that were tested on other samples than most cells of the fold or of the data set."""
    shapes = {cell: len(support) for cell, support in supports.items()}
    found = _unusual(shapes, lambda cell: cell.dataset, "classes")
    others = {cell: support for cell, support in supports.items() if cell not in found}
    return found | _unusual(others, lambda cell: (cell.dataset, cell.trial, cell.fold), "samples")


def _unusual(values, group, what):
    """The cells whose value is not the most frequent one of their group; all if there is none."""
    counts: defaultdict[Any, Counter] = defaultdict(Counter)
    for cell, value in values.items():
        counts[group(cell)][value] += 1
    usual = {}
    for key, counter in counts.items():
        first, *second = counter.most_common(2)
        usual[key] = first[0] if not second or first[1] > second[0][1] else None
    return {
        cell: f"it has other {what} than other cells ({value})"
        for cell, value in values.items()
        if value != usual[group(cell)]
    }


def _number(row, name):
    """A number of a cell as a float, or None if there is none."""
    value = getattr(row, name)
    if value is None:
        return None
    if not isinstance(value, Real):
        raise ValueError(f"its {name} is {value!r}")
    return None if math.isnan(value) else float(value)


def _json(row, name):
    """A value of a cell that is stored as JSON, or None if there is none."""
    text = getattr(row, name)
    try:
        return None if text is None else json.loads(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"its {name} can't be read ({error})") from error


def _counts(row, name, n_axes):
    """An array of counts that is stored as JSON."""
    counts = np.array(_json(row, name))
    if counts.dtype.kind != "i" or counts.ndim != n_axes or (counts < 0).any():
        raise ValueError(f"its {name} is {getattr(row, name)!r}, which are no counts")
    return counts
