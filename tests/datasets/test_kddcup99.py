"""KDD Cup 1999: made files in its layout, and the real file."""

import gzip
import hashlib

import numpy as np
import pytest

from skimbal.datasets import _kddcup99, _sources, _tables, load_kddcup99
from skimbal.exceptions import DataNotFoundError


def line(duration, protocol, label, service="http", last="0.00"):
    return ",".join([str(duration), protocol, service, "SF", *["0"] * 36, last, label])


# Class a. has five distinct rows of seven, b. two of three, and c. one.
LINES = [
    *(line(k, "tcp", "a.") for k in (1, 2, 3, 4, 5, 5, 1)),
    *(line(k, "udp", "b.", "domain_u") for k in (7, 8, 8)),
    line(9, "icmp", "c.", last="0.50"),
]


def write(folder, lines=LINES):
    path = folder / _kddcup99.LOCAL
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return path


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def test_duplicates_are_dropped_and_names_become_columns(folder):
    kdd = load_kddcup99(data_home=folder)
    assert kdd.target.tolist() == ["a"] * 5 + ["b"] * 2 + ["c"]
    assert kdd.data.shape == (8, 38 + 3 + 2 + 1)
    assert kdd.n_attributes == 41
    assert kdd.target_names.tolist() == ["a", "b", "c"]
    column = dict(zip(kdd.feature_names, kdd.data.T, strict=True))
    assert column["duration"].tolist() == [1, 2, 3, 4, 5, 7, 8, 9]
    assert column["protocol_type=udp"].tolist() == [0, 0, 0, 0, 0, 1, 1, 0]
    assert column["service=http"].tolist() == [1, 1, 1, 1, 1, 0, 0, 1]
    assert column["dst_host_srv_rerror_rate"].tolist() == [0] * 7 + [0.5]
    assert "8 connections of a simulated network, 3 classes" in kdd.DESCR
    assert kdd.source == str(folder / _kddcup99.LOCAL)


def test_a_frame_has_categories_in_place_of_columns_of_zeros_and_ones(folder):
    options = {"max_per_class": 3, "random_state": 0, "data_home": folder}
    numbers, kdd = load_kddcup99(**options), load_kddcup99(as_frame=True, **options)
    X = kdd.data
    assert list(X) == kdd.feature_names == list(_kddcup99.INPUTS)
    assert X.select_dtypes("category").columns.tolist() == list(_kddcup99.NOMINAL)
    assert X["protocol_type"].cat.categories.tolist() == ["icmp", "tcp", "udp"]
    assert X.index.tolist() == list(range(6))
    np.testing.assert_array_equal(X["duration"], numbers.data[:, 0])
    np.testing.assert_array_equal(kdd.target, numbers.target)


def test_rare_classes_are_left_out_and_large_ones_thinned(folder):
    whole = load_kddcup99(data_home=folder)
    options = {"min_per_class": 2, "max_per_class": 3, "data_home": folder, "return_X_y": True}
    X, y = load_kddcup99(random_state=0, **options)
    assert y.tolist() == ["a"] * 3 + ["b"] * 2
    assert X.shape[1] == whole.data.shape[1]  # also the columns of rows that were left out
    rows = [whole.data.tolist().index(row) for row in X.tolist()]
    assert rows == sorted(set(rows))
    np.testing.assert_array_equal(X, load_kddcup99(random_state=0, **options)[0])
    draws = {tuple(load_kddcup99(random_state=seed, **options)[0][:, 0]) for seed in range(9)}
    assert len(draws) > 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_per_class": 0}, "min_per_class=0 is not usable; give an integer >= 1"),
        ({"min_per_class": 3}, "min_per_class=3 is not usable; give a number of at most 2"),
        ({"max_per_class": 0}, "max_per_class=0 is not usable; give an integer >= 1"),
        ({"min_per_class": 2, "max_per_class": 1}, "max_per_class=1 .* give an integer >= 2"),
        ({"max_per_class": 2.5}, "max_per_class=2.5 is not usable"),
    ],
)
def test_numbers_out_of_range(options, message, folder):
    with pytest.raises(ValueError, match=message):
        load_kddcup99(**options, data_home=folder)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([row.rpartition(",")[0] for row in LINES], "41 columns, but 42 are expected"),
        ([*LINES, line("x", "tcp", "a.")], "the column duration must hold finite numbers"),
        ([*LINES, line("inf", "tcp", "a.")], "the column duration must hold finite numbers"),
        ([*LINES, line("", "tcp", "a.")], "the column duration must hold finite numbers"),
        ([line(k, "6", "a.") for k in range(3)], "the column protocol_type must hold names"),
        ([*LINES, LINES[0] + ",1"], "Expected 42 fields"),
        ([""], "No columns"),
    ],
)
def test_another_file_is_named(lines, message, tmp_path):
    path = write(tmp_path, lines)
    with pytest.raises(DataNotFoundError, match=rf"{path} is not a readable file .*{message}"):
        load_kddcup99(data_home=tmp_path)


def test_a_cut_file_is_named(folder):
    path = folder / _kddcup99.LOCAL
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataNotFoundError, match="is damaged or another file; put a complete copy"):
        load_kddcup99(data_home=folder)


def test_the_download_is_checked_and_kept(folder, tmp_path, monkeypatch):
    content = (folder / _kddcup99.LOCAL).read_bytes()
    monkeypatch.delenv("SKIMBAL_DATA", raising=False)
    monkeypatch.setenv("SKIMBAL_CACHE", str(tmp_path / "cache"))

    def url_download(url, name, *, what_to_do):
        assert url == _kddcup99.URL
        return lambda folder: (_sources.Path(folder) / name).write_bytes(content)

    monkeypatch.setattr(_tables, "url_download", url_download)
    with pytest.raises(DataNotFoundError, match=r"another file was served .*set SKIMBAL_DATA"):
        load_kddcup99()
    monkeypatch.setattr(_kddcup99, "SHA256", hashlib.sha256(content).hexdigest())
    assert load_kddcup99().source == str(tmp_path / "cache" / _kddcup99.FILE)
    assert (tmp_path / "cache" / _kddcup99.FILE).read_bytes() == content


def has_file():
    folder = _sources.data_folder()
    return folder is not None and (folder / _kddcup99.LOCAL).is_file()


@pytest.mark.skipif(not has_file(), reason="SKIMBAL_DATA has no KDD Cup 1999")
@pytest.mark.slow
def test_the_real_file():
    kdd = load_kddcup99()
    assert kdd.data.shape == (145_586, 118)
    counts = dict(zip(*np.unique(kdd.target, return_counts=True), strict=True))
    assert (counts["normal"], counts["neptune"], counts["spy"], len(counts)) == (
        87_832,
        51_820,
        2,
        23,
    )
