"""An exported graph predicts what the estimator predicts; what can't be exported is refused."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from imblearn.under_sampling import RandomUnderSampler
from scipy import sparse
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from torch import nn

from skimbal import (
    BalancedBaggingNetClassifier,
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    DESearchCV,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    NetClassifier,
    ResNetClassifier,
    TunedCostClassifierCV,
    WindowedClassifier,
)
from skimbal._utils._validation import regret_matrix
from skimbal.ensemble import PriorCorrectedClassifier
from skimbal.modules import Block
from skimbal.persistence import load, save, to_onnx

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from skimbal.persistence._onnx_graph import INPUT, Graph  # noqa: E402 (as all that follows a skip)
from skimbal.persistence._onnx_layers import add_layer, lower_tail  # noqa: E402 (the same)

SMALL = {"hidden_layer_sizes": (6, 5), "max_epochs": 5, "learning_rate": 0.03, "random_state": 0}
SMALL_CNN = {"n_filters": (4, 3), "max_epochs": 4, "learning_rate": 0.03, "random_state": 0}
LABELS = np.array(["fine", "rare", "worse"])
COSTS = np.array([[0.0, 2.0, 3.0], [9.0, 0.0, 1.0], [20.0, 8.0, 0.0]])
GAINS = COSTS - 4.0 * np.eye(3)


def table(n_classes=3, n_samples=200):
    """Features on different scales, with names of the classes."""
    shares = {2: [0.8], 3: [0.6, 0.2]}[n_classes]
    X, y = make_classification(
        n_samples, 8, n_informative=5, n_classes=n_classes, weights=shares, random_state=0
    )
    return X * np.logspace(-2, 3, 8) + 50.0, LABELS[y]


def images(n_channels=2, size=8):
    rng = np.random.default_rng(0)
    y = rng.choice(3, 60)
    X = rng.normal(size=(60, n_channels, size, size)) + y[:, None, None, None]
    return X.astype(np.float32), LABELS[y]


def run(path, X):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"X": X})


def deciding(estimator):
    """The costs that decide: of the last estimator that has some."""
    while not hasattr(estimator, "cost_matrix_"):
        estimator = (
            estimator.steps[-1][1]
            if hasattr(estimator, "steps")
            else getattr(estimator, "best_estimator_", None) or estimator.estimator
        )
    return estimator.cost_matrix_


def assert_exported(estimator, X, folder, tolerance):
    """Labels are equal where the two lowest expected costs differ by more than the tolerance."""
    to_onnx(estimator, folder / "model.onnx")
    label, proba = run(folder / "model.onnx", np.asarray(X))
    expected = estimator.predict_proba(X)
    np.testing.assert_allclose(proba, expected, rtol=0.0, atol=tolerance)
    assert proba.dtype == X.dtype
    costs = deciding(estimator)
    regrets = 1.0 - np.eye(proba.shape[1]) if costs is None else regret_matrix(costs)
    lowest = np.sort(expected @ (regrets / regrets.max()), axis=1)
    is_clear = lowest[:, 1] - lowest[:, 0] > (tolerance if X.dtype == np.float32 else 0.0)
    assert is_clear.mean() > 0.9
    np.testing.assert_array_equal(label[is_clear], estimator.predict(X)[is_clear])


DENSE = [
    *(MLPClassifier(**SMALL, activation=name) for name in ["relu", "tanh", "sigmoid"]),
    *(MLPClassifier(**SMALL, activation=name) for name in ["elu", "gelu"]),
    MLPClassifier(**{**SMALL, "hidden_layer_sizes": ()}, cost_matrix=COSTS),
    MLPClassifier(**SMALL, loss="ldam", dropout=0.2, cost_matrix=GAINS),
    MLPClassifier(**SMALL, class_weight="balanced", probabilities="data"),
    MLPClassifier(**SMALL, standardize=False, cost_matrix="inverse_frequency"),
    MLPClassifier(**SMALL, standardize="robust"),
    DBNClassifier(**SMALL, pretrain_epochs=2),
    ECSDBNClassifier(**SMALL, pretrain_epochs=1, cost_cv=2, max_generations=2),
    FixedCostClassifier(MLPClassifier(**SMALL), costs=COSTS),
    FixedCostClassifier(MLPClassifier(**SMALL, cost_matrix=COSTS)),
    TunedCostClassifierCV(MLPClassifier(**SMALL), cv=2, max_generations=3, random_state=0),
    TunedCostClassifierCV(
        make_pipeline(StandardScaler(), MLPClassifier(**SMALL)),
        cv=2,
        max_generations=3,
        refit="ensemble",
        random_state=0,
    ),
    PriorCorrectedClassifier(MLPClassifier(**SMALL, class_weight="balanced")),
    make_pipeline(StandardScaler(), MLPClassifier(**SMALL)),
    make_pipeline(StandardScaler(with_std=False), "passthrough", MLPClassifier(**SMALL)),
    make_pipeline(
        make_pipeline(RobustScaler(), MaxAbsScaler()),
        MinMaxScaler((-1, 1), clip=True),
        FixedCostClassifier(MLPClassifier(**SMALL)),
    ),
    make_pipeline(
        RobustScaler(with_centering=False),
        MinMaxScaler(clip=True),
        DBNClassifier(**SMALL, pretrain_epochs=1, visible="bernoulli"),
    ),
    make_sampling_pipeline(
        StandardScaler(), RandomUnderSampler(random_state=0), MLPClassifier(**SMALL)
    ),
    GridSearchCV(MLPClassifier(**SMALL), {"max_epochs": [1, 2]}, cv=2),
    DESearchCV(
        FixedCostClassifier(MLPClassifier(**SMALL)),
        {"estimator__learning_rate": (0.001, 0.1)},
        population_size=4,
        max_generations=1,
        cv=2,
        random_state=0,
    ),
]


def name_of(estimator):
    return type(getattr(estimator, "steps", [[0, estimator]])[-1][1]).__name__


@pytest.mark.parametrize("estimator", DENSE, ids=name_of)
def test_dense_networks_are_exported_in_double_precision(estimator, tmp_path):
    X, y = table()
    fitted = clone(estimator).fit(X[:100], y[:100])
    assert_exported(fitted, X, tmp_path, 1e-9)


TWO_CLASSES = [
    MLPClassifier(**SMALL, loss="ldam", cost_matrix={("rare", "fine"): 5.0}),
    ECSDBNClassifier(**SMALL, pretrain_epochs=1, cost_cv=2, max_generations=2),
    TunedCostClassifierCV(MLPClassifier(**SMALL), cv=2),
    PriorCorrectedClassifier(MLPClassifier(**SMALL, sampler="balanced")),
]


@pytest.mark.parametrize("estimator", TWO_CLASSES, ids=name_of)
def test_two_classes(estimator, tmp_path):
    X, y = table(n_classes=2)
    fitted = clone(estimator).fit(X[:100], y[:100])
    assert_exported(fitted, X, tmp_path, 1e-9)


CONVOLUTIONS = [
    CNN1DClassifier(**SMALL_CNN),
    CNN1DClassifier(
        **SMALL_CNN,
        kernel_size=(4, 3),
        pool_size=(1, 2),
        padding="valid",
        global_pooling=False,
        dense_layer_sizes=(5,),
        dropout=0.2,
        cost_matrix=COSTS,
    ),
    CNN1DClassifier(**SMALL_CNN, kernel_size=4, loss="ldam", standardize="robust"),
    make_pipeline(StandardScaler(), FixedCostClassifier(CNN1DClassifier(**SMALL_CNN))),
]


@pytest.mark.parametrize("estimator", CONVOLUTIONS, ids=name_of)
def test_convolutions_of_signals_are_exported_in_single_precision(estimator, tmp_path):
    X, y = table()
    X = X.astype(np.float32)
    fitted = clone(estimator).fit(X[:100], y[:100])
    assert_exported(fitted, X, tmp_path, 1e-5)


NETWORKS_OF_IMAGES = [
    CNN2DClassifier(**SMALL_CNN, class_weight="balanced", probabilities="data"),
    CNN2DClassifier(**SMALL_CNN, kernel_size=[(2, 3), (3, 4)], global_pooling=False),
    ResNetClassifier(depth=8, max_epochs=2, random_state=0, cost_matrix=COSTS),
    TunedCostClassifierCV(
        CNN2DClassifier(**SMALL_CNN), cv=2, max_generations=3, refit="ensemble", random_state=0
    ),
]


@pytest.mark.parametrize("estimator", NETWORKS_OF_IMAGES, ids=name_of)
def test_networks_of_images(estimator, tmp_path):
    X, y = images()
    fitted = clone(estimator).fit(X[:40], y[:40])
    assert_exported(fitted, X, tmp_path, 1e-5)


@pytest.mark.slow
def test_a_deep_residual_network(tmp_path):
    X, y = images()
    fitted = ResNetClassifier(depth=18, max_epochs=1, random_state=0).fit(X, y)
    assert_exported(fitted, X, tmp_path, 1e-5)


def layers_of_torch(input_shape, n_classes):
    """Layers that have nodes here."""
    return nn.Sequential(
        nn.Linear(input_shape[0], 6),
        nn.BatchNorm1d(6),
        nn.GELU(),
        nn.Dropout(0.5),
        nn.Linear(6, n_classes),
    )


class Residual(nn.Module):
    """A network with a forward of its own: two parts, one of them recurrent."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.hidden = nn.Linear(input_shape[0], 8)
        self.scan = nn.GRU(2, 3, batch_first=True)
        self.last = nn.Linear(11, n_classes)

    def forward(self, x):
        h = torch.tanh(self.hidden(x))
        states, _ = self.scan(h.reshape(-1, 4, 2))
        return self.last(torch.cat([h, states[:, -1]], dim=1))


