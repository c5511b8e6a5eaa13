"""Networks that are trained together are the networks that are trained alone."""

import pickle

import numpy as np
import pytest
import skorch
import torch
from sklearn.base import clone

from skimbal import (
    MLPClassifier,
)
from skimbal._fitting import Fit, run_fits
from skimbal._training.schedules import SCHEDULES
from skimbal.exceptions import NonFiniteLossError
from skimbal.losses import LDAM, DeferredReweighting, all_losses
from skimbal.neural_network import fit_population
from skimbal.sampling._batches import BATCHES

from .populations import (
    SUBSETS,
    Focal,
    FocalOfAnyPower,
    RelativeToTheBatch,
    UnknownToVmap,
    X,
    assert_same,
    dbn,
    mlp,
    networks,
    y,
)

SPLITS = [[[1, 2, 3]], [[3, 1], [2, 0]]]


LOSSES = [
    *all_losses(),
    Focal(),
    FocalOfAnyPower(),
    torch.nn.CrossEntropyLoss(),
    UnknownToVmap(),
    RelativeToTheBatch(),
]


POPULATIONS = {
    **{
        f"loss {loss}": networks(mlp(loss=loss, cost_matrix="inverse_frequency")) for loss in LOSSES
    },
    **{
        f"schedule {schedule}": networks(
            mlp(learning_rate_schedule=schedule),
            max_epochs=[5, 8],
            learning_rate=[0.01, 0.003, 0.1],
        )
        for schedule in SCHEDULES
    },
    **{
        f"sampler {sampler}": networks(mlp(sampler=sampler), max_epochs=[4, 5])
        for sampler in BATCHES
    },
    "features with mixup": networks(mlp(loss="class_rectification", mixup=1.0)),
    "features of a linear network": networks(mlp(loss="ldam", hidden_layer_sizes=())),
    "cosines of one feature": networks(mlp(loss="ldam", hidden_layer_sizes=(8, 1))),
    "deferred margins": networks(mlp(loss=DeferredReweighting(LDAM()))),
    **{
        f"activation {name}": networks(mlp(activation=name))
        for name in ("relu", "tanh", "sigmoid", "elu", "gelu")
    },
    **{
        f"optimizer {name}": networks(
            mlp(optimizer=name),
            learning_rate=[0.01, 0.003],
            weight_decay=[0.0, 0.01, 0.1],
            max_epochs=[5, 6, 7, 8],
        )
        for name in ("adam", "adamw", "sgd", "adagrad", "rmsprop")
    },
    "dropout": networks(mlp(dropout=0.3)),
    "mixup": networks(mlp(mixup=1.0), class_weight=["balanced", {2: 3}]),
    "dbn with mixup": networks(dbn(mixup=0.3)),
    "linear": networks(mlp(hidden_layer_sizes=())),
    "width of one": networks(mlp(hidden_layer_sizes=(8, 1))),
    "dbn with a width of one": networks(dbn(hidden_layer_sizes=(1, 5))),
    "blocks of 32 and batches of 48": networks(
        mlp(hidden_layer_sizes=(32,), batch_size=48, loss=FocalOfAnyPower())
    ),
    "weights": networks(mlp(), class_weight=["balanced", "effective", {1: 9}]),
    "some weights": networks(mlp(), class_weight=["balanced", None]),
    "odd batches": networks(mlp(batch_size=50)),
    "one batch": networks(mlp(batch_size=1000)),
    "early stopping": networks(
        mlp(early_stopping=True, n_iter_no_change=2, learning_rate=0.1, max_epochs=60),
        scoring=[None, "g_mean"],
    ),
    "dbn": networks(dbn()),
    "dbn with dropout": networks(dbn(dropout=0.2)),
    "persistent dbn": networks(dbn(persistent=True, n_gibbs_steps=2)),
    "dbn of mini-batches": networks(dbn(batch_size=30, pretrain_momentum=0.0)),
    "dbn without pre-training": networks(dbn(pretrain_epochs=0)),
}


@pytest.fixture(scope="module")
def alone():
    """The networks of a population, fitted one by one."""
    fitted = {}

    def fit(name):
        if name not in fitted:
            fitted[name] = [
                clone(network).fit(X[rows], y[rows])
                for network, rows in zip(POPULATIONS[name], SUBSETS, strict=True)
            ]
        return fitted[name]

    return fit


