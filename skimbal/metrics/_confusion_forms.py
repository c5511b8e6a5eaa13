"""scikit-learn's scores of labels as vectorized functions of confusion matrices.

Each has the value of the function of labels, so that a search over costs can score all its
decisions in one call. Rows are the true classes; every function maps (..., n_classes, n_classes) to
(...,).
"""

from collections.abc import Callable
from functools import partial
from numbers import Real

import numpy as np
import sklearn.metrics

from skimbal.metrics._scores import _divide, _hits, _sum_last, class_support, predicted_support

# Weights (a, b) of true and of predicted samples in hits / (a * true + b * predicted + c * hits),
# and c: the scores that are a quotient for each class.
_QUOTIENTS: dict[Callable, tuple[float, float, float]] = {
    sklearn.metrics.precision_score: (0.0, 1.0, 0.0),
    sklearn.metrics.recall_score: (1.0, 0.0, 0.0),
    sklearn.metrics.f1_score: (0.5, 0.5, 0.0),
    sklearn.metrics.jaccard_score: (1.0, 1.0, -1.0),
}


def confusion_form(function, options, classes) -> Callable | None:
    """Return a score of scikit-learn as a function of confusion matrices; None if it has no form.

    Parameters
    ----------
    function : callable
        Score of labels.
    options : dict
        Its keyword arguments.
    classes : array-like of shape (n_classes,) or None
        Labels of rows and columns.

    Raises
    ------
    ValueError
        If `pos_label` is not among the classes.
    """
    options = dict(options)
    if function is sklearn.metrics.matthews_corrcoef and not options:
        return matthews_from_confusion
    if function is sklearn.metrics.cohen_kappa_score and set(options) <= {"weights"}:
        return partial(kappa_from_confusion, **options)
    if function is sklearn.metrics.fbeta_score:
        beta2 = options.pop("beta", 1.0) ** 2
        if not np.isfinite(beta2):
            return None
        shares = (beta2 / (1.0 + beta2), 1.0 / (1.0 + beta2), 0.0)
    elif function in _QUOTIENTS:
        shares = _QUOTIENTS[function]
    else:
        return None
    return _averaged_quotient(shares, classes, **options)


def _averaged_quotient(
    shares, classes, average="binary", pos_label=1, zero_division="warn", **others
):
    """Return the average of a quotient over the classes, or that of one class."""
    empty = 0.0 if zero_division == "warn" else zero_division
    if others or not isinstance(empty, Real) or np.isnan(float(empty)):
        return None
    if average == "binary":
        if classes is None or len(classes) != 2:
            return None
        return partial(_one_class, shares, empty, position_of(pos_label, classes))
    averages = {"micro": _micro, "macro": _macro, "weighted": _weighted}
    return partial(averages[average], shares, empty) if average in averages else None


def position_of(label, classes):
    """Index of a label among the classes."""
    indices = np.flatnonzero(np.asarray(classes) == label)
    if indices.size == 0:
        raise ValueError(
            f"pos_label={label!r} is not among the classes {np.asarray(classes).tolist()}; give "
            "one of them, or use 'minority_f1', which scores the rarest class"
        )
    return int(indices[0])


def _parts(confusion):
    return _hits(confusion), class_support(confusion), predicted_support(confusion)


def _quotient(shares, empty, hits, true, predicted):
    of_true, of_predicted, of_hits = shares
    return _divide(hits, of_true * true + of_predicted * predicted + of_hits * hits, empty)


def _one_class(shares, empty, position, confusion):
    return _quotient(shares, empty, *(part[..., position] for part in _parts(confusion)))


def _micro(shares, empty, confusion):
    return _quotient(shares, empty, *(_sum_last(part) for part in _parts(confusion)))


def _macro(shares, empty, confusion):
    """Mean over the classes that occur in the truth or in the predictions."""
    hits, true, predicted = _parts(confusion)
    occurs = true + predicted > 0
    values = np.where(occurs, _quotient(shares, empty, hits, true, predicted), 0.0)
    return _divide(_sum_last(values), occurs.sum(axis=-1), np.nan)


def _weighted(shares, empty, confusion):
    """Mean over the true samples of the value of their class."""
    hits, true, predicted = _parts(confusion)
    values = _quotient(shares, empty, hits, true, predicted)
    return _divide(_sum_last(values * true), _sum_last(true), np.nan)


def matthews_from_confusion(confusion):
    """Matthews correlation coefficient; 0 where all samples are, or are given to, one class."""
    hits, true, predicted = _parts(confusion)
    total = _sum_last(predicted)
    # Differences first, so that a constant decision has variance 0 with any weights.
    variance = [_sum_last(part * (total[..., None] - part)) for part in (true, predicted)]
    covariance = _sum_last(hits) * total - _sum_last(true * predicted)
    return _divide(covariance, np.sqrt(variance[0] * variance[1]), 0.0)


def kappa_from_confusion(confusion, weights=None):
    """Cohen's kappa, also with linear or quadratic weights of the errors."""
    distance = np.abs(np.subtract.outer(*[np.arange(confusion.shape[-1], dtype=np.float64)] * 2))
    cost = {None: np.sign(distance), "linear": distance, "quadratic": distance**2}[weights]
    _, true, predicted = _parts(confusion)
    expected = _sum_last(_sum_last(cost * true[..., None] * predicted[..., None, :]))
    observed = _sum_last(_sum_last(cost * confusion)) * _sum_last(true)
    return 1.0 - _divide(observed, expected, np.nan)
