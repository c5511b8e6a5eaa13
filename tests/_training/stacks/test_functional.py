"""Networks that are no `MLP`, computed together by `torch.func`, against those alone."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from skimbal._training.losses import StackedLoss
from skimbal._training.stacks import FunctionalStack
from skimbal.augmentation import Noise, Shift
from skimbal.losses import all_losses
from skimbal.neural_network import CNN1DClassifier, CNN2DClassifier, fit_population

from ..nets import N_CLASSES, Convolution, bound_loss, generator, gradients_of, mlp_module

P = 5
rng = np.random.default_rng(0)
X = rng.normal(size=(90, 2, 16))
y = np.where(X[:, 0, :4].mean(axis=1) > 0.2, "rare", "usual")
SUBSETS = [rng.choice(90, 80) for _ in range(P)]


SMALL = {"n_filters": (4,), "kernel_size": 3, "batch_size": 32, "max_epochs": 10}
SMALL |= {"global_pooling": False, "learning_rate": 1e-2, "device": "cpu"}


class WithBatchNorm(CNN1DClassifier):
    def _build_module(self, X, n_classes, generator, noise_generator):
        module = super()._build_module(X, n_classes, generator, noise_generator)
        module.features[0].bias = None  # the next layer takes it away, so it would only drift
        module.features.insert(1, nn.BatchNorm1d(4))
        return module


def networks(kind=CNN1DClassifier, **parameters):
    return [kind(**{**SMALL, **parameters}, random_state=i) for i in range(P)]


def with_other_sign(X, generator):
    return X * torch.where(torch.rand(len(X), 1, 1, generator=generator) < 0.5, -1.0, 1.0)


CASES = [
    {},
    {"dropout": 0.3},
    {"kind": WithBatchNorm},
    {"mixup": 1.0, "class_weight": "balanced"},
    {"optimizer": "sgd", "learning_rate": 0.05},
    {"loss": nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1)},
    {"sampler": "sqrt", "learning_rate_schedule": "cosine"},
    {"sampler": "dynamic", "validation_fraction": 0.2, "mixup": 0.5},
    {"early_stopping": True, "learning_rate": 0.1, "n_iter_no_change": 3},
    {"augmentation": (Noise(0.5), Shift(0.3), "scaling", "time_mask", with_other_sign)},
]
IMAGES = X.reshape(90, 2, 4, 4)
OF_IMAGES = [
    {"augmentation": ("flip", "crop", "cutout")},
    {"augmentation": ("flip", Noise(0.5)), "mixup": 1.0, "sampler": "balanced"},
]


def compare(cases, tolerance, X=X):
    """Compare the posteriors of networks alone and together."""
    together = fit_population(cases, X, y, SUBSETS)
    for network, fitted, rows in zip(cases, together, SUBSETS, strict=True):
        alone = clone(network).fit(X[rows], y[rows])
        assert alone.n_iter_ == fitted.n_iter_
        np.testing.assert_allclose(
            fitted.predict_proba(X), alone.predict_proba(X), rtol=0, atol=tolerance
        )
        np.testing.assert_allclose(
            fitted.history_.train_loss, alone.history_.train_loss, rtol=100 * tolerance
        )


@pytest.fixture
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("parameters", CASES, ids="-".join)
def test_alone_and_together_agree_over_a_fit_in_double_precision(parameters):
    compare(networks(**parameters), 1e-6)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("parameters", OF_IMAGES, ids=str)
def test_images_agree_alone_and_together(parameters):
    compare(networks(CNN2DClassifier, **parameters), 1e-6, IMAGES)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("name", sorted(set(all_losses()) - {"cross_entropy"}))
def test_every_loss_agrees_alone_and_together(name):
    compare(networks(loss=name, cost_matrix=[[0, 1], [5, 0]], max_epochs=3), 1e-6)


@pytest.mark.parametrize("parameters", CASES[:-1], ids="-".join)
def test_alone_and_together_agree_after_an_epoch_in_single_precision(parameters):
    compare(networks(**{**parameters, "max_epochs": 1}), 1e-5)


def test_a_module_that_vmap_cannot_take_is_trained_by_itself(capsys):
    class WithTorchsDropout(CNN1DClassifier):
        def _build_module(self, X, n_classes, generator, noise_generator):
            module = super()._build_module(X, n_classes, generator, noise_generator)
            module.features.append(nn.Dropout(0.3))
            return module

    fitted = fit_population([WithTorchsDropout(**SMALL)] * 5, X, y, verbose=1)
    assert "5 Convolution, each by itself: torch.func can't take it" in capsys.readouterr().out
    assert all(network.n_iter_ == 10 for network in fitted)


def test_the_strategy_is_said(capsys):
    fit_population(networks(max_epochs=1), X, y, SUBSETS, verbose=1)
    assert capsys.readouterr().out == "5 Convolution as one, by torch.func.vmap\n"
    fit_population(networks(max_epochs=1)[:1], X, y, SUBSETS[:1], verbose=1)
    assert "1 Convolution, each by itself: the only one" in capsys.readouterr().out
    fit_population(networks(max_epochs=1)[:4], X, y, SUBSETS[:4], verbose=1)
    assert "4 Convolution, each by itself: a small population" in capsys.readouterr().out
    fit_population(networks(max_epochs=1, n_filters=(99, 99)), X, y, SUBSETS, verbose=1)
    assert (
        "5 Convolution, each by itself: a population of large networks" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (Convolution, (2, 8)),
        (lambda seed: Convolution(seed, batch_norm=True), (2, 8)),
        (mlp_module, (5,)),
        (lambda seed: mlp_module(seed, dropout=0.4), (5,)),
    ],
    ids=["convolution", "batch norm", "dense", "dropout"],
)
@pytest.mark.parametrize("loss_name", ["cross_entropy", "focal"])
def test_gradients_are_autograds(make, shape, loss_name):
    inputs = torch.randn(3, 7, *shape, generator=generator(1))
    target = torch.randint(N_CLASSES, (3, 7), generator=generator(2))
    share = torch.full((3, 7), 1 / 7)
    modules, loss = [make(seed) for seed in range(3)], bound_loss(loss_name)
    references = deepcopy(modules)
    stack = FunctionalStack(modules)
    stacked = StackedLoss([loss] * 3, inputs.new_zeros(1, N_CLASSES))
    values, logits = stack.compute_gradients(inputs, (target, share, np.full(3, 7)), stacked)
    for i, module in enumerate(references):
        own = module.train()(inputs[i])
        value = loss(own, target[i], None)
        value.backward()
        stack.write_gradients_to(modules[i], i)
        stack.write_to(modules[i], i)
        torch.testing.assert_close(values[i], value.detach(), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(logits[i], own.detach(), rtol=1e-5, atol=1e-6)
        for name, gradient in gradients_of(module).items():
            torch.testing.assert_close(
                gradients_of(modules[i])[name], gradient, rtol=1e-5, atol=1e-6
            )
        for a, b in zip(modules[i].buffers(), module.buffers(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_a_plain_module_can_be_taken():
    assert FunctionalStack.reason_not_stackable(Convolution(), torch.zeros(2, 2, 8)) is None
