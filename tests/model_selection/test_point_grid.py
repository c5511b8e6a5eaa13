"""Points of the unit cube that stand for different candidates."""

import numpy as np

from skimbal.model_selection._point_grid import latin_hypercube, part_centers
from skimbal.model_selection._space import SearchSpace

MIXED = SearchSpace.parse({"x": (0.0, 1.0), "n": (1, 5), "kind": ["a", "b", "c"]})


def test_latin_hypercube_has_a_point_in_each_part():
    points = latin_hypercube(np.random.default_rng(0), 7, 3)
    for column in points.T:
        assert sorted((column * 7).astype(int)) == list(range(7))


def test_centers_of_parts():
    dimensions = MIXED.dimensions
    assert part_centers(dimensions["x"]) is None
    np.testing.assert_allclose(part_centers(dimensions["n"]), [0.1, 0.3, 0.5, 0.7, 0.9])
    np.testing.assert_allclose(part_centers(dimensions["kind"]), [1 / 6, 1 / 2, 5 / 6])
    many = SearchSpace.parse({"n": (1, 10**6)}).dimensions["n"]
    assert part_centers(many) is None
