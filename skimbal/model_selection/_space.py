"""Search spaces: what a user writes for each parameter, as dimensions of a unit cube."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
import skopt.space
from sklearn.base import clone

from skimbal._utils._labels import as_mapping
from skimbal._utils._validation import unknown_name_message
from skimbal.model_selection._dimensions import (
    DIMENSIONS,
    CategoricalDimension,
    DistributionDimension,
    IntegerDimension,
    RealDimension,
    describe,
    is_number,
)

PRIORS = ("uniform", "log-uniform")
# Above it some integers are not floats, and the points of the cube are floats.
MAX_INTEGER = 2**53
FORMS = (
    "give (low, high), (low, high, 'log-uniform'), a list of values, a dimension of skopt.space or "
    "a frozen SciPy distribution"
)


def _check_bounds(name, low, high, prior):
    """Raise a ValueError for bounds that make no dimension."""
    given = f"the space of {name!r} has the bounds ({low!r}, {high!r})"
    if any(isinstance(bound, Integral) and abs(int(bound)) > MAX_INTEGER for bound in (low, high)):
        raise ValueError(f"{given}; integers must be within +-2**53, so give floats instead")
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{given}; both must be finite")
    if not low < high:
        raise ValueError(
            f"{given}, but low must be below high; to fix a parameter, set it in the estimator or "
            "give a list of one value"
        )
    if prior not in PRIORS:
        raise ValueError(f"{given}; {unknown_name_message('prior', prior, PRIORS)}")
    if prior == "log-uniform" and low <= 0:
        raise ValueError(f"{given}, but log-uniform needs low > 0; raise low or use 'uniform'")


def _numeric(name, low, high, prior="uniform", base=10):
    """A real or integer dimension; the base of the logarithm makes no difference."""
    _check_bounds(name, low, high, prior)
    if not (is_number(base) and base > 1):
        raise ValueError(f"the space of {name!r} has the base {base!r}; it must be a number > 1")
    log = prior == "log-uniform"
    if isinstance(low, Integral) and isinstance(high, Integral):
        return IntegerDimension(int(low), int(high), log)
    return RealDimension(float(low), float(high), log)


def _categorical(name, categories):
    """A categorical dimension; a category that is listed twice counts once."""
    listed = CategoricalDimension(tuple(as_mapping(value, name) for value in categories))
    if not listed.categories:
        raise ValueError(f"the space of {name!r} is an empty list; {FORMS}")
    distinct = (c for i, c in enumerate(listed.categories) if listed.index(c) == i)
    return CategoricalDimension(tuple(distinct))


def _from_skopt(name, dimension):
    if isinstance(dimension, skopt.space.Categorical):
        return _categorical(name, dimension.categories)
    number_type = int if isinstance(dimension, skopt.space.Integer) else float
    low, high = number_type(dimension.low), number_type(dimension.high)
    return _numeric(name, low, high, dimension.prior)


def _reads_as_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str) or is_number(value)


def _from_tuple(name, values):
    """A range where a tuple has two numbers, and perhaps a prior, in it; else categories."""
    is_range = len(values) >= 2 and is_number(values[0]) and is_number(values[1])
    if is_range and (len(values) == 2 or isinstance(values[2], str)) and len(values) <= 4:
        return _numeric(name, *values)
    has_prior = any(isinstance(value, str) and value == "log-uniform" for value in values)
    if has_prior or (len(values) == 2 and all(map(_reads_as_number, values))):
        given = f"the space of {name!r} is {values!r}"
        raise ValueError(f"{given}, whose bounds are not two numbers; {FORMS}")
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
            f"the space of {name!r} is a distribution with the support ({low}, {high}), so its "
            "parameters are invalid; change them"
        )
    is_discrete = not hasattr(getattr(distribution, "dist", distribution), "pdf")
    return DistributionDimension(distribution, is_discrete)


def parse_dimension(name, dimension):
    """Return the dimension that a user's description of one parameter stands for."""
    if isinstance(dimension, DIMENSIONS):
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
    raise ValueError(f"the space of {name!r} is {dimension!r}, which is not allowed; {FORMS}")


