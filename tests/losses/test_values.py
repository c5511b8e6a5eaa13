"""What the values bind to: margins, priors, alphas and costs; and parameters that are refused."""

import numpy as np
import pytest
import torch

from skimbal.losses import (
    LDAM,
    Asymmetric,
    AUCMargin,
    BalancedSoftmax,
    BoundLoss,
    ClassBalanced,
    ClassRectification,
    CostWeightedCrossEntropy,
    CrossEntropy,
    DeferredReweighting,
    ExpectedCost,
    Focal,
    Formula,
    IncrementalWeightedCrossEntropy,
    LogitAdjustment,
    adjust_logits,
    class_weight_vector,
)
from skimbal.losses._class_weights import fill_absent
from skimbal.losses._costs import cost_weights
from skimbal.losses._functional import focal
from skimbal.losses._ldam import margins
from skimbal.losses._logit_adjustment import log_prior

from .contract import COSTS, COUNTS, make_batch


def value_of(loss, counts=COUNTS, **given):
    return loss.bind(counts, **given).double()(*make_batch())


def test_absent_classes_are_as_rare_as_the_rarest():
    counts = fill_absent([60, 0, 10])
    assert counts.tolist() == [60.0, 10.0, 10.0]


def test_margins_by_hand():
    np.testing.assert_allclose(margins(np.array([16.0, 81.0, 1.0]), 0.6), [0.3, 0.2, 0.6])
    np.testing.assert_allclose(margins(np.array([160.0, 10.0, 0.0]), 0.5), [0.25, 0.5, 0.5])


def test_ldam_without_margin_is_cross_entropy_of_the_scaled_logits():
    torch.testing.assert_close(value_of(LDAM(max_margin=0)), value_of(CrossEntropy()))


def test_ldam_lowers_the_true_logit_by_the_scaled_margin():
    bound = LDAM(max_margin=0.5, scale=4).bind(np.array([16.0, 1.0]))
    value = bound(torch.tensor([[1.0, 3.0]]), torch.tensor([1]))
    np.testing.assert_allclose(value, np.log(1 + np.exp(1.0 - (3.0 - 2.0))), rtol=1e-6)


def test_log_prior_by_hand():
    np.testing.assert_allclose(np.exp(log_prior(COUNTS)), [0.6, 0.3, 0.1])


def test_logit_adjustment_by_tau():
    torch.testing.assert_close(value_of(LogitAdjustment(tau=0)), value_of(CrossEntropy()))
    torch.testing.assert_close(value_of(LogitAdjustment(tau=1)), value_of(BalancedSoftmax()))


def test_balanced_softmax_of_equal_counts_is_cross_entropy():
    equal = np.full(3, 7.0)
    torch.testing.assert_close(value_of(BalancedSoftmax(), equal), value_of(CrossEntropy()))


def test_balanced_softmax_finds_the_posteriors_of_equally_frequent_classes():
    """One feature value: the best logits are those whose softmax is P(x | y) / sum."""
    counts, at_x = np.array([900.0, 100.0]), np.array([90.0, 40.0])  # P(x | y) = 0.1 and 0.4
    bound = BalancedSoftmax().bind(counts).double()
    logits = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=50)

    def closure():
        optimizer.zero_grad()
        loss = bound(logits.expand(2, 2), torch.tensor([0, 1]), torch.tensor(at_x))
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(logits.detach().softmax(dim=1), [[0.2, 0.8]], rtol=1e-5)


def test_adjusted_logits_by_hand():
    proba = np.array([[0.9, 0.1]])
    adjusted = np.exp(adjust_logits(np.log(proba), [75, 25]))
    np.testing.assert_allclose(adjusted / adjusted.sum(), [[0.75, 0.25]])
    np.testing.assert_array_equal(adjust_logits(proba, [75, 25], tau=0), proba)


@pytest.mark.parametrize("counts", [[1.0], [1.0, 0.0], [1.0, np.inf], 3.0])
def test_adjusting_by_bad_counts_is_refused(counts):
    with pytest.raises(ValueError, match=r"class_counts is .* for logits of shape .*; give"):
        adjust_logits([[0.0, 0.0]], counts)


@pytest.mark.parametrize("tau", [-1, np.nan, np.inf])
def test_adjusting_by_a_bad_tau_is_refused(tau):
    with pytest.raises(ValueError, match="tau must be finite and at least 0, got"):
        adjust_logits([[0.0, 0.0]], [3, 1], tau)


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
        ({"a": 1}, r"dict, but a loss knows no labels; give the dict to the network"),
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


def test_expected_cost_is_linear_in_the_costs():
    torch.testing.assert_close(
        value_of(ExpectedCost(), cost_matrix=3 * COSTS),
        3 * value_of(ExpectedCost(), cost_matrix=COSTS),
    )


@pytest.mark.parametrize("loss", [ExpectedCost(), CostWeightedCrossEntropy()])
@pytest.mark.parametrize(
    ("cost_matrix", "message"),
    [(None, "needs a cost matrix, and got None"), (np.eye(3), "diagonal"), (np.eye(2), "shape")],
)
def test_bad_costs_are_refused(loss, cost_matrix, message):
    with pytest.raises(ValueError, match=message):
        loss.bind(COUNTS, cost_matrix=cost_matrix)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (Focal(gamma=-0.1), r"'gamma' .* range \[0.0, inf\). Got -0.1"),
        (Focal(gamma="2"), "'gamma' .* Got '2'"),
        (ClassBalanced(beta=1.0), r"'beta' .* range \[0.0, 1.0\). Got 1.0"),
        (ClassBalanced(beta=-0.5), r"'beta' .* Got -0.5"),
        (ClassBalanced(loss="focl"), "unknown loss 'focl'; did you mean 'focal'"),
        (DeferredReweighting(beta=np.nan), "'beta' .* Got nan"),
        (DeferredReweighting(start=1.1), r"'start' .* range \[0.0, 1.0\]. Got 1.1"),
        (DeferredReweighting(start=-0.1), "'start' .* Got -0.1"),
        (DeferredReweighting(weights="inverse"), "'weights' .*'effective'.* Got 'inverse'"),
        (DeferredReweighting(loss=None), "'loss' .* Got None"),
        (IncrementalWeightedCrossEntropy(T=0), r"'T' .* range \(0.0, inf\]. Got 0"),
        (IncrementalWeightedCrossEntropy(T=-3), "'T' .* Got -3"),
        (IncrementalWeightedCrossEntropy(ramp="exp"), "'ramp' .*'exponential'.* Got 'exp'"),
        (LDAM(max_margin=-1), "'max_margin' .* Got -1"),
        (LDAM(scale=0), "'scale' .* Got 0"),
        (LogitAdjustment(tau=-1), "'tau' .* Got -1"),
        (Asymmetric(gamma_positive=-1), "'gamma_positive' .* Got -1"),
        (Asymmetric(gamma_negative=-1), "'gamma_negative' .* Got -1"),
        (Asymmetric(margin=1.5), "'margin' .* Got 1.5"),
        (AUCMargin(margin=0), "'margin' .* Got 0"),
        (ClassRectification(eta=2), "'eta' .* Got 2"),
        (ClassRectification(margin=0), "'margin' .* Got 0"),
        (ClassRectification(n_hardest=0), "'n_hardest' .* Got 0"),
        (ClassRectification(n_hardest=1.5), "'n_hardest' .* Got 1.5"),
    ],
    ids=repr,
)
def test_bad_parameters_are_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        loss.bind(COUNTS)


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