class TwoInputs(nn.Module):
    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.last = nn.Linear(8, n_classes)

    def forward(self, left, right):
        return self.last(torch.cat([left, right], dim=1))


class Bessel(nn.Module):
    """A network with a function that ONNX has not."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.last = nn.Linear(input_shape[0], n_classes)

    def forward(self, x):
        return self.last(torch.special.bessel_j0(x))


OWN = {"max_epochs": 4, "learning_rate": 0.03, "random_state": 0}


def test_own_layers(tmp_path):
    X, y = table()
    X = X.astype(np.float32)
    network = NetClassifier(layers_of_torch, **OWN, cost_matrix=COSTS)
    assert_exported(make_pipeline(StandardScaler(), network).fit(X, y), X, tmp_path, 1e-5)


@pytest.mark.slow
def test_own_modules_are_traced_by_torch(tmp_path):
    pytest.importorskip("onnxscript")
    X, y = table()
    X = X.astype(np.float32)
    network = FixedCostClassifier(NetClassifier(Residual, **OWN), costs=COSTS)
    assert_exported(make_pipeline(StandardScaler(), network).fit(X, y), X, tmp_path, 1e-5)


@pytest.mark.slow
def test_an_own_module_with_groups_of_columns(tmp_path):
    pytest.importorskip("onnxscript")
    X, y = table()
    X = X.astype(np.float32)
    columns = {"left": [6, 0, 2], "right": [1, 3, 4, 5, 7]}
    network = NetClassifier(TwoInputs, columns=columns, **OWN)
    assert_exported(network.fit(X, y), X, tmp_path, 1e-5)


@pytest.mark.slow
def test_an_own_module_that_torch_cannot_export(tmp_path):
    pytest.importorskip("onnxscript")
    network = NetClassifier(Bessel, **OWN).fit(*table())
    with pytest.raises(ValueError, match=r"torch\.onnx\.export can't export the network Bessel:"):
        to_onnx(network, tmp_path / "bessel.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_a_graph_inside_is_refused():
    kind = onnx.TensorProto.FLOAT
    value = onnx.helper.make_tensor_value_info("y", kind, None)
    one = onnx.helper.make_node("Constant", [], ["y"], value_float=1.0)
    inner = onnx.helper.make_graph([one], "inner", [], [value])
    branch = onnx.helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    condition = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.BOOL, None)
    graph = onnx.helper.make_graph([branch], "outer", [condition], [value])
    with pytest.raises(ValueError, match="conditions or loops"):
        Graph("float32").inline(onnx.helper.make_model(graph), INPUT)


def test_inputs_of_other_shapes(tmp_path):
    """Images without an axis of channels, and images for a dense network."""
    X, y = images(n_channels=1)
    assert_exported(CNN2DClassifier(**SMALL_CNN).fit(X[:, 0], y), X[:, 0], tmp_path, 1e-5)
    X = X.astype(np.float64)
    assert_exported(MLPClassifier(**SMALL).fit(X, y), X, tmp_path, 1e-9)


def test_signals_far_from_zero_keep_the_precision_of_their_deviations(tmp_path):
    X, y = table()
    X = (X - X.mean(axis=0)) / X.std(axis=0) + 1e4
    X = X.astype(np.float32)
    assert_exported(CNN1DClassifier(**SMALL_CNN).fit(X, y), X, tmp_path, 1e-5)


def test_a_network_trained_on_a_sparse_table_takes_dense_rows(tmp_path):
    X, y = table()
    X = np.where(X > 50.0, X, 0.0)
    pipeline = make_pipeline(StandardScaler(with_mean=False), MLPClassifier(**SMALL))
    fitted = pipeline.fit(sparse.csr_array(X), y)
    assert_exported(fitted, X, tmp_path, 1e-9)


def test_a_frozen_network_with_costs(tmp_path):
    X, y = table()
    frozen = FrozenEstimator(MLPClassifier(**SMALL).fit(X, y))
    assert_exported(FixedCostClassifier(frozen, costs=COSTS).fit(X, y), X, tmp_path, 1e-9)
    prefit = TunedCostClassifierCV(frozen.estimator, cv="prefit", max_generations=2, random_state=0)
    assert_exported(prefit.fit(X, y), X, tmp_path, 1e-9)


@pytest.mark.parametrize("network", [MLPClassifier(**SMALL), CNN1DClassifier(**SMALL_CNN)])
def test_numbers_of_the_other_precision_are_refused_by_onnxruntime(network, tmp_path):
    X, y = table()
    to_onnx(clone(network).fit(X, y), tmp_path / "model.onnx")
    other = X.astype(np.float32 if isinstance(network, MLPClassifier) else np.float64)
    with pytest.raises(Exception, match="Unexpected input data type"):
        run(tmp_path / "model.onnx", other)


def test_a_loaded_estimator_makes_the_same_file(tmp_path):
    X, y = table()
    fitted = make_pipeline(StandardScaler(), MLPClassifier(**SMALL)).fit(X, y)
    save(fitted, tmp_path / "model.skimbal")
    to_onnx(fitted, tmp_path / "a.onnx")
    to_onnx(load(tmp_path / "model.skimbal"), tmp_path / "no_extension")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "no_extension").read_bytes()
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["a", "ö"], "O"),
        (np.array(["no", "yes"], dtype=object), "O"),
        ([-1, 7], "i"),
        (np.array([3, 5], dtype=np.uint8), "i"),
        ([False, True], "b"),
        ([1.0, 2.0], "f"),
    ],
    ids=str,
)
@pytest.mark.parametrize("network", [MLPClassifier(**SMALL), CNN1DClassifier(**SMALL_CNN)])
def test_labels(network, labels, expected, tmp_path):
    X, y = table(n_classes=2)
    X = X.astype(np.float64 if isinstance(network, MLPClassifier) else np.float32)
    fitted = clone(network).fit(X, np.asarray(labels)[(y == "rare").astype(int)])
    to_onnx(fitted, tmp_path / "model.onnx")
    label, _ = run(tmp_path / "model.onnx", X)
    assert label.dtype.kind == expected
    np.testing.assert_array_equal(label, fitted.predict(X))
    properties = onnx.load(tmp_path / "model.onnx").metadata_props
    assert {p.key: json.loads(p.value) for p in properties} == {"classes": fitted.classes_.tolist()}


def test_names_of_columns_are_in_the_file(tmp_path):
    X, y = table()
    frame = pd.DataFrame(X, columns=[f"sensor {i}" for i in range(8)])
    scaler = StandardScaler().set_output(transform="pandas")
    fitted = make_pipeline(scaler, MLPClassifier(**SMALL)).fit(frame, y)
    to_onnx(fitted, tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    properties = {p.key: json.loads(p.value) for p in model.metadata_props}
    assert properties["feature_names"] == list(frame)
    assert [value.name for value in model.graph.output] == ["label", "probabilities"]
    label, _ = run(tmp_path / "model.onnx", X)
    np.testing.assert_array_equal(label, fitted.predict(frame))


@pytest.mark.parametrize("network", [MLPClassifier(**SMALL), CNN1DClassifier(**SMALL_CNN)])
def test_without_onnxruntime_the_graph_is_tried_by_onnx(network, tmp_path, monkeypatch):
    X, y = table()
    fitted = clone(network).fit(X, y)
    to_onnx(fitted, tmp_path / "a.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    to_onnx(fitted, tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_without_onnx_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install onnx .*pip install '\.\[onnx\]'"):
        to_onnx(MLPClassifier(), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- layers and formulas


def run_single(graph, x):
    """The output "y" of a graph for inputs in its precision."""
    session = onnxruntime.InferenceSession(graph.model_bytes(x.shape[1:], {}))
    return session.run(None, {INPUT: x})[0]


def layers():
    torch.manual_seed(0)
    norm1, norm2 = nn.BatchNorm1d(4), nn.BatchNorm2d(4)
    for layer in (norm1, norm2):
        layer.running_mean.normal_()
        layer.running_var.uniform_(0.5, 2.0)
        nn.init.normal_(layer.weight)
    generator = torch.Generator().manual_seed(0)
    signals, pictures = (4, 13), (4, 9, 12)
    return [
        (nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2), signals),
        (nn.Conv1d(4, 6, 4, padding="same", dilation=3, bias=False), signals),
        (nn.Conv2d(4, 2, (3, 2), stride=(1, 3), padding=(0, 1)), pictures),
        (nn.Conv2d(4, 2, (4, 3), padding="same"), pictures),
        (nn.ConstantPad1d((1, 2), 0.5), signals),
        (nn.ConstantPad2d((1, 2, 3, 0), -1.0), pictures),
        (nn.MaxPool1d(3, stride=2, padding=1), signals),
        (nn.MaxPool2d((2, 3), dilation=2), pictures),
        (nn.AdaptiveAvgPool1d(1), signals),
        (nn.AdaptiveAvgPool2d((1, 1)), pictures),
        (norm1, signals),
        (nn.Sequential(norm2, nn.Identity(), nn.Dropout(0.5), nn.Flatten()), pictures),
        (nn.ELU(alpha=1.5), signals),
        (nn.Linear(13, 3, bias=False), (13,)),
        (Block(4, 4, 1, projection=False, generator=generator), pictures),
        (Block(4, 7, 2, projection=False, generator=generator), pictures),
        (Block(4, 8, 2, projection=True, generator=generator), pictures),
    ]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize(("layer", "shape"), layers(), ids=lambda value: type(value).__name__)
def test_layers_compute_what_torch_computes(layer, shape):
    x = np.random.default_rng(0).normal(size=(5, *shape)).astype(np.float32)
    with torch.no_grad():
        expected = layer.eval()(torch.as_tensor(x)).numpy()
    graph = Graph("float32")
    graph.output("y", add_layer(layer, graph, INPUT), "float32", expected.shape[1:])
    np.testing.assert_allclose(run_single(graph, x), expected, rtol=0.0, atol=1e-5)


def test_the_normal_distribution_function_of_gelu():
    size = np.linspace(0.0, 40.0, 4001)
    graph = Graph("float64")
    graph.output("y", lower_tail(graph, INPUT), "float64")
    np.testing.assert_allclose(run_single(graph, size), norm.cdf(-size), rtol=1e-12, atol=1e-300)


def test_a_constant_is_subtracted_with_the_precision_of_the_result():
    x = np.float32([1e6 + 0.25, 1e6 + 0.5])
    graph = Graph("float32")
    graph.output("y", graph.subtract(INPUT, 1e6 + 0.2501), "float32")
    np.testing.assert_allclose(run_single(graph, x), [-0.0001, 0.2499], rtol=1e-5)


# ---------------------------------------------------------------- what is refused


class Contrary(MLPClassifier):
    """Predicts in a way of its own."""

    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1]


class Late(MLPClassifier):
    """Decides in a way of its own."""

    def predict(self, X):
        return np.repeat(self.classes_[-1:], len(X))


class OwnLayer(nn.Module):
    def forward(self, x):
        return x


def with_own_layer(X, y):
    network = MLPClassifier(**SMALL).fit(X, y)
    network.net_.module_.features.append(OwnLayer())
    return network


def labels_of_two_kinds(X, y):
    days = np.array(["2026-01-01", "2026-01-02", "2026-01-03"], dtype="datetime64[D]")
    network = MLPClassifier(**SMALL).fit(X, y)
    network.classes_ = days
    return network


def fitted_on_a_dict(X, y):
    return NetClassifier(TwoInputs, **OWN).fit({"left": X[:, :3], "right": X[:, 3:]}, y)


REFUSED = [
    (lambda X, y: LogisticRegression().fit(X > 50, y), "the estimator, LogisticRegression"),
    (
        lambda X, y: make_pipeline(StandardScaler(), PCA(3), MLPClassifier(**SMALL)).fit(X, y),
        r"the step 'pca', PCA; it exports the scalers StandardScaler.*TunedCostClassifierCV",
    ),
    (
        lambda X, y: make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y),
        "the step 'logisticregression', LogisticRegression",
    ),
    (
        lambda X, y: FixedCostClassifier(RandomForestClassifier(2, random_state=0)).fit(X, y),
        "the estimator_ of FixedCostClassifier, RandomForestClassifier",
    ),
    (
        lambda X, y: BalancedBaggingNetClassifier(
            MLPClassifier(**SMALL), n_estimators=2, random_state=0
        ).fit(X[:50], y[:50]),
        "the estimator, BalancedBaggingNetClassifier",
    ),
    (
        lambda X, y: WindowedClassifier(CNN1DClassifier(**SMALL_CNN), size=4, step=4).fit(
            X[:, None], y
        ),
        "the estimator, WindowedClassifier",
    ),
    (
        lambda X, y: GridSearchCV(
            MLPClassifier(**SMALL), {"max_epochs": [1]}, cv=2, refit=False
        ).fit(X, y),
        "no best_estimator_ to export; set refit=True",
    ),
    (lambda X, y: Contrary(**SMALL).fit(X, y), "nothing is written.*probabilities that differ"),
    (lambda X, y: Late(**SMALL).fit(X, y), r"\(1e-09 is allowed\), and \d+ other labels"),
    (fitted_on_a_dict, "fitted on a dict of arrays; fit it on a table"),
    (with_own_layer, r"the layer OwnLayer\(\) can't be exported; to_onnx exports Flatten, Linear"),
    (labels_of_two_kinds, r"of type datetime64\[D\], which ONNX has not"),
    (lambda X, y: {"a": 1}, "is no estimator"),
    (lambda X, y: MLPClassifier, "is no estimator"),
]


@pytest.mark.filterwarnings("ignore:[0-9]+ of [0-9]+ samples are in every bag:UserWarning")
@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_cannot_be_exported_is_refused_before_anything_is_written(make, message, tmp_path):
    X, y = table()
    path = tmp_path / "old.onnx"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=message):
        to_onnx(make(X, y), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "estimator", [MLPClassifier(), FixedCostClassifier(MLPClassifier()), ECSDBNClassifier()]
)
def test_an_estimator_that_is_not_fitted(estimator, tmp_path):
    with pytest.raises(NotFittedError, match=type(estimator).__name__):
        to_onnx(estimator, tmp_path / "model.onnx")
    with pytest.raises(NotFittedError):
        to_onnx(make_pipeline(StandardScaler(), estimator), tmp_path / "model.onnx")


def test_values_that_single_precision_cannot_hold(tmp_path):
    """MinMaxScaler adds a number that is large compared with the deviations."""
    X, y = table()
    X = (X - X.mean(axis=0)) / X.std(axis=0) + 1e7
    fitted = make_pipeline(MinMaxScaler(), CNN1DClassifier(**SMALL_CNN)).fit(X, y)
    with pytest.raises(ValueError, match="in single precision, neither can values that are large"):
        to_onnx(fitted, tmp_path / "model.onnx")


def test_a_folder_a_missing_folder_and_a_full_disk(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError(28, "No space left on device")

    fitted = MLPClassifier(**SMALL).fit(*table())
    with pytest.raises(ValueError, match="is a folder"):
        to_onnx(fitted, tmp_path)
    with pytest.raises(ValueError, match="in no folder"):
        to_onnx(fitted, tmp_path / "missing" / "model.onnx")
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        to_onnx(fitted, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_onnx_has_two_gibibytes(monkeypatch, tmp_path):
    monkeypatch.setattr("skimbal.persistence._onnx_graph.MAX_BYTES", 100)
    fitted = MLPClassifier(**SMALL).fit(*table())
    with pytest.raises(ValueError, match="a file of ONNX has at most 100"):
        to_onnx(fitted, tmp_path / "model.onnx")
