"""
JADE with and without its archive
=================================

This example minimizes two functions with :class:`~skimbal.optim.JADE`, with and without its
archive, and with random search. The optimizer proposes points in ``ask``, and we return their
losses in ``tell``. The archive keeps parents that were replaced, and JADE takes differences from
them. On the functions of its paper (Zhang and Sanderson 2009) in 30 dimensions, the archive helps
on some, such as Schwefel's problem 2.21. On others, such as the sphere, it is slightly worse.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from skimbal.optim import JADE, RandomSearch


def sphere(x):
    return (x**2).sum(axis=1)


def schwefel_2_21(x):
    return np.abs(x).max(axis=1)


def convergence(optimizer, function, n_generations):
    """Best loss after each generation."""
    losses = []
    for _ in range(n_generations):
        x = optimizer.ask()
        optimizer.tell(x, function(x))
        losses.append(optimizer.best[1])
    return losses


# %%
# The lines are the medians of five seeds, and the bands their ranges. Random search is the baseline
# that any optimizer has to beat.
bounds = [(-100, 100)] * 30
contenders = {
    "JADE, archive": lambda seed: JADE(bounds, population_size=100, random_state=seed),
    "JADE, no archive": lambda seed: JADE(
        bounds, population_size=100, archive=False, random_state=seed
    ),
    "random search": lambda seed: RandomSearch(bounds, population_size=100, random_state=seed),
}
fig, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
for ax, function in zip(axes, (sphere, schwefel_2_21), strict=True):
    for name, make in contenders.items():
        runs = np.array([convergence(make(seed), function, 1500) for seed in range(5)])
        generations = np.arange(1, runs.shape[1] + 1)
        low, middle, high = np.quantile(runs, [0, 0.5, 1], axis=0)
        (line,) = ax.semilogy(generations, middle, label=name)
        ax.fill_between(generations, low, high, alpha=0.2, color=line.get_color())
        print(f"{function.__name__:14s} {name:17s} {middle[-1]:.1e}")
    ax.set_title(function.__name__.capitalize().replace("_", " ", 1).replace("_", "."))
    ax.set_xlabel("generation")
axes[0].set_ylabel("best loss")
axes[0].legend()
plt.show()
