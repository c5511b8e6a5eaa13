"""scikit-optimize behind ask and tell: its optimizers, and results for its plots."""

import warnings

import numpy as np
import skopt
import skopt.space
from sklearn.base import clone
from skopt.utils import cook_estimator, create_result, normalize_dimensions

from skimbal._utils._random import seed_unset
from skimbal.model_selection._dimensions import CategoricalDimension, DistributionDimension
from skimbal.model_selection._point_grid import part_centers

OWN_KEYWORDS = ("dimensions", "random_state")
MAX_SKOPT_SEED = 2**31


class SkoptOptimizer:
    """`skopt.Optimizer` with any of its arguments, on points of the unit cube.

    It sees a real dimension as Real(0, 1), and the n values of another one as Integer(0, n - 1) or
    as n categories.

    Parameters
    ----------
    space : SearchSpace
        The space.
    optimizer_kwargs : dict
        Arguments of `skopt.Optimizer`, without the dimensions and the random state.
    initial : array-like of shape (n_points, n_dims)
        Points to begin with.
    rng : numpy.random.Generator
        Draws the seed of scikit-optimize.

    Raises
    ------
    ValueError
        For arguments that `skopt.Optimizer` does not take.
    """

    def __init__(self, space, optimizer_kwargs, *, initial, rng):
        self._centers = [part_centers(dimension) for dimension in space.dimensions.values()]
        dimensions = [
            _index_dimension(kind, centers)
            for (kind, _), centers in zip(space.kinds, self._centers, strict=True)
        ]
        self._optimizer = make_skopt_optimizer(
            optimizer_kwargs, dimensions, int(rng.integers(MAX_SKOPT_SEED))
        )
        self._queue = np.array(initial)

    @property
    def n_queued(self):
        """Number of points to come that depend on no loss."""
        return len(self._queue)

    def ask(self, n_points=1):
        """Points to evaluate next, ndarray of shape (n_points, n_dims) in the unit cube."""
        asked, self._queue = self._queue[:n_points], self._queue[n_points:]
        n_more = n_points - len(asked)
        if n_more:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of points seen before, and of its model's fit
                rows = self._optimizer.ask(n_points=n_more)
            asked = np.vstack([asked, [self._to_unit(row) for row in rows]])
        return asked.copy()

    def tell(self, points, losses):
        """Take the losses of points; those that are not finite count as the worst so far."""
        losses = np.array(losses, dtype=np.float64)
        rows = [self._from_unit(point) for point in points]
        losses = _finite(losses, np.append(np.array(self._optimizer.yi, dtype=np.float64), losses))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the fit of its model
            self._optimizer.tell(rows, losses.tolist())

    def _to_unit(self, row):
        pairs = zip(row, self._centers, strict=True)
        return [float(value) if c is None else c[int(value)] for value, c in pairs]

    def _from_unit(self, point):
        pairs = zip(point, self._centers, strict=True)
        return [float(u) if c is None else int(np.abs(c - u).argmin()) for u, c in pairs]


def _finite(losses, known):
    """Losses with the worst finite one of `known` in place of those that are not finite."""
    worst = np.max(known, initial=-np.inf, where=np.isfinite(known))
    return np.where(np.isfinite(losses), losses, worst if np.isfinite(worst) else 0.0)


def make_skopt_optimizer(optimizer_kwargs, dimensions, seed):
    """`skopt.Optimizer` on its own dimensions; ValueError for arguments that it does not take."""
    doubled = sorted(set(optimizer_kwargs) & set(OWN_KEYWORDS))
    if doubled:
        raise ValueError(
            f"optimizer_kwargs has {', '.join(doubled)}, which the search sets itself; leave it "
            "out and use search_spaces and random_state"
        )
    if str(optimizer_kwargs.get("acq_func", "")).endswith("ps"):
        raise ValueError(
            f"optimizer_kwargs has acq_func={optimizer_kwargs['acq_func']!r}, which needs the time "
            "of each candidate; use 'EI', 'PI', 'LCB' or 'gp_hedge'"
        )
    optimizer_kwargs = dict(optimizer_kwargs)
    model = optimizer_kwargs.get("base_estimator")
    if hasattr(model, "get_params"):  # scikit-optimize seeds only the models that it makes itself
        optimizer_kwargs["base_estimator"] = seed_unset(clone(model), seed)
    try:
        return skopt.Optimizer(dimensions, random_state=seed, **optimizer_kwargs)
    except Exception as error:  # scikit-optimize raises many types
        raise ValueError(
            f"skopt.Optimizer does not take optimizer_kwargs={optimizer_kwargs!r}: {error}"
        ) from error


def _index_dimension(kind, centers):
    if centers is None:
        return skopt.space.Real(0.0, 1.0)
    if kind == "categorical" or len(centers) == 1:
        return skopt.space.Categorical(range(len(centers)))
    return skopt.space.Integer(0, len(centers) - 1)


def as_skopt_dimension(name, dimension):
    """The dimension of `skopt.space` for one of ours; a distribution becomes its range."""
    if isinstance(dimension, CategoricalDimension):
        return skopt.space.Categorical(_hashable(dimension.categories), name=name)
    of_skopt = skopt.space.Real if dimension.n_values is None else skopt.space.Integer
    if isinstance(dimension, DistributionDimension):
        return of_skopt(dimension.value(0.0), dimension.value(1.0), name=name)
    prior = "log-uniform" if dimension.log else "uniform"
    return of_skopt(dimension.low, dimension.high, prior, name=name)


def optimize_result(space, params, losses, with_model):
    """The candidates of one space, as scikit-optimize's callbacks and plots take them.

    Parameters
    ----------
    space : SearchSpace
        The space; its parameters are sorted by name in the result.
    params : list of dict
        The candidates.
    losses : array-like of shape (n_candidates,)
        Their losses; those that are not finite count as the worst finite one.
    with_model : bool
        Whether scikit-optimize's Gaussian process is fitted to them, for its plots.

    Returns
    -------
    scipy.optimize.OptimizeResult
    """
    names = sorted(space.names)
    own = [as_skopt_dimension(name, space.dimensions[name]) for name in names]
    skopt_space = skopt.space.Space(normalize_dimensions(own))
    rows = [[_row_value(space.dimensions[name], p[name]) for name in names] for p in params]
    has_model = with_model and np.isfinite(losses).sum() > 1
    losses = _finite(np.array(losses, dtype=np.float64), losses)
    models = []
    if has_model:
        model = cook_estimator("GP", space=skopt_space, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of length scales at their bounds
            models.append(model.fit(skopt_space.transform(rows), losses))
    return create_result(rows, losses.tolist(), skopt_space, rng=None, models=models)


def _row_value(dimension, value):
    return _hashable([value])[0] if isinstance(dimension, CategoricalDimension) else value


class _HashableDict(dict):
    def __hash__(self):  # type: ignore[override]  # dict has None
        return hash(repr(self))


class _HashableList(list):
    def __hash__(self):  # type: ignore[override]  # list has None
        return hash(repr(self))


def _hashable(categories):
    """Categories that scikit-optimize can have: equal dicts and lists with a hash, texts of others.

    Objects with a hash, such as estimators, stay what they are.
    """
    return [_with_hash(category) for category in categories]


def _with_hash(category):
    for kind, hashable in ((dict, _HashableDict), (list, _HashableList)):
        if type(category) is kind:
            return hashable(category)
    try:
        hash(category)
    except TypeError:
        return repr(category)
    return category
