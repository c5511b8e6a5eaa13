"""Focal and asymmetric loss: limits, and the weights alpha."""

import numpy as np
import pytest
import torch

from skimbal.losses import (
    Asymmetric,
    BoundLoss,
    CrossEntropy,
    Focal,
    Formula,
    class_weight_vector,
)
from skimbal.losses._functional import focal

from .contract import COUNTS, make_batch, value_of


def test_focal_alpha_is_a_class_weight():
    weight = [0.5, 1.0, 4.0]
    torch.testing.assert_close(
        value_of(Focal(alpha=weight)), value_of(Focal(), class_weight=np.array(weight))
    )
    balanced = class_weight_vector("balanced", np.arange(3), COUNTS)
    assert value_of(Focal(alpha="balanced")) == value_of(Focal(), class_weight=balanced)


def test_focal_alpha_of_two_classes():
    bound = Focal(alpha=0.25).bind(COUNTS[:2])
    np.testing.assert_array_equal(bound.class_weight, [0.75, 0.25])


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        (0.25, r"alpha=0.25 is one number, but there are 3 classes .*; give an array"),
        ({"a": 1}, r"by labels, but a loss knows no labels; give it to the network"),
        ("balance", "'alpha' .*'balanced'.* Got 'balance'"),
        ([1.0, 2.0], r"alpha has shape \(2,\), but there are 3 classes; give one weight"),
        ([1.0, -2.0, 1.0], r"\[1.0, -2.0, 1.0\] must be finite, non-negative"),
        ([0.0, 0.0, 0.0], "not all zero"),
        ([np.nan, 0.0, 1.0], "finite"),
    ],
)
def test_bad_alpha_is_refused(alpha, message):
    with pytest.raises(ValueError, match=message):
        Focal(alpha=alpha).bind(COUNTS)


def test_alpha_of_two_classes_is_a_fraction():
    with pytest.raises(ValueError, match=r"'alpha' .* range \(0.0, 1.0\).* Got 1.5"):
        Focal(alpha=1.5).bind(COUNTS[:2])


def test_focal_with_gamma_0_is_cross_entropy():
    torch.testing.assert_close(value_of(Focal(gamma=0)), value_of(CrossEntropy()))


def test_asymmetric_with_margin_1_is_focal():
    torch.testing.assert_close(
        value_of(Asymmetric(gamma_positive=2, margin=1)), value_of(Focal(gamma=2))
    )


def test_formula_keeps_its_numbers_as_buffers():
    formula = Formula(focal, gamma=2)
    assert list(formula.state_dict()) == ["gamma"]
    logits, target = make_batch()
    torch.testing.assert_close(formula(logits, target), focal(logits, target, 2.0))
    assert BoundLoss(formula)(logits.float(), target).dtype == torch.float32


def test_formulas_of_other_numbers_have_one_structure():
    """So that a search over gamma trains its networks together."""
    first, second = (Focal(gamma=gamma).bind(COUNTS).per_sample for gamma in (1, 2))
    assert first.function is second.function
    assert first.gamma != second.gamma