@pytest.mark.filterwarnings("ignore::skimbal.exceptions.BalancedTwiceWarning")
@pytest.mark.parametrize("name", POPULATIONS)
def test_a_network_is_the_same_alone_and_in_any_population(name, alone):
    for split in SPLITS:
        for part in split:
            together = fit_population(
                [POPULATIONS[name][i] for i in part], X, y, [SUBSETS[i] for i in part]
            )
            for i, network in zip(part, together, strict=True):
                assert_same(network, alone(name)[i])


def test_in_double_precision_too():
    torch.set_default_dtype(torch.float64)
    try:
        together = fit_population(networks(dbn()), X, y, SUBSETS)
        for network, other, rows in zip(networks(dbn()), together, SUBSETS, strict=True):
            assert_same(clone(network).fit(X[rows], y[rows]), other)
    finally:
        torch.set_default_dtype(torch.float32)


def test_one_feature():
    together = fit_population(networks(dbn()), X[:, :1], y, SUBSETS)
    for network, other, rows in zip(networks(dbn()), together, SUBSETS, strict=True):
        alone = clone(network).fit(X[rows, :1], y[rows])
        np.testing.assert_array_equal(alone.predict_proba(X[:, :1]), other.predict_proba(X[:, :1]))


@pytest.mark.parametrize("network", [mlp(dropout=0.2), dbn(dropout=0.2)], ids=["mlp", "dbn"])
def test_processes_change_nothing(network):
    one = fit_population(networks(network), X, y, SUBSETS)
    many = fit_population(networks(network), X, y, SUBSETS, n_jobs=2)
    for a, b in zip(one, many, strict=True):
        assert_same(a, b)
        assert_same(a.partial_fit(X, y), b.partial_fit(X, y))


def test_members_are_ordinary_estimators():
    network = fit_population(networks(mlp()), X, y, SUBSETS)[2]
    assert network.net_.history[-1]["epoch"] == network.n_iter_ == 5
    assert_same(pickle.loads(pickle.dumps(network)), network)
    proba = network.net_.predict_proba(
        ((X - network.input_mean_) / network.input_scale_).astype("f")
    )
    np.testing.assert_allclose(proba, network.predict_proba(X), atol=1e-5)


def test_training_goes_on_after_a_population():
    """Adam's moments and the order of the rows come along."""
    network = fit_population(networks(mlp(max_epochs=4)), X, y)[1]
    for _ in range(4):
        network.partial_fit(X, y)
    assert_same(network, networks(mlp(max_epochs=8))[1].fit(X, y))


@pytest.mark.parametrize("mixup", [0.0, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_training_by_skorch_is_nearly_the_same(mixup, weighted):
    """Both loops train on the same batches; only their rounding differs."""
    network = mlp(random_state=0, max_epochs=3, mixup=mixup, batch_size=331)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=331) if weighted else None
    plain = clone(network).fit(X, y, weight)
    spied = network.set_params(callbacks=[skorch.callbacks.Callback()]).fit(X, y, weight)
    np.testing.assert_allclose(plain.predict_proba(X), spied.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(plain.history_.train_loss, spied.history_.train_loss, rtol=1e-5)


def test_a_scorer_that_fails_for_one_network_spoils_no_other():
    def scorer(estimator, inputs, labels):
        if len(labels) < 60:
            raise ZeroDivisionError("of one network")
        return 0.0

    stopping = mlp(early_stopping=True, validation_fraction=0.2, scoring=scorer, random_state=0)
    outcomes = run_fits([Fit(clone(stopping), X[:n], y[:n]).coroutine() for n in (331, 290, 330)])
    assert [type(outcome) for outcome in outcomes] == [
        MLPClassifier,
        ZeroDivisionError,
        MLPClassifier,
    ]
    assert_same(outcomes[0], stopping.fit(X, y))


def test_a_network_that_diverges_is_an_error_and_spoils_no_other():
    good, bad = mlp(random_state=0), mlp(random_state=0, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(NonFiniteLossError, match="loss is nan in epoch"):
        fit_population([mlp(optimizer="sgd", random_state=0), bad], X, y)
    assert good.fit(X, y).history_.train_loss.notna().all()
