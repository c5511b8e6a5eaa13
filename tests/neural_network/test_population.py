"""Networks that are trained together are the networks that are trained alone."""

import pickle

import numpy as np
import pytest
import skorch
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import (
    DBNClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal._fitting import Fit, run_fits
from skimbal._training.schedules import SCHEDULES
from skimbal.exceptions import NonFiniteLossError
from skimbal.losses import LDAM, DeferredReweighting, all_losses
from skimbal.neural_network import cross_fit, fit_population
from skimbal.sampling._batches import BATCHES

P = 6
X, y = make_classification(331, 9, n_classes=3, n_informative=5, weights=[0.7, 0.2], random_state=0)
two = (y == 1).astype(int)
# Rows of different numbers, some of them repeated: bootstraps.
SUBSETS = [np.random.default_rng(i).choice(331, 300 - i % 3) for i in range(P)]
SPLITS = [[[0], [1], [2], [3], [4], [5]], [[0, 1], [2, 3, 4, 5]], [[5, 3, 1], [4, 2, 0]]]


class Focal(torch.nn.Module):
    def forward(self, logits, target):
        loss = torch.nn.functional.cross_entropy(logits, target, reduction="none")
        return (1 - torch.exp(-loss)) ** 2 * loss


class FocalOfAnyPower(torch.nn.Module):
    def forward(self, logits, target):
        log_proba = torch.log_softmax(logits, 1).gather(1, target[:, None])[:, 0]
        return -((1 - log_proba.exp()) ** 2.3) * log_proba


class RelativeToTheBatch(torch.nn.Module):
    def forward(self, logits, target):
        loss = torch.nn.functional.cross_entropy(logits, target, reduction="none")
        return loss * loss.detach() / loss.detach().mean()


class UnknownToVmap(torch.nn.Module):
    def forward(self, logits, target):
        loss = torch.nn.functional.cross_entropy(logits, target, reduction="none")
        return loss * (2.0 if loss.sum().item() > 0 else 1.0)


def networks(network, **lists):
    """Networks of different seeds; `lists` has values that they take in turn."""
    return [
        clone(network).set_params(
            random_state=i, **{name: values[i % len(values)] for name, values in lists.items()}
        )
        for i in range(P)
    ]


def mlp(**parameters):
    return MLPClassifier(**{"hidden_layer_sizes": (13, 7), "max_epochs": 8, **parameters})


def dbn(**parameters):
    return DBNClassifier(
        **{"hidden_layer_sizes": (13, 7), "pretrain_epochs": 3, "max_epochs": 4, **parameters}
    )


def without_times(history):
    return history.drop(columns="duration_s")


def assert_same(one, other):
    """Equal in everything that a fit leaves, to the last bit."""
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    assert without_times(one.history_).equals(without_times(other.history_))
    for tensors in zip(
        one.net_.module_.state_dict().values(),
        other.net_.module_.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(*tensors)
    if hasattr(one, "pretrain_history_"):
        assert one.pretrain_history_.equals(other.pretrain_history_)
        for biases in zip(one.visible_biases_, other.visible_biases_, strict=True):
            assert torch.equal(*biases)


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


@pytest.mark.parametrize("name", POPULATIONS)
def test_a_network_is_the_same_alone_and_in_any_population(name, alone):
    for split in SPLITS[1:]:
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


def test_a_memory_limit_splits_the_population(capsys):
    one = fit_population(networks(mlp()), X, y, SUBSETS, verbose=1)
    assert capsys.readouterr().out == "6 MLP as one, by matrix products\n"
    assert len(fit_population(networks(mlp()), X, y, SUBSETS, memory_limit=1)) == P
    capsys.readouterr()
    many = fit_population(networks(mlp()), X, y, SUBSETS, memory_limit=200_000, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert sum(int(line.split()[0]) for line in lines) == P
    for a, b in zip(one, many, strict=True):
        assert_same(a, b)


def test_members_are_ordinary_estimators():
    network = fit_population(networks(mlp()), X, y, SUBSETS)[2]
    assert network.net_.history[-1]["epoch"] == network.n_iter_ == 8
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


def test_a_loss_that_looks_at_the_batch_sees_no_row_that_fills_it_up():
    network = mlp(loss=RelativeToTheBatch(), batch_size=50, random_state=0, max_epochs=3)
    plain = clone(network).fit(X, y)
    spied = network.set_params(callbacks=[skorch.callbacks.Callback()]).fit(X, y)
    np.testing.assert_allclose(plain.predict_proba(X), spied.predict_proba(X), atol=1e-4)


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


def test_what_cannot_be_batched_says_so(capsys):
    given = [
        mlp(callbacks=[skorch.callbacks.Callback()]),
        mlp(optimizer=torch.optim.NAdam),
        LogisticRegression(),
        mlp(),
        mlp(hidden_layer_sizes=(5,)),
        mlp(),
    ]
    fitted = fit_population(given, X, y, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines) == [
        "1 LogisticRegression, each by itself",
        "1 MLP as one, by matrix products",
        "1 MLP, each by itself: the callback Callback may change the training",
        "1 MLP, each by itself: the optimizer NAdam",
        "2 MLP as one, by matrix products",
    ]
    assert all(classifier.predict(X).shape == y.shape for classifier in fitted)


def test_pipelines_and_cost_classifiers_train_together(capsys):
    given = [
        make_pipeline(StandardScaler(), mlp(random_state=0)),
        FixedCostClassifier(mlp(random_state=1)),
        make_pipeline(StandardScaler(), FixedCostClassifier(mlp(random_state=2))),
        mlp(random_state=3),
    ]
    fitted = fit_population(given, X, y, verbose=1)
    assert capsys.readouterr().out == "4 MLP as one, by matrix products\n"
    for classifier, same in zip(given, fitted, strict=True):
        np.testing.assert_array_equal(
            clone(classifier).fit(X, y).predict_proba(X), same.predict_proba(X)
        )


def test_inner_folds_and_the_final_network_train_together(capsys):
    tuned = [TunedCostClassifierCV(mlp(), cv=3, random_state=i) for i in range(2)] + [
        TunedCostClassifierCV(make_pipeline(PCA(9), mlp()), cv=3, random_state=2)
    ]
    together = fit_population(tuned, X, two, verbose=1)
    n_networks = [int(line.split()[0]) for line in capsys.readouterr().out.splitlines()]
    assert sum(n_networks) == 3 * (3 + 1)
    assert max(n_networks) > 4
    for one, other in zip(tuned, together, strict=True):
        one = clone(one).fit(X, two)
        np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
        np.testing.assert_array_equal(one.costs_, other.costs_)


def test_ecs_dbn_in_a_population():
    small = {"hidden_layer_sizes": (6,), "pretrain_epochs": 2, "max_epochs": 3, "cost_cv": 2}
    given = [ECSDBNClassifier(**small, random_state=i) for i in range(3)]
    for one, other in zip(given, fit_population(given, X, two), strict=True):
        np.testing.assert_array_equal(
            clone(one).fit(X, two).predict_proba(X), other.predict_proba(X)
        )


def test_a_frozen_network_is_not_trained_again():
    frozen = mlp(random_state=0).fit(X, y)
    before = frozen.predict_proba(X)
    FixedCostClassifier(FrozenEstimator(frozen)).fit(X[:200], y[:200])
    fit_population(make_pipeline(StandardScaler(), FrozenEstimator(frozen)), X, y)
    np.testing.assert_array_equal(frozen.predict_proba(X), before)


def test_a_fit_that_a_subclass_has_written_is_called():
    class Mine(MLPClassifier):
        def fit(self, X, y, sample_weight=None):
            self.called_ = True
            return super().fit(X, y, sample_weight)

    mine = Mine(hidden_layer_sizes=(4,), max_epochs=1)
    assert fit_population(mine, X, y)[0].called_
    assert TunedCostClassifierCV(mine, cv=2).fit(X, two).estimator_.called_


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


def test_given_estimators_stay_as_they_are():
    given = networks(mlp())
    fitted = fit_population(given, X, y, SUBSETS)
    assert not any(hasattr(network, "net_") for network in given)
    assert [network.random_state for network in fitted] == list(range(P))


def test_one_estimator_for_many_subsets_and_masks():
    masks = [np.arange(331) % 3 != i for i in range(3)]
    one = fit_population(mlp(random_state=0), X, y, masks)
    other = fit_population(mlp(random_state=0), X, y, [np.flatnonzero(mask) for mask in masks])
    for a, b in zip(one, other, strict=True):
        assert_same(a, b)


def test_sample_weights_are_cut_to_the_rows():
    weight = np.random.default_rng(0).uniform(0.1, 2.0, size=331)
    together = fit_population(networks(dbn()), X, y, SUBSETS, sample_weight=weight)
    for network, fitted, rows in zip(networks(dbn()), together, SUBSETS, strict=True):
        assert_same(clone(network).fit(X[rows], y[rows], weight[rows]), fitted)


def test_a_network_that_diverges_is_an_error_and_spoils_no_other():
    good, bad = mlp(random_state=0), mlp(random_state=0, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(NonFiniteLossError, match="loss is nan in epoch"):
        fit_population([mlp(optimizer="sgd", random_state=0), bad], X, y)
    assert good.fit(X, y).history_.train_loss.notna().all()


@pytest.mark.parametrize(
    ("estimators", "subsets", "message"),
    [
        ([mlp()], [[0], [1]], "1 estimators and 2 subsets"),
        (mlp(), [[0.5]], "type float64"),
        (mlp(), [[[0]]], "shape"),
        (mlp(), [np.ones(7, dtype=bool)], "mask of shape"),
        (mlp(), [[0, 331]], "rows from 0 to 331, but X has 331"),
        (mlp(), [[0, 0, 0]], "1 class"),
    ],
)
def test_bad_subsets(estimators, subsets, message):
    with pytest.raises(ValueError, match=message):
        fit_population(estimators, X, y, subsets)


def test_no_subsets_no_networks():
    assert fit_population([], X, y) == []


# ------------------------------------------------------------------ cross_fit


@pytest.mark.parametrize(
    "network", [mlp(random_state=0), LogisticRegression(), dbn(random_state=0)]
)
def test_cross_fit_is_cross_val_predict(network):
    splits = StratifiedKFold(4, shuffle=True, random_state=0)
    expected = cross_val_predict(network, X, y, cv=splits, method="predict_proba")
    np.testing.assert_array_equal(cross_fit(network, X, y, splits), expected)


def test_cross_fit_averages_and_leaves_out():
    splits = [(np.arange(100, 331), np.arange(60)), (np.arange(60, 331), np.arange(30))]
    proba = cross_fit(LogisticRegression(), X, y, splits)
    first, second = (
        LogisticRegression().fit(X[train], y[train]).predict_proba(X[:60]) for train, _ in splits
    )
    np.testing.assert_allclose(proba[:30], (first[:30] + second[:30]) / 2)
    np.testing.assert_allclose(proba[30:60], first[30:60])
    assert np.isnan(proba[60:]).all()


def test_cross_fit_of_a_split_that_lacks_a_class():
    order = np.argsort(y, kind="stable")
    train, test = order[: (y < 2).sum()], order[(y < 2).sum() :]
    proba = cross_fit(LogisticRegression(), X, np.array(["a", "b", "c"])[y], [(train, test)])
    assert (proba[test, 2] == 0).all()
    np.testing.assert_allclose(proba[test].sum(axis=1), 1)
