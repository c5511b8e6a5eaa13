"""Operators of JADE on a whole population at once (Zhang & Sanderson 2009).

Every function is pure: random numbers come in as uniforms in [0, 1). Equation numbers are those
of the page "Optimisers" of the documentation.
"""

import numpy as np


def uniform_points(low, high, uniforms):
    """Points of the box [low, high] at `uniforms` (n, n_dims) of its width."""
    # The greatest uniform below 1 takes off more than rounding adds: no point passes `high`.
    return low + uniforms * (high - low)


def choose_pbest(losses, n_best, uniforms):
    """Index of one of the `n_best` members of least loss for each of `uniforms`, shape (n,)."""
    best = losses.argsort(kind="stable")[:n_best]  # stable: ties do not depend on the machine
    return best[(uniforms * n_best).astype(np.intp)]


def choose_difference(uniforms_1, uniforms_2, n_pool):
    """Indices r1 of P and r2 of P ∪ A, for each member i: r1 != i, r2 != r1, r2 != i.

    The pool is the population P, of the size of `uniforms_1`, followed by the archive A. Drawing
    from a range that is shorter by the excluded indices and stepping over those makes every allowed
    index equally likely without drawing again.
    """
    members = np.arange(uniforms_1.size)
    r1 = (uniforms_1 * (members.size - 1)).astype(np.intp)
    r1 += r1 >= members
    r2 = (uniforms_2 * (n_pool - 2)).astype(np.intp)
    r2 += r2 >= np.minimum(members, r1)
    r2 += r2 >= np.maximum(members, r1)
    return r1, r2


def current_to_pbest(x, x_pbest, x_r1, x_r2, factors):
    """Mutants x + F (x_pbest - x) + F (x_r1 - x_r2), one row a member (eq. 1)."""
    return x + factors[:, None] * (x_pbest - x + x_r1 - x_r2)


def repair_to_midpoint(mutants, parents, low, high):
    """Move each component outside [low, high] halfway from the parent's to the bound (eq. 2)."""
    nearest = np.minimum(np.maximum(mutants, low), high)  # the violated bound where there is one
    return np.where(mutants == nearest, mutants, 0.5 * (nearest + parents))


def binomial_crossover(parents, mutants, rates, uniforms, forced_dims):
    """Trials that take each component of the mutant with probability CR_i (eq. 3).

    The component `forced_dims[i]` always comes from the mutant, so that no trial is its parent.
    """
    forced = np.arange(parents.shape[1]) == forced_dims[:, None]
    return np.where((uniforms < rates[:, None]) | forced, mutants, parents)
