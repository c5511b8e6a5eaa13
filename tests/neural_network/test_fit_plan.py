"""What a fit will do, resolved and checked before any training."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skimbal import MLPClassifier
from skimbal.metrics import inverse_frequency_cost_matrix
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
        ({"class_weight": {"rrare": 2}}, r"weights for \['rrare'\].*'rare', 'usual'"),
        ({"class_weight": [1, 2, 3]}, r"shape \(3,\), but there are 2 classes"),
        ({"class_weight": [1, -2]}, "non-negative"),
        ({"cost_matrix": [[0, 1, 1], [1, 0, 1]]}, r"shape \(2, 3\)"),
        ({"cost_matrix": np.ones((3, 3)) - np.eye(3)}, r"must be \(2, 2\)"),
        ({"cost_matrix": [[0, -1], [1, 0]]}, "negative"),
        ({"cost_matrix": [[1, 1], [1, 0]]}, "costly diagonal"),
        ({"cost_matrix": [[0, np.nan], [1, 0]]}, "finite"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"batch_size": 0}, "batch_size"),
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes"),
        ({"sampler": "balancd"}, "did you mean 'balanced'"),
        ({"sampler": DynamicBatches(uniform_fraction=2.0)}, "uniform_fraction"),
        ({"scoring": "gmean"}, "did you mean 'g_mean'"),
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
