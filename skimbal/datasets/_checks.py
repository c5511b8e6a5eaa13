"""Checks of the arguments that loaders and generators share."""

import math
import numbers


def unusable(parameter, value, advice):
    """The ValueError for a value that is not usable."""
    return ValueError(f"{parameter}={value!r} is not usable; give {advice}")


def check_option(parameter, value, allowed):
    """Raise a ValueError unless `value` is one of `allowed`."""
    if value not in allowed:
        options = " or ".join(map(repr, allowed))
        raise ValueError(f"{parameter}={value!r} is not known; use {options}")


def is_count(value, minimum=0):
    """Whether `value` is an integer of at least `minimum`."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= minimum


def check_count(parameter, value, minimum=0):
    """Raise a ValueError unless `value` is an integer of at least `minimum`."""
    if not is_count(value, minimum):
        raise unusable(parameter, value, f"an integer >= {minimum}")


def check_number(parameter, value, minimum):
    """Raise a ValueError unless `value` is a finite number of at least `minimum`."""
    if not isinstance(value, numbers.Real) or not minimum <= float(value) < math.inf:
        raise unusable(parameter, value, f"a number >= {minimum:g}")
