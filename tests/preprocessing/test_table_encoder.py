"""The table encoder: values by hand, folds of the target encoding, and bad tables."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, TargetEncoder
from sklearn.utils.estimator_checks import parametrize_with_checks

from skimbal.preprocessing import TableEncoder
from skimbal.preprocessing._column_kinds import n_one_hot
from skimbal.preprocessing._piecewise_linear import piecewise_linear, quantile_knots
from skimbal.preprocessing._target_means import cross_fitted_means, target_columns, target_folds


@parametrize_with_checks(
    [
        TableEncoder(),
        TableEncoder(numeric="piecewise_linear", high_cardinality="most_frequent", max_one_hot=5),
        TableEncoder(max_one_hot=1, sparse_output=True, categorical_features=None),
    ]
)
def test_common_checks(estimator, check):
    check(estimator)


def make_visits(n_rows=200, seed=0):
    """A column of each kind; the ward and the age decide."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "age": rng.normal(60.0, 10.0, n_rows),
            "beds": pd.array(rng.integers(1, 5, n_rows), dtype="Int64"),
            "emergency": rng.random(n_rows) < 0.3,
            "ward": rng.choice(["surgery", "cardiology", "other"], n_rows),
            "insulin": pd.Categorical(rng.choice(["no", "up"], n_rows)),
            "code": rng.choice([f"c{i}" for i in range(40)], n_rows),
        }
    )
    y = np.where(X["age"] + 20 * (X["ward"] == "surgery") > 75, "back", "home")
    X.loc[::7, "age"] = np.nan
    X.loc[::9, "ward"] = None
    return X, y


X, Y = make_visits()


def test_values_by_hand():
    train = pd.DataFrame(
        {
            "x": [1.0, None, 3.0, 8.0],
            "b": [True, False, None, True],
            "t": ["u", None, "v", "u"],
            "none": [np.nan] * 4,
        }
    )
    encoder = TableEncoder(min_frequency=1).fit(train)
    assert encoder.get_feature_names_out().tolist() == [
        *("x", "b", "missingindicator_x", "missingindicator_b", "t_u", "t_v", "t_missing"),
    ]
    assert encoder.kinds_.tolist() == ["number", "number", "one-hot", "left out"]
    np.testing.assert_array_equal(
        encoder.transform(train),
        [
            [1, 1, 0, 0, 1, 0, 0],
            [3, 0, 1, 0, 0, 0, 1],
            [3, 1, 0, 1, 0, 1, 0],
            [8, 1, 0, 0, 1, 0, 0],
        ],
    )
    new = pd.DataFrame({"x": [np.nan], "b": [False], "t": ["w"], "none": [5.0]})
    np.testing.assert_array_equal(encoder.transform(new), [[3, 0, 1, 0, 0, 0, 0]])


def test_rare_levels_and_unknown_ones_share_a_column():
    train = pd.DataFrame({"t": ["a"] * 6 + ["b", None, "d", "d"]})
    encoder = TableEncoder(min_frequency=3).fit(train)
    assert encoder.get_feature_names_out().tolist() == ["t_a", "t_infrequent"]
    new = pd.DataFrame({"t": ["a", "b", None, "unknown"]})
    np.testing.assert_array_equal(encoder.transform(new), [[1, 0], [0, 1], [0, 1], [0, 1]])


@pytest.mark.parametrize(
    ("counts", "min_frequency", "n"), [([40, 9, 1, 2], 5, 3), ([40, 12], 5, 2), ([50, 2], 0.1, 2)]
)
def test_number_of_one_hot_columns(counts, min_frequency, n):
    assert n_one_hot(np.array(counts), min_frequency, sum(counts)) == n


def test_numbers_as_categories_are_the_same_as_floats_and_as_integers():
    whole = pd.DataFrame({"code": [1, 2, 2, 1]})
    encoder = TableEncoder(categorical_features=["code"], min_frequency=1).fit(whole)
    assert encoder.get_feature_names_out().tolist() == ["code_1", "code_2"]
    new = pd.DataFrame({"code": [1.0, np.nan, 2.5]})
    np.testing.assert_array_equal(encoder.transform(new), [[1, 0], [0, 0], [0, 0]])


