"""Dimensions of one parameter."""

import numpy as np
import pytest

from skimbal.model_selection._space import SearchSpace


def test_equal_categories_of_different_types_are_two():
    space = SearchSpace.parse({"max_features": [1, 1.0, True, 1]})
    values = [space.to_params(point)["max_features"] for point in ([0.1], [0.5], [0.9])]
    assert [(value, type(value)) for value in values] == [(1, int), (1.0, float), (True, bool)]
    snapped = space.snap([[0.1], [0.5], [0.9]]).ravel()
    assert snapped == pytest.approx([1 / 6, 1 / 2, 5 / 6])
    assert SearchSpace.parse({"C": [1, 10]}).from_params({"C": 1.0}) == pytest.approx([0.25])


def test_log_uniform_integers_over_many_decades():
    dimension = SearchSpace.parse({"n": (1, 10**9, "log-uniform")}).dimensions["n"]
    for value in (1, 2, 12_345, 10**8 + 1, 10**9):
        assert dimension.value(dimension.unit(value)) == value
    assert (dimension.value(0.0), dimension.value(1.0)) == (1, 10**9)
    assert dimension.value(0.5) == round(np.sqrt(0.5 * (10**9 + 0.5)))


def test_categories_are_told_apart_by_type():
    space = SearchSpace.parse({"max_features": [1, True, 1.5, "sqrt"]})
    assert space.from_params({"max_features": True}) == pytest.approx([0.375])
    assert space.from_params({"max_features": 1}) == pytest.approx([0.125])
