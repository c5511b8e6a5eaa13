import numpy as np
import pytest

from skimbal import optim
from skimbal.optim import JADE, BaseOptimizer, RandomSearch
from skimbal.optim._base import last_if_not_finite

from .contract import BOUNDS, OptimizerContract


class TestJADE(OptimizerContract):
    def make(self, bounds=BOUNDS, random_state=0):
        return JADE(bounds, population_size=12, random_state=random_state)


class TestJADEWithoutArchive(OptimizerContract):
    def make(self, bounds=BOUNDS, random_state=0):
        return JADE(bounds, population_size=12, archive=False, random_state=random_state)


class TestSmallestJADE(OptimizerContract):
    def make(self, bounds=BOUNDS, random_state=0):
        return JADE(bounds, population_size=3, random_state=random_state)


class TestRandomSearch(OptimizerContract):
    def make(self, bounds=BOUNDS, random_state=0):
        return RandomSearch(bounds, population_size=12, random_state=random_state)


def test_every_exported_optimizer_is_held_to_the_contract():
    exported = {getattr(optim, name) for name in optim.__all__} - {BaseOptimizer}
    tested = {type(contract().make()) for contract in OptimizerContract.__subclasses__()}
    assert tested == exported


def test_the_base_class_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        BaseOptimizer([(0, 1)], random_state=0)


def test_last_if_not_finite():
    losses = np.array([1.0, np.nan, -np.inf, np.inf, -2.0])
    np.testing.assert_array_equal(last_if_not_finite(losses), [1, np.inf, np.inf, np.inf, -2])


@pytest.mark.parametrize("optimizer", [JADE, RandomSearch])
@pytest.mark.parametrize("population_size", [0, -3, 2.5, "many"])
def test_bad_population_size(optimizer, population_size):
    with pytest.raises(ValueError, match=r"population_size=.* must be an integer >= "):
        optimizer([(0, 1)], population_size=population_size)
