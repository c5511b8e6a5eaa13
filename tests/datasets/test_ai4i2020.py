"""AI4I 2020: a made file in its layout, and the real file."""

import hashlib

import numpy as np
import pytest

from skimbal.datasets import _ai4i2020, _sources, _tables, load_ai4i2020
from skimbal.exceptions import DataNotFoundError

HEADER = (
    "UDI,Product ID,Type,Air temperature [K],Process temperature [K],Rotational speed [rpm],"
    "Torque [Nm],Tool wear [min],Machine failure,TWF,HDF,PWF,OSF,RNF"
)
LINES = [
    HEADER,
    "1,M14860,M,298.1,308.6,1551,42.8,0,0,0,0,0,0,0",
    "2,L47181,L,298.2,308.7,1408,46.3,3,1,0,0,1,1,0",
    "3,H47182,H,298.3,308.5,1498,49.4,5,0,0,0,0,0,1",
]


def write(folder, lines=LINES):
    path = folder / _ai4i2020.LOCAL
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    return path


def test_the_content(tmp_path):
    path = write(tmp_path)
    machine = load_ai4i2020(data_home=tmp_path)
    assert machine.data.tolist() == [
        [0, 1, 0, 298.1, 308.6, 1551, 42.8, 0],
        [1, 0, 0, 298.2, 308.7, 1408, 46.3, 3],
        [0, 0, 1, 298.3, 308.5, 1498, 49.4, 5],
    ]
    assert machine.target.tolist() == ["no failure", "failure", "no failure"]
    assert machine.feature_names[:4] == ["Type=L", "Type=M", "Type=H", "Air temperature [K]"]
    assert machine.causes.to_numpy().tolist() == [[0] * 5, [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]
    assert machine.source == str(path)
    assert "3 states of a simulated milling machine, 1 failures" in machine.DESCR
    X, y = load_ai4i2020(data_home=tmp_path, return_X_y=True)
    np.testing.assert_array_equal(X, machine.data)
    np.testing.assert_array_equal(y, machine.target)


def test_a_frame_has_the_quality_as_a_category(tmp_path):
    write(tmp_path)
    numbers = load_ai4i2020(data_home=tmp_path)
    machine = load_ai4i2020(as_frame=True, data_home=tmp_path)
    X = machine.data
    assert list(X) == machine.feature_names == ["Type", *numbers.feature_names[3:]]
    assert X["Type"].tolist() == ["M", "L", "H"]
    assert X["Type"].cat.categories.tolist() == ["L", "M", "H"]
    np.testing.assert_array_equal(X.iloc[:, 1:].to_numpy(np.float64), numbers.data[:, 3:])
    np.testing.assert_array_equal(machine.target, numbers.target)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("Torque [Nm]", "Torque"), r"it has no column 'Torque \[Nm\]'"),
        (("M,298.1", "X,298.1"), "the column 'Type' must hold L, M, H"),
        (("1551", ""), "a measurement is missing"),
        (("1551", "fast"), "could not convert string to float: 'fast'"),
        (("1,0,0,1,1,0", "2,0,0,1,1,0"), "Machine failure, TWF, HDF, .* must hold 0 and 1"),
    ],
)
def test_another_file_is_named(change, message, tmp_path):
    path = write(tmp_path, [line.replace(*change) for line in LINES])
    with pytest.raises(DataNotFoundError, match=rf"{path} is not a readable file .*{message}"):
        load_ai4i2020(data_home=tmp_path)


def test_the_download_is_checked_and_kept(tmp_path, monkeypatch):
    content = write(tmp_path).read_bytes()
    monkeypatch.delenv("SKIMBAL_DATA", raising=False)
    monkeypatch.setenv("SKIMBAL_CACHE", str(tmp_path / "cache"))

    def url_download(url, name, *, what_to_do):
        assert url == _ai4i2020.URL
        return lambda folder: (_sources.Path(folder) / name).write_bytes(content)

    monkeypatch.setattr(_tables, "url_download", url_download)
    with pytest.raises(DataNotFoundError, match=r"another file was served .*set SKIMBAL_DATA"):
        load_ai4i2020()
    monkeypatch.setattr(_ai4i2020, "SHA256", hashlib.sha256(content).hexdigest())
    assert load_ai4i2020().source == str(tmp_path / "cache" / _ai4i2020.FILE)


def has_file():
    folder = _sources.data_folder()
    return folder is not None and (folder / _ai4i2020.LOCAL).is_file()


@pytest.mark.skipif(not has_file(), reason="SKIMBAL_DATA has no AI4I 2020")
def test_the_real_file():
    machine = load_ai4i2020()
    assert machine.data.shape == (10_000, 8)
    assert (machine.target == "failure").sum() == 339
    assert machine.causes.sum().to_dict() == {
        "TWF": 46,
        "HDF": 115,
        "PWF": 95,
        "OSF": 98,
        "RNF": 19,
    }
    assert machine.data[:, :3].sum(axis=0).tolist() == [6000, 2997, 1003]
    with open(machine.source, "rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == _ai4i2020.SHA256
