"""Posteriors for other class frequencies."""

import numpy as np
import pandas as pd
import pytest

from skimbal.losses import adjust_logits
from skimbal.metrics import correct_prior

RNG = np.random.default_rng(0)
PROBA = RNG.dirichlet(np.ones(3), size=50)
TRAINING, DATA = np.array([0.2, 0.3, 0.5]), np.array([0.7, 0.2, 0.1])


def test_the_correction_of_gaussian_classes_is_exact():
    """Bayes' rule with the true densities and either prior."""
    x = np.linspace(-3.0, 5.0, 40)[:, None]
    density = np.exp(-0.5 * (x - np.array([0.0, 1.0, 3.0])) ** 2)
    balanced, expected = density / 3.0, density * DATA
    corrected = correct_prior(balanced / balanced.sum(axis=1, keepdims=True), np.ones(3), DATA)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(corrected, expected, rtol=1e-12)


def test_there_and_back_and_no_change():
    there = correct_prior(PROBA, TRAINING, DATA)
    np.testing.assert_allclose(correct_prior(there, DATA, TRAINING), PROBA, rtol=1e-12)
    np.testing.assert_allclose(correct_prior(PROBA, DATA, 7.0 * DATA), PROBA, rtol=1e-15)
    np.testing.assert_allclose(there.sum(axis=1), 1.0)


def test_equal_frequencies_are_the_logit_adjustment():
    logits = adjust_logits(np.log(PROBA), DATA)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(correct_prior(PROBA, DATA, [1, 1, 1]), expected)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_scale_of_the_frequencies_does_not_matter(scale):
    expected = correct_prior(PROBA, TRAINING, DATA)
    np.testing.assert_allclose(correct_prior(PROBA, scale * TRAINING, DATA), expected)


def test_frequencies_go_by_label():
    training, data = dict(zip("abc", TRAINING, strict=True)), pd.Series(DATA, list("abc"))
    expected = correct_prior(PROBA, TRAINING, DATA)
    np.testing.assert_array_equal(correct_prior(PROBA, training, data[::-1]), expected)
    frame = pd.DataFrame(PROBA, columns=list("abc"))[["c", "a", "b"]]
    np.testing.assert_allclose(correct_prior(frame, training, data), expected[:, [2, 0, 1]])


@pytest.mark.parametrize(
    ("proba", "training", "data", "message"),
    [
        (PROBA, [1, 1], DATA, r"training_prior is \[1.0, 1.0\] for 3 classes"),
        (PROBA, TRAINING, [1, 0, 1], "data_prior is .* one positive"),
        (PROBA, [1, np.inf, 1], DATA, "training_prior is .* finite"),
        (PROBA, TRAINING, {"a": 1, "b": 1}, r"data_prior is \[1.0, 1.0\] for 3 classes"),
        (PROBA[0], TRAINING, DATA, "proba has shape"),
        (np.zeros((1, 3)), TRAINING, DATA, "positive number in each row"),
        ([[1.1, -0.1, 0.0]], TRAINING, DATA, "not negative"),
        ([[np.nan, 0.5, 0.5]], TRAINING, DATA, "finite"),
    ],
)
def test_bad_input_is_a_value_error(proba, training, data, message):
    with pytest.raises(ValueError, match=message):
        correct_prior(proba, training, data)
