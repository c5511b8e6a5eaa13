import numpy as np

from skimbal.optim import RandomSearch

from .contract import run


def test_points_are_uniform_and_ignore_the_losses():
    bounds = np.array([(0.0, 1.0), (-10.0, 30.0)])
    x = run(RandomSearch(bounds, population_size=100, random_state=0), 100, loss=lambda x: x[:, 0])
    units = (x.reshape(-1, 2) - bounds[:, 0]) / np.diff(bounds).T
    # Kolmogorov's distance of 10,000 uniform draws is below 0.0195 with probability 0.999.
    ranks = np.arange(1, 10_001) / 10_000
    assert np.abs(np.sort(units, axis=0) - ranks[:, None]).max() < 0.0195
    assert abs(np.corrcoef(units.T)[0, 1]) < 0.04
