"""Search spaces: parameters by name, each a dimension, mapped to the unit cube and back.

A real parameter runs evenly over [0, 1], or its logarithm does. Categories and uniform integers
have equal parts of [0, 1]; the part of a log-uniform integer v runs from log(v - 1/2) to
log(v + 1/2), and that of a value of a discrete SciPy distribution is as wide as its probability.
Every point of a part stands for the same value, and a value is put at the centre of its part.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import skopt.space
from sklearn.utils import check_random_state

from skimbal._utils._validation import unknown_name_message

PRIORS = ("uniform", "log-uniform")
# Distributions without bounds are cut at these quantiles: the cube has corners, they have not.
OUTERMOST_QUANTILE = 1e-6
# Above it not every integer is a float, and the places in the cube are floats.
GREATEST_INTEGER = 2**53
FORMS = (
    "give (low, high), (low, high, 'log-uniform'), a list of values, a dimension of skopt.space or "
    "a frozen SciPy distribution"
)


def part_of(u, n_parts):
    """Index of the one of `n_parts` equal parts of [0, 1] that holds u."""
    return min(int(u * n_parts), n_parts - 1)


def centre_of(part, n_parts):
    """Centre of one of `n_parts` equal parts of [0, 1]."""
    return (part + 0.5) / n_parts


def log_integer_at(u, low, high):
    """One of low, ..., high: that whose part, log(v - 1/2) to log(v + 1/2), holds u of [0, 1]."""
    least, greatest = math.log(low - 0.5), math.log(high + 0.5)
    value = math.floor(math.exp(least + u * (greatest - least)) + 0.5)
    return min(max(value, low), high)  # rounding may lead out of the bounds


def log_integer_centre(value, low, high):
    """Centre of the part of [0, 1] that stands for one of the integers low, ..., high."""
    least, greatest = math.log(low - 0.5), math.log(high + 0.5)
    middle = 0.5 * (math.log(value - 0.5) + math.log(value + 0.5))
    return (middle - least) / (greatest - least)


def is_number(value):
    """Whether a value is a real number; True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


@dataclass(frozen=True)
class RealDimension:
    """An interval of numbers, uniform or log-uniform."""

    low: float
    high: float
    log: bool = False

    kind = ("real", None)
    n_values = None

    def value(self, u):
        """Parameter at the place u of [0, 1]."""
        if self.log:  # to the base 10, where the powers of ten come out exact
            low, high = np.log10(self.low), np.log10(self.high)
            value = 10.0 ** (low + u * (high - low))
        else:
            value = self.low + u * (self.high - self.low)
        return float(np.clip(value, self.low, self.high))  # rounding may lead out of the bounds

    def unit(self, value):
        """Place in [0, 1] of a value within the bounds."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = np.log(low), np.log(high), np.log(value)
        return float(np.clip((value - low) / (high - low), 0.0, 1.0))

    def holds(self, value):
        """Whether a value is in the dimension."""
        return is_number(value) and bool(self.low <= value <= self.high)

    def widened(self, value):
        """The dimension with room for a value; None where there can't be any."""
        if not is_number(value) or not np.isfinite(value) or (self.log and value <= 0):
            return None
        return replace(self, low=min(self.low, float(value)), high=max(self.high, float(value)))


@dataclass(frozen=True)
class IntegerDimension:
    """The integers from low to high, both included, uniform or log-uniform."""

    low: int
    high: int
    log: bool = False

    @property
    def n_values(self):
        """How many there are."""
        return self.high - self.low + 1

    @property
    def kind(self):
        """("integer", n_values) where they have equal parts, else as a real one."""
        return ("real", None) if self.log else ("integer", self.n_values)

    def value(self, u):
        """Parameter at the place u of [0, 1]."""
        if self.log:
            return log_integer_at(u, self.low, self.high)
        return self.low + part_of(u, self.n_values)

    def unit(self, value):
        """Centre of the part of [0, 1] that stands for a value."""
        if self.log:
            return log_integer_centre(int(value), self.low, self.high)
        return centre_of(int(value) - self.low, self.n_values)

    def holds(self, value):
        """Whether a value is in the dimension."""
        is_whole = is_number(value) and float(value).is_integer()
        return is_whole and bool(self.low <= value <= self.high)

    def widened(self, value):
        """The dimension with room for a value; None where there can't be any."""
        if not is_number(value) or not float(value).is_integer():
            return None
        if self.log and value < 1:
            return None
        return replace(self, low=min(self.low, int(value)), high=max(self.high, int(value)))


