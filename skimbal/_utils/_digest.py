"""Digests of values, by which a later call sees whether it is given the same ones."""

from hashlib import sha256

import joblib
import numpy as np
from sklearn.base import BaseEstimator

CHUNK_BYTES = 2**24


def digest(value):
    """A text that is the same for equal values in every process."""
    try:
        return joblib.hash(value)
    except Exception:  # a value that can't be pickled, such as a lambda, goes by its name
        name = getattr(value, "__qualname__", type(value).__qualname__)
        return f"{type(value).__module__}.{name}"


def digest_of_array(values):
    """As `digest`; arrays of numbers are read in chunks, and their order in memory is no matter."""
    if not isinstance(values, np.ndarray) or values.dtype.hasobject or values.ndim == 0:
        return digest(values)
    found = sha256(f"{values.dtype} {values.shape}".encode())
    step = max(1, CHUNK_BYTES * len(values) // max(values.nbytes, 1))
    for start in range(0, len(values), step):
        found.update(np.ascontiguousarray(values[start : start + step]).tobytes())
    return found.hexdigest()


def digest_of_settings(estimator):
    """A digest of the parameters of an estimator, and of those inside it, but not of its seeds."""
    settings = {"": type(estimator).__qualname__}
    for name, value in sorted(estimator.get_params(deep=True).items()):
        if name.split("__")[-1] != "random_state":
            is_part = isinstance(value, BaseEstimator)
            settings[name] = type(value).__qualname__ if is_part else digest(value)
    return digest(settings)
