"""JADE, the adaptive differential evolution of Zhang & Sanderson (2009)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skimbal.optim._adaptation import (
    arithmetic_mean,
    lehmer_mean,
    moved_toward,
    sample_crossover_rates,
    sample_mutation_factors,
)
from skimbal.optim._base import BaseOptimizer, RandomState, check_population_size
from skimbal.optim._operators import (
    binomial_crossover,
    choose_difference,
    choose_pbest,
    current_to_pbest,
    repair_to_midpoint,
    uniform_points,
)


def default_population_size(n_dims):
    """Population sizes of the paper: 30 up to 10 dimensions, 100 up to 30, 400 above."""
    if n_dims <= 10:
        return 30
    return 100 if n_dims <= 30 else 400


def check_fraction(name, value, *, zero_allowed):
    """Return `value` as a float in (0, 1], or in [0, 1] if zero is allowed, or raise."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not (is_number and 0 <= value <= 1 and (zero_allowed or value > 0)):
        allowed = "[0, 1]" if zero_allowed else "(0, 1]"
        raise ValueError(f"{name}={value!r} must be a number in {allowed}")
    return float(value)


def check_initial(initial, population_size, n_dims):
    """Return `initial` as a float64 array (n_points, n_dims) of finite points, or raise."""
    points = np.asarray(initial, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != n_dims or len(points) > population_size:
        raise ValueError(
            f"initial has shape {points.shape}; it must be (n_points, {n_dims}) with at most "
            f"population_size={population_size} points"
        )
    if not np.isfinite(points).all():
        raise ValueError("initial has NaN or infinite entries; give finite points")
    return points


class JADE(BaseOptimizer):
    r"""Adaptive differential evolution with an optional archive, driven by `ask` and `tell`.

    It minimizes a function over a box. Member :math:`i` of the population moves toward one of the
    best members and along the difference of two others,

    .. math:: v_i = x_i + F_i (x_\text{pbest} - x_i) + F_i (x_{r1} - \tilde x_{r2}),

    and is crossed with its parent at the rate :math:`CR_i`. The trial replaces the parent if its
    loss is lower. The archive keeps replaced parents, and :math:`\tilde x_{r2}` may come from it.
    :math:`F_i` and :math:`CR_i` are drawn around two locations, which follow the values that
    succeeded. A generation is one `ask` and one `tell`; selection waits for all of its losses.

    Parameters
    ----------
    bounds : array-like of shape (n_dims, 2)
        A finite (low, high) pair for each dimension, low < high.
    population_size : int or None, default=None
        Members of the population and points of each `ask`, at least 3. None takes the size of the
        paper: 30 up to 10 dimensions, 100 up to 30 and 400 above.
    p : float in (0, 1], default=0.05
        Fraction of the population that counts as best; at least two members do. The paper
        recommends 0.05 to 0.2.
    c : float in [0, 1], default=0.1
        Rate at which the two locations follow what succeeded; 0 keeps them at 0.5. The paper
        recommends 0.05 to 0.2.
    archive : bool, default=True
        Whether up to `population_size` replaced parents are kept.
    random_state : None, int, numpy.random.Generator or numpy.random.RandomState, default=None
        A Generator is used as it is; a RandomState draws the seed.
    initial : array-like of shape (n_points, n_dims) or None, default=None
        At most `population_size` points to start with. They are clipped to the bounds and replace
        the first random members.

    Attributes
    ----------
    bounds : ndarray of shape (n_dims, 2)
        The box.
    n_dims : int
        Number of dimensions.
    min_population_size : int
        The smallest population that JADE can use.
    mu_cr : float
        Location of the crossover rates, in [0, 1].
    mu_f : float
        Location of the mutation factors, in (0, 1].

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    J. Zhang and A. C. Sanderson, "JADE: Adaptive Differential Evolution With Optional External
    Archive", IEEE Transactions on Evolutionary Computation 13(5), 945-958, 2009, eqs. 4-12.
    doi:10.1109/TEVC.2009.2014613

    Examples
    --------
    >>> from skimbal.optim import JADE
    >>> optimizer = JADE([(-5, 5), (-5, 5)], population_size=20, random_state=0)
    >>> for generation in range(60):
    ...     x = optimizer.ask()
    ...     optimizer.tell(x, ((x - 1) ** 2).sum(axis=1))
    >>> best_x, best_loss = optimizer.best
    >>> best_x.round(3).tolist()
    [1.0, 1.0]
    >>> best_loss < 1e-6
    True
    """

    min_population_size = 3  # i, r1 and r2 are distinct members while the archive is empty

    def __init__(
        self,
        bounds: ArrayLike,
        *,
        population_size: int | None = None,
        p: float = 0.05,
        c: float = 0.1,
        archive: bool = True,
        random_state: RandomState = None,
        initial: ArrayLike | None = None,
    ) -> None:
        super().__init__(bounds, random_state)
        if population_size is None:
            population_size = default_population_size(self.n_dims)
        n = self.population_size = check_population_size(population_size, self.min_population_size)
        self.p = check_fraction("p", p, zero_allowed=False)
        self.c = check_fraction("c", c, zero_allowed=True)
        self.archive = bool(archive)
        self.mu_cr = 0.5
        self.mu_f = 0.5
        self._n_pbest = max(round(self.p * n), 2)
        self._low, self._high = self.bounds.T.copy()
        self._members = self._first_members(initial)
        self._archived = np.empty((0, self.n_dims))
        self._losses: NDArray | None = None
        self._rates = np.empty(n)
        self._factors = np.empty(n)

    def _first_members(self, initial):
        uniforms = self._rng.random((self.population_size, self.n_dims))
        members = uniform_points(self._low, self._high, uniforms)
        if initial is not None:
            points = check_initial(initial, self.population_size, self.n_dims)
            members[: len(points)] = points.clip(self._low, self._high)
        return members

    def _propose(self):
        n, parents, rng = self.population_size, self._members, self._rng
        if self._losses is None:
            return parents.copy()
        self._rates = sample_crossover_rates(rng, self.mu_cr, n)
        self._factors = sample_mutation_factors(rng, self.mu_f, n)
        pbest_uniforms, r1_uniforms, r2_uniforms, dim_uniforms = rng.random((4, n))
        pool = np.concatenate([parents, self._archived])
        pbest = choose_pbest(self._losses, self._n_pbest, pbest_uniforms)
        r1, r2 = choose_difference(r1_uniforms, r2_uniforms, len(pool))
        mutants = current_to_pbest(parents, pool[pbest], pool[r1], pool[r2], self._factors)
        mutants = repair_to_midpoint(mutants, parents, self._low, self._high)
        forced_dims = (dim_uniforms * self.n_dims).astype(np.intp)
        crossover_uniforms = rng.random((n, self.n_dims))
        return binomial_crossover(parents, mutants, self._rates, crossover_uniforms, forced_dims)

    def _learn(self, x, losses):
        if self._losses is None:
            self._losses = losses
            return
        better = (losses < self._losses).nonzero()[0]  # a tie keeps the parent
        if better.size == 0:
            return
        if self.archive:
            self._archive_parents(better)
        self._members[better] = x[better]
        self._losses[better] = losses[better]
        self._adapt(better)

    def _archive_parents(self, better):
        """Add the members `better` to the archive; random ones leave if it becomes too large."""
        archived = np.concatenate([self._archived, self._members[better]])
        if len(archived) > self.population_size:
            staying = self._rng.random(len(archived)).argsort(kind="stable")
            archived = archived[staying[: self.population_size]]
        self._archived = archived

    def _adapt(self, better):
        self.mu_cr = moved_toward(self.mu_cr, arithmetic_mean(self._rates[better]), self.c)
        self.mu_f = moved_toward(self.mu_f, lehmer_mean(self._factors[better]), self.c)
