"""Costs of a stream: found on the last samples, each predicted before it was learned.

A sample that was predicted before the classifier was trained on it is held out. The predicted
probabilities of the last samples therefore serve the cost search as those of a cross-validation do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.validation import _check_method_params, _num_samples, check_is_fitted

from skimbal._utils._fitted_attributes import copy_attributes
from skimbal._utils._labels import label_list
from skimbal._utils._metadata import requests_metadata
from skimbal._utils._random import seed_unset
from skimbal._utils._validation import check_two_classes
from skimbal.cost_sensitive._base import INPUT_ATTRIBUTES
from skimbal.cost_sensitive._find_costs import CostSearchResult, choose_strategy
from skimbal.cost_sensitive._row_scores import scoring_with_metadata
from skimbal.cost_sensitive._splits import is_name, weighted_classes
from skimbal.metrics import check_label_scorer, get_scorer
from skimbal.neural_network import class_probabilities


def is_by_sample(values, n_samples):
    """Whether metadata has a value for each sample."""
    is_array = hasattr(values, "__len__") and not isinstance(values, str | Mapping)
    return is_array and _num_samples(values) == n_samples


@dataclass(frozen=True)
class HeldOutWindow:
    """The last samples of a stream, as they were predicted before they were learned.

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    proba : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.
    weight : ndarray of shape (n_samples,)
        Weights of the samples.
    metadata : dict
        What the scorer gets by metadata routing, by name: an array with an entry for each sample,
        or the value of the last call.
    n_new : int
        Samples since the last search.
    """

    y: NDArray
    proba: NDArray
    weight: NDArray
    metadata: Mapping[str, Any] = field(default_factory=dict)
    n_new: int = 0

    def extended(self, y, proba, weight, size, metadata=None):
        """The window after new samples: the last `size` of all.

        >>> start = HeldOutWindow(np.array([0, 1]), np.eye(2), np.ones(2))
        >>> start.extended(np.array([1, 1]), np.eye(2), np.ones(2), size=3).y.tolist()
        [1, 1, 1]
        """
        weight = np.ones(len(y)) if weight is None else weight
        return HeldOutWindow(
            np.concatenate([self.y, y])[-size:],
            np.concatenate([self.proba, proba])[-size:],
            np.concatenate([self.weight, weight])[-size:],
            self._extended_metadata(metadata or {}, len(y), size),
            self.n_new + len(y),
        )

    def _extended_metadata(self, new, n_new, size):
        n_old = len(self.y)
        if n_old and set(new) != set(self.metadata):
            raise ValueError(
                f"the scorer gets the metadata {sorted(new)}, but the samples of the window have "
                f"{sorted(self.metadata)}; give the same in each call"
            )
        extended = {}
        for name, values in new.items():
            if is_by_sample(values, n_new):
                values = np.asarray(values)
                if n_old:
                    values = np.concatenate([self.metadata[name], values])
                values = values[-size:]
            extended[name] = values
        return extended

    def of_samples_with_weight(self):
        """The window without its samples of weight 0, which the costs don't depend on."""
        used = np.flatnonzero(self.weight > 0)
        metadata = _check_method_params(self.y, self.metadata, indices=used)
        return HeldOutWindow(self.y[used], self.proba[used], self.weight[used], metadata)

    def counts(self, classes):
        """The samples of each class that have a weight."""
        present = self.y[self.weight > 0]
        return np.array([np.count_nonzero(present == label) for label in classes])


def empty_window(classes):
    """A window without samples."""
    n_classes = len(classes)
    return HeldOutWindow(np.empty(0, classes.dtype), np.empty((0, n_classes)), np.empty(0))


def equal_costs(n_classes):
    """The result of a search that has not been made: the largest probability decides."""
    nothing = np.empty(0)
    return CostSearchResult(
        costs=np.ones(n_classes),
        score=np.nan,
        unregularized_score=np.nan,
        candidates=np.empty((0, n_classes)),
        scores=nothing,
        generations=nothing.astype(int),
        shrinkage_target=None,
    )


def check_stream(tuned, classes):
    """Raise a ValueError where settings cannot follow a stream."""
    if tuned.window < len(classes):
        raise ValueError(
            f"window={tuned.window} can't hold a sample of each of {len(classes)} classes; give "
            "several samples of the rarest class room, such as window=500"
        )


def check_new_labels(y, classes):
    """Raise a ValueError for labels that are not classes of the stream."""
    known = set(classes.tolist())
    unknown = [label for label in dict.fromkeys(y.tolist()) if label not in known]
    if unknown:
        raise ValueError(
            f"y has labels {unknown}, which are not in the classes {classes.tolist()} of the "
            "stream; name all classes in the first call, or fit again"
        )


