"""Metadata of samples that scorers get by scikit-learn's metadata routing."""

from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import _check_method_params


def score_request(scorer):
    """The metadata that a scorer requests, for a router.

    Without a request of its own for sample weights, it gets those of the cost search, as before.
    """
    request = get_routing_for_object(scorer)
    own = getattr(request, "score", None)
    if own is not None and own.requests.get("sample_weight", False) is None:
        own.add_request(param="sample_weight", alias=False)
    return request


def requests_metadata(scorer):
    """Whether a scorer requests metadata."""
    own = getattr(score_request(scorer), "score", None)
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


def scoring_on_rows(scoring, y, rows):
    """Return the scoring of some of the samples."""
    return scoring.on_rows(y, rows) if isinstance(scoring, RowScorer) else scoring
