"""What an ensemble is given: its inputs, and what a warm start must be given again."""

import numpy as np
from sklearn.utils import indexable
from sklearn.utils.validation import validate_data

from skimbal._utils._digest import digest, digest_of_array, digest_of_settings
from skimbal._utils._recordings import check_collection, check_one_shape

# Parameters that change nothing in networks that are trained already.
SETTINGS = ("sampling_strategy", "replacement", "encoding")


def validate_inputs(ensemble, X, *, reset):
    """Return the inputs of an ensemble: finite numbers, or with ``encoding=None`` as they are.

    Inputs that are not encoded go to the classifiers unchanged: frames with texts, sparse matrices
    and missing values where the classifiers take them.
    """
    if ensemble.encoding is not None:
        name = type(ensemble).__name__
        check_collection(X, "X[None] is one sample; a recording goes into a list, [X]")
        X = check_one_shape(
            X,
            name,
            f"WindowedClassifier({name}(...), size=...) cuts recordings of different lengths into "
            "windows of one size, and with encoding=None the classifiers get recordings as given",
        )
        X = validate_data(ensemble, X, reset=reset, allow_nd=True, dtype=[np.float64, np.float32])
    else:
        (X,) = indexable(X)
        validate_data(ensemble, X, reset=reset, skip_check_array=True)
    if reset and len(getattr(X, "shape", (0, 0))) != 2:
        vars(ensemble).pop("n_features_in_", None)
    return X


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
