"""What an ensemble takes, and what its warm start must be given again."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags

from skimbal import BalancedBaggingNetClassifier, MLPClassifier

NETWORK = MLPClassifier(max_epochs=3)
RNG = np.random.default_rng(0)
Y = (RNG.random(120) < 0.3).astype(int)
X = RNG.normal(size=(120, 3)) + Y[:, None]
FRAME = pd.DataFrame(X, columns=list("abc")).assign(text=np.where(RNG.random(120) < 0.5, "u", "v"))


def with_nan():
    holed = X.copy()
    holed[::7, 1] = np.nan
    return holed


def encoded(model):
    one_hot = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["text"]), remainder="passthrough"
    )
    return make_pipeline(one_hot, model)


INPUTS = {
    "NaN, boosting": (HistGradientBoostingClassifier(max_iter=5), with_nan()),
    "NaN, tree": (DecisionTreeClassifier(max_depth=2), with_nan()),
    "frame with texts, network": (encoded(NETWORK), FRAME),
    "frame with texts and NaN": (
        encoded(HistGradientBoostingClassifier(max_iter=5)),
        FRAME.assign(a=with_nan()[:, 1]),
    ),
    "categories": (
        HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype"),
        FRAME.assign(text=FRAME["text"].astype("category")),
    ),
    "CSR": (LogisticRegression(), scipy.sparse.csr_matrix(X)),
    "COO": (LogisticRegression(), scipy.sparse.coo_matrix(X)),
    "sparse array": (LogisticRegression(), scipy.sparse.csc_array(X)),
    "texts": (make_pipeline(CountVectorizer(), LogisticRegression()), [f"a word{v}" for v in Y]),
    "lists": (NETWORK, X.tolist()),
    "float32": (NETWORK, X.astype("float32")),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_an_ensemble_takes_what_its_estimator_takes(kind):
    estimator, given = INPUTS[kind]
    ensemble = BalancedBaggingNetClassifier(
        estimator, encoding=None, n_estimators=5, random_state=0
    ).fit(given, Y)
    assert ensemble.predict_proba(given).shape == (120, 2)
    assert np.isfinite(ensemble.oob_score_)
    if isinstance(given, pd.DataFrame):
        assert ensemble.feature_names_in_.tolist() == given.columns.tolist()
        with pytest.raises(ValueError, match="feature names"):
            ensemble.predict(given.rename(columns={"a": "z"}))
    assert getattr(ensemble, "n_features_in_", None) == (
        given.shape[1] if hasattr(given, "shape") else (3 if kind == "lists" else None)
    )


def test_without_an_encoding_nothing_changes_for_arrays():
    found = [
        BalancedBaggingNetClassifier(LogisticRegression(), encoding=None, random_state=0)
        .fit(given, Y)
        .predict_proba(X)
        for given in (X, X.tolist())
    ]
    np.testing.assert_array_equal(*found)


def test_encoded_inputs_are_finite_dense_numbers():
    infinite = np.where(X > 2.5, np.inf, X)
    for given, error in (
        (with_nan(), "NaN"),
        (FRAME, "column .text. holds texts"),
        (infinite, "infinity"),
    ):
        with pytest.raises(ValueError, match=error):
            BalancedBaggingNetClassifier(n_estimators=2).fit(given, Y)
    with pytest.raises(ValueError, match="X is sparse, but encoding='rank' takes dense arrays"):
        BalancedBaggingNetClassifier(encoding="rank").fit(scipy.sparse.csr_matrix(X), Y)


@pytest.mark.parametrize("name", ["allow_nan", "sparse", "string", "categorical"])
@pytest.mark.parametrize(
    "estimator", [HistGradientBoostingClassifier(), LogisticRegression(), NETWORK]
)
def test_tags_of_inputs_are_those_of_the_estimator_without_an_encoding(estimator, name):
    inner = getattr(get_tags(estimator).input_tags, name)
    sparse = inner and name == "sparse"  # tables that are not encoded
    for encoding, expected in ((None, inner), ("auto", sparse), ("standard", False)):
        ensemble = BalancedBaggingNetClassifier(estimator, encoding=encoding)
        assert getattr(get_tags(ensemble).input_tags, name) == expected


LABELS = {
    "dates in ns": np.array(["2020-01-01", "2021-05-05"], dtype="M8[ns]"),
    "dates in days": np.array(["2020-01-01", "2021-05-05"], dtype="M8[D]"),
    "int8": np.array([3, 7], dtype="int8"),
    "bool": np.array([False, True]),
    "float32": np.array([1, 2], dtype="float32"),
    "object": np.array(["no", "yes"], dtype=object),
    "text": np.array(["no", "yes"]),
}


@pytest.mark.parametrize("sampling_strategy", [None, "auto"])
@pytest.mark.parametrize("kind", LABELS)
def test_labels_keep_their_dtype(kind, sampling_strategy):
    labels = LABELS[kind]
    ensemble = BalancedBaggingNetClassifier(
        NETWORK, n_estimators=4, sampling_strategy=sampling_strategy, random_state=0
    ).fit(X, labels[Y])
    assert ensemble.classes_.dtype == labels.dtype
    np.testing.assert_array_equal(ensemble.classes_, labels)
    expected = BalancedBaggingNetClassifier(
        NETWORK, n_estimators=4, sampling_strategy=sampling_strategy, random_state=0
    ).fit(X, Y)
    np.testing.assert_array_equal(ensemble.predict(X), labels[expected.predict(X)])
    assert ensemble.predict(X).dtype == labels.dtype
    assert ensemble.oob_score_ == expected.oob_score_


def warm(**options):
    options = {"n_estimators": 3, "warm_start": True, "random_state": 0} | options
    return BalancedBaggingNetClassifier(MLPClassifier(max_epochs=2), **options)


ORDER = np.random.default_rng(1).permutation(120)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ((X[ORDER], Y[ORDER]), "X, y"),
        ((X[:, [1, 0, 2]], Y), "X"),
        ((X + 1, Y), "X"),
        ((X[:, :2], Y), "X"),
        ((X, np.roll(Y, 1)), "y"),
        ((X, Y, np.ones(120)), "sample_weight"),
        ((FRAME[["b", "a", "c"]].set_axis(["a", "b", "c"], axis=1), Y), "X, columns"),
    ],
)
@pytest.mark.parametrize("encoding", ["auto", None])
def test_a_warm_start_refuses_other_data(given, names, encoding):
    ensemble = warm(encoding=encoding).fit(X, Y)
    before = ensemble.predict_proba(X)
    for name in names.split(", "):
        with pytest.raises(ValueError, match=rf"differ: .*{name}.*use warm_start=False"):
            ensemble.set_params(n_estimators=4).fit(*given)
    np.testing.assert_array_equal(ensemble.predict_proba(X), before)


@pytest.mark.parametrize("encoding", ["auto", None])
def test_a_warm_start_refuses_other_columns(encoding):
    numbers = FRAME[["a", "b", "c"]]
    ensemble = warm(encoding=encoding).fit(numbers, Y)
    with pytest.raises(ValueError, match=r"differ: .*columns"):
        ensemble.set_params(n_estimators=4).fit(numbers.set_axis(["a", "b", "z"], axis=1), Y)
    ensemble.fit(numbers.copy(), Y)
    assert len(ensemble.estimators_) == 4


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"estimator__hidden_layer_sizes": (7,)}, "estimator"),
        ({"estimator": LogisticRegression()}, "estimator"),
        ({"sampling_strategy": "auto"}, "sampling_strategy"),
        ({"replacement": False, "sampling_strategy": "auto"}, "replacement, sampling_strategy"),
        ({"encoding": "rank"}, "encoding"),
        ({"random_state": 1}, "random_state"),
    ],
)
def test_a_warm_start_refuses_changed_settings(changed, name):
    ensemble = warm().fit(X, Y).set_params(n_estimators=4, **changed)
    with pytest.raises(ValueError, match=f"differ: {name}; give the same"):
        ensemble.fit(X, Y)
    assert len(ensemble.estimators_) == 3


@pytest.mark.parametrize("given", [X, np.asfortranarray(X), X.tolist(), np.repeat(X, 2, 0)[::2]])
def test_a_warm_start_takes_the_same_data_in_another_form(given):
    ensemble = warm().fit(X, Y).set_params(n_estimators=5, n_jobs=1, oob_score=True, shrinkage=0.2)
    ensemble.fit(given, Y)
    whole = warm(n_estimators=5).fit(X, Y)
    np.testing.assert_array_equal(ensemble.predict_proba(X), whole.predict_proba(X))


def test_a_warm_start_that_adds_nothing_warns():
    ensemble = warm().fit(X, Y)
    with pytest.warns(UserWarning, match="adds no networks, because there are n_estimators=3"):
        ensemble.fit(X, Y)
    assert len(ensemble.estimators_) == 3


def test_samples_without_out_of_bag_probabilities_warn():
    with pytest.warns(UserWarning, match=r"\d+ of 120 samples are in every bag") as caught:
        ensemble = warm(n_estimators=1).fit(X, Y)
    assert str(caught[0].message).startswith(f"{ensemble.n_always_in_bag_} of 120")
    assert caught[0].filename == __file__
