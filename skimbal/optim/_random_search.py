"""Random search: the baseline that every other optimizer has to beat."""

from numpy.typing import ArrayLike

from skimbal.optim._base import BaseOptimizer, RandomState, check_population_size
from skimbal.optim._operators import uniform_points


class RandomSearch(BaseOptimizer):
    """Independent points, uniform in the box, driven by `ask` and `tell`.

    Parameters
    ----------
    bounds : array-like of shape (n_dims, 2)
        A finite (low, high) pair for each dimension, low < high.
    population_size : int, default=30
        Points that each `ask` returns, at least 1.
    random_state : None, int, numpy.random.Generator or numpy.random.RandomState, default=None
        A Generator is used as it is; a RandomState draws the seed.

    Attributes
    ----------
    bounds : ndarray of shape (n_dims, 2)
        The box.
    n_dims : int
        Number of dimensions.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    J. Bergstra and Y. Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13, 2012,
    pp. 281-305. https://jmlr.org/papers/v13/bergstra12a.html

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

    def __init__(
        self, bounds: ArrayLike, *, population_size: int = 30, random_state: RandomState = None
    ) -> None:
        super().__init__(bounds, random_state)
        self.population_size = check_population_size(population_size, minimum=1)

    def _propose(self):
        low, high = self.bounds.T
        uniforms = self._rng.random((self.population_size, self.n_dims))
        return uniform_points(low, high, uniforms)

    def _learn(self, x, losses):
        """Do nothing: the next points do not depend on the losses."""