def check_classes(y, sample_weight, scoring, search, cost_space):
    """Raise a ValueError where the classes, the scorer and the search do not go together."""
    classes = weighted_classes(y, sample_weight)
    check_two_classes(classes.tolist())
    weightless = np.setdiff1d(y, classes)
    if len(weightless):
        raise ValueError(
            f"the classes {weightless.tolist()} have no sample with a positive sample_weight; "
            "leave their samples out"
        )
    if not requests_metadata(get_scorer(scoring)):
        check_label_scorer(scoring, classes, is_weighted=sample_weight is not None)
    choose_strategy(search, cost_space, len(classes))


def follow_stream(tuned, X, y, classes, sample_weight, params):
    """Predict new samples, search the costs on the window, train: `partial_fit` after validation.

    `tuned` is a `TunedCostClassifierCV`.
    """
    is_prefit = is_name(tuned.cv, "prefit")
    can_predict = hasattr(tuned, "classes_") or is_prefit
    classes = start_stream(tuned, classes)
    check_stream(tuned, classes)
    check_new_labels(y, classes)
    routed = route_stream(tuned, X, sample_weight, params)
    window, result = tuned._window, None
    if can_predict:
        proba = class_probabilities(tuned.estimator_, X, classes)
        window = window.extended(y, proba, sample_weight, tuned.window, routed.scorer.score)
        if window.n_new >= tuned.search_every and window.counts(classes).all():
            result, window = search_window(tuned, window), replace(window, n_new=0)
    if not is_prefit:
        tuned.estimator_.partial_fit(X, y, classes=classes, **routed.estimator.partial_fit)
    tuned._window, tuned.window_counts_ = window, window.counts(classes)
    if result is not None:
        tuned._publish(tuned.estimator_, classes, result, [], window)
    copy_attributes(tuned.estimator_, tuned, INPUT_ATTRIBUTES)


def route_stream(tuned, X, sample_weight, params):
    """Return what the classifier and the scorer get, or raise a ValueError for what is missing."""
    if is_name(tuned.cv, "prefit") and not _routing_enabled():
        sample_weight = None  # nothing is trained
    routed = tuned._route(sample_weight, None, params, method="partial_fit")
    routed.scorer.score = _check_method_params(X, routed.scorer.score)
    if requests_metadata(get_scorer(tuned.scoring)) and not routed.scorer.score:
        raise ValueError(
            f"scoring={tuned.scoring!r} requests metadata of the samples, but partial_fit got "
            "none of it; enable metadata routing and pass it in each call"
        )
    return routed


def search_window(tuned, window):
    """Return the result of the search on a window with samples of every class."""
    used = window.of_samples_with_weight()
    weight = None if (used.weight == 1.0).all() else used.weight
    scoring = scoring_with_metadata(tuned.scoring, used.metadata, tuned.classes_, used.y)
    seed = tuned._draw_seed(check_random_state(tuned.random_state))
    rows = np.arange(len(used.y))
    return tuned._search_costs(used.y, tuned.classes_, weight, scoring, seed, rows, used.proba)


def start_stream(tuned, classes):
    """Return the classes of the stream; in its first call, set what `fit` sets."""
    if not hasattr(tuned, "classes_"):
        return begin_stream(tuned, classes)
    if not hasattr(tuned.estimator_, "partial_fit") and not is_name(tuned.cv, "prefit"):
        raise ValueError(
            f"refit={tuned.refit!r} has made a {type(tuned.estimator_).__name__}, which can't be "
            "trained further; use refit=True"
        )
    if classes is not None and not np.array_equal(np.unique(classes), tuned.classes_):
        raise ValueError(
            f"classes={label_list(classes)} are not those of the calls before, "
            f"{tuned.classes_.tolist()}; give the same, or none"
        )
    return tuned.classes_


def begin_stream(tuned, classes):
    """Set the fitted attributes before the first sample: an untrained classifier, equal costs."""
    estimator = tuned._base_estimator()
    if is_name(tuned.cv, "prefit"):
        check_is_fitted(estimator)
        estimator, classes = FrozenEstimator(estimator), estimator.classes_
    elif classes is None:
        raise ValueError("classes must be passed on the first call to partial_fit; give all labels")
    else:
        seed = tuned._draw_seed(check_random_state(tuned.random_state))
        estimator = seed_unset(clone(estimator), seed)
    classes = np.unique(np.asarray(classes))
    check_classes(classes, None, tuned.scoring, tuned.search, tuned.cost_space)
    tuned._publish(estimator, classes, equal_costs(len(classes)), [], empty_window(classes))
    return classes
