"""Damage in a results file: cells whose scores do not follow from their confusion matrix.

SQLite notices a broken structure and a changed name of a cell, which its index has, too. It does
not notice another changed value, but the scores of a cell are functions of its confusion matrix.
"""

import json
import math

import numpy as np

from skimbal.benchmark._cell import scores_of_confusion
from skimbal.benchmark._protocol import Cell

_TOLERANCE = 1e-9
_N_SHOWN = 3


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
    found = {}
    for row in cells.itertuples():
        cell = Cell(row.dataset, row.method, row.fold, row.trial)
        if cell not in known:
            found[cell] = "the run has no such cell"
        elif reason := _damage(row):
            found[cell] = reason
    return found


def _damage(row):
    """What is wrong with the results of a cell, or None."""
    try:
        support = None if row.support is None else _counts(row.support, 1)
        if row.status == "failed":
            return "its support is missing" if support is None else None
        confusion = _counts(row.confusion, 2)
        n_true = confusion.sum(axis=1)
        has_other_support = support is not None and support.tolist() != n_true.tolist()
        if confusion.shape != 2 * n_true.shape or has_other_support:
            return f"its confusion matrix is {row.confusion}, but its support is {row.support}"
        differing = [
            f"its {name} is {found}, but its confusion matrix gives {score}"
            for name, score in scores_of_confusion(confusion).items()
            if (found := _number(getattr(row, name))) is not None
            and abs(found - score) > _TOLERANCE
        ]
        if (auc := _number(row.auc)) is not None and not 0 <= auc <= 1:
            differing.append(f"its auc is {auc}")
        return "; ".join(differing) or None
    except (TypeError, ValueError) as error:
        return f"a value of it can't be read ({error})"


def _number(value):
    """A score as a float, or None if there is none."""
    return None if value is None or math.isnan(float(value)) else float(value)


def _counts(text, n_axes):
    """An array of counts from JSON, or a ValueError."""
    counts = np.array(json.loads(text))
    if counts.dtype.kind != "i" or counts.ndim != n_axes or (counts < 0).any():
        raise ValueError(f"{text!r} are no counts")
    return counts