@pytest.mark.parametrize(
    "given", [["ward", "insulin", "code"], [3, 4, -1], np.array([0, 0, 0, 1, 1, 1], dtype=bool)]
)
def test_categories_by_name_place_and_mask(given):
    by_type = TableEncoder(random_state=0).fit_transform(X, Y)
    encoder = TableEncoder(categorical_features=given, random_state=0)
    np.testing.assert_array_equal(encoder.fit_transform(X, Y), by_type)


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_the_type_of_texts_makes_no_difference(dtype):
    texts = X.astype({"ward": dtype, "insulin": dtype, "code": dtype})
    expected = TableEncoder(random_state=0).fit_transform(X, Y)
    np.testing.assert_array_equal(TableEncoder(random_state=0).fit_transform(texts, Y), expected)


def test_an_array_of_objects_and_lists_are_tables():
    rows = [[1.5, "a", True], [None, "b", False], [2.5, "a", True]]
    encoder = TableEncoder(min_frequency=1)
    expected = [[1.5, 1, 0, 1, 0], [2, 0, 1, 0, 1], [2.5, 1, 0, 1, 0]]
    np.testing.assert_array_equal(encoder.fit_transform(rows), expected)
    np.testing.assert_array_equal(encoder.fit_transform(np.array(rows, dtype=object)), expected)


# ---------------------------------------------------------------- target encoding


def test_target_encoding_is_that_of_scikit_learn():
    encoder = TableEncoder(max_one_hot=5).fit(X, Y)
    assert encoder.kinds_.tolist() == ["number"] * 3 + ["one-hot"] * 2 + ["target"]
    own = encoder.transform(X)[:, -1]
    expected = TargetEncoder().fit(X[["code"]], Y).transform(X[["code"]])[:, 0]
    np.testing.assert_allclose(own, expected)
    assert encoder.get_feature_names_out()[-1] == "code_target"


def test_of_several_classes_each_has_a_column():
    y = np.where(np.arange(len(X)) == 0, "rarest", Y)  # in one fold alone
    encoder = TableEncoder(max_one_hot=5, random_state=0)
    encoded = encoder.fit_transform(X, y)
    names = ["code_target_back", "code_target_home", "code_target_rarest"]
    assert encoder.get_feature_names_out()[-3:].tolist() == names
    expected = TargetEncoder().fit(X[["code"]], y).transform(X[["code"]])
    np.testing.assert_allclose(encoder.transform(X)[:, -3:], expected)
    assert np.isfinite(encoded).all()


def test_target_encoding_beside_one_hot_columns():
    options = {"min_frequency": 1, "random_state": 0}
    both = TableEncoder(max_one_hot=5, high_cardinality="both", **options)
    encoded = both.fit_transform(X, Y)
    assert both.kinds_[-1] == "one-hot and target"
    one_hot = TableEncoder(max_one_hot=None, **options)
    target = TableEncoder(max_one_hot=5, **options)
    expected = one_hot.fit_transform(X), target.fit_transform(X, Y)[:, -1:]
    np.testing.assert_array_equal(encoded, np.hstack(expected))
    names = [*one_hot.get_feature_names_out(), "code_target"]
    assert both.get_feature_names_out().tolist() == names


def test_real_numbers_are_a_target():
    y = X["age"].fillna(60.0).to_numpy()
    own = TableEncoder(max_one_hot=5).fit(X, y).transform(X)[:, -1]
    expected = TargetEncoder().fit(X[["code"]], y).transform(X[["code"]])[:, 0]
    np.testing.assert_allclose(own, expected)


def test_training_rows_do_not_see_their_own_label():
    rng = np.random.default_rng(0)
    codes, y = rng.integers(0, 150, 300).astype(str), rng.integers(0, 2, 300)
    table = pd.DataFrame({"code": codes})
    encoder = TableEncoder(min_frequency=1, random_state=0)
    fitted = encoder.fit_transform(table, y)[:, 0]
    seen = encoder.transform(table)[:, 0]
    correlations = [np.corrcoef(x, y)[0, 1] for x in (fitted, seen)]
    assert correlations[0] < 0.1 < 0.5 < correlations[1]


