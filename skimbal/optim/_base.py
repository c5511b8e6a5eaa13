"""Ask and tell: what all optimizers of the package share."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

RandomState = int | np.random.Generator | np.random.RandomState | None


def check_bounds(bounds):
    """Return `bounds` as a new float64 array of shape (n_dims, 2) of rows (low, high), or raise."""
    checked = np.array(bounds, dtype=np.float64)
    if checked.ndim != 2 or checked.shape[0] < 1 or checked.shape[1] != 2:
        raise ValueError(
            f"bounds has shape {checked.shape}; it must be (n_dims, 2) with n_dims >= 1, "
            "one (low, high) pair for each dimension"
        )
    with np.errstate(over="ignore"):
        widths = checked[:, 1] - checked[:, 0]
    if not (np.isfinite(checked).all() and np.isfinite(widths).all()):
        raise ValueError("bounds and high - low must be finite; give a smaller box")
    if (widths <= 0).any():
        dim = int(np.argmax(widths <= 0))
        raise ValueError(
            f"bounds[{dim}] is {tuple(checked[dim].tolist())}, but low must be below high; leave "
            "a fixed dimension out of the search"
        )
    return checked


def check_population_size(population_size, minimum):
    """Return `population_size` as an int that is at least `minimum`, or raise."""
    if not isinstance(population_size, int | np.integer) or population_size < minimum:
        raise ValueError(f"population_size={population_size!r} must be an integer >= {minimum}")
    return int(population_size)


def as_generator(random_state):
    """Generator of `random_state`: None, an int, a Generator (used as it is) or a RandomState."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**32, size=4, dtype=np.uint32))
    if random_state is None:
        return np.random.default_rng()
    if isinstance(random_state, int | np.integer) and random_state >= 0:
        return np.random.default_rng(int(random_state))
    raise ValueError(
        f"random_state={random_state!r} must be None, an integer >= 0, a numpy Generator or a "
        "numpy RandomState"
    )


def last_if_not_finite(losses):
    """`losses` with NaN and both infinities as +inf, so that they rank last."""
    return np.where(np.isfinite(losses), losses, np.inf)


class BaseOptimizer(ABC):
    """Minimizer of a function over a box, driven by `ask` and `tell`.

    A subclass sets `population_size` and writes two methods: `_propose` returns the next points,
    and `_learn` takes their losses. This class validates, keeps the best point and checks the
    order of calls. The whole state, including the random generator, is in plain attributes, so
    that a pickled optimizer continues bit for bit.

    Parameters
    ----------
    bounds : array-like of shape (n_dims, 2)
        A finite (low, high) pair for each dimension, low < high.
    random_state : None, int, numpy.random.Generator or numpy.random.RandomState
        A Generator is used as it is; a RandomState draws the seed.

    Attributes
    ----------
    bounds : ndarray of shape (n_dims, 2)
        The box.
    n_dims : int
        Number of dimensions.
    population_size : int
        Points that each `ask` returns.

    Examples
    --------
    A subclass that searches around the best point so far:

    >>> from skimbal.optim import BaseOptimizer
    >>> class AroundTheBest(BaseOptimizer):
    ...     def __init__(self, bounds, *, population_size=10, random_state=None):
    ...         super().__init__(bounds, random_state)
    ...         self.population_size = population_size
    ...         self.center = self.bounds.mean(axis=1)
    ...
    ...     def _propose(self):
    ...         low, high = self.bounds.T
    ...         steps = self._rng.normal(size=(self.population_size, self.n_dims))
    ...         return (self.center + 0.1 * (high - low) * steps).clip(low, high)
    ...
    ...     def _learn(self, x, losses):
    ...         self.center, _ = self.best
    >>> optimizer = AroundTheBest([(-5, 5), (-5, 5)], random_state=0)
    >>> for _ in range(50):
    ...     x = optimizer.ask()
    ...     optimizer.tell(x, (x**2).sum(axis=1))
    >>> optimizer.best[1] < 0.1
    True
    """

    population_size: int

    def __init__(self, bounds: ArrayLike, random_state: RandomState) -> None:
        self.bounds = check_bounds(bounds)
        self.n_dims = len(self.bounds)
        self._rng = as_generator(random_state)
        self._asked: NDArray | None = None
        self._best_x: NDArray | None = None
        self._best_loss = np.inf

    def ask(self) -> NDArray[np.float64]:
        """Return the points whose losses the optimizer needs next.

        Until `tell` is called, the same points are returned again.

        Returns
        -------
        x : ndarray of shape (population_size, n_dims)
            Points within the bounds. They are a copy, which the caller may change.
        """
        if self._asked is None:
            self._asked = self._propose()
        return self._asked.copy()

    def tell(self, x: ArrayLike, losses: ArrayLike) -> None:
        """Take the losses of the points that the last `ask` returned; no argument is changed.

        Parameters
        ----------
        x : array-like of shape (population_size, n_dims)
            What `ask` returned.
        losses : array-like of shape (population_size,)
            Loss of each point, lower is better. Losses that are not finite rank last.

        Raises
        ------
        ValueError
            If nothing was asked, `x` is not what was asked, or the number of losses is wrong. The
            optimizer then stays as it was.
        """
        asked = self._check_told(x)
        losses = np.asarray(losses, dtype=np.float64)
        if losses.shape != (self.population_size,):
            raise ValueError(
                f"losses has shape {losses.shape}, but it must be ({self.population_size},), one "
                "loss for each point that ask() returned"
            )
        losses = last_if_not_finite(losses)
        self._keep_best(asked, losses)
        self._learn(asked, losses)
        self._asked = None

    @property
    def best(self) -> tuple[NDArray[np.float64], float]:
        """Best point so far and its loss, ``(ndarray of shape (n_dims,), float)``.

        The loss is inf until one is finite. Before the first `tell` it raises a ValueError.
        """
        if self._best_x is None:
            raise ValueError("there is no best point yet; call ask() and tell() first")
        return self._best_x.copy(), self._best_loss

    def _check_told(self, x):
        if self._asked is None:
            raise ValueError("tell() was called before ask(); ask for points first")
        x = np.asarray(x)
        if x.shape != self._asked.shape:
            raise ValueError(
                f"x has shape {x.shape}, but ask() returned points of shape {self._asked.shape}; "
                "tell the losses of all of them at once"
            )
        if (x != self._asked).any():
            raise ValueError(
                "x is not what ask() returned; pass the same float64 points in the same order"
            )
        return self._asked

    def _keep_best(self, x, losses):
        i = losses.argmin()
        if self._best_x is None or losses[i] < self._best_loss:
            self._best_x, self._best_loss = x[i].copy(), float(losses[i])

    @abstractmethod
    def _propose(self):
        """Return new points, a float64 array (population_size, n_dims) of the caller's own."""

    @abstractmethod
    def _learn(self, x, losses):
        """Take the losses, finite or +inf, of the points that `_propose` returned."""
