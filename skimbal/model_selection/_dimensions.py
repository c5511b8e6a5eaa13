"""Dimensions of a search space: the values of one parameter, mapped to [0, 1] and back.

A real parameter, or its logarithm, is uniform over [0, 1]. Categories and uniform integers have
equal parts of [0, 1]. The part of a log-uniform integer v runs from log(v - 1/2) to log(v + 1/2).
The part of a value of a discrete SciPy distribution is as wide as its probability. All points of a
part stand for the same value, and a value is mapped to the center of its part.
"""

import math
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np

# Distributions without bounds are cut at these quantiles, because the cube is bounded.
OUTERMOST_QUANTILE = 1e-6


def part_of(u, n_parts):
    """Index of the one of `n_parts` equal parts of [0, 1] that holds u."""
    return min(int(u * n_parts), n_parts - 1)


def center_of(part, n_parts):
    """Center of one of `n_parts` equal parts of [0, 1]."""
    return (part + 0.5) / n_parts


def log_integer_at(u, low, high):
    """The integer of low, ..., high whose part, log(v - 1/2) to log(v + 1/2), holds u."""
    first, last = math.log(low - 0.5), math.log(high + 0.5)
    value = math.floor(math.exp(first + u * (last - first)) + 0.5)
    return min(max(value, low), high)  # rounding may lead out of the bounds


def log_integer_center(value, low, high):
    """Center of the part of [0, 1] that stands for one of the integers low, ..., high."""
    first, last = math.log(low - 0.5), math.log(high + 0.5)
    middle = 0.5 * (math.log(value - 0.5) + math.log(value + 0.5))
    return (middle - first) / (last - first)


def is_number(value):
    """Whether a value is a real number; True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


@dataclass(frozen=True)
class _NumericDimension:
    """Base of the intervals of numbers, uniform or log-uniform."""

    low: Any
    high: Any
    log: bool = False

    number_type: ClassVar[type] = float

    def is_possible(self, value):
        """Whether wider bounds could hold the value."""
        return is_number(value) and bool(np.isfinite(value)) and not (self.log and value <= 0)

    def holds(self, value):
        """Whether the value is in the dimension."""
        return self.is_possible(value) and bool(self.low <= value <= self.high)

    def widened(self, value):
        """The dimension with bounds that hold the value; None where no bounds can."""
        if not self.is_possible(value):
            return None
        number = self.number_type(value)
        return replace(self, low=min(self.low, number), high=max(self.high, number))


@dataclass(frozen=True)
class RealDimension(_NumericDimension):
    """An interval of real numbers, uniform or log-uniform."""

    kind = ("real", None)
    n_values = None

    def value(self, u):
        """Value at the point u of [0, 1]."""
        if self.log:  # to the base 10, where powers of ten are exact
            low, high = np.log10(self.low), np.log10(self.high)
            value = 10.0 ** (low + u * (high - low))
        else:
            value = self.low + u * (self.high - self.low)
        return float(np.clip(value, self.low, self.high))  # rounding may lead out of the bounds

    def unit(self, value):
        """Point of [0, 1] for a value within the bounds."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = np.log(low), np.log(high), np.log(value)
        return float(np.clip((value - low) / (high - low), 0.0, 1.0))


@dataclass(frozen=True)
class IntegerDimension(_NumericDimension):
    """The integers from low to high, both included, uniform or log-uniform."""

    number_type = int

    def is_possible(self, value):
        """Whether wider bounds could hold the value."""
        return super().is_possible(value) and float(value).is_integer()

    @property
    def n_values(self):
        """Number of values."""
        return self.high - self.low + 1

    @property
    def kind(self):
        """("integer", n_values) where the parts are equal, else the kind of a real dimension."""
        return ("real", None) if self.log else ("integer", self.n_values)

    def value(self, u):
        """Value at the point u of [0, 1]."""
        if self.log:
            return log_integer_at(u, self.low, self.high)
        return self.low + part_of(u, self.n_values)

    def unit(self, value):
        """Center of the part of [0, 1] that stands for a value."""
        if self.log:
            return log_integer_center(int(value), self.low, self.high)
        return center_of(int(value) - self.low, self.n_values)


@dataclass(frozen=True)
class CategoricalDimension:
    """A list of values of any type: names, dicts, lists, estimators."""

    categories: tuple

    @property
    def n_values(self):
        """Number of categories."""
        return len(self.categories)

    @property
    def kind(self):
        """("categorical", n_values)."""
        return ("categorical", self.n_values)

    def value(self, u):
        """Value at the point u of [0, 1]."""
        return self.categories[part_of(u, self.n_values)]

    def unit(self, value):
        """Center of the part of [0, 1] that stands for a value."""
        return center_of(self.index(value), self.n_values)

    def holds(self, value):
        """Whether the value is one of the categories."""
        return self.index(value) is not None

    def widened(self, value):
        """None: categories are fixed."""

    def index(self, value):
        """Index of the first equal category, of the same type if there is one; None without."""
        equal = [i for i, c in enumerate(self.categories) if c is value or _is_same(c, value)]
        same_type = [i for i in equal if type(self.categories[i]) is type(value)]
        return next(iter(same_type + equal), None)  # 1 and 1.0 may mean different things


def _is_same(a, b):
    """Whether two categories are the same; 1 and True are not."""
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    if hasattr(a, "equals") or hasattr(b, "equals"):  # a Series or a frame
        return type(a) is type(b) and a.equals(b)
    return bool(a == b)


@dataclass(frozen=True)
class DistributionDimension:
    """A frozen SciPy distribution: points of [0, 1] are probabilities, values are quantiles."""

    distribution: Any
    is_discrete: bool

    kind = ("real", None)

    @property
    def n_values(self):
        """Number of values; None for a continuous distribution."""
        return int(self.value(1.0) - self.value(0.0)) + 1 if self.is_discrete else None

    def value(self, u):
        """Value at the point u of [0, 1]."""
        low, high = self.distribution.support()
        min_u = 0.0 if np.isfinite(low) else OUTERMOST_QUANTILE
        max_u = 1.0 if np.isfinite(high) else 1.0 - OUTERMOST_QUANTILE
        value = self.distribution.ppf(np.clip(u, min_u, max_u))
        # SciPy's quantile of 0 is one below the support of a discrete distribution.
        return int(max(value, low)) if self.is_discrete else float(value)

    def unit(self, value):
        """Point of [0, 1] for a value; for a discrete one the center of its part."""
        cdf = self.distribution.cdf
        return float(0.5 * (cdf(value - 1) + cdf(value)) if self.is_discrete else cdf(value))

    def holds(self, value):
        """Whether the value is in the support."""
        low, high = self.distribution.support()
        return (
            is_number(value)
            and bool(low <= value <= high)
            and (not self.is_discrete or float(value).is_integer())
        )

    def widened(self, value):
        """None: distributions are fixed."""


DIMENSIONS = (RealDimension, IntegerDimension, CategoricalDimension, DistributionDimension)


def describe(dimension):
    """What a dimension is, as values that are equal for equal dimensions in every process."""
    if not isinstance(dimension, DistributionDimension):
        return (type(dimension).__name__, vars(dimension))
    # A pickle of a distribution differs from process to process; its name and arguments do not.
    frozen = dimension.distribution
    family = getattr(frozen, "dist", frozen)
    return (type(family).__name__, getattr(frozen, "args", ()), getattr(frozen, "kwds", {}))
