"""Losses that weight the classes of another loss: deferred re-weighting and class balance."""

import numpy as np
import pytest
import torch

from skimbal.losses import (
    LDAM,
    BalancedSoftmax,
    BaseLoss,
    ClassBalanced,
    CrossEntropy,
    DeferredReweighting,
    Focal,
    IncrementalWeightedCrossEntropy,
)
from skimbal.losses._class_weights import balanced_weights, effective_weights
from skimbal.losses._functional import cross_entropy

from .contract import COUNTS, learn, make_batch


@pytest.mark.parametrize("inner", ["cross_entropy", Focal(gamma=1), LDAM(), BalancedSoftmax()])
@pytest.mark.parametrize("weights", ["effective", "balanced"])
def test_deferred_is_the_inner_loss_and_then_the_weighted_one(inner, weights):
    bound = DeferredReweighting(inner, start=0.5, weights=weights, beta=0.9).bind(COUNTS).double()
    value = CrossEntropy() if inner == "cross_entropy" else inner
    final = effective_weights(COUNTS, 0.9) if weights == "effective" else balanced_weights(COUNTS)
    plain = value.bind(COUNTS).double()
    weighted = value.bind(COUNTS, class_weight=final).double()
    assert bound(*make_batch()) == plain(*make_batch())
    for epoch in range(1, 11):
        bound.set_epoch(epoch, 10)
        now = plain if epoch <= 5 else weighted
        torch.testing.assert_close(bound(*make_batch()), now(*make_batch()), rtol=1e-6, atol=0)


def test_deferred_from_the_start_is_class_balanced():
    deferred_loss = DeferredReweighting(Focal(), start=0, beta=0.99).bind(COUNTS)
    class_balanced = ClassBalanced(beta=0.99, loss=Focal()).bind(COUNTS)
    assert deferred_loss(*make_batch()) == class_balanced(*make_batch())


def test_class_balanced_by_hand():
    # Effective numbers 1 and 1.75, as in the test of the weights: 7 and 4, times 4 / 19.
    bound = ClassBalanced(beta=0.5).bind(np.array([1.0, 3.0]))
    np.testing.assert_allclose(bound.class_weight, np.array([7, 4]) * 4 / 19, rtol=1e-6)
    assert bound.per_sample is cross_entropy


def test_class_balanced_with_beta_0_is_the_inner_loss():
    torch.testing.assert_close(
        ClassBalanced(beta=0, loss=Focal(gamma=1)).bind(COUNTS)(*make_batch()),
        Focal(gamma=1).bind(COUNTS)(*make_batch()),
    )


@pytest.mark.parametrize("wrapper", [DeferredReweighting, ClassBalanced])
def test_a_loss_around_a_loss_asks_for_what_the_inner_one_does(wrapper):
    around = wrapper(loss=LDAM(scale=7))
    assert (around.head, around.scale) == ("normalized", 7)
    assert wrapper().head is None
    assert not hasattr(wrapper(), "scale")
    assert around.get_params()["loss__scale"] == 7
    assert repr(around.unweighted()) == repr(LDAM(scale=7))


@pytest.mark.parametrize("wrapper", [DeferredReweighting, ClassBalanced])
@pytest.mark.parametrize(
    "inner", ["dice", "class_balanced", "deferred_reweighting", Focal(alpha="balanced")]
)
def test_losses_that_weight_the_classes_are_refused(wrapper, inner):
    with pytest.raises(ValueError, match=r"weights the classes itself, so .*; give a loss that"):
        wrapper(loss=inner).bind(COUNTS)


class OwnModule(BaseLoss):
    """A loss that is no `BoundLoss`."""

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        return torch.nn.CrossEntropyLoss()


@pytest.mark.parametrize("wrapper", [DeferredReweighting, ClassBalanced])
def test_losses_that_bind_to_another_module_are_refused(wrapper):
    with pytest.raises(ValueError, match=r"binds to a CrossEntropyLoss, .*; give a loss whose"):
        wrapper(loss=OwnModule()).bind(COUNTS)


@pytest.mark.parametrize("wrapper", [DeferredReweighting, ClassBalanced])
def test_modules_of_the_users_are_inner_losses(wrapper):
    module = torch.nn.CrossEntropyLoss(reduction="none")
    torch.testing.assert_close(
        wrapper(loss=module).bind(COUNTS)(*make_batch()), wrapper().bind(COUNTS)(*make_batch())
    )
    mean = wrapper(loss=torch.nn.CrossEntropyLoss()).bind(COUNTS)
    with pytest.raises(ValueError, match=r'let it return one loss per sample \(reduction="none"\)'):
        mean(*make_batch())


def test_a_network_has_the_weights_of_its_last_epoch():
    network, _, y = learn(IncrementalWeightedCrossEntropy(T=2), max_epochs=6)
    np.testing.assert_allclose(
        network.class_weight_, balanced_weights(np.bincount(y).astype(float)), rtol=1e-6
    )
    network, _, _ = learn(DeferredReweighting(start=1, weights="balanced"), max_epochs=6)
    np.testing.assert_allclose(
        network.class_weight_, balanced_weights(np.bincount(y).astype(float)), rtol=1e-6
    )
