import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.base import clone

from skimbal.sampling import (
    BaseBatches,
    ClassBalancedBatches,
    DynamicBatches,
    ProgressivelyBalancedBatches,
    SquareRootBatches,
    TwoPhase,
    power_share,
    resolve_batches,
)
from skimbal.sampling._batches import BATCHES, dynamic_share, progressive_share

VALUES = [
    *(batches() for batches in BATCHES.values()),
    TwoPhase(DynamicBatches(uniform_fraction=0.3), fraction=1.0),
]
F1 = np.array([0.95, 0.5, 0.0, 1.0])


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("counts", [[70, 20, 9, 1], [70, 0, 0, 3], [0.5, 1e9, 1, 0], [5, 5, 5, 5]])
@pytest.mark.parametrize("n_epochs", [1, 2, 7])
def test_shares_add_up_and_are_of_classes_that_there_are(value, counts, n_epochs):
    for epoch in range(1, n_epochs + 1):
        share = value.class_share(counts, epoch, n_epochs, None if epoch == 1 else F1)
        if share is None:
            assert isinstance(value, TwoPhase)
            continue
        assert share.shape == (4,)
        assert share.sum() == pytest.approx(1.0, abs=1e-12)
        assert (share >= 0).all()
        assert (share[np.equal(counts, 0)] == 0).all()


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_order_of_the_classes_means_nothing(value):
    counts, order = np.array([70, 20, 9, 1]), np.array([2, 0, 3, 1])
    share = value.class_share(counts, 2, 6, F1)
    np.testing.assert_allclose(value.class_share(counts[order], 2, 6, F1[order]), share[order])


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_are_cloned_with_their_parameters(value):
    assert clone(value).get_params() == value.get_params() or isinstance(
        value.get_params().get("first"), BaseBatches
    )
    assert repr(clone(value)) == repr(value)


def test_power_of_one_draws_every_row_alike():
    np.testing.assert_allclose(power_share([60, 30, 10], 1.0), [0.6, 0.3, 0.1])
    np.testing.assert_allclose(power_share([1e200, 1e199], 3.0), [1000 / 1001, 1 / 1001])


def test_square_root_by_hand():
    np.testing.assert_allclose(
        SquareRootBatches().class_share([64, 4, 16], 1, 1), [8 / 14, 2 / 14, 4 / 14]
    )


def test_progress_by_hand():
    counts = [80, 20]
    np.testing.assert_allclose(progressive_share(counts, 1, 5), [0.8, 0.2])
    np.testing.assert_allclose(progressive_share(counts, 2, 5), [0.725, 0.275])
    np.testing.assert_allclose(progressive_share(counts, 5, 5), [0.5, 0.5])
    np.testing.assert_allclose(progressive_share(counts, 1, 1), [0.8, 0.2])


def test_dynamic_share_by_hand():
    np.testing.assert_allclose(dynamic_share([9, 9, 9], [0.9, 0.7, 0.4]), [0.1, 0.3, 0.6])
    np.testing.assert_allclose(dynamic_share([9, 0, 9], [0.9, 0.0, 0.4]), [1 / 7, 0, 6 / 7])
    np.testing.assert_allclose(dynamic_share([9, 9], [1.0, 0.5], uniform_fraction=0.2), [0.1, 0.9])
    np.testing.assert_allclose(dynamic_share([9, 1], [1.0, 1.0]), [0.5, 0.5])
    np.testing.assert_allclose(dynamic_share([9, 1], [0.5, np.nan]), [1 / 3, 2 / 3])


def test_dynamic_batches_are_balanced_before_any_f1():
    assert DynamicBatches().needs_validation
    assert DynamicBatches().class_share([9, 1], 1, 3).tolist() == [0.5, 0.5]


def test_two_phases():
    value = TwoPhase(first="sqrt", fraction=0.6)
    for epoch in (1, 2, 3):
        np.testing.assert_allclose(value.class_share([81, 1], epoch, 5), [0.9, 0.1])
    assert value.class_share([81, 1], 4, 5) is None


def test_first_phase_runs_through_its_own_epochs():
    value = TwoPhase(first="progressive", fraction=0.5)
    np.testing.assert_allclose(value.class_share([80, 20], 3, 6), [0.5, 0.5])


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_one_phase_alone(fraction):
    value = TwoPhase(fraction=fraction)
    shares = [value.class_share([9, 1], epoch, 4) for epoch in range(1, 5)]
    assert all((share is None) == (fraction == 0.0) for share in shares)


def test_two_phases_need_what_the_first_needs():
    assert not TwoPhase().needs_validation
    assert TwoPhase(first="dynamic").needs_validation


def test_names_and_values_are_resolved():
    assert set(BATCHES) == {"balanced", "sqrt", "progressive", "dynamic", "two_phase"}
    for name, batches in BATCHES.items():
        assert type(resolve_batches(name)) is batches
    value = ProgressivelyBalancedBatches()
    assert resolve_batches(value) is value
    assert resolve_batches(None) is None


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        ("balancd", "unknown sampler 'balancd'; did you mean 'balanced'"),
        (SMOTE(), "pipeline of imbalanced-learn"),
        (ClassBalancedBatches, "or a value"),
        (3, "sampler is 3, but it must be one of"),
    ],
)
def test_other_values_are_refused(sampler, message):
    with pytest.raises(ValueError, match=message):
        resolve_batches(sampler)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            DynamicBatches(uniform_fraction=1.5),
            r"'uniform_fraction' .* range \[0.0, 1.0\]. Got 1.5",
        ),
        (TwoPhase(fraction=-0.1), "fraction"),
        (TwoPhase(fraction="half"), "fraction"),
        (TwoPhase(first=None), "'first' .* Got None"),
        (TwoPhase(first="first"), "unknown sampler"),
    ],
)
def test_bad_parameters(value, message):
    with pytest.raises(ValueError, match=message):
        value.class_share([9, 1], 1, 3, [0.5, 0.5])
