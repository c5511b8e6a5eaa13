"""A loaded estimator is the one that was saved: predictions, continued training, parameters."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from imblearn.under_sampling import RandomUnderSampler
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skorch.callbacks import EpochTimer

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
from skimbal.ensemble import PriorCorrectedClassifier, WeightedELMClassifier
from skimbal.losses import all_losses
from skimbal.model_selection import ClassWeights, CostMatrix
from skimbal.neural_network import Module
from skimbal.persistence import load, save
from skimbal.preprocessing import TableEncoder
from skimbal.sampling import NDSampler
from tests.persistence import own_code

SMALL = {"hidden_layer_sizes": (6,), "max_epochs": 3, "random_state": 0}
SMALL_CNN = {"n_filters": (4,), "max_epochs": 2, "random_state": 0}
LABELS = np.array(["fine", "rare"])


def data(n_features=8):
    X, y = make_classification(80, n_features, weights=[0.7], random_state=0)
    return X.astype(np.float32), LABELS[y]


def there_and_back(estimator, folder, trusted=()):
    save(estimator, folder / "estimator.skimbal")
    return load(folder / "estimator.skimbal", trusted=trusted)


def assert_same(loaded, estimator, X):
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X), strict=True)
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X), strict=True)


NETWORKS = [
    MLPClassifier(**SMALL, standardize="robust"),
    MLPClassifier(**SMALL, dropout=0.2, early_stopping=True, scoring="g_mean"),
    MLPClassifier(**SMALL, sampler="balanced", optimizer="sgd", learning_rate_schedule="cosine"),
    DBNClassifier(**SMALL, pretrain_epochs=2),
    CNN1DClassifier(**SMALL_CNN),
    CNN2DClassifier(**SMALL_CNN),
    ResNetClassifier(depth=8, max_epochs=1, random_state=0),
    *(
        MLPClassifier(
            **SMALL, loss=loss(), cost_matrix="inverse_frequency" if loss().needs_costs else None
        )
        for loss in all_losses().values()
    ),
]


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_a_network_predicts_the_same_and_its_training_continues(network, tmp_path):
    X, y = data()
    fitted = clone(network).fit(X, y)
    loaded = there_and_back(fitted, tmp_path)
    assert_same(loaded, fitted, X)
    np.testing.assert_array_equal(loaded.transform(X), fitted.transform(X))
    pd.testing.assert_frame_equal(loaded.history_, fitted.history_)
    assert list(loaded.net_.history) == list(fitted.net_.history)
    for each in (loaded, fitted):
        each.set_params(early_stopping=False).partial_fit(X, y)
    assert_same(loaded, fitted, X)
    assert_same(clone(loaded).fit(X, y), clone(fitted).fit(X, y), X)


META = [
    FixedCostClassifier(LogisticRegression(), costs={"fine": 1.0, "rare": 5.0}),
    TunedCostClassifierCV(MLPClassifier(**SMALL), cv=2, random_state=0),
    ECSDBNClassifier(**SMALL, pretrain_epochs=1, cost_cv=2, max_generations=2),
    BalancedBaggingNetClassifier(MLPClassifier(**SMALL), n_estimators=2, random_state=0),
    PriorCorrectedClassifier(MLPClassifier(**SMALL, class_weight="balanced")),
    WeightedELMClassifier(random_state=0),
    WindowedClassifier(CNN1DClassifier(**SMALL_CNN), size=4, step=2),
    make_pipeline(StandardScaler(), SelectKBest(f_classif, k=4), MLPClassifier(**SMALL)),
    make_pipeline(FunctionTransformer(np.arcsinh), LogisticRegression()),
    make_sampling_pipeline(RandomUnderSampler(random_state=0), MLPClassifier(**SMALL)),
    make_sampling_pipeline(NDSampler(RandomUnderSampler(random_state=0)), MLPClassifier(**SMALL)),
    GridSearchCV(
        MLPClassifier(**SMALL),
        {"learning_rate": [0.01, 0.1]},
        cv=StratifiedKFold(2),
        scoring=make_scorer(f1_score, pos_label="rare"),
    ),
    DESearchCV(
        MLPClassifier(**SMALL),
        {"learning_rate": (0.001, 0.1)},
        population_size=4,
        max_generations=1,
        cv=2,
        random_state=0,
    ),
]


@pytest.mark.filterwarnings("ignore:the window")
@pytest.mark.parametrize("estimator", META, ids=lambda estimator: type(estimator).__name__)
def test_estimators_that_hold_others(estimator, tmp_path):
    X, y = data()
    if isinstance(estimator, WindowedClassifier):
        X = X[:, None]
    fitted = clone(estimator).fit(X, y)
    loaded = there_and_back(fitted, tmp_path)
    assert_same(loaded, fitted, X)
    assert repr(loaded) == repr(fitted)
    assert_same(clone(loaded).fit(X, y), clone(fitted).fit(X, y), X)


def column_transformer():
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["speed", "load"]),
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["machine", "note"]),
        ],
        sparse_threshold=0,
    )


@pytest.mark.parametrize(
    "make_encoder",
    [column_transformer, TableEncoder, lambda: TableEncoder(max_one_hot=1)],
    ids=["columns", "one-hot", "target"],
)
def test_a_table_of_texts_and_missing_values(make_encoder, tmp_path):
    X, y = data()
    frame = pd.DataFrame(X[:, :2], columns=["speed", "load"])
    frame["machine"] = pd.Categorical(np.where(X[:, 2] > 0, "a", "b"))
    frame["note"] = np.where(X[:, 3] > 0, "new", None)
    frame.loc[::7, "speed"] = np.nan
    fitted = make_pipeline(make_encoder(), MLPClassifier(**SMALL)).fit(frame, y)
    loaded = there_and_back(fitted, tmp_path)
    assert_same(loaded, fitted, frame)
    np.testing.assert_array_equal(loaded.feature_names_in_, fitted.feature_names_in_)


def test_a_generator_that_two_parts_share_is_shared_after_loading(tmp_path):
    fitted = MLPClassifier(**SMALL, dropout=0.5).fit(*data())
    loaded = there_and_back(fitted, tmp_path)
    dropout = next(m for m in loaded.net_.module_.modules() if type(m).__name__ == "Dropout")
    assert dropout.generator is loaded._training_plan.noise_generator


VALUES = [
    None,
    True,
    2**70,
    -0.0,
    float("inf"),
    "a\ud800b",
    b"\x00\xff",
    1 + 2j,
    (1, [2.5, {"a": (None,)}]),
    {1: "x", "y": 2.0, (1, 2): [3]},
    {2, 1},
    frozenset([1]),
    slice(1, None, 2),
    np.float32(1.5),
    np.str_("label"),
    np.datetime64("2026-01-01", "D"),
    np.arange(6).reshape(2, 3).T,
    np.array(1.5),
    np.zeros((0, 3), dtype=np.float16),
    np.array(["a", "long text"]),
    np.array([b"a", b"bc"]),
    np.array(["a", None, 1.5, (1,)], dtype=object),
    np.array([1 + 2j, 3]),
    np.array([1, "NaT"], dtype="datetime64[s]"),
    np.arange(3, dtype=">i4"),
    np.float32,
    float,
    np.log1p,
    f_classif,
    ClassWeights({"rare": 5.0, "fine": 1.0}),
    pd.Series([1, 2], index=["a", "b"], name="weights"),
    pd.DataFrame({"a": [1.5, 2.0], 3: ["x", None]}, index=pd.Index([4, 2], name="row")),
    pd.DataFrame({"c": pd.Categorical(["u", "v"]), "i": pd.array([1, None], dtype="Int64")}),
]


def assert_equal(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(found, expected)
    elif isinstance(expected, np.ndarray | np.generic):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype.newbyteorder("<")
        assert found.flags.f_contiguous == expected.flags.f_contiguous
    elif isinstance(expected, set):
        assert found == expected
    else:
        assert repr(found) == repr(expected)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values(value, tmp_path):
    loaded = there_and_back(own_code.Doubler(value), tmp_path, [own_code.Doubler])
    assert_equal(loaded.factor, value)


def test_random_states_sparse_matrices_masks_distributions_and_tensors(tmp_path):
    def through(value):
        return there_and_back(own_code.Doubler(value), tmp_path, [own_code.Doubler]).factor

    for source in (np.random.RandomState(3), np.random.default_rng(3)):
        source.normal(size=3)
        loaded = through(source)
        np.testing.assert_array_equal(loaded.normal(size=5), source.normal(size=5))
    matrix = sparse.csr_array(np.diag([1.0, 2.0]))
    np.testing.assert_array_equal(through(matrix).toarray(), matrix.toarray())
    masked = np.ma.MaskedArray([1.0, 2.0], mask=[True, False])
    assert repr(through(masked)) == repr(masked)
    uniform = stats.loguniform(1e-3, 1.0)
    assert through(uniform).rvs(random_state=0) == uniform.rvs(random_state=0)
    tensor = torch.tensor([1.5, 2.0], dtype=torch.bfloat16)
    assert torch.equal(through(tensor), tensor)
    costs = CostMatrix(["a", "b"], [[0, 2], [3, 0]])
    np.testing.assert_array_equal(np.asarray(through(costs)), np.asarray(costs))


def test_a_tree_goes_through_skops(tmp_path):
    pytest.importorskip("skops")
    X, y = data()
    fitted = FixedCostClassifier(RandomForestClassifier(3, random_state=0)).fit(X, y)
    with pytest.raises(ValueError, match=r"it needs sklearn\.tree\._tree\.Tree"):
        there_and_back(fitted, tmp_path)
    loaded = load(tmp_path / "estimator.skimbal", trusted=["sklearn.tree._tree.Tree"])
    assert_same(loaded, fitted, X)


def test_own_classes_and_functions_are_loaded_if_they_are_trusted(tmp_path):
    X, y = data()
    network = MLPClassifier(
        **SMALL, loss=own_code.Scaled(2.0), learning_rate_schedule=own_code.half_wave
    )
    fitted = make_pipeline(own_code.Doubler(), network).fit(X, y)
    save(fitted, tmp_path / "own.skimbal")
    names = [f"{own_code.__name__}:{name}" for name in ("Doubler", "Scaled", "half_wave")]
    with pytest.raises(ValueError, match=r"own_code:Doubler.*own_code:(Scaled|half_wave)"):
        load(tmp_path / "own.skimbal")
    assert_same(load(tmp_path / "own.skimbal", trusted=names), fitted, X)
    things = [own_code.Doubler, own_code.Scaled, own_code.half_wave]
    assert_same(load(tmp_path / "own.skimbal", trusted=things), fitted, X)


@pytest.mark.parametrize("is_instance", [False, True])
def test_own_networks_are_loaded_if_their_class_is_trusted(is_instance, tmp_path):
    X, y = data()
    module = own_code.Two({"a": (3,), "b": (5,)}, 2) if is_instance else Module(own_code.Two)
    columns = {"a": slice(0, 3), "b": [3, 4, 5, 6, 7]}
    rates = {"backbone.*": 1e-4}
    network = NetClassifier(module, columns=columns, learning_rates=rates, frozen="backbone.0.*")
    fitted = network.set_params(max_epochs=2, random_state=0).fit(X, y)
    save(fitted, tmp_path / "own.skimbal")
    with pytest.raises(ValueError, match="own_code:Two"):
        load(tmp_path / "own.skimbal")
    loaded = load(tmp_path / "own.skimbal", trusted=[own_code.Two])
    assert_same(loaded, fitted, X)
    np.testing.assert_array_equal(loaded.transform(X), fitted.transform(X))
    assert_same(loaded.partial_fit(X, y), fitted.partial_fit(X, y), X)
    assert_same(clone(loaded).fit(X, y), clone(fitted).fit(X, y), X)


def test_attention_of_torch_needs_no_trust(tmp_path):
    X, y = data()
    X = X.reshape(len(X), 2, 4)
    attention = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    module = torch.nn.Sequential(attention, torch.nn.Flatten(), torch.nn.Linear(8, 2))
    fitted = NetClassifier(module, max_epochs=1, random_state=0).fit(X, y)
    save(fitted, tmp_path / "attention.skimbal")
    assert_same(load(tmp_path / "attention.skimbal"), fitted, X)


def test_a_network_that_is_made_by_a_lambda_is_not_saved(tmp_path):
    fitted = NetClassifier(lambda shape, n: torch.nn.Linear(*shape, n), max_epochs=1).fit(*data())
    with pytest.raises(ValueError, match=r"module can't be saved|found again"):
        save(fitted, tmp_path / "own.skimbal")
    assert not (tmp_path / "own.skimbal").exists()


def test_callbacks_state_files_and_caches_are_left_out_with_a_warning(tmp_path):
    network = MLPClassifier(**SMALL, callbacks=[EpochTimer]).fit(*data())
    with pytest.warns(UserWarning, match=r"MLPClassifier\.callbacks is not saved"):
        loaded = there_and_back(network, tmp_path)
    assert loaded.callbacks is None
    assert network.callbacks == [EpochTimer]
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(), memory="cache")
    with pytest.warns(UserWarning, match="memory is not saved"):
        assert there_and_back(pipeline, tmp_path).memory is None


def test_parameters_that_were_changed_after_the_fit_change_no_network(tmp_path):
    X, y = data()
    fitted = MLPClassifier(**SMALL).fit(X, y).set_params(hidden_layer_sizes=(99,))
    loaded = there_and_back(fitted, tmp_path)
    assert_same(loaded, fitted, X)
    assert loaded.hidden_layer_sizes == (99,)


def test_a_network_of_another_device_is_loaded_on_the_processor(tmp_path, monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("the device is there")
    fitted = MLPClassifier(**SMALL).fit(*data())
    monkeypatch.setattr("skimbal.persistence._torch_objects.device_text", lambda device: "cuda:0")
    save_warnings = pytest.warns(UserWarning, match="cuda:0, which this machine does not have")
    with save_warnings:
        loaded = there_and_back(fitted, tmp_path)
    assert_same(loaded, fitted, data()[0])


def test_the_same_estimator_makes_the_same_file(tmp_path):
    fitted = MLPClassifier(**SMALL).fit(*data())
    save(fitted, tmp_path / "a")
    save(pickle.loads(pickle.dumps(fitted)), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_version_of_scikit_learn_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("skimbal").persistence._files.VERSIONS, "scikit-learn", "1.2.3")
    with pytest.warns(InconsistentVersionWarning, match=r"1\.2\.3"):
        there_and_back(LogisticRegression(), tmp_path)


def local_function(x):
    return x


def make_local_class():
    class Local(own_code.Doubler):
        pass

    return Local


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            MLPClassifier(scoring=lambda *args: 0.0),
            r"MLPClassifier\.scoring can't be saved.*lambda",
        ),
        (make_local_class()(), "can't be saved.*local class"),
        (own_code.Doubler(make_local_class()), r"Doubler\.factor can't be saved"),
        (own_code.Doubler(np), r"factor is builtins\.module"),
        (own_code.Doubler(own_code.Doubler(b"").fit), "factor"),
        (own_code.Stubborn().fit(None, None), "handle_"),
        (MLPClassifier, "is no estimator"),
        ({"a": 1}, "is no estimator"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_saved_is_refused_before_anything_is_written(estimator, message, tmp_path):
    path = tmp_path / "old.skimbal"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=message):
        save(estimator, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_estimator_that_contains_itself_is_refused(tmp_path):
    estimator = own_code.Doubler()
    estimator.factor = [estimator]
    with pytest.raises(ValueError, match="contains itself"):
        save(estimator, tmp_path / "file")


def test_a_folder_or_a_missing_folder_is_a_value_error(tmp_path):
    with pytest.raises(ValueError, match="is a folder"):
        save(MLPClassifier(), tmp_path)
    with pytest.raises(ValueError, match="in no folder"):
        save(MLPClassifier(), tmp_path / "missing" / "file")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing")
    with pytest.raises(ValueError, match="no regular file"):
        load(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    save(MLPClassifier(), path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        save(MLPClassifier(max_epochs=7), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
