import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from skimbal.datasets import _sources, _wisdm, fetch_wisdm
from skimbal.datasets._wisdm_format import ACTIVITIES
from skimbal.exceptions import DataNotFoundError

from .wisdm_files import ARFF, RAW


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "data"
    (home / "wisdm").mkdir(parents=True)
    (home / "wisdm" / _wisdm.FILES["raw"]).write_text(RAW)
    (home / "wisdm" / _wisdm.FILES["transformed"]).write_text(ARFF)
    return home


def test_raw_recordings(folder):
    wisdm = fetch_wisdm(data_home=folder)
    assert wisdm.target.tolist() == ["Jogging", "Walking", "Walking", "Walking", "Walking"]
    assert wisdm.groups.tolist() == [33, 33, 33, 33, 7]
    assert [x.shape for x in wisdm.data] == [(3, 7), (3, 1), (3, 2), (3, 1), (3, 2)]
    assert wisdm.data[2].tolist() == [[6, 6], [6, 6], [6, 7]]
    assert wisdm.frame["start_s"].tolist() == pytest.approx([1.0, 1.4, 3.0, 2.0, 2.05])
    assert wisdm.frame["n_samples"].tolist() == [7, 1, 2, 1, 2]
    assert wisdm.sampling_rate_hz == 20
    assert wisdm.n_dropped["unreadable"] == 3
    assert str(wisdm.n_dropped) in wisdm.DESCR
    X, y = fetch_wisdm(data_home=folder, return_X_y=True)
    np.testing.assert_array_equal(X[0], wisdm.data[0])
    np.testing.assert_array_equal(y, wisdm.target)


@pytest.mark.parametrize(
    ("arguments", "lengths"),
    [
        ({"max_gap_s": 2}, [7, 3, 1, 2]),
        ({"min_samples": 2}, [7, 2, 2]),
        # The missing sample at 1150 ms leaves a step of 100 ms.
        ({"max_gap_s": 0.06}, [3, 4, 1, 2, 1, 1, 1]),
    ],
)
def test_gaps_and_short_recordings(arguments, lengths, folder):
    assert [len(x[0]) for x in fetch_wisdm(data_home=folder, **arguments).data] == lengths


def test_features(folder):
    wisdm = fetch_wisdm(kind="transformed", data_home=folder)
    np.testing.assert_array_equal(wisdm.data, [[0.04, np.nan], [0.12, 2075], [1.5, np.nan]])
    assert wisdm.feature_names == ["X0", "XPEAK"]
    assert wisdm.target.tolist() == ["Jogging", "Walking", "Upstairs"]
    assert wisdm.groups.tolist() == [33, 17, 33]
    assert wisdm.source.endswith(".arff")


def test_features_never_stand_in_for_the_signal(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SKIMBAL_CACHE", str(tmp_path / "cache"))
    (folder / "wisdm" / _wisdm.FILES["raw"]).unlink()
    with pytest.raises(DataNotFoundError, match=r"holds wisdm/WISDM_ar_v1\.1_raw\.txt, or pass"):
        fetch_wisdm(data_home=folder)


def test_the_archive_is_trusted_once(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SKIMBAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SKIMBAL_DATA", raising=False)
    asked = []

    def url_download(url, name, *, what_to_do):
        def download(target):
            asked.append(url)
            with tarfile.open(f"{target}/{name}", "w:gz") as archive:
                archive.add(folder / "wisdm", "WISDM_ar_v1.1")

        return download

    monkeypatch.setattr(_wisdm, "url_download", url_download)
    with pytest.raises(DataNotFoundError, match="trust_first_download=True"):
        fetch_wisdm()
    assert asked == []
    first = fetch_wisdm(trust_first_download=True)
    assert asked == [_wisdm.URL]
    assert first.source.endswith("WISDM_ar_latest.tar.gz:WISDM_ar_v1.1/WISDM_ar_v1.1_raw.txt")
    local = fetch_wisdm(data_home=folder)
    for one, other in zip(first.data, local.data, strict=True):
        np.testing.assert_array_equal(one, other)
    assert fetch_wisdm(kind="transformed").data.shape == (3, 2)
    assert len(asked) == 1


def empty_archive(path):
    tarfile.open(path, "w:gz").close()


def page(path):
    path.write_text("<html>Sorry.</html>")


def cut_archive(path):
    with tarfile.open(path, "w:gz") as archive:
        for name in _wisdm.FILES.values():
            archive.addfile(tarfile.TarInfo(name))
    path.write_bytes(path.read_bytes()[:-3])


def half_an_archive(path, content=b"\n"):
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(_wisdm.FILES["raw"])
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


def half_an_archive_of_samples(path):
    half_an_archive(path, RAW.encode())


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (empty_archive, r"has no WISDM_ar_v1\.1_raw\.txt.* nothing was kept; set SKIMBAL_DATA"),
        (page, "a web page was served .* nothing was kept; set SKIMBAL"),
        (cut_archive, r"is not a readable file \(EOFError.*nothing was kept; set SKIMBAL"),
        (half_an_archive, r"WISDM_ar_v1\.1_raw\.txt is empty.* nothing was kept; set SKIMBAL"),
        (half_an_archive_of_samples, r"has no WISDM_ar_v1\.1_transformed\.arff.* nothing was kept"),
    ],
)
def test_a_file_that_is_not_the_archive(write, message, tmp_path, monkeypatch):
    monkeypatch.setenv("SKIMBAL_CACHE", str(tmp_path))
    monkeypatch.delenv("SKIMBAL_DATA", raising=False)

    def url_download(url, name, *, what_to_do):
        return lambda target: write(Path(target, name))

    monkeypatch.setattr(_wisdm, "url_download", url_download)
    with pytest.raises(DataNotFoundError, match=message):
        fetch_wisdm(trust_first_download=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "windows"}, "kind='windows' is not known; use 'raw' or 'transformed'"),
        ({"max_gap_s": 0}, "max_gap_s=0 is not usable; give a number >= 0.05"),
        ({"min_samples": 0}, "min_samples=0 is not usable; give an integer >= 1"),
        ({"min_samples": 8}, "no recording of at least 8 samples"),
    ],
)
def test_bad_input(arguments, message, folder):
    with pytest.raises(ValueError, match=message):
        fetch_wisdm(data_home=folder, **arguments)


def test_a_file_of_features_that_is_broken_is_named(folder):
    path = folder / "wisdm" / _wisdm.FILES["transformed"]
    path.write_text(path.read_text() + "4,33,0.5\n")
    with pytest.raises(ValueError, match=r"transformed\.arff: line 13 of .* expected 5"):
        fetch_wisdm(kind="transformed", data_home=folder)


needs_data = pytest.mark.skipif(
    _sources.local_file(_sources.data_folder(), "wisdm/" + _wisdm.FILES["transformed"]) is None,
    reason="SKIMBAL_DATA has no WISDM features",
)


@needs_data
def test_the_real_features():
    wisdm = fetch_wisdm(kind="transformed")
    assert wisdm.data.shape == (5418, 43)
    assert len(np.unique(wisdm.groups)) == 36
    names, counts = np.unique(wisdm.target, return_counts=True)
    found = dict(zip(names.tolist(), counts.tolist(), strict=True))
    expected = (2081, 1625, 632, 528, 306, 246)
    assert found == dict(zip(ACTIVITIES, expected, strict=True))
    missing = dict(zip(wisdm.feature_names, np.isnan(wisdm.data).sum(axis=0), strict=True))
    assert {k: int(n) for k, n in missing.items() if n} == {
        "XPEAK": 381,
        "YPEAK": 131,
        "ZPEAK": 103,
    }
