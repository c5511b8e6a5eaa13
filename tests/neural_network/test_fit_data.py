"""Validation, encoding, counts and what is held out."""

import numpy as np
import pytest
from sklearn.base import clone

from skimbal import MLPClassifier
from skimbal.neural_network._fit_data import TrainingData, hold_out

from .networks import NETWORKS


@pytest.mark.parametrize(("n_rare", "fraction"), [(4, 0.1), (3, 0.9), (2, 0.5)])
def test_early_stopping_holds_out_some_of_each_class_and_not_all(n_rare, fraction):
    X = np.random.default_rng(0).normal(size=(200, 2))
    y = np.arange(200) < n_rare
    network = clone(NETWORKS[0]).set_params(
        early_stopping=True, validation_fraction=fraction, scoring="roc_auc"
    )
    data = TrainingData(X, y.astype(int), None)
    classes = np.array([False, True])
    train, valid = hold_out(data, classes, fraction, np.random.RandomState(0), "early_stopping")
    n_held_out = min(max(round(fraction * n_rare), 1), n_rare - 1)
    assert (train.targets.sum(), valid.targets.sum()) == (n_rare - n_held_out, n_held_out)
    assert len(valid.targets) == n_held_out + round(fraction * (200 - n_rare))
    together = np.concatenate([train.X, valid.X])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(X, axis=0))
    assert network.fit(X, y).history_.valid_score.notna().all()


def test_early_stopping_with_a_class_of_one_sample():
    X, y = np.arange(10.0)[:, None], np.arange(10) == 3
    with pytest.raises(ValueError, match="class True has 1 sample, but early_stopping"):
        clone(NETWORKS[0]).set_params(early_stopping=True).fit(X, y)


def test_counts_of_a_stream_follow_the_classes_as_they_are_given(imbalanced):
    X, y = imbalanced
    labels = np.where(y == "rare", "a", "b")
    for classes, counts in ((["b", "a"], [400, 40]), (["a", "b"], [40, 400])):
        network = MLPClassifier(class_weight="balanced", random_state=0)
        network.partial_fit(X, labels, classes=classes, class_counts=counts)
        np.testing.assert_allclose(network.class_weight_, [5.5, 0.55], rtol=1e-5)


def test_partial_fit_needs_counts_for_weights_that_depend_on_them(imbalanced):
    X, y = imbalanced
    network = clone(NETWORKS[0]).set_params(class_weight="balanced")
    with pytest.raises(ValueError, match="class_counts"):
        network.partial_fit(X, y, classes=["rare", "usual"])
    network.partial_fit(X, y, classes=["rare", "usual"], class_counts={"rare": 10, "usual": 90})
    np.testing.assert_allclose(network.class_weight_, [5.0, 0.555556], rtol=1e-5)
    with pytest.raises(ValueError, match="one positive number for each"):
        clone(network).partial_fit(X, y, classes=["rare", "usual"], class_counts=[1, 2, 3])