def test_groups_stay_on_one_side():
    """The patient is the category: without groups, other visits of a patient tell the label."""
    patients = np.repeat(np.arange(60), 4)
    y = np.repeat(np.random.default_rng(0).integers(0, 2, 60), 4)
    table = pd.DataFrame({"patient": [f"p{i}" for i in patients]})
    encoder = TableEncoder(max_one_hot=5, min_frequency=1, random_state=0)
    spread = [np.ptp(encoder.fit_transform(table, y, groups=g)) for g in (None, patients)]
    assert spread[0] > 0.8
    assert spread[1] < 0.1
    model = make_pipeline(encoder, LogisticRegression())
    model.fit(table, y, tableencoder__groups=patients)
    assert np.ptp(model.predict_proba(table)[:, 1]) < 0.5


@pytest.mark.parametrize("groups", [None, np.arange(12) // 2])
def test_each_row_is_in_one_fold(groups):
    y = np.array([0, 1] * 5 + [2, 2])
    folds = target_folds(y, groups, 5, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate([t for _, t in folds])), np.arange(12))
    for train, test in folds:
        assert not set(train) & set(test)
        assert groups is None or not set(groups[train]) & set(groups[test])


@pytest.mark.parametrize(("y", "groups"), [([1], None), ([0, 1], None), ([0, 0, 1, 1], [7] * 4)])
def test_one_row_or_group_has_no_folds(y, groups):
    with pytest.raises(ValueError, match="finds the means of a training row on other rows"):
        target_folds(np.array(y), groups, 5, 0)


def test_means_of_the_other_folds_by_hand():
    levels = np.array([["a"], ["a"], ["a"], ["b"]], dtype=object)
    targets, names = target_columns(["no", "yes", "yes", "yes"])
    assert names == [""]
    folds = [(np.array([0, 1, 2]), np.array([3])), (np.array([3]), np.array([0, 1, 2]))]
    # A level that the other rows do not have is the mean of these rows.
    means = cross_fitted_means(levels, targets, folds)
    np.testing.assert_allclose(means.ravel(), [1, 1, 1, 2 / 3])


def test_the_seed_decides_the_folds():
    first, again, other = (
        TableEncoder(max_one_hot=5, random_state=seed).fit_transform(X, Y) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


# ---------------------------------------------------------------- piecewise linear numbers


def test_piecewise_linear_columns_by_hand():
    table = pd.DataFrame(
        {"x": [0.0, 1.0, 2.0, 3.0, np.nan], "two": [5.0, 9.0] * 2 + [9.0], "one": [7.0] * 5}
    )
    encoder = TableEncoder(numeric="piecewise_linear", n_bins=2).fit(table)
    names = ["x_0", "x_1", "two", "missingindicator_x"]
    assert encoder.get_feature_names_out().tolist() == names
    new = pd.DataFrame({"x": [-9.0, 0.75, 2.25, np.nan], "two": [5, 6, 7, 99], "one": 8})
    np.testing.assert_allclose(
        encoder.transform(new),
        [[0, 0, 0, 0], [0.5, 0, 0.25, 0], [1, 0.5, 0.5, 0], [1, 0, 1, 1]],
    )


def test_a_table_of_constants_has_no_bins():
    encoder = TableEncoder(numeric="piecewise_linear")
    assert encoder.fit_transform(np.ones((4, 2))).shape == (4, 0)


@pytest.mark.parametrize(
    ("x", "knots"),
    [
        ([3.0] * 4, [3]),
        ([0.0] * 3 + [1.0], [0, 1]),
        ([0.0] * 90 + [1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3, 4]),
        ([0.0] * 90 + [*range(1, 9)], [0, 2, 4, 6, 8]),
        (np.arange(5.0), [0, 1, 2, 3, 4]),
    ],
)
def test_limits_of_bins(x, knots):
    np.testing.assert_allclose(quantile_knots(np.array(x), 4), knots)


def test_piecewise_linear_columns_span_what_hat_functions_span():
    x = np.random.default_rng(0).normal(size=200)
    knots = quantile_knots(x, 6)
    ours = np.column_stack([np.ones_like(x), piecewise_linear(x, knots)])
    hats = SplineTransformer(degree=1, knots=knots[:, np.newaxis]).fit_transform(x[:, np.newaxis])
    coefficients, *_ = np.linalg.lstsq(ours, hats, rcond=None)
    np.testing.assert_allclose(ours @ coefficients, hats, atol=1e-12)


# ---------------------------------------------------------------- the result


def test_names_of_columns_are_unique():
    table = pd.DataFrame({"t": ["x", None] * 3, "t_missing": [1.0, 2.0] * 3})
    names = TableEncoder(min_frequency=1).fit(table).get_feature_names_out()
    assert names.tolist() == ["t_missing", "t_x", "t_missing_2"]


def test_wide_tables_are_sparse():
    encoder = TableEncoder(max_one_hot=None, min_frequency=1)
    codes = pd.DataFrame({"t": np.repeat([f"t{i}" for i in range(120)], 2)})
    assert issparse(encoder.fit_transform(codes))
    assert issparse(encoder.transform(codes[:3]))
    assert not issparse(encoder.fit_transform(X))
    dense = encoder.set_params(sparse_output=False).fit_transform(codes)
    sparse = encoder.set_params(sparse_output=True).fit_transform(codes)
    np.testing.assert_array_equal(sparse.toarray(), dense)


@pytest.mark.parametrize("is_global", [False, True])
def test_frames_come_out_where_they_are_wanted(is_global):
    encoder = TableEncoder(max_one_hot=5, random_state=0)
    expected = clone(encoder).fit_transform(X, Y)
    if not is_global:
        encoder.set_output(transform="pandas")
    with sklearn.config_context(transform_output="pandas" if is_global else "default"):
        frame = encoder.fit_transform(X, Y)
        again = encoder.transform(X[:5])
    assert frame.columns.tolist() == again.columns.tolist() == [*encoder.get_feature_names_out()]
    np.testing.assert_array_equal(frame, expected)
    assert frame.index.equals(X.index)


def test_after_a_pickle_and_a_clone_all_is_the_same():
    encoder = TableEncoder(max_one_hot=5, numeric=None, random_state=0).fit(X, Y)
    expected = encoder.transform(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).transform(X), expected)
    np.testing.assert_array_equal(clone(encoder).fit(X, Y).transform(X), expected)


# ---------------------------------------------------------------- what is wrong with a table

GOOD = pd.DataFrame({"x": np.arange(12.0), "t": ["a", "b", "a"] * 4})


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([f"id {i}" for i in range(12)], "'c' is a category with 12 levels in 12 rows.*drop"),
        (pd.Categorical(range(12)), "'c' is a category with 12 levels in 12 rows"),
        ([1, "many", 2.5] * 4, r"'c' holds values of several types, such as .*'many' \(str\)"),
        ([True, "many"] * 6, r"'c' holds values of several types.*True \(bool\)"),
        ([{"a": 1}] * 12, "'c' holds .* only numbers, truth values, texts and missing values"),
        ([b"a"] * 12, "'c' holds b'a'"),
        ([1j] * 12, "'c' holds complex numbers, such as 1j.* real and imaginary parts"),
        ([1.0, (1, 2)] * 6, r"'c' holds 1.0 \(float\) and \(1, 2\) \(tuple\); only numbers"),
        ([np.inf, -np.inf, *range(10)], "'c' holds infinite values in 2 of 12 rows.* row 0"),
        (pd.date_range("2024", periods=12), "'c' holds dates or times; make numbers.*days"),
        (pd.to_timedelta(range(12), "h"), "'c' holds dates or times"),
        (pd.period_range("2024", periods=12, freq="D"), "'c' holds dates or times"),
        (pd.cut(range(12), 3), r"'c' holds intervals, such as \(-0.011, 3.667\]; .*astype\(str\)"),
        (["2024-01-31", "2024-02-01"] * 6, "'c' holds texts that look like dates, such as '2024"),
    ],
)
def test_bad_columns_are_named(column, message):
    with pytest.raises(ValueError, match=message):
        TableEncoder().fit(GOOD.assign(c=column))


