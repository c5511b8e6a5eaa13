"""Frames with numbers, texts, categories, truth values and missing values, through pipelines."""

import os
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skimbal import (
    BalancedBaggingNetClassifier,
    DBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal.datasets import load_ai4i2020, load_kddcup99
from skimbal.exceptions import DataNotFoundError
from skimbal.preprocessing import TableEncoder

NET = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=3, random_state=0)
ESTIMATORS = {
    "network": NET,
    "belief network": DBNClassifier(
        hidden_layer_sizes=(8,), pretrain_epochs=1, max_epochs=2, random_state=0
    ),
    "fixed costs": FixedCostClassifier(NET),
    "tuned costs": TunedCostClassifierCV(NET, cv=2, random_state=0),
    "bagging": BalancedBaggingNetClassifier(NET, n_estimators=3, random_state=0),
}


def make_visits(n_rows=160, seed=0):
    """Visits to a hospital with columns of each kind, and whether the patient comes back early."""
    rng = np.random.default_rng(seed)
    visits = pd.DataFrame(
        {
            "days": rng.integers(1, 14, n_rows),
            "glucose": rng.normal(7.0, 2.0, n_rows),
            "insulin": rng.choice(["No", "Steady", "Up"], n_rows),
            "ward": pd.Categorical(rng.choice(["surgery", "cardiology"], n_rows)),
            "emergency": rng.random(n_rows) < 0.4,
            "diagnosis": rng.choice(["heart failure", "asthma", "type 2 diabetes"], n_rows),
        }
    )
    risk = visits["days"] + 4 * visits["emergency"] + rng.normal(size=n_rows)
    y = np.where(risk > risk.quantile(0.8), "<30", "later")
    visits.loc[rng.random(n_rows) < 0.2, "glucose"] = np.nan
    visits.loc[rng.random(n_rows) < 0.1, "insulin"] = None
    return visits, y


def column_transformer(**options):
    numbers = make_column_selector(dtype_include="number")
    others = make_column_selector(dtype_exclude="number")
    return make_column_transformer(
        (SimpleImputer(strategy="median", add_indicator=True), numbers),
        (OneHotEncoder(**({"handle_unknown": "ignore"} | options)), others),
        sparse_threshold=1.0,
    )


def table_vectorizer():
    skrub = pytest.importorskip("skrub")
    return make_pipeline(skrub.TableVectorizer(), SimpleImputer(strategy="median"))


ENCODERS = {
    "ColumnTransformer": column_transformer,
    "TableVectorizer": table_vectorizer,
    "TableEncoder": TableEncoder,
}
each = pytest.mark.parametrize("encoder", ENCODERS)
VISITS, Y = make_visits()


@pytest.fixture(scope="module", params=ENCODERS)
def fitted(request):
    return make_pipeline(ENCODERS[request.param](), clone(NET)).fit(VISITS, Y)


@each
@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
def test_every_kind_of_column_reaches_every_kind_of_estimator(encoder, kind):
    model = make_pipeline(ENCODERS[encoder](), clone(ESTIMATORS[kind])).fit(VISITS, Y)
    new, _ = make_visits(30, seed=1)
    proba = model.predict_proba(new)
    assert proba.shape == (30, 2)
    assert np.isfinite(proba).all()
    assert set(model.predict(new)) <= {"<30", "later"}


def test_the_column_transformer_gives_a_sparse_table_that_counts_as_the_dense_one():
    encoded = column_transformer().fit_transform(VISITS)
    assert issparse(encoded)
    sparse, dense = (clone(NET).fit(X, Y).predict_proba(X) for X in (encoded, encoded.toarray()))
    np.testing.assert_allclose(sparse, dense, atol=1e-6)


def test_a_missing_column_is_named(fitted):
    with pytest.raises(ValueError, match="insulin"):
        fitted.predict(VISITS.drop(columns="insulin"))


def test_the_column_transformer_finds_its_columns_by_name():
    model = make_pipeline(column_transformer(), clone(NET)).fit(VISITS, Y)
    expected = model.predict_proba(VISITS)
    moved = VISITS[VISITS.columns[::-1]].assign(new=1.0)
    np.testing.assert_array_equal(model.predict_proba(moved), expected)


def test_the_table_vectorizer_refuses_a_new_column():
    model = make_pipeline(table_vectorizer(), clone(NET)).fit(VISITS, Y)
    with pytest.raises(ValueError, match=r"differ(.|\n)*new_column"):
        model.predict(VISITS.assign(new_column=1.0))