@dataclass(frozen=True)
class CategoricalDimension:
    """A list of values of any kind: names, dicts, lists, estimators."""

    categories: tuple

    @property
    def n_values(self):
        """How many there are."""
        return len(self.categories)

    @property
    def kind(self):
        """("categorical", n_values)."""
        return ("categorical", self.n_values)

    def value(self, u):
        """Parameter at the place u of [0, 1]."""
        return self.categories[part_of(u, self.n_values)]

    def unit(self, value):
        """Centre of the part of [0, 1] that stands for a value."""
        return centre_of(self._index(value), self.n_values)

    def holds(self, value):
        """Whether a value is in the dimension."""
        return self._index(value) is not None

    def widened(self, value):
        """None: a category that is not listed has no place."""

    def _index(self, value):
        equal = [i for i, c in enumerate(self.categories) if c is value or _is_same(c, value)]
        of_its_type = [i for i in equal if type(self.categories[i]) is type(value)]
        return next(iter(of_its_type + equal), None)  # 1 and 1.0 may mean different things


def _is_same(a, b):
    """Whether two categories are the same; 1 and True are not."""
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return bool(a == b)


@dataclass(frozen=True)
class DistributionDimension:
    """A frozen SciPy distribution: [0, 1] are its probabilities, values its quantiles."""

    distribution: Any
    is_discrete: bool

    kind = ("real", None)

    @property
    def n_values(self):
        """How many there are; None for a continuous one."""
        return int(self.value(1.0) - self.value(0.0)) + 1 if self.is_discrete else None

    def value(self, u):
        """Parameter at the place u of [0, 1]."""
        low, high = self.distribution.support()
        least = 0.0 if np.isfinite(low) else OUTERMOST_QUANTILE
        greatest = 1.0 if np.isfinite(high) else 1.0 - OUTERMOST_QUANTILE
        value = self.distribution.ppf(np.clip(u, least, greatest))
        if self.is_discrete:  # the quantile of 0 lies one below the support
            return int(max(value, low))
        return float(value)

    def unit(self, value):
        """Place in [0, 1] of a value; of a discrete one the centre of its part."""
        if not self.is_discrete:
            return float(self.distribution.cdf(value))
        return float(0.5 * (self.distribution.cdf(value - 1) + self.distribution.cdf(value)))

    def holds(self, value):
        """Whether a value is in the dimension."""
        low, high = self.distribution.support()
        return (
            is_number(value)
            and bool(low <= value <= high)
            and (not self.is_discrete or float(value).is_integer())
        )

    def widened(self, value):
        """None: a distribution stays as it is."""

    def description(self):
        """Name and arguments: a pickle of the distribution differs from process to process."""
        frozen = self.distribution
        family = getattr(frozen, "dist", frozen)
        return (type(family).__name__, getattr(frozen, "args", ()), getattr(frozen, "kwds", {}))


# ---------------------------------------------------------------- from what a user writes


