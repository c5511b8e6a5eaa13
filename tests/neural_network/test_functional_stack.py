"""Networks that are no `MLP`, trained together by `torch.func`, against skorch's loop."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from skimbal.modules import Dropout
from skimbal.neural_network import fit_population
from skimbal.neural_network._base import NET_CONSTRAINTS, BaseNetClassifier

P = 4
rng = np.random.default_rng(0)
X = rng.normal(size=(90, 2, 16))
y = np.where(X[:, 0, :4].mean(axis=1) > 0.2, "rare", "usual")
SUBSETS = [rng.choice(90, 80) for _ in range(P)]


class Convolution(nn.Module):
    def __init__(self, n_channels, n_classes, dropout, normalize, generator, noise_generator):
        super().__init__()
        layers = [nn.Conv1d(n_channels, 4, 3, padding="same")]
        if normalize:
            layers.append(nn.BatchNorm1d(4))
        layers += [nn.ReLU(), nn.MaxPool1d(2)]
        if dropout:
            layers.append(Dropout(dropout, noise_generator))
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.output = nn.Linear(4 * 8, n_classes)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.1, generator=generator)

    def forward(self, x):
        return self.output(self.features(x))


class ConvolutionClassifier(BaseNetClassifier):
    _parameter_constraints = {**NET_CONSTRAINTS, "dropout": [float], "normalize": ["boolean"]}

    def __init__(
        self, *, dropout=0.0, normalize=False, mixup=0.0, loss="cross_entropy", class_weight=None,
        cost_matrix=None, sampler=None, standardize=True, optimizer="adam", learning_rate=1e-2,
        weight_decay=1e-4, batch_size=32, max_epochs=20, early_stopping=False,
        validation_fraction=0.2, n_iter_no_change=3, scoring=None, device="cpu", n_threads=1,
        callbacks=None, verbose=0, random_state=None,
    ):  # fmt: skip
        self.dropout = dropout
        self.normalize = normalize
        self.mixup = mixup
        self.loss = loss
        self.class_weight = class_weight
        self.cost_matrix = cost_matrix
        self.sampler = sampler
        self.standardize = standardize
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.device = device
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    def _build_module(self, X, n_classes, generator, noise_generator):
        return Convolution(
            X.shape[1], n_classes, self.dropout, self.normalize, generator, noise_generator
        )


def networks(**parameters):
    return [ConvolutionClassifier(**parameters, random_state=i) for i in range(P)]


CASES = [
    {},
    {"dropout": 0.3},
    {"normalize": True},
    {"mixup": 1.0, "class_weight": "balanced"},
    {"optimizer": "sgd", "learning_rate": 0.05},
    {"loss": nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1)},
    {"early_stopping": True, "learning_rate": 0.1},
]


def compare(cases, tolerance):
    """Largest difference of posteriors between networks alone and together."""
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


@pytest.mark.parametrize("parameters", CASES, ids=str)
def test_alone_and_together_agree_over_a_fit_in_double_precision(parameters):
    torch.set_default_dtype(torch.float64)
    try:
        compare(networks(**parameters), 1e-6)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("parameters", CASES[:-1], ids=str)
def test_alone_and_together_agree_after_an_epoch_in_single_precision(parameters):
    compare(networks(**{**parameters, "max_epochs": 1}), 1e-5)


def test_a_module_that_vmap_cannot_take_is_trained_by_itself(capsys):
    class WithTorchsDropout(ConvolutionClassifier):
        def _build_module(self, X, n_classes, generator, noise_generator):
            module = super()._build_module(X, n_classes, generator, noise_generator)
            module.features.append(nn.Dropout(0.3))
            return module

    fitted = fit_population([WithTorchsDropout(max_epochs=1)] * 3, X, y, verbose=1)
    assert "3 Convolution, each by itself: torch.func can't take it" in capsys.readouterr().out
    assert all(network.n_iter_ == 1 for network in fitted)


def test_the_way_is_said(capsys):
    fit_population(networks(max_epochs=1), X, y, SUBSETS, verbose=1)
    assert capsys.readouterr().out == "4 Convolution as one, by torch.func.vmap\n"
    fit_population(networks(max_epochs=1)[:1], X, y, SUBSETS[:1], verbose=1)
    assert "1 Convolution, each by itself: the only one" in capsys.readouterr().out
