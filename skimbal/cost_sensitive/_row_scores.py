"""Decisions scored on all samples, for scores that are no function of the confusion matrix.

They depend on more than labels, such as the amount that a sample is about, on the order of the
samples, or on weights that they don't add up.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skimbal._utils._metadata import RowScorer, requests_metadata
from skimbal.cost_sensitive._decision_table import DecisionTable, find_rivals
from skimbal.cost_sensitive._two_class_cuts import OUTER_WIDTH, Intervals, are_wide
from skimbal.metrics import decide_by_costs, get_scorer, score_labels

# A sweep along one class tries so many decisions; scikit-learn's threshold search tries 100.
MAX_CUTS = 1000


def scoring_with_metadata(
    scoring: str | Callable, metadata: Mapping[str, Any], classes: NDArray, y: NDArray
) -> str | Callable:
    """Return the scoring with the metadata of the samples.

    Parameters
    ----------
    scoring : str or callable
        Name or scikit-learn scorer.
    metadata : dict
        What the scorer gets, by name; arrays have an entry for each sample.
    classes : ndarray of shape (n_classes,)
        The sorted labels.
    y : ndarray of shape (n_samples,)
        The labels of the samples.

    Returns
    -------
    scoring : str or callable
        Unchanged where there is no metadata.

    Raises
    ------
    ValueError
        If a scorer that requests metadata can't score the labels with those that are given.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.cost_sensitive import scoring_with_metadata
    >>> scoring_with_metadata("g_mean", {}, np.array([0, 1]), np.array([0, 1, 1]))
    'g_mean'
    """
    scorer = get_scorer(scoring)
    if metadata:
        scoring = RowScorer(scorer, metadata)
    if requests_metadata(scorer):
        score_labels(scoring, classes, y, y)
    return scoring


class RowTable(DecisionTable):
    """A `DecisionTable` whose decisions are scored on all samples, by a `RowScorer`."""

    def __init__(self, proba, targets, scoring, classes, sample_weight=None):
        super().__init__(proba, targets, "accuracy", classes, sample_weight)
        self._scorer, self._classes, self._known = scoring, np.asarray(classes), {}
        self.score_decisions(targets[None])  # an error before any search

    def score_decisions(self, predicted):
        """Score decisions of shape (n_candidates, n_samples), indices of classes."""
        return np.array([self._score_one(row.astype(np.int32)) for row in predicted])

    def _score_one(self, row):
        key = row.tobytes()
        if key not in self._known:
            labels = self._classes[self.targets], self._classes[row]
            score = score_labels(self._scorer, self._classes, *labels)
            self._known[key] = -np.inf if np.isnan(score) else score
        return self._known[key]

    def score(self, confusion):
        """Score the confusion matrices of decisions for one class."""
        constant = confusion.sum(axis=1).argmax(axis=1)
        return self.score_decisions(np.repeat(constant[:, None], len(self.targets), axis=1))

    def sweep(self, log_weights, c):
        """Score decisions that differ only in the log-weight of class `c`, at most `MAX_CUTS`."""
        rival, margin = find_rivals(self.log_proba, log_weights, c)
        edges = np.unique(margin[np.isfinite(margin)])
        outer = edges[[0, -1]] if len(edges) else np.zeros(2)
        ends = np.concatenate([outer[:1] - OUTER_WIDTH, edges, outer[1:] + OUTER_WIDTH])
        low, high = ends[:-1], ends[1:]
        chosen = np.flatnonzero(are_wide(low, high))
        if len(chosen) > MAX_CUTS:
            chosen = chosen[np.linspace(0, len(chosen) - 1, MAX_CUTS).astype(int)]
        low, high = low[chosen], high[chosen]
        middles = 0.5 * (low + high)
        scores = [self.score_decisions(np.where(margin < m, c, rival)[None])[0] for m in middles]
        return Intervals(low, high, np.array(scores))

    def score_population(self, log_weights):
        """Scores of many log-weights of shape (n_candidates, n_classes)."""
        decisions = ((self.log_proba + own).argmax(axis=1) for own in log_weights)
        return np.array([self.score_decisions(row[None])[0] for row in decisions])

    def score_costs(self, costs):
        """Score costs of shape (n_candidates, n_classes) by the decisions that `predict` makes."""
        return self.score_decisions(decide_by_costs(self.proba, costs))
