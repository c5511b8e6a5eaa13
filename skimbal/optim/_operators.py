"""Operators of JADE on a whole population at once.

Every function is pure: random numbers are passed in as uniform numbers in [0, 1). Equation numbers
are those of Zhang & Sanderson (2009), doi:10.1109/TEVC.2009.2014613.
"""

import numpy as np


def uniform_points(low, high, uniforms):
    """Points of the box [low, high] at `uniforms` (n, n_dims) of its width."""
    # The largest uniform below 1 takes off more than rounding adds: no point exceeds `high`.
    return low + uniforms * (high - low)


def choose_pbest(losses, n_best, uniforms):
    """Index of one of the `n_best` members with the lowest loss for each of `uniforms`, (n,)."""
    best = losses.argsort(kind="stable")[:n_best]  # stable: ties do not depend on the machine
    return best[(uniforms * n_best).astype(np.intp)]


def choose_difference(r1_uniforms, r2_uniforms, n_pool):
    """Indices r1 of P and r2 of P ∪ A, for each member i: r1 != i, r2 != r1, r2 != i.

    The pool is the population P, of the size of `r1_uniforms`, followed by the archive A. Each
    index is drawn from a range that is shorter by the number of excluded indices, and then steps
    over these. So every allowed index is equally likely, and nothing is drawn twice.
    """
    members = np.arange(r1_uniforms.size)
    r1 = (r1_uniforms * (members.size - 1)).astype(np.intp)
    r1 += r1 >= members
    r2 = (r2_uniforms * (n_pool - 2)).astype(np.intp)
    r2 += r2 >= np.minimum(members, r1)
    r2 += r2 >= np.maximum(members, r1)
    return r1, r2


def current_to_pbest(x, x_pbest, x_r1, x_r2, factors):
    """Mutants x + F (x_pbest - x) + F (x_r1 - x_r2), one row a member (eq. 7)."""
    return x + factors[:, None] * (x_pbest - x + x_r1 - x_r2)


def repair_to_midpoint(mutants, parents, low, high):
    """Move each component outside [low, high] halfway from the parent's to the bound (p. 947)."""
    nearest = np.minimum(np.maximum(mutants, low), high)  # the bound, where one is violated
    return np.where(mutants == nearest, mutants, 0.5 * (nearest + parents))


def binomial_crossover(parents, mutants, rates, uniforms, forced_dims):
    """Trials that take each component of the mutant with probability CR_i (eq. 4).

    The component `forced_dims[i]` always comes from the mutant, so that no trial is its parent.
    """
    forced = np.arange(parents.shape[1]) == forced_dims[:, None]
    return np.where((uniforms < rates[:, None]) | forced, mutants, parents)
