"""Seeds of nested estimators."""

import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skimbal._utils._random import generator_of_seeds, reseeded, seed_unset


def make_nested(outer=None, inner=None):
    return BaggingClassifier(LogisticRegression(random_state=inner), random_state=outer)


def seeds_of(estimator):
    return estimator.estimator.random_state, estimator.random_state


def test_unset_seeds_are_drawn_in_the_order_of_their_names():
    expected = np.random.RandomState(7).randint(np.iinfo(np.int32).max, size=2)
    assert seeds_of(seed_unset(make_nested(), 7)) == tuple(expected)


@pytest.mark.parametrize(
    ("outer", "inner", "random_state"), [(1, 2, 7), (1, 2, None), (None, None, None)]
)
def test_set_seeds_stay_and_nothing_is_drawn_without_a_seed(outer, inner, random_state):
    assert seeds_of(seed_unset(make_nested(outer, inner), random_state)) == (inner, outer)


def test_generator_comes_from_the_first_seed_only_without_a_seed_of_its_own():
    rng, estimator = np.random.RandomState(0), make_nested(outer=3, inner=5)
    assert generator_of_seeds(estimator, 1, rng) is rng
    assert generator_of_seeds(make_nested(), None, rng) is rng
    first = generator_of_seeds(estimator, None, rng).random_sample(4)
    np.testing.assert_array_equal(first, np.random.RandomState(5).random_sample(4))


def test_reseeding_makes_a_clone_with_new_seeds():
    estimator = make_nested(outer=3, inner=5)
    new = reseeded(estimator, np.random.RandomState(7))
    expected = np.random.RandomState(7).randint(np.iinfo(np.int32).max, size=2)
    assert seeds_of(new) == tuple(expected)
    assert seeds_of(estimator) == (5, 3)
    assert (
        reseeded(GaussianNB(), np.random.RandomState(7)).get_params() == GaussianNB().get_params()
    )
