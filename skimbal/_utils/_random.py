"""Seeds for the `random_state` parameters of an estimator and of the estimators inside it."""

from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

MAX_SEED = np.iinfo(np.int32).max


def _random_states(estimator):
    """All `random_state` parameters by name, in sorted order."""
    params = sorted(estimator.get_params(deep=True).items())
    return {name: value for name, value in params if name.split("__")[-1] == "random_state"}


def seed_unset(estimator, random_state):
    """Set every `random_state` that is None to a seed drawn from `random_state`, if that is set."""
    unset = [name for name, value in _random_states(estimator).items() if value is None]
    if random_state is not None and unset:
        rng = check_random_state(random_state)
        estimator.set_params(**{name: rng.randint(MAX_SEED) for name in unset})
    return estimator


def generator_of_seeds(estimator, random_state, rng):
    """Return `rng`, or without `random_state` a generator from the first seed in the estimator."""
    own = [seed for seed in _random_states(estimator).values() if isinstance(seed, Integral)]
    return rng if random_state is not None or not own else check_random_state(own[0])


def reseeded(estimator, rng):
    """Return a clone in which every `random_state` is a new seed."""
    estimator = clone(estimator)
    return estimator.set_params(
        **{name: rng.randint(MAX_SEED) for name in _random_states(estimator)}
    )
