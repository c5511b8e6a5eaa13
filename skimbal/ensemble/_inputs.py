"""What an ensemble is given: its inputs, and what a warm start must be given again."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import get_tags, indexable
from sklearn.utils.validation import check_consistent_length, validate_data

from skimbal._utils._digest import digest, digest_of_array, digest_of_settings
from skimbal._utils._fitted_attributes import forget_attributes
from skimbal._utils._groups import check_groups
from skimbal._utils._number_columns import numbers_needed
from skimbal._utils._recordings import check_collection, check_one_shape
from skimbal._utils._validation import check_labels, check_two_classes, check_weights

COLUMN_ATTRIBUTES = ("n_features_in_", "feature_names_in_")

# Parameters that change nothing in networks that are trained already.
SETTINGS = ("sampling_strategy", "replacement", "encoding")


def validate_inputs(ensemble, X, *, reset):
    """Return the inputs of an ensemble: finite numbers, or with ``encoding=None`` as they are.

    Inputs that are not encoded go to the classifiers unchanged: frames with texts, sparse matrices
    and missing values where the classifiers take them.
    """
    if issparse(X) and ensemble.encoding is not None:
        return validate_sparse(ensemble, X, reset=reset)
    if ensemble.encoding is not None:
        advice = "; with encoding=None the classifiers get recordings as given"
        return validate_arrays(ensemble, X, reset=reset, advice=advice)
    (X,) = indexable(X)
    validate_data(ensemble, X, reset=reset, skip_check_array=True)
    if reset and len(getattr(X, "shape", (0, 0))) != 2:
        forget_attributes(ensemble, COLUMN_ATTRIBUTES)
    return X


def validate_sparse(ensemble, X, *, reset):
    """Return a sparse table of finite numbers as CSR, or dense if the ensemble encodes its inputs.

    It does so where it was fitted on a dense table.
    """
    if ensemble.encoding != "auto":
        raise ValueError(
            f"X is sparse, but encoding={ensemble.encoding!r} takes dense arrays; use "
            "encoding='auto', which gives sparse tables to the classifiers, or X.toarray()"
        )
    dtype = [np.float64, np.float32]
    X = validate_data(ensemble, X, reset=reset, dtype=dtype, accept_sparse="csr")
    return X if reset or ensemble.encoder_ is None else X.toarray()


def validate_arrays(ensemble, X, *, reset, advice=""):
    """Return inputs as an array of finite numbers, of two or more dimensions.

    Sparse tables become CSR where the classifiers take them.
    `advice` is added to what is said of recordings of different lengths.
    """
    name = type(ensemble).__name__
    check_collection(X, "X[None] is one sample; a recording goes into a list, [X]")
    X = check_one_shape(
        X,
        name,
        f"WindowedClassifier({name}(...), size=...) cuts recordings of different lengths into "
        f"windows of one size{advice}",
    )
    sparse = "csr" if get_tags(ensemble).input_tags.sparse else False
    dtype = [np.float64, np.float32]
    with numbers_needed(ensemble, X):
        X = validate_data(
            ensemble, X, reset=reset, allow_nd=True, dtype=dtype, accept_sparse=sparse
        )
    if reset and X.ndim > 2:
        forget_attributes(ensemble, COLUMN_ATTRIBUTES)
    return X


def validate_training_data(ensemble, X, y, sample_weight, groups):
    """Return inputs, labels, weights and the numbers of the groups; samples of weight 0 are gone.

    Weights are None, or positive and of mean 1.
    """
    if y is None:
        raise ValueError(
            f"{type(ensemble).__name__} requires y to be passed, but the target y is None"
        )
    X = validate_arrays(ensemble, X, reset=True)
    y = check_labels(y)
    check_consistent_length(X, y)
    groups, weight = check_groups(groups, y), check_weights(sample_weight, y)
    if weight is None:
        return X, y, None, groups
    used = weight > 0
    check_two_classes(np.unique(y[used]).tolist())
    groups = None if groups is None else groups[used]
    return X[used], y[used], with_mean_one(weight[used]), groups


def with_mean_one(weight):
    """Divide positive weights by their mean, without overflow, and keep them positive.

    >>> with_mean_one(np.array([0.5e308, 1.5e308]))
    array([0.5, 1.5])
    """
    relative = np.maximum(weight / weight.max(), np.finfo(np.float64).tiny)
    return relative / relative.mean()


def fingerprint_of(ensemble, estimator, **data):
    """Digests of the data and of the settings that the networks of an ensemble depend on."""
    digests = {name: digest_of_array(value) for name, value in data.items()}
    digests["columns"] = digest_of_array(getattr(ensemble, "feature_names_in_", None))
    digests["estimator"] = digest_of_settings(estimator)
    for name in SETTINGS:
        digests[name] = digest(getattr(ensemble, name))
    if not isinstance(ensemble.random_state, np.random.RandomState):  # its state moves on
        digests["random_state"] = digest(ensemble.random_state)
    return digests


def check_same(fingerprint, before):
    """Raise a ValueError where a warm start is given other data or settings than the last fit."""
    differing = sorted({name for name, _ in fingerprint.items() ^ before.items()})
    if differing:
        raise ValueError(
            "warm_start=True adds networks for the data and the settings of the last fit, but "
            f"these differ: {', '.join(differing)}; give the same ones or use warm_start=False"
        )
