"""Class weights in their five forms, and the formulas of the named ones."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from skimbal.exceptions import UnknownLabelWarning
from skimbal.losses import class_weight_vector
from skimbal.losses._class_weights import (
    NAMED_WEIGHTS,
    balanced_weights,
    effective_number,
    effective_weights,
    fill_absent,
    scale_to_mean_one,
)

CLASSES = np.array(["a", "b", "c"])
COUNTS = np.array([60.0, 30.0, 10.0])


def test_none():
    assert class_weight_vector(None, CLASSES, COUNTS) is None


def test_balanced_by_hand_and_as_scikit_learn():
    weight = class_weight_vector("balanced", CLASSES, COUNTS)
    np.testing.assert_allclose(weight, [100 / 180, 100 / 90, 100 / 30])
    y = np.repeat(CLASSES, COUNTS.astype(int))
    np.testing.assert_allclose(weight, compute_class_weight("balanced", classes=CLASSES, y=y))


def test_effective_number_by_hand():
    # 1 + 0.9 + 0.81: Cui et al. 2019, eq. 2, is a geometric sum.
    np.testing.assert_allclose(effective_number(np.array([1.0, 2.0, 3.0]), 0.9), [1, 1.9, 2.71])


def test_effective_by_hand():
    # E = 1 and 1.75, so w is proportional to 7 and 4, and 1 * 7 k + 3 * 4 k = 4.
    np.testing.assert_allclose(
        effective_weights(np.array([1.0, 3.0]), beta=0.5), np.array([7, 4]) * 4 / 19
    )


def test_effective_is_the_default_beta():
    np.testing.assert_array_equal(
        class_weight_vector("effective", CLASSES, COUNTS), effective_weights(COUNTS, beta=0.999)
    )


def test_effective_without_beta_is_no_weighting():
    np.testing.assert_allclose(effective_weights(COUNTS, beta=0.0), 1.0)


def test_effective_with_beta_near_one_is_balanced():
    weight = effective_weights(COUNTS, beta=1.0 - 1e-9)
    np.testing.assert_allclose(weight, balanced_weights(COUNTS), rtol=1e-5)


def test_effective_lies_between_no_weighting_and_balanced():
    ratios = [
        np.divide(*effective_weights(np.array([10.0, 1000.0]), beta)) for beta in (0.9, 0.99, 0.999)
    ]
    assert 1.0 < ratios[0] < ratios[1] < ratios[2] < 100.0


@pytest.mark.parametrize("name", sorted(NAMED_WEIGHTS))
@pytest.mark.parametrize("counts", [[60.0, 30.0, 10.0], [1.0, 1e6, 3.0], [0.5, 2.25, 7.0]])
def test_named_weights_keep_the_number_of_samples(name, counts):
    counts = np.array(counts)
    weight = class_weight_vector(name, CLASSES, counts)
    assert counts @ weight == pytest.approx(counts.sum(), rel=1e-12)
    np.testing.assert_array_equal(weight.argsort(), (-counts).argsort())


@pytest.mark.parametrize("name", sorted(NAMED_WEIGHTS))
def test_named_weights_of_equal_counts_are_one(name):
    np.testing.assert_allclose(class_weight_vector(name, CLASSES, np.full(3, 7.0)), 1.0)


@pytest.mark.parametrize("name", sorted(NAMED_WEIGHTS))
def test_named_weights_of_an_absent_class_are_zero(name):
    weight = class_weight_vector(name, CLASSES, np.array([60.0, 0.0, 10.0]))
    assert weight[1] == 0.0
    np.testing.assert_allclose(
        weight[[0, 2]], class_weight_vector(name, CLASSES[[0, 2]], np.array([60.0, 10.0]))
    )


@pytest.mark.parametrize("name", sorted(NAMED_WEIGHTS))
def test_named_weights_take_whole_counts(name):
    whole = class_weight_vector(name, CLASSES, COUNTS.astype(int))
    np.testing.assert_array_equal(whole, class_weight_vector(name, CLASSES, COUNTS))


def test_scaling_by_hand():
    # 3 * 1 + 1 * 5 = 8 has to become 4.
    np.testing.assert_allclose(scale_to_mean_one(np.array([1, 5]), np.array([3, 1])), [0.5, 2.5])


def test_dict_by_label_is_used_as_given():
    weight = class_weight_vector({"c": 7, "a": 0.5}, CLASSES, COUNTS)
    np.testing.assert_array_equal(weight, [0.5, 1.0, 7.0])


@pytest.mark.parametrize(
    ("classes", "class_weight"),
    [
        (np.array([0, 1]), {np.int64(1): 3}),
        (np.array([0, 1]), {1: 3}),
        (np.array([0.0, 1.0]), {1: 3}),
        (np.array([False, True]), {True: 3}),
    ],
)
def test_dict_by_number(classes, class_weight):
    np.testing.assert_array_equal(class_weight_vector(class_weight, classes, COUNTS[:2]), [1, 3])


@pytest.mark.parametrize("given", [[1, 2, 0], (1, 2, 0), np.array([1, 2, 0])])
def test_array_is_used_as_given(given):
    weight = class_weight_vector(given, CLASSES, COUNTS)
    assert weight.dtype == np.float64
    np.testing.assert_array_equal(weight, [1.0, 2.0, 0.0])


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("balance", "unknown class_weight 'balance'; did you mean 'balanced'"),
        ({"a": -1.0}, "non-negative"),
        ({"a": np.nan}, "finite"),
        ({"a": None}, "give a number"),
        ({"a": 0, "b": 0, "c": 0}, "not all zero"),
        ([1.0, 2.0], r"shape \(2,\), but there are 3 classes; .* the order 'a', 'b', 'c'"),
        ([[1.0, 2.0, 3.0]], r"shape \(1, 3\)"),
        (2.0, r"shape \(\)"),
        ([1.0, -2.0, 1.0], r"\[1.0, -2.0, 1.0\] must be finite, non-negative"),
        ([1.0, np.inf, 1.0], "finite"),
        ([0.0, 0.0, 0.0], "not all zero"),
    ],
)
def test_bad_weights_are_refused(class_weight, message):
    with pytest.raises(ValueError, match=message):
        class_weight_vector(class_weight, CLASSES, COUNTS)


def test_a_label_that_no_sample_has_is_a_warning():
    with pytest.warns(UnknownLabelWarning, match=r"labels \['d'\], .* are \['a', 'b', 'c'\]"):
        weights = class_weight_vector({"d": 1.0, "a": 2.0}, CLASSES, COUNTS)
    assert weights.tolist() == [2.0, 1.0, 1.0]


def test_number_is_no_label_of_strings():
    with pytest.raises(ValueError, match=r"names the labels \[1\], .* with the type"):
        class_weight_vector({1: 2.0}, np.array(["0", "1"]), COUNTS[:2])


def test_absent_classes_have_the_count_of_the_rarest():
    assert fill_absent([60, 0, 10]).tolist() == [60.0, 10.0, 10.0]
