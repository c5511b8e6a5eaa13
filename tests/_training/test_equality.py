"""Fits give the predictions that they gave before, alone and in a population.

`equality.npz` has the probabilities of the fits below. They were computed in double precision,
where the rounding of another processor stays far below the tolerance. A change that is meant to
change predictions writes the file anew: ``python tests/_training/test_equality.py``.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from skorch.callbacks import EpochTimer, PassthroughScoring

from skimbal import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    ECSDBNClassifier,
    MLPClassifier,
    ResNetClassifier,
    TunedCostClassifierCV,
)
from skimbal.losses import DeferredReweighting
from skimbal.neural_network import fit_population

EXPECTED = Path(__file__).with_name("equality.npz")
N_ROWS = 15  # rows of X whose probabilities are kept


def _mlp(**parameters):
    return MLPClassifier(
        **{"hidden_layer_sizes": (9, 5), "max_epochs": 5, "batch_size": 32, "random_state": 0}
        | parameters
    )


def _dbn(**parameters):
    sizes = {"hidden_layer_sizes": (8, 5), "batch_size": 32}
    return DBNClassifier(pretrain_epochs=3, max_epochs=4, random_state=0, **sizes, **parameters)


_SMALL_CNN = {"n_filters": (3, 4), "kernel_size": 3, "max_epochs": 3, "batch_size": 24}

DENSE = {
    "mlp": _mlp(),
    "mlp-mixup-dropout": _mlp(mixup=0.4, dropout=0.3, activation="tanh", optimizer="adamw"),
    "mlp-focal-balanced": _mlp(loss="focal", class_weight="balanced", optimizer="rmsprop"),
    "mlp-deferred-progressive": _mlp(
        loss=DeferredReweighting("ldam"), sampler="progressive", learning_rate_schedule="cosine"
    ),
    "mlp-early-stopping": _mlp(
        early_stopping=True, n_iter_no_change=2, max_epochs=25, learning_rate=0.05
    ),
    "dbn": _dbn(),
    "dbn-persistent": _dbn(persistent=True, sampler="sqrt", loss="dice"),
}
COSTS = {
    "ecs-dbn": ECSDBNClassifier(
        hidden_layer_sizes=(6,),
        pretrain_epochs=2,
        max_epochs=3,
        cost_cv=3,
        population_size=8,
        max_generations=5,
        random_state=0,
    ),
    "tuned-cost-mlp": TunedCostClassifierCV(_mlp(), cv=3, refit="ensemble", random_state=0),
}
CONVOLUTIONS = {
    "cnn1d": CNN1DClassifier(**_SMALL_CNN, class_weight="balanced", random_state=0),
    "cnn2d-mixup": CNN2DClassifier(**_SMALL_CNN, mixup=0.3, sampler="sqrt", random_state=0),
    "resnet": ResNetClassifier(depth=8, max_epochs=2, batch_size=24, random_state=0),
}
FITS = DENSE | COSTS | CONVOLUTIONS


def _table():
    return make_classification(
        110, 6, n_informative=4, n_classes=3, weights=[0.6, 0.27], class_sep=0.8, random_state=0
    )


def _arrays(shape):
    rng = np.random.default_rng(3)
    y = np.r_[np.arange(2).repeat(8), rng.choice(2, 40, p=[0.75, 0.25])]
    X = rng.normal(size=(len(y), *shape))
    X[..., : shape[-1] // 2] += 0.8 * y.reshape(-1, *[1] * len(shape))
    return X, y


def _data(name):
    if name not in CONVOLUTIONS:
        return _table()
    return _arrays((2, 24) if name == "cnn1d" else (1, 10, 10))


def _probabilities(name):
    X, y = _data(name)
    return clone(FITS[name]).fit(X, y).predict_proba(X[:N_ROWS])


@pytest.fixture
def double_precision():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("name", FITS)
def test_predictions_are_those_of_before(name):
    with np.load(EXPECTED) as expected:
        np.testing.assert_allclose(_probabilities(name), expected[name], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", DENSE)
def test_a_dense_network_has_the_same_bits_alone_and_in_a_population(name):
    X, y = _data(name)
    rows = [np.arange(len(y)), np.arange(0, len(y), 2), np.arange(len(y))]
    networks = [clone(DENSE[name]).set_params(random_state=seed) for seed in (1, 2, 0)]
    *_, together = fit_population(networks, X, y, rows)
    alone = clone(DENSE[name]).fit(X, y)
    np.testing.assert_array_equal(together.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(together.history_.train_loss, alone.history_.train_loss)


@pytest.mark.parametrize("name", DENSE)
def test_callbacks_that_only_read_leave_the_bits(name):
    X, y = _data(name)
    callbacks = [EpochTimer(), PassthroughScoring("train_loss", on_train=True)]
    watched = clone(DENSE[name]).set_params(callbacks=callbacks).fit(X, y)
    unwatched = clone(DENSE[name]).fit(X, y)
    np.testing.assert_array_equal(watched.predict_proba(X), unwatched.predict_proba(X))


class ScaledCrossEntropy(torch.nn.Module):
    """Cross entropy of scaled logits; notes the scale, which is trained, and its gradient."""

    steps: list = []

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(1.0))

    def forward(self, logits, target):
        with torch.enable_grad():
            scale = self.scale.detach().requires_grad_()
            loss = torch.nn.functional.cross_entropy(logits.detach() * scale, target)
            (gradient,) = torch.autograd.grad(loss, scale)
        self.steps.append((self.scale.item(), gradient.item()))
        return torch.nn.functional.cross_entropy(logits * self.scale, target)


def test_a_parameter_of_a_loss_takes_the_steps_of_gradient_descent():
    """Its gradient is that of one batch; earlier ones do not add up."""
    ScaledCrossEntropy.steps = []
    descent = {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 0.0}
    _mlp(loss=ScaledCrossEntropy(), **descent).fit(*_table())
    n_batches = 5 * -(-110 // 32)
    scale, gradient = np.transpose(ScaledCrossEntropy.steps[-n_batches:])
    np.testing.assert_allclose(np.diff(scale), -0.1 * gradient[:-1], rtol=1e-3, atol=1e-6)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    np.savez_compressed(EXPECTED, **{name: _probabilities(name) for name in FITS})
