"""Random search: the baseline that every other optimiser has to beat."""

from ._base import BaseOptimizer, check_population_size
from ._operators import uniform_points


class RandomSearch(BaseOptimizer):
    """Independent points, uniform in the box, driven by `ask` and `tell`.

    Parameters
    ----------
    bounds : array-like of shape (n_dims, 2)
        A finite (low, high) pair for each dimension, low < high.
    population_size : int, default=30
        Points that each `ask` returns, at least 1.
    random_state : None, int, numpy.random.Generator or numpy.random.RandomState, default=None
        A Generator is used as it is, a RandomState gives the seed.

    Attributes
    ----------
    bounds : ndarray of shape (n_dims, 2)
        The box.
    n_dims : int
        Number of dimensions.

    Raises
    ------
    ValueError
        Where a parameter is outside its range.

    Examples
    --------
    >>> from skimbal.optim import RandomSearch
    >>> optimizer = RandomSearch([(-1, 1), (0, 10)], population_size=4, random_state=0)
    >>> x = optimizer.ask()
    >>> x.shape
    (4, 2)
    >>> optimizer.tell(x, (x**2).sum(axis=1))
    >>> best_x, best_loss = optimizer.best
    >>> best_x.shape, best_loss > 0
    ((2,), True)
    """

    def __init__(self, bounds, *, population_size=30, random_state=None):
        super().__init__(bounds, random_state)
        self.population_size = check_population_size(population_size, minimum=1)

    def _propose(self):
        low, high = self.bounds.T
        uniforms = self._rng.random((self.population_size, self.n_dims))
        return uniform_points(low, high, uniforms)

    def _learn(self, x, losses):
        """Nothing is learnt: the next points do not depend on the losses."""
