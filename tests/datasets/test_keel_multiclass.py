"""The KEEL sets of several classes: made files in the layout of the folder, and the real ones."""

import zipfile

import numpy as np
import pytest

from skimbal.datasets import _sources, keel_suite, list_keel, load_keel, official_folds
from skimbal.datasets._keel_sources import MULTICLASS_ARCHIVE
from skimbal.exceptions import DataNotFoundError, KeelFormatError

SUITE = keel_suite("keel-multiclass")
# Test rows of the folds 1 to 5 of a set with four inputs and the classes 1 to 3.
TEST_ROWS = [
    ["1.0, 2.0, 3.0, 4.0, 1", "5.0, 6.0, 7.0, 8.0, 2"],
    ["2.0, 2.0, 3.0, 4.0, 3"],
    ["3.0, 2.0, 3.0, 4.0, 1"],
    ["4.0, 2.0, 3.0, 4.0, 2"],
    ["5.0, 2.0, 3.0, 6.0E-4, 1"],
]


def write_folds(folder, name="balance", test_rows=TEST_ROWS):
    archive = folder / MULTICLASS_ARCHIVE
    archive.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(archive, "w") as files:
        for k, test in enumerate(test_rows, start=1):
            train = [row for j, rows in enumerate(test_rows, start=1) if j != k for row in rows]
            for part, rows in (("tra", train), ("tst", test)):
                files.writestr(f"{name}/{name}-5-{k}{part}.dat", "\r\n".join(rows) + "\r\n")
    return folder


def test_a_fold(tmp_path):
    write_folds(tmp_path)
    X_train, X_test, y_train, y_test = load_keel("balance", fold=1, data_home=tmp_path)
    test = sorted(zip(X_test.tolist(), y_test.tolist(), strict=True))
    assert test == [([1, 2, 3, 4], "1"), ([5, 6, 7, 8], "2")]
    assert sorted(y_train) == ["1", "1", "2", "3"]
    assert sorted(X_train[:, 3]) == [6e-4, 4, 4, 4]


def test_the_whole_set(tmp_path, monkeypatch):
    monkeypatch.setenv("SKIMBAL_DATA", str(write_folds(tmp_path)))
    data = load_keel("Balance")
    assert data.data.shape == (6, 4)
    assert data.feature_names == ["x1", "x2", "x3", "x4"]
    assert data.target_names.tolist() == ["1", "2", "3"]
    assert (data.imbalance_ratio, data.n_attributes, data.name) == (3.0, 4, "balance")
    assert data.source == str(tmp_path / MULTICLASS_ARCHIVE)
    assert "6 samples (3 1, 2 2, 1 3), imbalance ratio 3.00" in data.DESCR
    X, y = load_keel("balance", return_X_y=True)
    np.testing.assert_array_equal(X, data.data)
    np.testing.assert_array_equal(y, data.target)


@pytest.mark.parametrize(("fold", "what"), [(None, "balance is read"), (2, "the official folds")])
def test_without_the_file_the_error_says_where_to_put_it(fold, what, tmp_path, monkeypatch):
    monkeypatch.delenv("SKIMBAL_DATA", raising=False)
    for folder, why in ((None, "no folder is named"), (tmp_path, str(tmp_path))):
        with pytest.raises(DataNotFoundError, match=rf"{what} .*{MULTICLASS_ARCHIVE}") as raised:
            load_keel("balance", fold=fold, data_home=folder)
        assert why in str(raised.value)
        assert "fold=None" not in str(raised.value)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1.0, 2.0, 3.0, 1", "expected 5 values, one for each attribute, got 4"),
        ("1.0, 2.0, 3.0, x, 1", "expected a number for attribute 'x4', got 'x'"),
        ("1.0, 2.0, 3.0, 4.0, 4", r"expected .*1, 2, 3.* for attribute 'class', got '4'"),
        ("1.0, 2.0, 3.0, 4.0, ?", "expected one of {1, 2, 3} for attribute 'class', got '\\?'"),
    ],
)
@pytest.mark.parametrize("fold", [None, 2])
def test_a_bad_row_is_named_by_file_and_line(row, expected, fold, tmp_path):
    write_folds(tmp_path, test_rows=[[*TEST_ROWS[0], row], *TEST_ROWS[1:]])
    with pytest.raises(KeelFormatError, match=rf"balance-5-\dt\w+\.dat, line 3: {expected}"):
        load_keel("balance", fold=fold, data_home=tmp_path)


def test_a_set_that_the_archive_lacks(tmp_path):
    write_folds(tmp_path)
    with pytest.raises(DataNotFoundError, match=r"does not hold it; .*wine/wine-5-1tra\.dat"):
        load_keel("wine", data_home=tmp_path)


@pytest.mark.parametrize("name", SUITE)
def test_every_set_has_five_folds(name):
    assert official_folds(name) == (1, 2, 3, 4, 5)


def has_archive():
    folder = _sources.data_folder()
    return folder is not None and (folder / MULTICLASS_ARCHIVE).is_file()


@pytest.mark.skipif(not has_archive(), reason="SKIMBAL_DATA has no KEEL sets of several classes")
@pytest.mark.parametrize("name", SUITE)
def test_the_real_folds_partition_the_set_of_the_table(name):
    row = list_keel().set_index("name").loc[name]
    data = load_keel(name)
    counts = np.unique(data.target, return_counts=True)[1]
    found = (len(counts), counts.min(), counts.max(), counts.sum(), data.n_attributes)
    table = row[["n_classes", "n_minority", "n_majority", "n_samples", "n_attributes"]]
    assert found == tuple(table)
    assert data.imbalance_ratio == pytest.approx(row.imbalance_ratio, abs=0.005)
    whole = sorted(zip(data.data.tolist(), data.target.tolist(), strict=True))
    n_tested = 0
    for fold in official_folds(name):
        X_train, X_test, y_train, y_test = load_keel(name, fold=fold)
        rows, labels = np.vstack([X_train, X_test]), np.concatenate([y_train, y_test])
        assert sorted(zip(rows.tolist(), labels.tolist(), strict=True)) == whole
        n_tested += len(y_test)
    assert n_tested == row.n_samples
