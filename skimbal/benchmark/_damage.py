"""Damage in a results file: cells whose scores do not follow from their confusion matrix.

SQLite notices a broken structure, but not a changed value. The scores of a cell are functions of
its confusion matrix, and its seed follows from its name, so most changes can be seen.
"""

import json
import math

import numpy as np

from skimbal.benchmark._cell import scores_of_confusion
from skimbal.benchmark._protocol import Cell, cell_seed

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
        elif row.seed != cell_seed(protocol.seed, cell):
            found[cell] = f"its seed is {row.seed!r}"
        elif reason := _damage(row):
            found[cell] = reason
    return found


def _damage(row):
    """What is wrong with the results of a cell, or None."""
    try:
        support = np.array(json.loads(row.support))
        if support.dtype.kind != "i" or support.ndim != 1 or (support < 0).any():
            return f"its support is {row.support}"
        if row.status == "failed":
            return None
        confusion = np.array(json.loads(row.confusion))
        if confusion.shape != 2 * support.shape or (confusion.sum(axis=1) != support).any():
            return f"its confusion matrix is {row.confusion}, but its support is {row.support}"
        differing = [
            f"its {name} is {float(getattr(row, name))}, but its confusion matrix gives {score}"
            for name, score in scores_of_confusion(confusion).items()
            if not abs(float(getattr(row, name)) - score) <= _TOLERANCE  # NaN differs, too
        ]
        has_auc = row.auc is not None and not math.isnan(row.auc)
        if has_auc and not 0 <= row.auc <= 1:
            differing.append(f"its auc is {row.auc}")
        return "; ".join(differing) or None
    except (TypeError, ValueError) as error:
        return f"a value of it can't be read ({error})"
