import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from skimbal.metrics import accuracy_from_confusion, cost_savings, expected_cost
from skimbal.metrics._cost import expected_cost_from_confusion

MATRIX = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0], [9.0, 4.0, 0.0]])


def draw_labels(seed=0, n_samples=80):
    rng = np.random.default_rng(seed)
    y_true = np.concatenate([np.arange(3), rng.choice(3, size=n_samples, p=[0.7, 0.2, 0.1])])
    return y_true, rng.integers(3, size=y_true.size), rng.random(y_true.size) + 0.1


@pytest.mark.parametrize("seed", range(3))
def test_cost_equals_a_loop_over_samples(seed):
    y_true, y_pred, weight = draw_labels(seed)
    samples = list(zip(y_true, y_pred, weight, strict=True))
    paid = sum(w * MATRIX[i, j] for i, j, w in samples) / weight.sum()
    constants = [sum(w * MATRIX[i, j] for i, _, w in samples) / weight.sum() for j in range(3)]
    cost = expected_cost(y_true, y_pred, MATRIX, sample_weight=weight)
    savings = cost_savings(y_true, y_pred, MATRIX, sample_weight=weight)
    assert cost == pytest.approx(paid)
    assert savings == pytest.approx(1 - paid / min(constants))


@pytest.mark.parametrize("seed", range(3))
def test_gains_are_negative_costs(seed):
    y_true, y_pred, weight = draw_labels(seed)
    gains = MATRIX - np.array([[1.0], [0.0], [5.0]])
    gained = np.average(gains[y_true, y_pred], weights=weight)
    assert expected_cost(y_true, y_pred, gains, sample_weight=weight) == pytest.approx(gained)
    savings = [cost_savings(y_true, y_pred, m, sample_weight=weight) for m in (gains, MATRIX)]
    assert savings[0] == pytest.approx(savings[1])


def test_unit_costs_are_the_error_rate():
    stack = np.random.default_rng(0).integers(1, 9, size=(5, 4, 3, 3))
    error = 1 - accuracy_from_confusion(stack)
    np.testing.assert_allclose(expected_cost_from_confusion(stack, 1 - np.eye(3)), error)


def test_labels_name_the_rows():
    y_true, y_pred = ["no", "no", "yes"], ["yes", "no", "no"]
    assert expected_cost(y_true, y_pred, [[0, 1], [9, 0]], labels=["no", "yes"]) == 10 / 3
    assert expected_cost(y_true, y_pred, [[0, 9], [1, 0]], labels=["yes", "no"]) == 10 / 3
    absent = expected_cost([0, 0], [0, 1], MATRIX, labels=[0, 1, 2])
    assert absent == 0.5


def test_integer_weights_equal_repetition_and_the_unit_of_cost_does_not_matter():
    y_true, y_pred, _ = draw_labels()
    weight = np.random.default_rng(1).integers(1, 4, size=y_true.size)
    truth, prediction = np.repeat(y_true, weight), np.repeat(y_pred, weight)
    repeated = cost_savings(truth, prediction, MATRIX)
    assert cost_savings(y_true, y_pred, MATRIX, sample_weight=weight) == pytest.approx(repeated)
    assert cost_savings(truth, prediction, 7 * MATRIX) == pytest.approx(repeated)
    twice = expected_cost(truth, prediction, 2 * MATRIX)
    assert twice == pytest.approx(2 * expected_cost(truth, prediction, MATRIX))


def test_savings_at_their_limits():
    y_true = [0, 0, 0, 1]
    matrix = [[0, 1], [9, 0]]
    assert cost_savings(y_true, y_true, matrix) == 1.0
    assert cost_savings(y_true, [1, 1, 1, 1], matrix) == 0.0
    assert cost_savings(y_true, [0, 0, 0, 0], matrix) == pytest.approx(-2.0)


@pytest.mark.parametrize(("y_pred", "expected"), [([0, 0], 0.0), ([0, 1], -np.inf)])
def test_savings_where_nothing_can_be_saved(y_pred, expected):
    with pytest.warns(UndefinedMetricWarning, match="already as cheap as the truth") as records:
        assert cost_savings([0, 0], y_pred, [[0, 1], [9, 0]], labels=[0, 1]) == expected
    assert records[0].filename == __file__


@pytest.mark.parametrize("function", [expected_cost, cost_savings])
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (MATRIX, r"has 3 classes, but only the labels \[0, 1\] occur; give the labels"),
        ([[0]], "with 2 classes"),
        ([[0, 1, 1], [1, 0, 1]], "with 2 classes"),
        ([[0, -1], [1, 0]], r"cost_matrix\[0, 1\] is -1, which is below"),
        ([[0, np.nan], [1, 0]], "NaN"),
        ([[0, 1], [1, 2]], r"cost_matrix\[1, 1\] = 2"),
        ([[0, 0], [0, 0]], "all predictions cost the same"),
    ],
)
def test_bad_matrices_are_refused(function, matrix, message):
    with pytest.raises(ValueError, match=message):
        function([0, 1], [1, 0], matrix)
