"""Losses made from a cost matrix: weights by hand, limits, and refused costs."""

import numpy as np
import pytest
import torch

from skimbal.losses import (
    CostWeightedCrossEntropy,
    CrossEntropy,
    ExpectedCost,
)
from skimbal.losses._costs import cost_weights

from .contract import COSTS, COUNTS, make_batch, value_of


def test_cost_weights_by_hand():
    # Rows of costs add up to 1 and 8; 3 * 1 + 1 * 8 = 11 has to become 4.
    weight = cost_weights(np.array([[0.0, 1.0], [8.0, 0.0]]), np.array([3.0, 1.0]))
    np.testing.assert_allclose(weight, [4 / 11, 32 / 11])


def test_equal_costs_are_no_weights():
    equal = 5.0 * (1 - np.eye(3))
    torch.testing.assert_close(
        value_of(CostWeightedCrossEntropy(), cost_matrix=equal), value_of(CrossEntropy())
    )


def test_expected_cost_of_equal_costs_is_the_expected_error():
    logits, target = make_batch()
    proba = logits.softmax(dim=1).gather(1, target[:, None])
    torch.testing.assert_close(
        value_of(ExpectedCost(), cost_matrix=1 - np.eye(3)), (1 - proba).mean()
    )


@pytest.mark.parametrize("loss", [ExpectedCost(), CostWeightedCrossEntropy()])
def test_the_gain_of_a_correct_prediction_adds_to_the_cost_of_its_errors(loss):
    gains = COSTS - np.array([[3.0], [0.0], [1.0]])
    torch.testing.assert_close(value_of(loss, cost_matrix=gains), value_of(loss, cost_matrix=COSTS))


def test_expected_cost_is_linear_in_the_costs():
    torch.testing.assert_close(
        value_of(ExpectedCost(), cost_matrix=3 * COSTS),
        3 * value_of(ExpectedCost(), cost_matrix=COSTS),
    )


@pytest.mark.parametrize("loss", [ExpectedCost(), CostWeightedCrossEntropy()])
@pytest.mark.parametrize(
    ("cost_matrix", "message"),
    [
        (None, "needs a cost matrix, and got None"),
        (np.eye(3), "below the cost of the correct"),
        (np.eye(2), "shape"),
    ],
)
def test_bad_costs_are_refused(loss, cost_matrix, message):
    with pytest.raises(ValueError, match=message):
        loss.bind(COUNTS, cost_matrix=cost_matrix)
