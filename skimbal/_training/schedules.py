"""How the learning rate changes over a training: factors of its initial value by epoch."""

from math import cos, isfinite, pi

LAST_FACTOR = 0.01  # of the exponential schedule
N_WARM_UP = 5  # epochs


def cosine(epoch, n_epochs):
    """(1 + cos(pi (e - 1) / E)) / 2 (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5).

    >>> cosine(1, 10), round(cosine(6, 10), 6)
    (1.0, 0.5)
    """
    return (1.0 + cos(pi * (epoch - 1) / n_epochs)) / 2.0


def exponential(epoch, n_epochs):
    """0.01^((e - 1) / (E - 1)): by the same factor in every epoch, to a hundredth in the last.

    >>> exponential(1, 3), round(exponential(2, 3), 6)
    (1.0, 0.1)
    """
    return LAST_FACTOR ** ((epoch - 1) / max(1, n_epochs - 1))


def step(epoch, n_epochs):
    """Five epochs of linear warm-up, 0.01 after 80 % of the epochs, 0.0001 after 90 %.

    As in the long-tail literature: steps after 160 and 180 of 200 epochs (the code of Cao et al.
    2019, arXiv:1906.07413).

    >>> step(1, 200), step(100, 200), step(161, 200), step(181, 200)
    (0.2, 1.0, 0.01, 0.0001)
    """
    if epoch > 0.9 * n_epochs:
        return 1e-4
    if epoch > 0.8 * n_epochs:
        return 1e-2
    return min(1.0, epoch / N_WARM_UP)


SCHEDULES = {"cosine": cosine, "exponential": exponential, "step": step}


def learning_rate_factor(schedule, epoch, n_epochs):
    """What the learning rate is multiplied by; beyond the last epoch it stays."""
    if schedule is None:
        return 1.0
    factor = schedule(min(epoch, n_epochs), n_epochs)
    if not (isfinite(factor) and factor >= 0):
        raise ValueError(
            f"learning_rate_schedule gives {factor} for epoch {epoch} of {n_epochs}; it must be a "
            "finite number of at least 0"
        )
    return factor
