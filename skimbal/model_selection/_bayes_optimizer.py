r"""Bayesian optimisation on the unit cube, driven by ask and tell.

A Gaussian process models the losses; the next point is the one of greatest expected improvement

.. math:: EI(u) = E[\max(y^* - \xi - y(u), 0)] = \sigma(u) \, h(z), \quad
    z = \frac{y^* - \xi - \mu(u)}{\sigma(u)}, \quad h(z) = \varphi(z) + z \Phi(z)

(D. R. Jones, M. Schonlau and W. J. Welch 1998, Efficient Global Optimization of Expensive
Black-Box Functions, eq. 15, doi:10.1023/A:1008306431147). Its logarithm is climbed, which has
slopes where the improvement itself is 0 in float64 (S. Ament et al. 2023, Unexpected Improvements
to Expected Improvement for Bayesian Optimization, arXiv:2310.20708).
"""

import math

import numpy as np
from scipy.optimize import minimize
from scipy.special import erfcx, log_ndtr, ndtr

from skimbal.model_selection._gaussian_process import (
    Posterior,
    fit_hyperparameters,
    squared_differences,
)

MAX_PARTS = 1000
N_RANDOM_CANDIDATES = 1000
LEAST_RANDOM_CANDIDATES = 200
# Random candidates become fewer when they have so many covariances with what was told; the time
# of a proposal would grow with every loss otherwise.
N_COVARIANCES = 60_000
N_LOCAL_CANDIDATES = 300
N_CENTRES = 5  # best points around which the local candidates lie
LOCAL_SPREADS = (0.1, 0.01, 0.001)
N_CLIMBS = 4
MAX_CLIMB_ITERATIONS = 25
HALF_LOG_2_PI = 0.5 * np.log(2.0 * np.pi)
# Up to so many losses every loss leads to a new fit of the length scales; after that a fit waits
# until the losses have grown by the tenth. A fit costs n^3, and each loss changes less.
ALWAYS_FIT = 30
GROWTH_TO_FIT = 0.1


def log_expected_gain(z):
    r"""Logarithm of :math:`h(z) = \varphi(z) + z \Phi(z)`, and its derivative by z.

    `h` is the expected improvement in standard deviations. Below z = -1 its two terms cancel, so
    there it is written by the scaled complementary error function.
    """
    z = np.maximum(z, -1e6)
    below = np.minimum(z, -1.0)
    mills = np.sqrt(np.pi / 2) * erfcx(-below / np.sqrt(2))  # Phi(z) / phi(z)
    log_below = -0.5 * below**2 - HALF_LOG_2_PI + np.log1p(below * mills)
    above = np.maximum(z, -1.0)
    h_above = np.exp(-0.5 * above**2 - HALF_LOG_2_PI) + above * ndtr(above)
    log_h = np.where(z < -1.0, log_below, np.log(h_above))
    return log_h, np.exp(log_ndtr(z) - log_h)


def log_expected_improvement(mean, std, least):
    r"""Logarithm of the expected improvement on `least`, :math:`\log \sigma + \log h(z)`."""
    return np.log(std) + log_expected_gain((least - mean) / std)[0]


def latin_hypercube(rng, n_points, n_dims):
    """Random points of which every dimension has one in each of `n_points` equal parts."""
    parts = rng.permuted(np.tile(np.arange(n_points), (n_dims, 1)), axis=1).T
    return (parts + rng.random((n_points, n_dims))) / n_points


def part_centres(dimension):
    """Centres in [0, 1], ascending, of the values of a dimension; None where it is real."""
    kind, n_values = dimension.kind
    if n_values is None or (kind == "integer" and n_values > MAX_PARTS):
        return None
    if kind == "categorical":
        values = dimension.categories
    else:
        values = [dimension.value(0.0) + i for i in range(n_values)]
    return np.unique([dimension.unit(value) for value in values])


