"""Scores that depend on more than the labels of a sample, such as the amount that it is about.

Scorers get such metadata by scikit-learn's metadata routing. Their scores are no functions of the
confusion matrix, so each decision is scored on all samples.
"""

import numpy as np
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import _check_method_params

from skimbal.cost_sensitive._decision_table import (
    OUTER_WIDTH,
    RESOLUTION,
    DecisionTable,
    Intervals,
    find_rivals,
)
from skimbal.metrics import decide_by_costs, get_scorer, score_labels

# A sweep along one class tries so many decisions; scikit-learn's threshold search tries 100.
MAX_CUTS = 1000


def score_request(scoring):
    """The metadata that a scorer requests, for a router.

    Without a request of its own for sample weights, it gets those of the cost search, as before.
    """
    request = get_routing_for_object(get_scorer(scoring))
    own = getattr(request, "score", None)
    if own is not None and own.requests.get("sample_weight", False) is None:
        own.add_request(param="sample_weight", alias=False)
    return request


def requests_metadata(scoring):
    """Whether a scorer requests metadata."""
    own = getattr(score_request(scoring), "score", None)
    return own is not None and any(isinstance(v, str) or v is True for v in own.requests.values())


class RowScorer:
    """A scorer with the metadata of the samples that it scores, in their order."""

    def __init__(self, scorer, params):
        self.scorer = scorer
        self.params = params

    def __call__(self, estimator, X, y):
        return self.scorer(estimator, X, y, **self.params)

    def __repr__(self):
        return repr(self.scorer)

    def on_rows(self, y, rows):
        """The scorer of some of the samples, whose labels are `y`."""
        return RowScorer(self.scorer, _check_method_params(y, self.params, indices=rows))


def with_metadata(scoring, params):
    """Return what a cost search scores by: a `RowScorer` where there is metadata for the scorer."""
    return RowScorer(get_scorer(scoring), params) if params else scoring


def scoring_on_rows(scoring, y, rows):
    """Return the scoring of some of the samples."""
    return scoring.on_rows(y, rows) if isinstance(scoring, RowScorer) else scoring


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