def _check_bounds(name, low, high, prior):
    """Raise a ValueError for bounds that make no dimension."""
    what = f"the space of {name!r} has the bounds ({low!r}, {high!r})"
    if any(
        isinstance(bound, Integral) and abs(int(bound)) > GREATEST_INTEGER for bound in (low, high)
    ):
        raise ValueError(f"{what}; integers must be within +-2**53, so give floats instead")
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{what}; both must be finite")
    if not low < high:
        raise ValueError(
            f"{what}, but low must be below high; a parameter that is fixed belongs in the "
            "estimator, or is a list of one value"
        )
    if prior not in PRIORS:
        raise ValueError(f"{what}; {unknown_name_message('prior', prior, PRIORS)}")
    if prior == "log-uniform" and low <= 0:
        raise ValueError(f"{what}, but log-uniform needs low > 0; raise low or use 'uniform'")


def _numeric(name, low, high, prior="uniform", base=10):
    """A real or integer dimension; the base of the logarithm makes no difference to it."""
    _check_bounds(name, low, high, prior)
    if not (is_number(base) and base > 1):
        raise ValueError(f"the space of {name!r} has the base {base!r}; it must be a number > 1")
    log = prior == "log-uniform"
    if isinstance(low, Integral) and isinstance(high, Integral):
        return IntegerDimension(int(low), int(high), log)
    return RealDimension(float(low), float(high), log)


def _categorical(name, categories):
    """A categorical dimension; of categories that are listed several times the first one."""
    dimension = CategoricalDimension(tuple(categories))
    if not dimension.categories:
        raise ValueError(f"the space of {name!r} is an empty list; {FORMS}")
    distinct = (c for i, c in enumerate(dimension.categories) if dimension._index(c) == i)
    return CategoricalDimension(tuple(distinct))


def _from_skopt(name, dimension):
    if isinstance(dimension, skopt.space.Categorical):
        return _categorical(name, dimension.categories)
    _check_bounds(name, dimension.low, dimension.high, dimension.prior)
    log = dimension.prior == "log-uniform"
    if isinstance(dimension, skopt.space.Integer):
        return IntegerDimension(int(dimension.low), int(dimension.high), log)
    return RealDimension(float(dimension.low), float(dimension.high), log)


def _reads_as_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str) or is_number(value)


def _from_tuple(name, values):
    """A range where the tuple begins with two numbers and goes on as one, else categories."""
    is_range = len(values) >= 2 and is_number(values[0]) and is_number(values[1])
    if is_range and (len(values) == 2 or isinstance(values[2], str)) and len(values) <= 4:
        return _numeric(name, *values)
    has_prior = any(isinstance(value, str) and value == "log-uniform" for value in values)
    if has_prior or (len(values) == 2 and all(map(_reads_as_number, values))):
        raise ValueError(
            f"the space of {name!r} is {values!r}, whose bounds are not two numbers; {FORMS}"
        )
    return _categorical(name, values)


def _from_distribution(name, distribution):
    try:
        low, high = distribution.support()
    except TypeError as error:
        raise ValueError(
            f"the space of {name!r} is a distribution without its parameters; freeze it, as in "
            "scipy.stats.loguniform(0.1, 10)"
        ) from error
    if not low <= high:
        raise ValueError(
            f"the space of {name!r} is a distribution on ({low}, {high}), so its parameters are "
            "none that it can have; change them"
        )
    is_discrete = not hasattr(getattr(distribution, "dist", distribution), "pdf")
    return DistributionDimension(distribution, is_discrete)


def parse_dimension(name, dimension):
    """Return the dimension that a user's description of one parameter stands for, or raise."""
    if isinstance(
        dimension,
        RealDimension | IntegerDimension | CategoricalDimension | DistributionDimension,
    ):
        return dimension
    if isinstance(dimension, skopt.space.Dimension):
        return _from_skopt(name, dimension)
    if isinstance(dimension, tuple):
        return _from_tuple(name, dimension)
    if isinstance(dimension, list | range):
        return _categorical(name, dimension)
    if isinstance(dimension, np.ndarray) and dimension.ndim == 1:
        return _categorical(name, dimension.tolist())
    if all(hasattr(dimension, method) for method in ("ppf", "cdf", "support")):
        return _from_distribution(name, dimension)
    raise ValueError(f"the space of {name!r} is {dimension!r}, which is none; {FORMS}")


