"""scikit-optimize behind the ask and tell of our searches: its optimisers and its results."""

import warnings

import numpy as np
import skopt
import skopt.space
from sklearn.base import clone
from skopt.utils import cook_estimator, create_result, normalize_dimensions

from skimbal._utils._random import seed_unset
from skimbal.model_selection._bayes_optimizer import part_centres
from skimbal.model_selection._space import (
    CategoricalDimension,
    IntegerDimension,
    RealDimension,
)

OWN_KEYWORDS = ("dimensions", "random_state")
MAX_SKOPT_SEED = 2**31


class SkoptOptimizer:
    """`skopt.Optimizer` with any of its arguments, on points of the unit cube.

    It sees a real dimension as Real(0, 1) and the n values of another as Integer(0, n - 1) or n
    categories.

    Parameters
    ----------
    space : SearchSpace
        The space.
    optimizer_kwargs : dict
        Arguments of `skopt.Optimizer`, without the dimensions and the random state.
    initial : array-like of shape (n_points, n_dims) or None
        Points to begin with.
    rng : numpy.random.Generator
        The seed of scikit-optimize comes from it.

    Raises
    ------
    ValueError
        For arguments that `skopt.Optimizer` does not take.
    """

    def __init__(self, space, optimizer_kwargs, *, initial=None, rng):
        self._centres = [part_centres(dim) for dim in space.dimensions.values()]
        dimensions = [
            _index_dimension(kind, centres)
            for (kind, _), centres in zip(space.kinds, self._centres, strict=True)
        ]
        self._optimizer = make_skopt_optimizer(
            optimizer_kwargs, dimensions, int(rng.integers(MAX_SKOPT_SEED))
        )
        self._queue = np.empty((0, len(dimensions))) if initial is None else np.array(initial)

    @property
    def n_queued(self):
        """Points to come that depend on no loss."""
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
        known = np.append(np.array(self._optimizer.yi, dtype=np.float64), losses)
        finite = known[np.isfinite(known)]
        losses[~np.isfinite(losses)] = finite.max() if len(finite) else 0.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the fit of its model
            self._optimizer.tell(rows, losses.tolist())

    def _to_unit(self, row):
        pairs = zip(row, self._centres, strict=True)
        return [float(value) if c is None else c[int(value)] for value, c in pairs]

    def _from_unit(self, point):
        pairs = zip(point, self._centres, strict=True)
        return [float(u) if c is None else int(np.abs(c - u).argmin()) for u, c in pairs]


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
    if hasattr(model, "get_params"):  # scikit-optimize seeds those only that it makes itself
        optimizer_kwargs["base_estimator"] = clone(model)
        seed_unset(optimizer_kwargs["base_estimator"], seed)
    try:
        return skopt.Optimizer(dimensions, random_state=seed, **optimizer_kwargs)
    except Exception as error:  # it raises of all kinds
        raise ValueError(
            f"skopt.Optimizer does not take optimizer_kwargs={optimizer_kwargs!r}: {error}"
        ) from error


def _index_dimension(kind, centres):
    if centres is None:
        return skopt.space.Real(0.0, 1.0)
    if kind == "categorical" or len(centres) == 1:
        return skopt.space.Categorical(range(len(centres)))
    return skopt.space.Integer(0, len(centres) - 1)


# ---------------------------------------------------------------- results for its plots


def as_skopt_dimension(name, dimension):
    """The dimension of `skopt.space` for one of ours; a distribution becomes its range."""
    if isinstance(dimension, CategoricalDimension):
        return skopt.space.Categorical(_hashable(dimension.categories), name=name)
    if isinstance(dimension, RealDimension | IntegerDimension):
        low, high, log = dimension.low, dimension.high, dimension.log
    else:
        low, high, log = dimension.value(0.0), dimension.value(1.0), False
    is_integer = dimension.kind[0] == "integer"
    of_skopt = skopt.space.Integer if is_integer else skopt.space.Real
    return of_skopt(low, high, "log-uniform" if log else "uniform", name=name)


def optimize_result(space, params, losses, with_model):
    """The candidates of one space as scikit-optimize's callbacks and plots take them.

    Parameters
    ----------
    space : SearchSpace
        The space; its parameters are sorted by name in the result.
    params : list of dict
        The candidates.
    losses : array-like of shape (n_candidates,)
        Their losses; those that are not finite count as the worst.
    with_model : bool
        Whether scikit-optimize's Gaussian process is fitted to them, for its plots.

    Returns
    -------
    scipy.optimize.OptimizeResult
    """
    names = sorted(space.names)
    own = [as_skopt_dimension(name, space.dimensions[name]) for name in names]
    skopt_space = skopt.space.Space(normalize_dimensions(own))
    rows = [
        [_hashable([p[name]])[0] if _is_categorical(space, name) else p[name] for name in names]
        for p in params
    ]
    losses = np.array(losses, dtype=np.float64)
    finite = losses[np.isfinite(losses)]
    losses[~np.isfinite(losses)] = finite.max() if len(finite) else 0.0
    models = []
    if with_model and len(finite) > 1:
        model = cook_estimator("GP", space=skopt_space, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of length scales at their bounds
            models.append(model.fit(skopt_space.transform(rows), losses))
    return create_result(rows, losses.tolist(), skopt_space, rng=None, models=models)


def _is_categorical(space, name):
    return isinstance(space.dimensions[name], CategoricalDimension)


def _hashable(categories):
    """Categories as scikit-optimize can have them: dicts, lists and estimators by their text."""
    plain = (str, bool, int, float, type(None))
    return [c if isinstance(c, plain) else repr(c) for c in categories]