def takes_parameter(estimator, name, value):
    """Whether `set_params` of an estimator takes a parameter, which is tried on a clone."""
    try:
        clone(estimator).set_params(**{name: value})
    except Exception:  # each library has its own
        return False
    return True


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
        """Read a dict name -> dimension as a user writes it; the dict is not changed.

        A dimension is a tuple ``(low, high)`` or ``(low, high, "log-uniform")``, integers where
        both bounds are; a list or array of categories; a dimension of `skopt.space`; or a frozen
        SciPy distribution. If there is an `estimator`, the names are checked against it.

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
                f"the search space is {search_spaces!r}; it must be a dict with at least one "
                "parameter and its dimension"
            )
        unnamed = [name for name in search_spaces if not isinstance(name, str)]
        if unnamed:
            raise ValueError(f"the search space has the keys {unnamed}; names must be strings")
        space = cls({n: parse_dimension(n, dim) for n, dim in search_spaces.items()})
        if estimator is not None:
            space.check_names(estimator)
        return space

    def check_names(self, estimator):
        """Raise a ValueError for a parameter that the estimator does not have.

        A part of the estimator may be searched together with its parameters, as ``model`` with
        ``model__C``. Then the parameters of all its candidates are known names. Some estimators
        have parameters that `get_params` does not list: a name that `set_params` takes is known.
        """
        known = set(estimator.get_params(deep=True))
        for name, dimension in self.dimensions.items():
            for value in getattr(dimension, "categories", ()):
                if hasattr(value, "get_params") and not isinstance(value, type):
                    known.update(f"{name}__{inner}" for inner in value.get_params(deep=True))
        for name, dimension in self.dimensions.items():
            if name not in known and not takes_parameter(estimator, name, dimension.value(0.5)):
                kind = f"parameter of {type(estimator).__name__}"
                raise ValueError(unknown_name_message(kind, name, known))

    @property
    def names(self):
        """Names of the parameters."""
        return list(self.dimensions)

    @property
    def kinds(self):
        """("real", None), ("integer", n_values) or ("categorical", n_values) of each.

        Integers and categories have equal parts; a dimension with unequal parts counts as real.
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
        """The dimensions by name, as values that are equal for equal spaces in every process."""
        return {name: describe(dimension) for name, dimension in self.dimensions.items()}

    def to_params(self, point):
        """Parameters at a point of the cube, array-like of shape (n_dims,)."""
        items = zip(self.dimensions.items(), point, strict=True)
        return {name: dimension.value(float(u)) for (name, dimension), u in items}

    def from_params(self, params):
        """Point of the cube for values of all parameters, ndarray of shape (n_dims,).

        Raises ValueError for a value that its dimension does not have.
        """
        for name, dimension in self.dimensions.items():
            if not dimension.holds(params[name]):
                raise ValueError(f"{name}={params[name]!r} is not in its search space")
        return np.array([d.unit(params[name]) for name, d in self.dimensions.items()])

    def snap(self, points):
        """Move points (n, n_dims) to the centers of their parts; continuous coordinates stay."""
        points = np.array(points, dtype=np.float64)
        for column, dimension in enumerate(self.dimensions.values()):
            if dimension.n_values is not None:
                points[:, column] = [dimension.unit(dimension.value(u)) for u in points[:, column]]
        return points

    def widened(self, params):
        """The space with bounds that hold the given values, and the names that were widened.

        Raises ValueError for a value that no bounds can hold.
        """
        dimensions, names = dict(self.dimensions), []
        for name, value in params.items():
            dimension = dimensions[name]
            if dimension.holds(value):
                continue
            dimensions[name] = dimension.widened(value)
            names.append(name)
            if dimensions[name] is None:
                raise ValueError(
                    f"a start point has {name}={value!r}, which is not in its search space "
                    f"({dimension!r}); start elsewhere or change the space"
                )
        return SearchSpace(dimensions), names
