"""Checks of the arguments that loaders and generators share."""

import math
import numbers


def check_option(parameter, value, allowed):
    """Raise a ValueError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise ValueError(
            f"{parameter}={value!r} is not known; use {' or '.join(map(repr, allowed))}"
        )


def is_count(value, least=0):
    """Whether `value` is an integer of at least `least`."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= least


def check_count(parameter, value, least=0):
    """Raise a ValueError unless `value` is an integer of at least `least`."""
    if not is_count(value, least):
        raise ValueError(f"{parameter}={value!r} is not usable; give an integer >= {least}")


def check_number(parameter, value, least):
    """Raise a ValueError unless `value` is a finite number of at least `least`."""
    if not isinstance(value, numbers.Real) or not least <= float(value) < math.inf:
        raise ValueError(f"{parameter}={value!r} is not usable; give a number >= {least:g}")
