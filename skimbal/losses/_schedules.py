"""Schedules: the share of the class weights in an epoch, 0 (none) to 1 (all of them).

`epoch` counts from 1 to `n_epochs`; a later one counts as the last. `n_epochs` is infinite while
the length of the training is unknown.
"""

import math


def exponential_ramp(epoch, n_epochs, T):
    """alpha = exp(-(E - e) / T): the schedule of incremental weighted cross entropy."""
    return math.exp(-_lengths_to_go(epoch, n_epochs, T))


def linear_ramp(epoch, n_epochs, T):
    """alpha = max(0, 1 - (E - e) / T): rises linearly over the last T epochs."""
    return max(0.0, 1.0 - _lengths_to_go(epoch, n_epochs, T))


def cosine_ramp(epoch, n_epochs, T):
    """alpha = (1 + cos(pi min(1, (E - e) / T))) / 2: rises smoothly over the last T epochs."""
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, _lengths_to_go(epoch, n_epochs, T))))


def step_ramp(epoch, n_epochs, T):
    """alpha = 1 in the last T epochs, 0 before."""
    return float(_lengths_to_go(epoch, n_epochs, T) < 1.0)


RAMPS = {
    "exponential": exponential_ramp,
    "linear": linear_ramp,
    "cosine": cosine_ramp,
    "step": step_ramp,
}


def deferred(epoch, n_epochs, start):
    """alpha = 1 after the fraction `start` of the epochs and in the last one, 0 before."""
    return float(epoch >= n_epochs or (epoch - 1) / n_epochs >= start)


def _lengths_to_go(epoch, n_epochs, T):
    """Epochs until the last one, in units of T."""
    return 0.0 if math.isinf(T) else max(0, n_epochs - epoch) / T