class BayesOptimizer:
    """Minimiser over the unit cube by a Gaussian process and expected improvement.

    `ask` returns points, `tell` takes losses. Any points may be told; those that were asked for
    are then no longer waited for. The whole state is in plain attributes, the random generator
    among them, so that an optimiser that was pickled between two calls goes on bit for bit.

    Parameters
    ----------
    space : SearchSpace
        Says which dimensions are real, integer or categorical, and where the values of the latter
        lie. Up to `MAX_PARTS` values, points are at the centres of their parts; integers with more
        are treated as real.
    n_initial_points : int, default=10
        Points to evaluate before the process is asked; those of `initial` count.
    xi : float, default=0.0
        Improvement, in units of the loss, that counts as none.
    initial : array-like of shape (n_points, n_dims) or None, default=None
        Points to begin with, all of which are used. A Latin hypercube fills the rest.
    rng : numpy.random.Generator
        All randomness comes from it.

    Attributes
    ----------
    n_dims : int
        Number of dimensions.
    points : ndarray of shape (n_told, n_dims)
        What was told.
    losses : ndarray of shape (n_told,)
        Its losses, inf where they were not finite.
    n_kernel_fits : int
        How often the length scales were fitted.
    """

    def __init__(self, space, *, n_initial_points=10, xi=0.0, initial=None, rng):
        self.n_dims = space.n_dims
        self.xi = xi
        self._rng = rng
        self._centres = [part_centres(dim) for dim in space.dimensions.values()]
        self._is_categorical = np.array([kind == "categorical" for kind, _ in space.kinds])
        self._is_real = np.array([centres is None for centres in self._centres])
        self.points = np.empty((0, self.n_dims))
        self.losses = np.empty(0)
        self.n_kernel_fits = 0
        self._theta: np.ndarray | None = None
        self._n_at_fit = 0
        self._pending = np.empty((0, self.n_dims))  # asked for and not told
        self._queue = self._first_points(initial, n_initial_points)

    @property
    def n_queued(self):
        """Points to come that depend on no loss."""
        return len(self._queue)

    @property
    def n_points_of_space(self):
        """Number of distinct points, inf with a real dimension."""
        return math.prod(math.inf if c is None else len(c) for c in self._centres)

    @property
    def best(self):
        """Best point told and its loss; ValueError before the first `tell`."""
        if not len(self.losses):
            raise ValueError("there is no best point yet; call ask() and tell() first")
        i = self.losses.argmin()
        return self.points[i].copy(), float(self.losses[i])

    def ask(self, n_points=1):
        """Points to evaluate next, none of which was told or asked for before.

        Points of one call are chosen one after another, each as if the losses of those before were
        what the process expects of them.

        Returns
        -------
        points : ndarray of shape (<= n_points, n_dims)
            Fewer where the space has no more.
        """
        asked = self._queue[:n_points]
        self._queue = self._queue[n_points:]
        self._pending = np.vstack([self._pending, asked])
        while len(asked) < n_points and len(self._known()) < self.n_points_of_space:
            point = self._propose()[None]
            asked = np.vstack([asked, point])
            self._pending = np.vstack([self._pending, point])
        return asked.copy()

    def tell(self, points, losses):
        """Take the losses of points; those that are not finite rank last. No argument is changed.

        Raises
        ------
        ValueError
            Where the shapes do not fit or points are not finite; the optimiser stays as it was.
        """
        points = np.array(points, dtype=np.float64)
        losses = np.array(losses, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != self.n_dims or losses.shape != (len(points),):
            raise ValueError(
                f"points has shape {points.shape} and losses {losses.shape}; they must be "
                f"(n, {self.n_dims}) and (n,)"
            )
        if not np.isfinite(points).all():
            raise ValueError("points has NaN or infinite entries; tell points of the unit cube")
        self.points = np.vstack([self.points, points])
        self.losses = np.append(self.losses, np.where(np.isfinite(losses), losses, np.inf))
        self._pending = self._pending[:0]

    def _first_points(self, initial, n_points):
        given = np.empty((0, self.n_dims)) if initial is None else self._snap(initial)
        rest = latin_hypercube(self._rng, max(n_points - len(given), 0), self.n_dims)
        return _distinct(np.vstack([given, self._snap(rest)]), set())

    def _snap(self, points):
        """Points in the cube, with integers and categories at the nearest centre of a part."""
        points = np.clip(np.array(points, dtype=np.float64), 0.0, 1.0)
        for dim in np.flatnonzero(~self._is_real):
            centres = self._centres[dim]
            nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, points[:, dim])
            points[:, dim] = centres[nearest]
        return points

    def _known(self):
        return _rows(self.points) | _rows(self._pending) | _rows(self._queue)

    def _propose(self):
        """The point of greatest expected improvement; a random one while losses say nothing."""
        losses, unit = self._standardised_losses()
        if losses is None:
            candidates = self._candidates(np.empty((0, self.n_dims)))
            return candidates[self._rng.integers(len(candidates))]
        self._fit(losses)
        posterior = self._posterior(losses)
        least = posterior.predict(posterior.points)[0].min() - self.xi / unit
        order = posterior.losses.argsort(kind="stable")
        candidates = self._candidates(posterior.points[order[:N_CENTRES]])
        values = self._improvements(posterior, candidates, least)
        if self._is_real.any():
            starts = candidates[values.argsort(kind="stable")[::-1][:N_CLIMBS]]
            ends = _distinct(self._snap(self._climb(posterior, starts, least)), self._known())
            candidates = np.vstack([candidates, ends])
            values = np.append(values, self._improvements(posterior, ends, least))
        return candidates[values.argmax()]

    @staticmethod
    def _improvements(posterior, points, least):
        mean, std = posterior.predict(points)
        return log_expected_improvement(mean, std, least)

    def _standardised_losses(self):
        """Losses with mean 0 and deviation 1, and their deviation; None where they say nothing.

        Those that are not finite are as bad as the worst that is.
        """
        is_finite = np.isfinite(self.losses)
        if not is_finite.any() or np.ptp(self.losses[is_finite]) == 0:
            return None, 0.0
        losses = np.where(is_finite, self.losses, self.losses[is_finite].max())
        return (losses - losses.mean()) / losses.std(), losses.std()

    def _posterior(self, losses):
        """The process given all losses, those of pending points at their expectation."""
        posterior = Posterior.of(self.points, losses, self._theta, self._is_categorical)
        if not len(self._pending):
            return posterior
        points = np.vstack([self.points, self._pending])
        believed = np.append(losses, posterior.predict(self._pending)[0])
        return Posterior.of(points, believed, self._theta, self._is_categorical)

    def _fit(self, losses):
        n = len(losses)
        if n == self._n_at_fit or (n > ALWAYS_FIT and n < (1 + GROWTH_TO_FIT) * self._n_at_fit):
            return
        differences = squared_differences(self.points, self._is_categorical)
        self._theta = fit_hyperparameters(differences, losses, self._theta)
        self._n_at_fit = n
        self.n_kernel_fits += 1

    def _candidates(self, centres):
        """New points: of the whole space, and around the rows of `centres` at several spreads."""
        known = self._known()
        if self.n_points_of_space <= N_RANDOM_CANDIDATES:
            return _distinct(self._all_points(), known)
        while True:
            points = [self._rng.random((self._n_random_candidates(), self.n_dims))]
            if len(centres):
                points.append(self._around(centres))
            candidates = _distinct(self._snap(np.vstack(points)), known)
            if len(candidates):
                return candidates

    def _n_random_candidates(self):
        n = N_COVARIANCES // max(len(self.losses), 1)
        return int(np.clip(n, LEAST_RANDOM_CANDIDATES, N_RANDOM_CANDIDATES))

    def _around(self, centres):
        n = N_LOCAL_CANDIDATES
        chosen = centres[self._rng.integers(len(centres), size=n)]
        spreads = np.asarray(LOCAL_SPREADS)[self._rng.integers(len(LOCAL_SPREADS), size=n)]
        moved = chosen + spreads[:, None] * self._rng.normal(size=(n, self.n_dims))
        # An integer or category changes now and then, to any other value: a small step would not.
        jumps = self._rng.random((n, self.n_dims)) < 1.0 / max(self.n_dims, 2)
        return np.where(jumps & ~self._is_real, self._rng.random((n, self.n_dims)), moved)

    def _all_points(self):
        grids = np.meshgrid(*self._centres, indexing="ij")
        return np.stack(grids, axis=-1).reshape(-1, self.n_dims)

    def _climb(self, posterior, starts, least):
        """Climb from all rows of `starts` at once along the real dimensions; returns the ends."""
        real = self._is_real

        def negative_sum(flat):
            points = starts.copy()
            points[:, real] = flat.reshape(len(starts), -1)
            mean, std, d_mean, d_std = posterior.predict_with_gradients(points)
            z = (least - mean) / std
            log_h, slope = log_expected_gain(z)
            factors = ((1.0 - z * slope) / std, -slope / std)
            gradient = factors[0][:, None] * d_std + factors[1][:, None] * d_mean
            return -(np.log(std) + log_h).sum(), -gradient[:, real].ravel()

        climbed = minimize(
            negative_sum,
            starts[:, real].ravel(),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, 1.0)] * starts[:, real].size,
            options={"maxiter": MAX_CLIMB_ITERATIONS},
        )
        ends = starts.copy()
        ends[:, real] = climbed.x.reshape(len(starts), -1)
        return ends


def _rows_in_order(points):
    return [row.tobytes() for row in points + 0.0]  # no -0.0, whose bytes are not those of 0.0


def _rows(points):
    return set(_rows_in_order(points))


def _distinct(points, known):
    """Rows of `points` that are not in the set `known`, each once, in their order."""
    seen = set(known)
    keep = []
    for i, row in enumerate(_rows_in_order(points)):
        if row not in seen:
            seen.add(row)
            keep.append(i)
    return points[keep]