def test_dates_may_be_categories_if_the_type_says_so():
    texts = pd.Categorical(["2024-01-31", "2024-02-01"] * 6)
    names = TableEncoder().fit(GOOD.assign(c=texts)).get_feature_names_out()
    assert "c_2024-01-31" in names


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([*map(str, range(11)), "?"], r"numbers, but for \['\?'\], and counts.*na_values=\['\?'\]"),
        ([f"{i}.5" for i in range(12)], r"that are numbers and counts as a category.*to_numeric"),
    ],
)
def test_texts_that_are_numbers_are_warned_of(texts, message):
    table = pd.DataFrame({"weight": 2 * texts})
    with pytest.warns(UserWarning, match=message):
        TableEncoder().fit(table)
    TableEncoder().fit(table.astype("category"))  # is meant


def test_texts_that_may_be_codes_are_not_warned_of():
    table = pd.DataFrame({"code": 2 * [*map(str, range(12))], "icd": 2 * [*"0123456789ABCDEF"][4:]})
    TableEncoder().fit(table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.concat([GOOD, GOOD["x"]], axis=1), "several columns of the name 'x'"),
        (GOOD[:0], "0 sample"),
        (GOOD[[]], r"0 feature\(s\)"),
        (GOOD.assign(x=np.nan, t=None), "all entries are missing"),
    ],
)
def test_bad_tables(table, message):
    encoder = TableEncoder()
    with pytest.raises(ValueError, match=message):
        encoder.fit(table)
    assert vars(encoder) == vars(TableEncoder())  # nothing is half fitted


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("t", r"must be 'from_dtype', None or a list, such as \['t'\]"),
        (["u"], r"has the names \['u'\], but the columns of X are"),
        ([5], "give names of columns, indices from 0 to 1, or 2 truth values"),
        ([True], "or 2 truth values"),
        ([0.5], "or 2 truth values"),
        (["x"], "the column 't' holds texts, but categorical_features does not name it"),
        (None, "the column 't' holds texts, but categorical_features does not name it"),
    ],
)
def test_bad_categorical_features(given, message):
    with pytest.raises(ValueError, match=message):
        TableEncoder(categorical_features=given).fit(GOOD)


