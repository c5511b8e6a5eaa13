"""Seeds of estimators: those that are unset, and new ones."""

from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

MAX_SEED = np.iinfo(np.int32).max


def _random_states(estimator):
    params = sorted(estimator.get_params(deep=True).items())
    return {name: value for name, value in params if name.split("__")[-1] == "random_state"}


def seed_unset(estimator, random_state):
    """Give every `random_state` of an estimator that is None a seed, for one seed to rule all."""
    unset = [name for name, value in _random_states(estimator).items() if value is None]
    if random_state is not None and unset:
        rng = check_random_state(random_state)
        estimator.set_params(**{name: rng.randint(MAX_SEED) for name in unset})
    return estimator


def generator_of_seeds(estimator, random_state, rng):
    """`rng`, or without a `random_state` a generator from the first seed of the estimator's own."""
    own = [seed for seed in _random_states(estimator).values() if isinstance(seed, Integral)]
    return rng if random_state is not None or not own else check_random_state(own[0])


def reseeded(estimator, rng):
    """Return a clone whose every `random_state` has a new seed."""
    estimator = clone(estimator)
    seeds = {name: rng.randint(MAX_SEED) for name in _random_states(estimator)}
    if seeds:
        estimator.set_params(**seeds)
    return estimator
