"""Decisions scored on all samples, for scores that depend on more than labels.

Such a score, of the amount that a sample is about for example, is no function of the confusion
matrix.
"""

import numpy as np

from skimbal.cost_sensitive._decision_table import (
    OUTER_WIDTH,
    RESOLUTION,
    DecisionTable,
    Intervals,
    find_rivals,
)
from skimbal.metrics import decide_by_costs, score_labels

# A sweep along one class tries so many decisions; scikit-learn's threshold search tries 100.
MAX_CUTS = 1000


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
        chosen = np.flatnonzero(high - low > RESOLUTION * np.maximum(1.0, np.abs(low)))
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
