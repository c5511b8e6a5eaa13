"""The recipe of the guide for `torch.export` holds for every kind of network."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification

from skimbal import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    MLPClassifier,
    NetClassifier,
    ResNetClassifier,
)
from skimbal.metrics import decide

SMALL = {"hidden_layer_sizes": (6,), "max_epochs": 2, "random_state": 0}
SMALL_CNN = {"n_filters": (4,), "max_epochs": 2, "random_state": 0}
COSTS = {"cost_matrix": "inverse_frequency"}


def linear(input_shape, n_classes):
    return torch.nn.Sequential(torch.nn.Linear(input_shape[0], n_classes))


def network_inputs(network, X):
    """Inputs as the module takes them, written out as in the guide."""
    if getattr(network, "visible_", None) == "bernoulli":
        return torch.as_tensor(X, dtype=torch.float32)
    return torch.as_tensor((X - network.input_mean_) / network.input_scale_, dtype=torch.float32)


TABLES = [
    MLPClassifier(**SMALL, **COSTS, dropout=0.2),
    MLPClassifier(**SMALL, loss="ldam"),
    DBNClassifier(**SMALL, **COSTS, pretrain_epochs=1),
    DBNClassifier(**SMALL, pretrain_epochs=1, visible="bernoulli"),
    NetClassifier(linear, max_epochs=2, random_state=0),
]
SIGNALS = [CNN1DClassifier(**SMALL_CNN, **COSTS, kernel_size=4)]
IMAGES = [
    CNN2DClassifier(**SMALL_CNN, **COSTS),
    ResNetClassifier(depth=8, max_epochs=1, random_state=0),
]
CASES = [
    *((network, (8,)) for network in TABLES),
    *((network, (2, 8)) for network in SIGNALS),
    *((network, (2, 8, 8)) for network in IMAGES),
]


@pytest.mark.slow
@pytest.mark.parametrize(("network", "shape"), CASES, ids=lambda value: type(value).__name__)
def test_an_exported_program_predicts_the_same(network, shape, tmp_path):
    n_features = int(np.prod(shape))
    X, y = make_classification(60, n_features, weights=[0.7], random_state=0)
    X = (X - X.min()) / np.ptp(X)
    X = X.reshape(60, *shape)
    network = network.fit(X, y)
    inputs = network_inputs(network, X)
    program = torch.export.export(
        network.net_.module_.eval(),
        (inputs[:2],),
        dynamic_shapes=({0: torch.export.Dim("n_samples", min=1)},),
    )
    torch.export.save(program, tmp_path / "network.pt2")
    loaded = torch.export.load(tmp_path / "network.pt2").module()
    with torch.no_grad():
        proba = torch.softmax(loaded(inputs), dim=1).numpy()
        one = torch.softmax(loaded(inputs[:1]), dim=1).numpy()
    expected = network.predict_proba(X)
    np.testing.assert_allclose(proba, expected, rtol=0.0, atol=1e-5)
    np.testing.assert_allclose(one, expected[:1], rtol=0.0, atol=1e-5)
    costs = 1.0 - np.eye(2) if network.cost_matrix_ is None else network.cost_matrix_
    is_clear = np.abs(np.diff(expected @ costs, axis=1)[:, 0]) > 1e-4
    label = network.classes_[decide(proba, costs)]
    np.testing.assert_array_equal(label[is_clear], network.predict(X)[is_clear])