def check_names(names, estimator, search_spaces):
    """Raise a ValueError for a parameter that the estimator does not have.

    Parameters of a part that is searched itself, such as ``model__C`` beside ``model``, are those
    of the values it can take.
    """
    known = set(estimator.get_params(deep=True))
    for name in names:
        known.update(_parameters_of_values(name, search_spaces[name]))
    for name in names:
        if name not in known:
            raise ValueError(
                unknown_name_message(f"parameter of {type(estimator).__name__}", name, known)
            )


def _parameters_of_values(name, dimension):
    values = dimension.categories if isinstance(dimension, CategoricalDimension) else ()
    return [
        f"{name}__{inner}"
        for value in values
        if hasattr(value, "get_params") and not isinstance(value, type)
        for inner in value.get_params(deep=True)
    ]


@dataclass(frozen=True)
class SearchSpace:
    """Parameters by name, each with its dimension, as a unit cube.

    Attributes
    ----------
    dimensions : dict
        Name -> dimension, in the order of the names.
    """

    dimensions: dict = field(default_factory=dict)

    @classmethod
    def parse(cls, search_spaces, estimator=None):
        """Read what a user wrote, a dict name -> dimension; it is not changed.

        A dimension is a tuple ``(low, high)`` or ``(low, high, "log-uniform")``, integers where
        both bounds are; a list or array of categories; a dimension of `skopt.space`; or a frozen
        SciPy distribution. Names are checked against `estimator` where there is one.

        Examples
        --------
        >>> spaces = {"C": (0.01, 100.0, "log-uniform"), "kernel": ["rbf", "poly"]}
        >>> space = SearchSpace.parse(spaces)
        >>> space.kinds
        [('real', None), ('categorical', 2)]
        >>> space.to_params([0.5, 0.8])
        {'C': 1.0, 'kernel': 'poly'}
        >>> space.from_params({"C": 1.0, "kernel": "poly"})
        array([0.5 , 0.75])
        """
        if isinstance(search_spaces, SearchSpace):
            search_spaces = search_spaces.dimensions
        if not isinstance(search_spaces, Mapping) or not search_spaces:
            raise ValueError(
                f"the search space is {search_spaces!r}; it must be a dict with a dimension for "
                "each parameter that is searched, one at least"
            )
        strange = [name for name in search_spaces if not isinstance(name, str)]
        if strange:
            raise ValueError(f"the search space has the keys {strange}; names must be strings")
        space = cls({n: parse_dimension(n, dim) for n, dim in search_spaces.items()})
        if estimator is not None:
            check_names(space.names, estimator, space.dimensions)
        return space

    @property
    def names(self):
        """Names of the parameters."""
        return list(self.dimensions)

    @property
    def kinds(self):
        """("real", None), ("integer", n_values) or ("categorical", n_values) of each.

        The parts of the last two are equal; what has unequal ones counts as real.
        """
        return [dimension.kind for dimension in self.dimensions.values()]

    @property
    def n_dims(self):
        """Number of parameters."""
        return len(self.dimensions)

    @property
    def n_points(self):
        """Number of different points; inf with a continuous parameter."""
        counts = [dimension.n_values for dimension in self.dimensions.values()]
        return math.inf if None in counts else math.prod(counts)

    def description(self):
        """The dimensions by name, as values that two equal spaces share in any process."""
        return {
            name: dimension.description()
            if isinstance(dimension, DistributionDimension)
            else (type(dimension).__name__, vars(dimension))
            for name, dimension in self.dimensions.items()
        }

    def to_params(self, u):
        """Parameters at a point of the cube, array-like of shape (n_dims,)."""
        items = zip(self.dimensions.items(), u, strict=True)
        return {name: dimension.value(float(place)) for (name, dimension), place in items}

    def from_params(self, params):
        """Point of the cube for values of all parameters, ndarray of shape (n_dims,).

        Raises ValueError for a value that its dimension does not have.
        """
        for name, dimension in self.dimensions.items():
            if not dimension.holds(params[name]):
                raise ValueError(f"{name}={params[name]!r} is not in its search space")
        return np.array([d.unit(params[name]) for name, d in self.dimensions.items()])

    def snap(self, points):
        """Move points (n, n_dims) to the centres of their parts; continuous coordinates stay."""
        points = np.array(points, dtype=np.float64)
        for column, dimension in enumerate(self.dimensions.values()):
            if dimension.n_values is not None:
                places = points[:, column]
                points[:, column] = [dimension.unit(dimension.value(u)) for u in places]
        return points

    def widened(self, params):
        """The space with room for the values given, and the names of what had to be widened.

        Raises ValueError for a value that no wider bounds would hold.
        """
        dimensions, names = dict(self.dimensions), []
        for name, value in params.items():
            dimension = dimensions[name]
            if dimension.holds(value):
                continue
            wider = dimension.widened(value)
            if wider is None:
                raise ValueError(
                    f"a start point has {name}={value!r}, which is not in its search space "
                    f"({dimension!r}); start elsewhere or change the space"
                )
            dimensions[name] = wider
            names.append(name)
        return SearchSpace(dimensions), names


