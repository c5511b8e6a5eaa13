"""Bayesian optimization on the unit cube, driven by ask and tell.

A Gaussian process models the losses (`_gaussian_process`). The next point is the one with the
largest expected improvement (`_acquisition`).
"""

import numpy as np

from skimbal.model_selection._acquisition import climb, improvement_of
from skimbal.model_selection._gaussian_process import (
    Posterior,
    fit_hyperparameters,
    squared_differences,
)
from skimbal.model_selection._point_grid import PointGrid, latin_hypercube, new_rows, row_keys

MAX_RANDOM_CANDIDATES = 1000
MIN_RANDOM_CANDIDATES = 200
# Fewer random candidates are drawn where they would have more covariances with the known points;
# otherwise the time of a proposal would grow with every loss.
N_COVARIANCES = 60_000
N_LOCAL_CANDIDATES = 300
N_BEST_POINTS = 5  # best points around which the local candidates lie
N_CLIMBS = 4
# Up to so many losses, every loss leads to a new fit of the length scales. After that a fit waits
# until there are 10 % more losses. A fit costs n^3, and each loss changes less.
ALWAYS_FIT = 30
GROWTH_TO_FIT = 0.1


def standardized(losses):
    """Losses with mean 0 and deviation 1, and their deviation; (None, 0) where they are all equal.

    Losses that are not finite count as the worst finite one.
    """
    is_finite = np.isfinite(losses)
    if not is_finite.any() or np.ptp(losses[is_finite]) == 0:
        return None, 0.0
    losses = np.where(is_finite, losses, losses[is_finite].max())
    return (losses - losses.mean()) / losses.std(), losses.std()


