"""Tables of one's own: columns, labels, groups, and what is wrong with them."""

import datetime
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skimbal._utils._texts import text_of
from skimbal.benchmark import Method, Suite, make_table_encoder, run_benchmark
from skimbal.benchmark._columns import checksum_of_frame, column_kind, marks_among_numbers
from skimbal.benchmark._native_columns import NativeColumns
from skimbal.benchmark._suite import describe_dataset
from skimbal.benchmark._table_encoder import make_network_encoder, make_scaled_encoder

N = 120


def make_table(seed=0):
    """20 machines with six rows each; a failure is likely with a high load and the type L."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "load": random.normal(size=N),
            "type": random.choice(["L", "M", "H"], N),
            "hot": random.random(N) < 0.3,
            "machine": np.repeat([f"m{i}" for i in range(20)], 6),
        }
    )
    risk = 2 * table.load + (table.type == "L") + random.logistic(size=N)
    table["failed"] = np.where(risk > risk.quantile(0.75), "yes", "no")
    table.loc[::7, "load"] = np.nan
    table.loc[::9, "type"] = None
    return table


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 2, None], "number"),
        ([True, False, True], "number"),
        ([True, False, None], "text"),
        ([None, np.nan], "empty"),
        (["a", "a"], "constant"),
        (["a", None], "text"),
        ([3.0, 3.0], "constant"),
        (list(range(5, 25)), "row number"),
        ([*range(5, 24), 30], "number"),
        ([f"id {i}" for i in range(12)], "identifier"),
        (["a", "b", "c"], "text"),
        (["2024-01-31", "2024-02-01 10:00:00", None], "date"),
        (["31.1.2024", "1.2.2024"], "date"),
        (["1-2", "a"], "text"),
        (pd.Categorical(["31.1.2024", "1.2.2024"]), "text"),
        (pd.to_timedelta([1, 2], "h"), "date"),
        (pd.period_range("2024", periods=2, freq="Y"), "date"),
        ([datetime.date(2024, 1, 31), datetime.date(2024, 2, 1), None], "date"),
        ([1, "a", None], "text"),
        (pd.to_datetime(["2024-01-31", "2024-02-01"]), "date"),
        (pd.Categorical(["a", "b", None]), "text"),
        (pd.array([1, 2, None, 2], dtype="Int64"), "number"),
        (pd.array(["a", "b", "a"], dtype="string"), "text"),
    ],
)
def test_kinds_of_columns(values, kind):
    assert column_kind(pd.Series(values)) == kind


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([*map(str, range(20)), "-"], ["-"]),
        ([*map(str, range(20))], []),
        (["1", "2", "a"], []),
    ],
)
def test_marks_among_numbers(values, marks):
    assert marks_among_numbers(pd.Series(values)) == marks


def test_the_encoder_by_hand():
    train = pd.DataFrame(
        {
            "x": [1.0, 2.0, None, 9.0],
            "b": [True, False, True, True],
            "t": ["u", None, "v", "u"],
            "when": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"],
        }
    )
    new = pd.DataFrame({"x": [np.nan], "b": [False], "t": ["w"], "when": ["2025-01-01"]})
    encoder = make_table_encoder().fit(train)
    # x and b, x is missing; u, v, missing
    np.testing.assert_array_equal(
        encoder.transform(train),
        [[1, 1, 0, 1, 0, 0], [2, 0, 0, 0, 0, 1], [2, 1, 1, 0, 1, 0], [9, 1, 0, 1, 0, 0]],
    )
    # The median of the training data; a new text is none of the known ones.
    np.testing.assert_array_equal(encoder.transform(new), [[2, 0, 1, 0, 0, 0]])


def test_the_encoder_limits_the_columns_of_texts():
    X = pd.DataFrame({"t": np.repeat([f"t{i}" for i in range(50)], np.arange(50, 0, -1))})
    assert make_table_encoder(max_categories=5).fit_transform(X).shape == (1275, 5)
    new = pd.DataFrame({"t": ["t0", "unseen"]})
    encoded = make_table_encoder(max_categories=5).fit(X).transform(new)
    np.testing.assert_array_equal(encoded, [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]])


def test_a_column_without_values_in_a_fold_is_no_error():
    X = pd.DataFrame({"x": [1.0, 2.0, 4.0], "y": [None, None, 3.0]})
    encoder = make_table_encoder().fit(X[:2])
    np.testing.assert_array_equal(encoder.transform(X), [[1], [2], [4]])


def test_a_suite_of_a_table():
    table = make_table()
    suite = Suite.from_frame(table, "failed", "machine", drop=["hot"], name="pumps")
    X, y = suite.load("pumps")
    pd.testing.assert_frame_equal(X, table[["load", "type"]])
    np.testing.assert_array_equal(y, table.failed)
    groups = suite.load_groups("pumps")
    assert suite.datasets == ("pumps",)
    np.testing.assert_array_equal(groups, np.repeat(np.arange(20), 6))
    info = describe_dataset(suite, "pumps")
    assert (info.shape, info.unit, info.is_frame) == ((N, 2), "groups", True)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 1], [0, 1, 1]),
        ([0.0, 1.0, 1.0], [0, 1, 1]),
        ([True, False, True], [True, False, True]),
        (pd.Categorical(["b", "a", "b"]), ["b", "a", "b"]),
        (pd.array([1, 2, 1], dtype="Int64"), [1, 2, 1]),
        (pd.array(["u", "v", "u"], dtype="string"), ["u", "v", "u"]),
        (["1", 2, "1"], ["1", "2", "1"]),
    ],
)
def test_labels_are_truth_values_whole_numbers_or_texts(values, expected):
    frame = pd.DataFrame({"x": [1.0, 2.0, 4.0], "y": values})
    _, y = Suite.from_frame(pd.concat([frame, frame], ignore_index=True), "y").load("table")
    assert y.tolist() == expected * 2
    assert y.dtype.kind in "biU"


def changed(**columns):
    return make_table().assign(**columns)


def with_none(values, row=3):
    values = list(values)
    values[row] = None
    return values


LABELS = make_table().failed


@pytest.mark.parametrize(
    ("frame", "roles", "message"),
    [
        (make_table(), {"target": "Failed"}, "no column 'Failed' for target; did you mean 'fail"),
        (make_table(), {"target": "faild"}, "no column 'faild' for target; did you mean 'failed'?"),
        (make_table(), {"target": "zzz"}, "its columns are 'load', 'type', 'hot', 'machine', 'fa"),
        (make_table(), {"target": "failed", "group": "machin"}, "for group; did you mean 'machine"),
        (make_table(), {"target": "failed", "drop": ["lode"]}, "for drop; did you mean 'load'?"),
        (make_table(), {"target": "failed", "group": "failed"}, "'failed' is named twice"),
        (make_table()[:0], {"target": "failed"}, "the table has no rows"),
        (make_table()[["failed"]], {"target": "failed"}, "no column besides target"),
        (make_table()[["failed"]].set_axis(["a;b"], axis=1), {"target": "b"}, "separator"),
        (changed(failed="no"), {"target": "failed"}, "is no in all 120 rows"),
        (changed(failed=with_none(LABELS)), {"target": "failed"}, "missing in 1 of 120 rows"),
        (changed(failed=range(N)), {"target": "failed"}, "has 120 different values in 120 rows"),
        (changed(failed=0.5 * (LABELS == "yes")), {"target": "failed"}, "such as 0.0; labels are"),
        (
            changed(machine=with_none(range(N))),
            {"target": "failed", "group": "machine"},
            "the group 'machine' is missing in 1 of 120 rows",
        ),
        (changed(load=[np.inf, *[1.0] * (N - 1)]), {"target": "failed"}, "'load' is infinite in 1"),
        (changed(load=[[1]] * N), {"target": "failed"}, "'load' holds [1] (list); only numbers"),
        (changed(load=[b"a"] * N), {"target": "failed"}, "'load' holds b'a' (bytes); only numbers"),
        (changed(load=[1j] * N), {"target": "failed"}, "'load' holds complex numbers, such as 1j"),
        (
            changed(load=with_none([Decimal("inf")] * N)),
            {"target": "failed"},
            "'load' is infinite in 119 rows",
        ),
        (
            make_table().set_axis(["load", "load", "hot", "machine", "failed"], axis=1),
            {"target": "failed"},
            "several columns of the name 'load'",
        ),
        ({"failed": [0, 1]}, {"target": "failed"}, "the table is a dict"),
    ],
)
def test_tables_that_cannot_be_used(frame, roles, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Suite.from_frame(frame, **roles)


def test_a_table_with_nothing_to_learn_from():
    frame = pd.DataFrame({"x": [1] * 20, "y": [0, 1] * 10})
    with (
        pytest.warns(UserWarning, match="one value"),
        pytest.raises(ValueError, match="no column of"),
    ):
        Suite.from_frame(frame, "y")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([f"p-{i}" for i in range(N)], "'new' have another text in each row"),
        (range(N), "'new' count the rows"),
        ([None] * N, "'new' have no value"),
        ([1.0] * N, "'new' have one value"),
        (pd.date_range("2024-01-01", periods=N), "'new' have dates"),
        ([*map(str, range(N - 1)), "n.v."], r"'new' has numbers, but also 'n\.v\.'"),
    ],
)
@pytest.mark.filterwarnings("default")
def test_columns_of_no_use_are_warned_of(column, message):
    with pytest.warns(UserWarning, match=message):
        Suite.from_frame(changed(new=column), "failed", "machine")


MIXED = [2.0, "a", 7, 3.5] * (N // 4)


@pytest.mark.parametrize(
    ("column", "texts", "message"),
    [
        (MIXED, ["2", "a", "7", "3.5"], r"several types, such as 2\.0 \(float\) and 7 \(int\) and"),
        (pd.Categorical(with_none(MIXED)), ["2", "a", "7", None], "'new' hold values.*to_numeric$"),
        (
            pd.cut([1, 2, 3, 4] * (N // 4), [0, 2, 4]),
            ["(0, 2]"] * 2 + ["(2, 4]"] * 2,
            "intervals.*texts$",
        ),
        ([Path("a"), Path("b")] * (N // 2), ["a", "b", "a", "b"], "'new' hold other objects"),
    ],
    ids=["mixed", "category", "intervals", "objects"],
)
@pytest.mark.filterwarnings("default")
def test_columns_of_several_types_are_texts_to_all_methods(column, texts, message):
    with pytest.warns(UserWarning, match=message):
        suite = Suite.from_frame(changed(new=column), "failed", "machine")
    X, _ = suite.load("table")
    assert X["new"].where(X["new"].notna(), None)[:4].tolist() == texts
    assert X["new"][4:].tolist() == [*map(text_of, pd.Series(column, dtype=object)[4:])]


@pytest.mark.filterwarnings("ignore:the columns 'self' hold values")
def test_a_column_of_several_types_may_have_any_name():
    X, _ = Suite.from_frame(
        changed(new=MIXED).rename(columns={"new": "self"}), "failed", "machine"
    ).load("table")
    assert X["self"][:2].tolist() == ["2", "a"]


def test_objects_that_are_numbers_become_numbers():
    table = changed(new=with_none([Decimal(i % 5) for i in range(N)]), old=with_none([True] * N))
    X, _ = Suite.from_frame(table, "failed").load("table")
    np.testing.assert_array_equal(X["new"], np.where(np.arange(N) == 3, np.nan, np.arange(N) % 5))
    assert X["old"].dtype == object  # truth values with missing ones are texts


@pytest.mark.parametrize(
    "encoder",
    [make_table_encoder(), make_scaled_encoder(), make_network_encoder(0), NativeColumns()],
    ids=["numbers", "scaled", "networks", "categories"],
)
@pytest.mark.filterwarnings("ignore:the columns 'new' hold values")
def test_each_encoder_takes_a_column_of_several_types(encoder):
    suite = Suite.from_frame(changed(new=MIXED)[["new", "failed"]], "failed")
    X, y = suite.load("table")
    first, second, *_ = np.asarray(clone(encoder).fit(X, y).transform(X)).astype(float)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    "column",
    [[f"p-{i}" for i in range(N)], range(N), pd.date_range("2024-01-01", periods=N).astype(str)],
    ids=["identifiers", "row numbers", "dates"],
)
def test_networks_do_not_get_columns_of_no_use(column):
    table = make_table()
    y = table.pop("failed")
    expected = make_network_encoder(0).fit_transform(table, y)
    found = make_network_encoder(0).fit_transform(table.assign(new=column), y)
    np.testing.assert_array_equal(found, expected)


def test_checksums_change_with_values_and_names():
    table = make_table().drop(columns="failed")
    changes = [
        table.rename(columns={"hot": "cold"}),
        table.assign(hot=~table.hot),
        table.assign(load=table.load.fillna(0)),
        table.assign(type=table.type.fillna("L")),
        table.assign(type=table.type.replace({"L": "M", "M": "L"})),
        table[::-1],
        table[["type", "load", "hot", "machine"]],
    ]
    found = {checksum_of_frame(frame) for frame in [table, table.copy(), *changes]}
    assert len(found) == 1 + len(changes)
    assert checksum_of_frame(table.astype({"type": "category"})) == checksum_of_frame(table)


class NameChecker(ClassifierMixin, BaseEstimator):
    """Fails unless it is given a frame with these columns; knows the groups of nobody."""

    def fit(self, X, y):
        assert list(X.columns) == ["load", "type", "hot"]
        assert X["type"].isna().any()
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        assert list(X.columns) == ["load", "type", "hot"]
        return np.where(X["load"].fillna(0) > 1, "yes", "no")


def make_checker(seed):
    return NameChecker()


def make_logistic(seed):
    return make_pipeline(make_table_encoder(), LogisticRegression())


@pytest.mark.usefixtures("without_processes")
def test_frames_reach_own_methods_and_numbers_those_of_the_package(tmp_path):
    suite = Suite.from_frame(make_table(), "failed", "machine", name="pumps")
    own = [Method("names", "", make_checker), Method("own-logistic", "", make_logistic)]
    result = run_benchmark(suite, [*own, "logistic-balanced", "knn"], out=tmp_path, n_folds=3)
    assert result.n_failed == 0, result.cells.error.dropna().tolist()
    assert set(result.summary.index) == {"names", "own-logistic", "logistic-balanced", "knn"}
    assert result.summary.loc["logistic-balanced", "mean"] > 0.55


def test_a_class_in_too_few_groups_is_refused(tmp_path):
    table = make_table()
    table["machine"] = np.where(table.failed == "yes", "m1", table.machine)
    suite = Suite.from_frame(table, "failed", "machine")
    with pytest.raises(ValueError, match="class 'yes' has 1 groups, but folds=3 needs"):
        run_benchmark(suite, ["svm"], out=tmp_path / "out", n_folds=3)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("without_processes")
def test_changed_data_and_changed_methods_are_noticed(tmp_path):
    def run(table_seed=0, C=1.0, version=""):
        suite = Suite.from_frame(make_table(table_seed), "failed", "machine")
        method = Method(
            "mine",
            "",
            lambda seed: make_logistic(seed).set_params(logisticregression__C=C),
            version=version,
        )
        return run_benchmark(suite, [method], out=tmp_path, n_folds=3)

    before = run().summary
    pd.testing.assert_frame_equal(run().summary, before)
    with pytest.raises(ValueError, match="other data than in the folder for table"):
        run(1)
    with pytest.raises(ValueError, match="other methods than in the folder for mine"):
        run(C=2.0)
    with pytest.raises(ValueError, match="other methods than in the folder for mine"):
        run(version="2")
    pd.testing.assert_frame_equal(run().summary, before)
