"""Few samples in place of millions, for the search for costs of more than two classes.

Samples can be left out in two ways. `representatives` are samples that stand for others like them,
with their weight: scores are estimates. In a box around log-weights, no decision changes for a
sample whose best class leads by more than the width of the box: such samples are counted once, and
the scores are those of all samples (`box_around`).
"""

import numpy as np
from sklearn.utils import gen_batches

from skimbal.cost_sensitive._decision_table import DecisionTable

# Rows whose logarithms are taken at a time.
BLOCK = 2**14
# A narrower box has only ties.
MIN_WIDTH = 1e-9


def decisions_and_leads(proba, log_weights):
    """Class of the largest log p_ic + w_c, and how far it is above the second, for each sample.

    >>> decisions_and_leads(np.array([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]]), np.zeros(3))
    (array([0, 2], dtype=uint8), array([0.69314718,        inf]))
    """
    decided = np.empty(len(proba), np.min_scalar_type(len(log_weights)))
    lead = np.empty(len(proba))
    for rows in gen_batches(len(proba), BLOCK):
        with np.errstate(divide="ignore"):
            weighted = np.log(proba[rows], dtype=np.float64) + log_weights
        first = np.arange(len(weighted)), weighted.argmax(axis=1)
        highest = weighted[first]
        weighted[first] = -np.inf
        decided[rows], lead[rows] = first[1], highest - weighted.max(axis=1)
    return decided, lead


def largest_share(counts, total):
    """The number that cuts counts so that they add up to a total, or the largest count.

    >>> largest_share(np.array([2, 5, 100]), 20), largest_share(np.array([2, 5]), 20)
    (13, 5)
    """
    counts = np.sort(counts)
    for i, count in enumerate(counts):
        n_left = len(counts) - i
        if count * n_left > total:
            return max(1, int(total // n_left))
        total -= count
    return int(counts[-1])


def representatives(targets, decided, lead, weight, n_rows):
    """Choose samples that stand for all, and the weights that they have then.

    Samples of the same class and decision are a cell. All cells have as many representatives, but
    small ones are kept whole: all samples of rare classes, and most rare errors. The
    representatives of a cell are evenly spaced in the order of the leads, by weight.

    Parameters
    ----------
    targets, decided : ndarray of shape (n_samples,)
        Index of the true class of each sample, and of the class that it is given to.
    lead : ndarray of shape (n_samples,)
        How far that class is ahead of the others.
    weight : ndarray of shape (n_samples,)
        Weights of the samples, >= 0.
    n_rows : int
        About so many samples are chosen.

    Returns
    -------
    rows : ndarray of int
        Places of the chosen samples, some of which may be repeated.
    weight : ndarray of float
        Of the same length. Each cell has its total weight.
    """
    cells = targets.astype(np.intp) * (int(decided.max()) + 1) + decided
    order = np.lexsort((lead, cells))
    counts = np.bincount(cells)
    share = largest_share(counts, n_rows)
    fractions = (np.arange(share) + 0.5) / share
    rows, weights = [], []
    for cell in np.split(order, np.cumsum(counts)[:-1]):
        own = weight[cell]
        if len(cell) > share:
            reached = own.cumsum()
            places = reached.searchsorted(fractions * reached[-1], side="right")
            cell = cell[places.clip(max=len(cell) - 1)]
            own = np.full(share, reached[-1] / share)
        rows.append(cell)
        weights.append(own)
    return np.concatenate(rows), np.concatenate(weights)


class PartTable(DecisionTable):
    """Some samples of a `DecisionTable`, for log-weights in a box.

    Parameters
    ----------
    whole : DecisionTable
        The table.
    rows : ndarray of int
        The samples.
    weight : ndarray of shape (n_rows,)
        Their weights.
    others : ndarray of shape (n_classes, n_classes), default=0.0
        Confusion matrix of other samples, whose decisions don't change in the box.
    center : ndarray of shape (n_classes,), default=None
        Log-weights in the middle of the box; that of class 0 is 0.
    half_width : float, default=inf
        How far log-weights may be from the center.
    """

    def __init__(self, whole, rows, weight, others=0.0, center=None, half_width=np.inf):
        self.proba = whole.proba[rows]
        self.targets = whole.targets[rows]
        self.n_classes, self.counts = whole.n_classes, whole.counts
        self.weight, self._is_weighted, self._score = weight, True, whole._score
        self._others, self._half_width = others, half_width
        self._center = np.zeros(self.n_classes) if center is None else center

    def limits(self, c):
        return self._center[c] - self._half_width, self._center[c] + self._half_width

    def population(self, log_weights):
        return super().population(log_weights) + self._others

    def _score_takeover(self, order, rival, c, unmoved, wide):
        return super()._score_takeover(order, rival, c, unmoved + self._others, wide)


def box_around(whole, log_weights, n_open, n_rows=None):
    """Return the table of a box around log-weights.

    Parameters
    ----------
    whole : DecisionTable
        All samples.
    log_weights : ndarray of shape (n_classes,)
        The middle of the box.
    n_open : int
        The box is as wide as it can be while so many samples may be decided in several ways.
    n_rows : int or None
        About so many representatives of these samples are in the table. None is all of them: the
        scores are exact.

    Returns
    -------
    PartTable or None
        None where more samples than that are ties.
    """
    decided, lead = decisions_and_leads(whole.proba, log_weights)
    width = np.partition(lead, n_open)[n_open] if n_open < len(lead) else np.inf
    is_open = lead < width
    if width < MIN_WIDTH or not is_open.any():
        return None
    others = whole.count(decided[None, ~is_open], ~is_open)[0]
    rows = np.flatnonzero(is_open)
    weight = whole.weight[rows]
    if n_rows is not None:
        chosen, weight = representatives(
            whole.targets[rows], decided[rows], lead[rows], weight, n_rows
        )
        rows = rows[chosen]
    center = log_weights - log_weights[0]
    return PartTable(whole, rows, weight, others, center, 0.5 * width)
