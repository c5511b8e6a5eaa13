"""What a fit will do, resolved and checked before any training."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from skimbal import DBNClassifier, MLPClassifier
from skimbal.metrics import inverse_frequency_cost_matrix
from skimbal.modules import NormalizedLinear
from skimbal.neural_network._fit_data import TrainingData
from skimbal.neural_network._fit_plan import (
    depends_on_counts,
    finish_module,
    make_early_stopping,
    make_fit_plan,
    resolve_costs,
)
from skimbal.sampling import DynamicBatches

from .networks import NETWORKS, each_network


@pytest.fixture
def untrainable(monkeypatch):
    """Make any training, without or with labels, an error that is no ValueError."""

    def train(*args, **kwargs):
        raise AssertionError("training began")

    monkeypatch.setattr("skimbal._training.contrastive_divergence.PretrainingJob.run_all", train)
    monkeypatch.setattr("skimbal._training.job.TrainingJob.run_all", train)


@each_network
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "cross_entorpy"}, "unknown loss 'cross_entorpy'; did you mean 'cross_entropy'"),
        ({"optimizer": "addam"}, "did you mean 'adam'"),
        ({"device": "gpu"}, "unknown device 'gpu'; use 'auto', 'cpu'"),
        ({"device": "cuda:99"}, "not on this machine"),
        ({"early_stopping": True, "scoring": "gmean"}, "did you mean 'g_mean'"),
        ({"class_weight": "ballanced"}, "did you mean 'balanced'"),
        ({"class_weight": pd.Series({"rrare": 2})}, r"labels \['rrare'\].*'rare', 'usual'"),
        ({"class_weight": [1, 2, 3]}, r"shape \(3,\), but there are 2 classes"),
        ({"class_weight": [1, -2]}, "non-negative"),
        ({"cost_matrix": [[0, 1, 1], [1, 0, 1]]}, r"shape \(2, 3\)"),
        ({"cost_matrix": np.ones((3, 3)) - np.eye(3)}, r"must be \(2, 2\)"),
        ({"cost_matrix": [[0, -1], [1, 0]]}, "below the cost of the correct"),
        ({"cost_matrix": [[2, 1], [1, 0]]}, "below the cost of the correct"),
        ({"cost_matrix": [[0, np.nan], [1, 0]]}, "finite"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": "large"}, "batch_size"),
        ({"early_stopping": "always"}, "early_stopping"),
        ({"n_iter_no_change": "long"}, "n_iter_no_change"),
        ({"standardize": "quartiles"}, "standardize"),
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes"),
        ({"sampler": "balancd"}, "did you mean 'balanced'"),
        ({"sampler": DynamicBatches(uniform_fraction=2.0)}, "uniform_fraction"),
        ({"scoring": "gmean"}, "did you mean 'g_mean'"),
        ({"scoring": "f1"}, "use 'minority_f1' for the rarest class"),
        ({"scoring": "average_precision"}, "use 'minority_average_precision'"),
        ({"early_stopping": True, "scoring": "precision"}, "use 'minority_precision'"),
        ({"callbacks": [3]}, "callbacks has 3; each must be a skorch callback"),
        ({"optimizer": torch.optim.LBFGS}, "can't be made with learning_rate and weight_decay"),
    ],
)
def test_bad_parameters_are_refused_before_training(
    network, parameters, message, imbalanced, untrainable
):
    network = clone(network).set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        network.fit(*imbalanced)
    assert not hasattr(network, "net_")


@each_network
def test_a_loss_that_cannot_be_weighted_is_refused_before_training(network, imbalanced):
    network = clone(network).set_params(loss=torch.nn.CrossEntropyLoss(), class_weight="balanced")
    with pytest.raises(ValueError, match=r"one number for the batch.*reduction=\"none\""):
        network.fit(*imbalanced)
    assert not hasattr(network, "net_")
    assert not hasattr(network, "pretrain_history_")


@each_network
@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [
        (None, [1.0, 1.0]),
        ({"rare": 9.0}, [9.0, 1.0]),
        ([9.0, 1.0], [9.0, 1.0]),
        (np.array([9.0, 1.0]), [9.0, 1.0]),
    ],
)
def test_class_weights_by_label(network, class_weight, expected, imbalanced):
    fitted = clone(network).set_params(class_weight=class_weight).fit(*imbalanced)
    np.testing.assert_allclose(fitted.class_weight_, expected)


@each_network
@pytest.mark.parametrize("name", ["balanced", "effective"])
def test_named_weights_come_from_the_labels_of_the_fit(network, name, imbalanced):
    X, y = imbalanced
    weighted = clone(network).set_params(class_weight=name)
    for rows in (slice(None), slice(0, 150)):
        counts = np.unique(y[rows], return_counts=True)[1]
        weights = weighted.fit(X[rows], y[rows]).class_weight_
        assert weights[0] > weights[1]
        np.testing.assert_allclose(counts @ weights, counts.sum(), rtol=1e-6)


@each_network
def test_inverse_frequency_costs(network, imbalanced):
    X, y = imbalanced
    fitted = clone(network).set_params(cost_matrix="inverse_frequency").fit(X, y)
    counts = np.unique(y, return_counts=True)[1]
    np.testing.assert_allclose(fitted.cost_matrix_, inverse_frequency_cost_matrix(counts))


@pytest.mark.parametrize("loss", ["expected_cost", "cost_weighted_cross_entropy"])
def test_costs_that_the_loss_has_used_do_not_decide_again(loss, imbalanced):
    X, y = imbalanced
    network = MLPClassifier(
        loss=loss, cost_matrix=[[0, 1], [20, 0]], max_epochs=20, random_state=0
    ).fit(X, y)
    assert network.cost_matrix_ is None
    chosen = network.predict_proba(X).argmax(axis=1)
    np.testing.assert_array_equal(network.predict(X), network.classes_[chosen])
    plain = MLPClassifier(max_epochs=20, random_state=0).fit(X, y)
    assert (chosen == 1).sum() > plain.predict_proba(X).argmax(axis=1).sum()


def test_a_module_as_loss(imbalanced):
    X, y = imbalanced
    plain = clone(NETWORKS[0]).fit(X, y).predict_proba(X)
    module = torch.nn.CrossEntropyLoss(reduction="none")
    same = clone(NETWORKS[0]).set_params(loss=module).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(same, plain, atol=1e-6)


COUNTS = np.array([10.0, 90.0])
LABELS = np.array(["rare", "usual"])


def plan_of(*, is_weighted=False, has_validation=False, seed=0, **parameters):
    network = MLPClassifier(**parameters)
    return make_fit_plan(
        network,
        LABELS,
        COUNTS,
        np.random.RandomState(seed),
        n_rows=100,
        is_weighted=is_weighted,
        has_validation=has_validation,
    )


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, False),
        ({"class_weight": "balanced"}, True),
        ({"class_weight": {"rare": 2}}, False),
        ({"cost_matrix": "inverse_frequency"}, True),
        ({"cost_matrix": [[0, 1], [1, 0]]}, False),
        ({"loss": "balanced_softmax"}, True),
        ({"loss": "focal"}, False),
    ],
    ids=str,
)
def test_what_depends_on_counts(parameters, expected):
    assert depends_on_counts(MLPClassifier(**parameters)) == expected


@pytest.mark.parametrize(("weight", "expected"), [("balanced", True), ({"rare": 2}, False)])
def test_weights_of_the_pretraining_may_depend_on_counts(weight, expected):
    assert depends_on_counts(DBNClassifier(pretrain_class_weight=weight)) == expected


@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [
        (None, None),
        ("balanced", [5.0, 5 / 9]),
        ({"rare": 3.0}, [3.0, 1.0]),
        ([2.0, 0.5], [2.0, 0.5]),
    ],
    ids=str,
)
def test_class_weights_of_the_plan(class_weight, expected):
    loss = plan_of(class_weight=class_weight).loss
    assert (loss.class_weight is None) == (expected is None)
    if expected is not None:
        np.testing.assert_allclose(loss.class_weight, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("cost_matrix", "expected"),
    [
        ([[0, 4], [1, 0]], [[0, 4], [1, 0]]),
        ("inverse_frequency", inverse_frequency_cost_matrix(COUNTS)),
    ],
    ids=["given", "named"],
)
def test_costs_of_the_plan(cost_matrix, expected):
    np.testing.assert_allclose(resolve_costs(cost_matrix, ["a", "b"], COUNTS), expected)
    np.testing.assert_allclose(plan_of(cost_matrix=cost_matrix).decision_costs, expected)
    assert plan_of().costs is None


@pytest.mark.parametrize("loss", ["expected_cost", "cost_weighted_cross_entropy"])
def test_costs_that_are_learned_do_not_decide(loss):
    plan = plan_of(loss=loss, cost_matrix=[[0, 4], [1, 0]])
    assert plan.decision_costs is None
    np.testing.assert_array_equal(plan.costs, [[0, 4], [1, 0]])


def test_a_loss_that_weights_classes_takes_no_class_weights():
    with pytest.raises(ValueError, match="the two would multiply"):
        plan_of(loss="class_balanced", class_weight="balanced")


def test_settings_arrive_in_the_training_plan():
    given = {
        "optimizer": "sgd",
        "learning_rate": 0.5,
        "weight_decay": 0.25,
        "batch_size": 7,
        "max_epochs": 9,
        "mixup": 0.125,
        "device": "cpu",
    }
    training = plan_of(**given, learning_rate_schedule="cosine").training
    assert {name: getattr(training, name) for name in given} == {
        **given,
        "device": torch.device("cpu"),
    }
    assert training.schedule(6, 10) == pytest.approx(0.5)


def test_every_purpose_has_random_numbers_of_its_own():
    names = ("generator", "noise_generator", "augmentation_generator")
    plans = [plan_of(seed=seed, device="cpu").training for seed in (0, 0, 1)]
    drawn = [[torch.rand(1, generator=getattr(p, n)).item() for n in names] for p in plans]
    assert drawn[0] == drawn[1]
    assert len({*drawn[0], *drawn[2]}) == 6


@pytest.mark.parametrize("is_held_out", [True, False])
@pytest.mark.parametrize("patience", [3, None])
def test_early_stopping_of_the_plan(is_held_out, patience):
    network = MLPClassifier(
        scoring="g_mean",
        class_weight="balanced",
        device="cpu",
    )
    plan = make_fit_plan(
        network,
        LABELS,
        COUNTS,
        np.random.RandomState(0),
        n_rows=4,
        is_weighted=True,
        has_validation=True,
    )
    data = TrainingData(np.zeros((4, 2)), np.array([0, 1, 1, 1]), np.array([1.0, 2.0, 3.0, 4.0]))
    made = make_early_stopping(network, plan, data.X, data, patience, is_held_out=is_held_out)
    assert made.patience == patience
    assert made.is_held_out == is_held_out
    assert made.evaluate.sample_weight.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert made.evaluate.classes is LABELS


@pytest.mark.parametrize(
    ("loss", "head"), [("cross_entropy", torch.nn.Linear), ("ldam", NormalizedLinear)]
)
def test_the_last_layer_that_a_loss_asks_for(loss, head):
    network = MLPClassifier(loss=loss, device="cpu", hidden_layer_sizes=(4,))
    plan = plan_of(loss=loss, device="cpu")
    generators = plan.training.generator, plan.training.noise_generator
    module = finish_module(network._build_module(np.zeros((1, 3)), 2, *generators), plan)
    assert type(module.output) is head
    assert module.output.weight.shape == (2, 4)
    assert module.output.weight.dtype == torch.get_default_dtype()