def test_complex_arrays_are_refused():
    with pytest.raises(ValueError, match="X holds complex numbers, such as 1j"):
        TableEncoder().fit(np.full((12, 2), 1j))


def test_names_need_a_frame():
    with pytest.raises(ValueError, match="names need a DataFrame"):
        TableEncoder(categorical_features=["x"]).fit(GOOD.to_numpy())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X[["t", "x"]], "same order.*\n.*column 0, which was 'x' in fit and is 't' now"),
        (lambda X: X.drop(columns="x"), "Feature names seen at fit time, yet now missing:\n- x"),
        (lambda X: X.assign(new=1), "Feature names unseen at fit time:\n- new"),
        (lambda X: X.assign(x=X["x"].astype(str)), "'x' held numbers in fit and holds texts now"),
        (lambda X: X.assign(t=1.5), "'t' held texts in fit, such as 'a', and holds numbers now"),
        (lambda X: X.assign(x=np.inf), "'x' holds infinite values"),
        (lambda X: X.assign(t=pd.Timestamp("2024")), "'t' holds dates"),
    ],
)
def test_changes_in_prediction_are_named(change, message):
    encoder = TableEncoder().fit(GOOD)
    with pytest.raises(ValueError, match=message):
        encoder.transform(change(GOOD))


@pytest.mark.parametrize(
    "new",
    [
        GOOD.assign(t="unknown"),
        GOOD.assign(t=None),
        GOOD.assign(x=None),
        GOOD.assign(x=GOOD["x"].astype(object)),
        GOOD.assign(x=GOOD["x"].astype("Int64")),
        GOOD.assign(x=True),
        GOOD[:1],
    ],
    ids=range(7),
)
def test_changes_that_are_no_error(new):
    encoder = TableEncoder().fit(GOOD)
    assert np.isfinite(encoder.transform(new)).all()


def test_a_column_of_numbers_that_were_texts_is_known_again():
    texts = pd.DataFrame({"code": ["1", "2", "1"]})
    encoder = TableEncoder(min_frequency=1).fit(texts)
    np.testing.assert_array_equal(encoder.transform(texts.astype(int)), encoder.transform(texts))


def test_target_encoding_needs_labels():
    encoder = TableEncoder(max_one_hot=5)
    message = "the column 'code' would become more than max_one_hot=5 .*give y, raise max_one_hot"
    with pytest.raises(ValueError, match=message):
        encoder.fit(X)
    assert encoder.set_params(high_cardinality="most_frequent").fit(X).transform(X).shape[1] == 15


def test_columns_of_an_array_are_named_by_their_place():
    with pytest.raises(ValueError, match="column 1 is a category with 12 levels"):
        TableEncoder().fit(np.array([[0.5, f"id {i}"] for i in range(12)], dtype=object))


def test_other_frames_are_told_to_be_converted():
    class Frame:
        def __dataframe__(self):
            raise NotImplementedError

    with pytest.raises(ValueError, match=r"Frame; give a pandas DataFrame, such as X.to_pandas"):
        TableEncoder().fit(Frame())