class BayesOptimizer:
    """Minimizer over the unit cube by a Gaussian process and expected improvement.

    `ask` returns points, `tell` takes losses. Any points may be told, and after a `tell` no points
    are waited for. The whole state is in attributes, including the random generator, so an
    optimizer that is pickled between two calls continues with the same bits.

    Parameters
    ----------
    space : SearchSpace
        Says which dimensions are real, integer or categorical.
    n_initial_points : int, default=10
        Points to evaluate before the process is used; those of `initial` count.
    xi : float, default=0.0
        Improvement, in units of the loss, that does not count.
    initial : array-like of shape (n_points, n_dims) or None, default=None
        Points to begin with, all of which are used. A Latin hypercube fills the rest.
    rng : numpy.random.Generator
        The source of all randomness.

    Attributes
    ----------
    grid : PointGrid
        The points that can be asked for.
    points : ndarray of shape (n_told, n_dims)
        The points that were told.
    losses : ndarray of shape (n_told,)
        Their losses; inf where they were not finite.
    n_kernel_fits : int
        How often the length scales were fitted.
    """

    def __init__(self, space, *, n_initial_points=10, xi=0.0, initial=None, rng):
        self.grid = PointGrid(space)
        self.xi = xi
        self.n_kernel_fits = 0
        self.losses = np.empty(0)
        self.points = np.empty((0, self.grid.n_dims))
        self._pending = self.points  # asked for and not told
        self._theta: np.ndarray | None = None
        self._n_at_fit = 0
        self._rng = rng
        given = self.points if initial is None else self.grid.snap(initial)
        n_more = max(n_initial_points - len(given), 0)
        rest = self.grid.snap(latin_hypercube(rng, n_more, self.grid.n_dims))
        self._queue = new_rows(np.vstack([given, rest]), set())

    @property
    def n_queued(self):
        """Number of points to come that depend on no loss."""
        return len(self._queue)

    @property
    def best(self):
        """Best point told and its loss; ValueError before the first `tell`."""
        if not len(self.losses):
            raise ValueError("there is no best point yet; call ask() and tell() first")
        i = self.losses.argmin()
        return self.points[i].copy(), float(self.losses[i])

    def ask(self, n_points=1):
        """Points to evaluate next, which were neither told nor asked for before.

        Points of one call are chosen one after another, each as if the losses of those before were
        the expected ones.

        Returns
        -------
        points : ndarray of shape (<= n_points, n_dims)
            Fewer where the space has no more.
        """
        asked = self._queue[:n_points]
        self._queue = self._queue[n_points:]
        self._pending = np.vstack([self._pending, asked])
        while len(asked) < n_points and len(self._known()) < self.grid.n_points:
            point = self._propose()[None]
            asked = np.vstack([asked, point])
            self._pending = np.vstack([self._pending, point])
        return asked.copy()

    def tell(self, points, losses):
        """Take the losses of points; those that are not finite rank last. No argument is changed.

        Raises
        ------
        ValueError
            For shapes that do not fit and points that are not finite; nothing is changed then.
        """
        points = np.array(points, dtype=np.float64)
        losses = np.array(losses, dtype=np.float64)
        n_dims = self.grid.n_dims
        if points.ndim != 2 or points.shape[1] != n_dims or losses.shape != (len(points),):
            raise ValueError(
                f"points has shape {points.shape} and losses {losses.shape}; they must be "
                f"(n, {n_dims}) and (n,)"
            )
        if not np.isfinite(points).all():
            raise ValueError("points has NaN or infinite entries; tell points of the unit cube")
        self.points = np.vstack([self.points, points])
        self.losses = np.append(self.losses, np.where(np.isfinite(losses), losses, np.inf))
        self._pending = self._pending[:0]

    def _known(self):
        return {*row_keys(self.points), *row_keys(self._pending), *row_keys(self._queue)}

    def _propose(self):
        """The point with the largest expected improvement; a random one if all losses are equal."""
        losses, unit = standardized(self.losses)
        if losses is None:
            candidates = self._candidates(self.points[:0])
            return candidates[self._rng.integers(len(candidates))]
        self._fit(losses)
        posterior = self._posterior(losses)
        target = posterior.predict(posterior.points)[0].min() - self.xi / unit
        order = posterior.losses.argsort(kind="stable")
        candidates = self._candidates(posterior.points[order[:N_BEST_POINTS]])
        values = improvement_of(posterior, candidates, target)
        is_real = self.grid.is_real
        if is_real.any():
            starts = candidates[values.argsort(kind="stable")[::-1][:N_CLIMBS]]
            ends = self.grid.snap(climb(posterior, starts, target, is_real))
            ends = new_rows(ends, self._known())
            candidates = np.vstack([candidates, ends])
            values = np.append(values, improvement_of(posterior, ends, target))
        return candidates[values.argmax()]

    def _fit(self, losses):
        """Fit the length scales, unless there are few new losses since the last fit."""
        n = len(losses)
        if n == self._n_at_fit or (n > ALWAYS_FIT and n < (1 + GROWTH_TO_FIT) * self._n_at_fit):
            return
        differences = squared_differences(self.points, self.grid.is_categorical)
        self._theta = fit_hyperparameters(differences, losses, self._theta)
        self._n_at_fit = n
        self.n_kernel_fits += 1

    def _posterior(self, losses):
        """The process given all losses; those of pending points are the expected ones."""
        is_categorical = self.grid.is_categorical
        posterior = Posterior.of(self.points, losses, self._theta, is_categorical)
        if not len(self._pending):
            return posterior
        points = np.vstack([self.points, self._pending])
        losses = np.append(losses, posterior.predict(self._pending)[0])
        return Posterior.of(points, losses, self._theta, is_categorical)

    def _candidates(self, best_points):
        """New points of the whole space, and new points around the rows of `best_points`."""
        known = self._known()
        if self.grid.n_points <= MAX_RANDOM_CANDIDATES:
            return new_rows(self.grid.all_points(), known)
        n = N_COVARIANCES // max(len(self.losses), 1)
        n = int(np.clip(n, MIN_RANDOM_CANDIDATES, MAX_RANDOM_CANDIDATES))
        while True:
            points = [self._rng.random((n, self.grid.n_dims))]
            if len(best_points):
                points.append(self.grid.draw_around(self._rng, best_points, N_LOCAL_CANDIDATES))
            candidates = new_rows(self.grid.snap(np.vstack(points)), known)
            if len(candidates):
                return candidates