# ---------------------------------------------------------------- for scikit-learn's searches


class _Quantile:
    """A dimension as scikit-learn's `RandomizedSearchCV` draws from it."""

    def __init__(self, dimension):
        self.dimension = dimension

    def __repr__(self):
        return repr(self.dimension)

    def rvs(self, random_state=None):
        """Draw one value."""
        return self.dimension.value(check_random_state(random_state).uniform())


def as_distributions(search_spaces):
    """Return a search space as `RandomizedSearchCV` of scikit-learn takes it.

    So random search, the reference that a search has to beat, draws from the same space.

    Parameters
    ----------
    search_spaces : dict
        Name -> dimension, as for `DESearchCV`.

    Returns
    -------
    dict
        Name -> object with a method `rvs`.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import RandomizedSearchCV
    >>> from skimbal.model_selection import ClassWeights, as_distributions, class_weight_space
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> search = RandomizedSearchCV(
    ...     LogisticRegression(class_weight=ClassWeights(y)),
    ...     as_distributions(class_weight_space(y) | {"C": (0.01, 10.0, "log-uniform")}),
    ...     n_iter=3,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> sorted(search.best_params_)
    ['C', 'class_weight__1']
    """
    space = SearchSpace.parse(search_spaces)
    return {name: _Quantile(dimension) for name, dimension in space.dimensions.items()}


def as_grid(search_spaces, n_points=5):
    """Return a search space as a grid for `GridSearchCV` of scikit-learn.

    Parameters
    ----------
    search_spaces : dict
        Name -> dimension, as for `DESearchCV`.
    n_points : int, default=5
        Values of a real parameter, from bound to bound in equal steps of [0, 1], and of an integer
        at most. Categories are all there.

    Returns
    -------
    dict
        Name -> list of values.

    Examples
    --------
    >>> from skimbal.model_selection import as_grid
    >>> as_grid({"C": (0.01, 1.0, "log-uniform"), "kernel": ["rbf", "poly"]}, n_points=3)
    {'C': [0.01, 0.1, 1.0], 'kernel': ['rbf', 'poly']}
    """
    if not isinstance(n_points, Integral) or n_points < 1:
        raise ValueError(f"n_points={n_points!r} must be an integer >= 1")
    space = SearchSpace.parse(search_spaces)
    return {name: _values(dimension, n_points) for name, dimension in space.dimensions.items()}


def _values(dimension, n_points):
    if isinstance(dimension, CategoricalDimension):
        return list(dimension.categories)
    places = np.linspace(0, 1, n_points) if n_points > 1 else [0.5]
    return list(dict.fromkeys(dimension.value(u) for u in places))
