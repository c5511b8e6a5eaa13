"""Every registered loss keeps the contract; names, values and modules become losses."""

import pytest
import torch

from skimbal import MLPClassifier, losses
from skimbal.losses import (
    LDAM,
    Asymmetric,
    BaseLoss,
    ClassBalanced,
    ClassRectification,
    CrossEntropy,
    DeepOversampling,
    DeferredReweighting,
    Focal,
    IncrementalWeightedCrossEntropy,
    LogitAdjustment,
    all_losses,
    resolve_loss,
)
from skimbal.losses._base import ModuleLoss

from .contract import LossContract


class TestRegisteredLosses(LossContract):
    @pytest.fixture(params=sorted(all_losses()))
    def loss(self, request):
        return all_losses()[request.param]()


class TestVariants(LossContract):
    @pytest.fixture(
        params=[
            Focal(gamma=0.5),
            Focal(gamma=1, alpha="balanced"),
            Focal(alpha="effective"),
            Asymmetric(gamma_positive=0.5, gamma_negative=0.5, margin=0),
            Asymmetric(gamma_positive=2, gamma_negative=0),
            ClassBalanced(beta=0.9, loss=Focal(gamma=1)),
            ClassBalanced(loss=LDAM(scale=10)),
            DeferredReweighting(LogitAdjustment(tau=0.5), start=0, weights="balanced"),
            IncrementalWeightedCrossEntropy(T=5, ramp="cosine"),
            ClassRectification(eta=0.5, margin=2, n_hardest=1),
            DeepOversampling(n_neighbors=20, n_draws=1, clustering=2),
        ],
        ids=repr,
    )
    def loss(self, request):
        return request.param


class TestModuleLoss(LossContract):
    @pytest.fixture
    def loss(self):
        return resolve_loss(torch.nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1))


def test_registry_is_a_copy():
    all_losses().clear()
    assert all_losses()["cross_entropy"] is CrossEntropy


def test_every_exported_loss_has_a_name_and_defaults():
    exported = {
        value
        for value in vars(losses).values()
        if isinstance(value, type) and issubclass(value, BaseLoss)
    }
    # The targets of Quintuplets are clusters, so it is no loss of a classifier by itself.
    assert exported - {BaseLoss, losses.Quintuplets} == set(all_losses().values())
    for name, loss in all_losses().items():
        assert type(resolve_loss(name)) is loss


def test_names_values_and_modules():
    value, module = CrossEntropy(), torch.nn.CrossEntropyLoss()
    assert isinstance(resolve_loss("cross_entropy"), CrossEntropy)
    assert resolve_loss(value) is value
    assert isinstance(resolve_loss(module), ModuleLoss)
    assert resolve_loss(module).module is module


@pytest.mark.parametrize("loss", [CrossEntropy, torch.nn.CrossEntropyLoss])
def test_a_class_of_losses_is_refused_with_its_instance(loss):
    with pytest.raises(ValueError, match=rf"give an instance, loss={loss.__name__}\(\)"):
        resolve_loss(loss)


@pytest.mark.parametrize("loss", [torch.nn.functional.cross_entropy, lambda logits, target: 0, len])
def test_a_function_is_refused_with_a_module(loss):
    with pytest.raises(ValueError, match=r"is a function; give a torch\.nn\.Module"):
        resolve_loss(loss)


@pytest.mark.parametrize("loss", ["cros_entropy", None, ["cross_entropy"]])
def test_unknown_loss_is_refused_with_what_is_known(loss):
    with pytest.raises(ValueError, match=r"unknown loss .*'cross_entropy'.* or a torch.nn.Module"):
        resolve_loss(loss)


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'cross_entropy'"):
        MLPClassifier(loss="crossentropy").fit([[0.0], [1.0]], [0, 1])


def test_base_loss_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        BaseLoss()
