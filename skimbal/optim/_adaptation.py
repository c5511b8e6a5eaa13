"""How JADE samples and adapts its crossover rates and mutation factors.

Equation numbers are those of Zhang & Sanderson (2009), doi:10.1109/TEVC.2009.2014613.
"""

import numpy as np

SCALE = 0.1  # of both distributions


def sample_crossover_rates(rng, mu_cr, n_members):
    """CR_i ~ Normal(mu_cr, 0.1), clipped to [0, 1]; shape (n_members,) (eq. 8)."""
    rates = mu_cr + SCALE * rng.standard_normal(n_members)
    return np.minimum(np.maximum(rates, 0.0), 1.0)


def sample_mutation_factors(rng, mu_f, n_members):
    """F_i ~ Cauchy(mu_f, 0.1), drawn again where F_i <= 0 and set to 1 above 1 (eq. 10)."""
    factors = mu_f + SCALE * rng.standard_cauchy(n_members)
    while (again := (factors <= 0.0).nonzero()[0]).size:
        factors[again] = mu_f + SCALE * rng.standard_cauchy(again.size)
    return np.minimum(factors, 1.0)


def arithmetic_mean(values):
    """Mean of `values`, which has at least one entry (mean_A of eq. 9)."""
    return float(values.sum()) / values.size


def lehmer_mean(values):
    """Sum of squares over sum: a mean that leans to the large values (eq. 12)."""
    return float(values @ values) / float(values.sum())


def moved_toward(location, successful_mean, c):
    """`location` moved by the fraction `c` toward the mean of what succeeded (eqs. 9 and 11)."""
    return (1.0 - c) * location + c * successful_mean