@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_an_unknown_category_sets_none_of_the_columns_of_its_texts(fitted):
    unknown = VISITS.assign(insulin="Down")
    encoded = fitted[:-1].transform(unknown)
    encoded = encoded.toarray() if issparse(encoded) else np.asarray(encoded)
    expected = fitted[:-1].transform(VISITS)
    expected = expected.toarray() if issparse(expected) else np.asarray(expected)
    changed = (encoded != expected).any(axis=0)
    assert 2 <= changed.sum() <= 4
    np.testing.assert_array_equal(encoded[:, changed], 0.0)
    assert np.isfinite(fitted.predict_proba(unknown)).all()


def test_without_a_rule_for_unknown_categories_the_text_is_named():
    model = make_pipeline(column_transformer(handle_unknown="error"), clone(NET)).fit(VISITS, Y)
    with pytest.raises(ValueError, match=r"unknown categories .*'Down'"):
        model.predict(VISITS.assign(insulin="Down"))


@pytest.mark.parametrize("column", ["glucose", "insulin", "days", "diagnosis"])
@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_any_column_may_have_missing_values_in_prediction(fitted, column):
    missing = VISITS.copy()
    missing[column] = missing[column].astype(
        object if column in ("insulin", "diagnosis") else float
    )
    missing.loc[::3, column] = np.nan if column in ("glucose", "days") else None
    assert np.isfinite(fitted.predict_proba(missing)).all()


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_frame_with_texts_without_an_encoder_is_told_what_to_do(kind):
    message = (
        r"takes numbers, but the columns 'insulin', 'ward', 'diagnosis' hold texts .*TableEncoder"
    )
    with pytest.raises(ValueError, match=message):
        clone(ESTIMATORS[kind]).fit(VISITS, Y)


def test_missing_numbers_straight_into_a_network_are_refused():
    with pytest.raises(ValueError, match="contains NaN"):
        clone(NET).fit(VISITS[["days", "glucose"]], Y)


def test_numbers_and_truth_values_need_no_encoder():
    numbers = VISITS[["days", "emergency"]]
    network = clone(NET).fit(numbers, Y)
    np.testing.assert_array_equal(
        network.predict_proba(numbers),
        clone(NET).fit(numbers.astype(float), Y).predict_proba(numbers),
    )
    with pytest.raises(ValueError, match="emergency"):
        network.predict(numbers[["days"]])
    with pytest.raises(ValueError, match="takes numbers, but the column 'days' holds texts"):
        network.predict(numbers.assign(days="many"))


def table_of(load, **options):
    try:
        return load(return_X_y=True, **options)
    except (DataNotFoundError, OSError):
        pytest.skip("SKIMBAL_DATA does not have the data")


@pytest.mark.slow
@each
@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_visits_of_patients(encoder):
    path = Path(os.environ.get("SKIMBAL_DATA", "."), "diabetes130", "dataset_diabetes.zip")
    if not path.exists():
        pytest.skip("SKIMBAL_DATA has no visits of patients")
    with ZipFile(path).open("dataset_diabetes/diabetic_data.csv") as file:
        table = pd.read_csv(file, na_values="?", low_memory=False, nrows=12_000)
    y, patients = table["readmitted"] == "<30", table["patient_nbr"]
    codes = ["admission_type_id", "discharge_disposition_id", "admission_source_id"]
    X = table.drop(columns=["encounter_id", "patient_nbr", "readmitted"])
    X = X.astype(dict.fromkeys(codes, str)).dropna(axis=1, how="all")
    split = GroupShuffleSplit(1, test_size=0.25, random_state=0).split(X, y, patients)
    train, test = next(split)
    network = MLPClassifier(hidden_layer_sizes=(16,), max_epochs=5, random_state=0)
    model = make_pipeline(ENCODERS[encoder](), network).fit(X.iloc[train], y.iloc[train])
    assert roc_auc_score(y.iloc[test], model.predict_proba(X.iloc[test])[:, 1]) > 0.55


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "options", "rare"),
    [(load_ai4i2020, {}, "failure"), (load_kddcup99, {"max_per_class": 2000}, "ipsweep")],
)
def test_encoded_tables_of_a_machine_and_of_connections(load, options, rare):
    if "SKIMBAL_DATA" not in os.environ:
        pytest.skip("SKIMBAL_DATA is not set")
    X, y = table_of(load, **options)
    parts = train_test_split(X, y == rare, stratify=y == rare, random_state=0)
    X_train, X_test, y_train, y_test = parts
    network = MLPClassifier(hidden_layer_sizes=(16,), max_epochs=15, random_state=0)
    proba = network.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    assert roc_auc_score(y_test, proba) > 0.9
