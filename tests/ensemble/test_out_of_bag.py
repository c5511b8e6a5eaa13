"""Out-of-bag probabilities: which samples have some, and the mean over the right networks."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skimbal.ensemble._out_of_bag import (
    check_out_of_bag,
    is_out_of_bag,
    out_of_bag_probabilities,
)

BAGS = [np.array([0, 0, 2]), np.array([1, 2])]


def test_out_of_bag_is_what_no_draw_has():
    is_out = is_out_of_bag([np.array([0, 0, 2]), np.array([1])], np.arange(4))
    np.testing.assert_array_equal(is_out, [[0, 1, 0, 1], [1, 0, 1, 1]])


def test_a_sample_is_in_a_bag_that_has_another_one_of_its_group():
    is_out = is_out_of_bag([np.array([0, 0, 2]), np.array([1])], np.array([0, 1, 1, 0, 2]))
    np.testing.assert_array_equal(is_out, [[0, 0, 0, 0, 1], [1, 0, 0, 1, 1]])


def test_probabilities_are_the_mean_over_the_networks_that_have_not_seen_a_sample():
    X, y = np.array([[0.0], [1.0], [0.1], [0.9]]), np.array([0, 1, 0, 1])
    first, second = GaussianNB().fit(X, y), GaussianNB().fit(X[:2], y[:2])
    proba = out_of_bag_probabilities([first, second], BAGS, np.arange(4), X, np.array([0, 1]))
    one, two = first.predict_proba(X), second.predict_proba(X)
    np.testing.assert_array_equal(proba[[0, 1]], [two[0], one[1]])
    assert np.isnan(proba[2]).all()
    np.testing.assert_allclose(proba[3], (one[3] + two[3]) / 2)


def test_a_class_that_is_in_every_bag_is_refused():
    units = np.arange(4)
    check_out_of_bag(BAGS, units, {"a": np.array([0, 1, 3])})
    with pytest.raises(ValueError, match=r"the classes \['b'\] are in every bag"):
        check_out_of_bag(BAGS, units, {"a": np.array([0, 1, 3]), "b": np.array([2])})
