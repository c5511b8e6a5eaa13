"""Diabetes 130-US: a made archive in its layout, and the real file."""

import hashlib
import zipfile

import numpy as np
import pandas as pd
import pytest

from skimbal.datasets import _diabetes130, _sources, _tables, fetch_diabetes130
from skimbal.exceptions import DataNotFoundError

COLUMNS = ["encounter_id", "patient_nbr", *_diabetes130.NOMINAL, *_diabetes130.NUMBERS]
COLUMNS += ["readmitted"]
ROWS = [
    {"patient_nbr": 8, "discharge_disposition_id": 1, "readmitted": "NO", "age": "[10-20)"},
    {"patient_nbr": 8, "discharge_disposition_id": 11, "readmitted": "<30", "race": "?"},
    {"patient_nbr": 5, "discharge_disposition_id": 14, "readmitted": ">30", "diag_1": "V57"},
    {"patient_nbr": 6, "discharge_disposition_id": 25, "readmitted": "<30", "time_in_hospital": 7},
]


def make_lines():
    """Lines of a CSV file in which all but the values above are alike."""
    usual = dict.fromkeys(COLUMNS, "None") | dict.fromkeys(_diabetes130.NUMBERS, 2)
    usual |= {"age": "[0-10)", "race": "Asian", "diag_1": "250.83"}
    rows = [usual | {"encounter_id": 70 + i} | row for i, row in enumerate(ROWS)]
    return [",".join(COLUMNS), *(",".join(str(row[name]) for name in COLUMNS) for row in rows)]


def write(folder, lines=None, member="dataset_diabetes/diabetic_data.csv"):
    path = folder / _diabetes130.LOCAL
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dataset_diabetes/IDs_mapping.csv", "a,b\n")
        archive.writestr(member, "\r\n".join(lines or make_lines()) + "\r\n")
    return path


def test_the_content(tmp_path):
    path = write(tmp_path)
    stays = fetch_diabetes130(data_home=tmp_path)
    X = stays.data
    assert list(X) == stays.feature_names == [*_diabetes130.NOMINAL, *_diabetes130.NUMBERS]
    assert X.select_dtypes("category").columns.tolist() == list(_diabetes130.NOMINAL)
    assert X.select_dtypes(np.int64).columns.tolist() == list(_diabetes130.NUMBERS)
    assert X["time_in_hospital"].tolist() == [2, 2, 2, 7]
    assert X["race"].isna().tolist() == [False, True, False, False]
    assert X["diag_1"].tolist() == ["250.83", "250.83", "V57", "250.83"]
    assert X["max_glu_serum"].tolist() == ["None"] * 4  # not measured, which is a value
    assert X["age"].cat.ordered
    assert X["age"].max() == "[10-20)"
    assert stays.target.tolist() == ["later or never", "<30", "later or never", "<30"]
    assert stays.groups.tolist() == [8, 8, 5, 6]
    assert stays.source == str(path)
    assert "4 stays of 3 patients, 2 of them with a return within 30 days" in stays.DESCR


def test_the_other_labels_and_the_pair(tmp_path):
    write(tmp_path)
    X, y = fetch_diabetes130(n_classes=3, data_home=tmp_path, return_X_y=True)
    assert y.tolist() == ["NO", "<30", ">30", "<30"]
    pd.testing.assert_frame_equal(X, fetch_diabetes130(data_home=tmp_path).data)


def test_stays_that_end_in_death_or_a_hospice_can_be_left_out(tmp_path):
    write(tmp_path)
    stays = fetch_diabetes130(drop_deaths=True, data_home=tmp_path)
    assert stays.data["discharge_disposition_id"].tolist() == ["1", "25"]
    assert stays.data.index.tolist() == [0, 1]
    assert stays.target.tolist() == ["later or never", "<30"]
    assert stays.groups.tolist() == [8, 6]


@pytest.mark.parametrize("n_classes", [True, 1, 4, "2", None])
def test_another_number_of_classes_is_refused(n_classes):
    with pytest.raises(ValueError, match=rf"n_classes={n_classes!r} is not usable; give 2 or 3"):
        fetch_diabetes130(n_classes=n_classes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("medical_specialty", "specialty"), "it has no column 'medical_specialty'"),
        (("patient_nbr", "patient"), "it has no column 'patient_nbr'"),
        ((">30", "60"), "the column 'readmitted' must hold <30, >30 and NO"),
        (("7,2", "x,2"), "invalid literal"),
    ],
)
def test_another_table_is_named(change, message, tmp_path):
    path = write(tmp_path, [line.replace(*change) for line in make_lines()])
    with pytest.raises(DataNotFoundError, match=rf"{path} is not a readable file .*{message}"):
        fetch_diabetes130(data_home=tmp_path)


def test_another_archive_is_named(tmp_path):
    path = write(tmp_path, member="other.csv")
    with pytest.raises(DataNotFoundError, match=r"it has no file diabetic_data\.csv"):
        fetch_diabetes130(data_home=tmp_path)
    path.write_bytes(b"no archive")
    with pytest.raises(DataNotFoundError, match=r"BadZipFile.*put a complete copy there"):
        fetch_diabetes130(data_home=tmp_path)


def test_the_download_is_checked_and_kept(tmp_path, monkeypatch):
    content = write(tmp_path).read_bytes()
    monkeypatch.delenv("SKIMBAL_DATA", raising=False)
    monkeypatch.setenv("SKIMBAL_CACHE", str(tmp_path / "cache"))

    def url_download(url, name, *, what_to_do):
        assert url == _diabetes130.URL
        return lambda folder: (_sources.Path(folder) / name).write_bytes(content)

    monkeypatch.setattr(_tables, "url_download", url_download)
    with pytest.raises(DataNotFoundError, match=r"another file was served .*set SKIMBAL_DATA"):
        fetch_diabetes130()
    monkeypatch.setattr(_diabetes130, "SHA256", hashlib.sha256(content).hexdigest())
    assert fetch_diabetes130().source == str(tmp_path / "cache" / _diabetes130.FILE)


def has_file():
    folder = _sources.data_folder()
    return folder is not None and (folder / _diabetes130.LOCAL).is_file()


@pytest.mark.skipif(not has_file(), reason="SKIMBAL_DATA has no Diabetes 130-US")
def test_the_real_file():
    stays = fetch_diabetes130(n_classes=3)
    assert stays.data.shape == (101_766, 47)
    labels, counts = np.unique(stays.target, return_counts=True)
    assert dict(zip(labels.tolist(), counts.tolist(), strict=True)) == {
        "<30": 11_357,
        ">30": 35_545,
        "NO": 54_864,
    }
    assert len(np.unique(stays.groups)) == 71_518
    is_death = stays.data["discharge_disposition_id"].isin(_diabetes130.DEATHS)
    assert is_death.sum() == 2423
    constant = [name for name in stays.data if stays.data[name].nunique() == 1]
    assert constant == ["examide", "citoglipton"]
    assert 0.96 < stays.data["weight"].isna().mean() < 0.97
    with open(stays.source, "rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == _diabetes130.SHA256
