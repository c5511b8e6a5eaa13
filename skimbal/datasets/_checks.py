"""Checks of arguments and of signals that loaders and generators share."""

import math
import numbers

import numpy as np

from skimbal._utils._validation import is_whole_number


def unusable(parameter, value, advice):
    """The ValueError for a value that is not usable."""
    return ValueError(f"{parameter}={value!r} is not usable; give {advice}")


def check_option(parameter, value, allowed):
    """Raise a ValueError unless `value` is one of `allowed`."""
    if (np.iterable(value) and not isinstance(value, str)) or value not in allowed:
        options = " or ".join(map(repr, allowed))
        raise ValueError(f"{parameter}={value!r} is not known; use {options}")


def check_count(parameter, value, minimum=0):
    """Raise a ValueError unless `value` is an integer of at least `minimum`."""
    if not is_whole_number(value, minimum):
        raise unusable(parameter, value, f"an integer >= {minimum}")


def check_number(parameter, value, minimum):
    """Raise a ValueError unless `value` is a finite number of at least `minimum`."""
    if not isinstance(value, numbers.Real) or not minimum <= float(value) < math.inf:
        raise unusable(parameter, value, f"a number >= {minimum:g}")


def as_signal(array):
    """An array as float32; a ValueError unless it holds finite real numbers of that precision.

    >>> as_signal(np.array([1, 2], dtype=np.int16)).dtype
    dtype('float32')
    """
    array = np.asarray(array)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"a signal of the type {array.dtype} does not hold real numbers")
    with np.errstate(over="ignore"):
        signal = array.astype(np.float32, copy=False)
    if not np.isfinite(signal).all():
        raise ValueError("a signal has NaN, or values beyond single precision")
    return signal
