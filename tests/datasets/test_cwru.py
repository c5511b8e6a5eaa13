import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from skimbal.datasets import _cwru, _sources, cut_segments, load_cwru
from skimbal.exceptions import DataNotFoundError

# Number, rate, fault, diameter, position, load, samples, whether there is a fan-end signal.
SMALL = [
    (97, 48000, "normal", 0, 0, 0, 6, True),
    (109, 48000, "inner", 7, 0, 0, 5, True),
    (135, 48000, "outer", 7, 6, 0, 4, True),
    (148, 48000, "outer", 7, 3, 0, 7, True),
    (105, 12000, "inner", 7, 0, 0, 3, True),
    (3001, 12000, "inner", 28, 0, 0, 3, False),
]


def signal(file, kind):
    """Counts of a channel of a recording."""
    n = next(row[6] for row in SMALL if row[0] == file)
    return np.arange(n, dtype=np.int16) * (1 if kind == "DE" else -2) + file % 100


@pytest.fixture(autouse=True)
def small_index(request, monkeypatch):
    """The index of a small set, but where a test reads the real one."""
    if "real" in request.fixturenames:
        return
    columns = ["file", "sampling_rate_hz", "fault", "diameter_mil", "position", "load_hp"]
    frame = pd.DataFrame(SMALL, columns=[*columns, "n_samples", "has_fan_end"])
    frame["rpm"] = [1796.0] * 5 + [np.nan]
    frame["variable"] = [f"X{row[0]:03d}_DE_time" for row in SMALL]
    monkeypatch.setattr(_cwru, "_index", lambda: frame)


@pytest.fixture
def real():
    """Asked for by the tests of the index that is shipped."""


@pytest.fixture
def archive_folder(tmp_path):
    path = tmp_path / _cwru.LOCAL
    path.parent.mkdir()
    arrays, index = {}, []
    for file, rate, *_, has_fan_end in SMALL:
        key = f"{rate // 1000}k_{file}"
        index.append((key, 0.5, 0.25 if has_fan_end else 0.0))
        arrays[f"{key}_DE"] = signal(file, "DE")
        if has_fan_end:
            arrays[f"{key}_FE"] = signal(file, "FE")
    kinds = [("key", "U12"), ("de_scale", "f8"), ("fe_scale", "f8")]
    np.savez(path, index=np.array(index, dtype=kinds), **arrays)
    return tmp_path


def mat_content(file, **more):
    return {
        f"X{file:03d}_{kind}_time": signal(file, kind)[:, None] * scale
        for kind, scale in (("DE", 0.5), ("FE", 0.25))
    } | more


@pytest.fixture
def mat_folder(tmp_path):
    folder = tmp_path / "mats"
    (folder / "cwru").mkdir(parents=True)
    for file, rate, *_ in SMALL:
        if rate == 48000:
            savemat(folder / "cwru" / f"{file}.mat", mat_content(file, X097RPM=1796))
    return folder


def test_counts_are_scaled(archive_folder):
    cwru = load_cwru(data_home=archive_folder, channels="both")
    np.testing.assert_array_equal(cwru.data[1][0], [4.5, 5, 5.5, 6, 6.5])
    np.testing.assert_array_equal(cwru.data[1][1], [2.25, 1.75, 1.25, 0.75, 0.25])
    assert {x.dtype for x in cwru.data} == {np.dtype(np.float32)}
    assert cwru.channel_names == ["drive_end", "fan_end"]


def test_files_of_the_university_give_the_same(archive_folder, mat_folder):
    arrays = load_cwru(data_home=archive_folder, channels="both")
    files = load_cwru(data_home=mat_folder, channels="both")
    for one, other in zip(arrays.data, files.data, strict=True):
        np.testing.assert_array_equal(one, other)
    assert arrays.frame["source"].unique().tolist() == [str(archive_folder / _cwru.LOCAL)]
    assert files.frame["source"][0] == str(mat_folder / "cwru" / "97.mat")


@pytest.mark.parametrize(
    ("target", "labels"),
    [
        ("fault", ["normal", "inner", "outer", "outer"]),
        ("fault_diameter", ["normal", "inner-7", "outer-7", "outer-7"]),
    ],
)
def test_labels_and_bearings(target, labels, archive_folder):
    cwru = load_cwru(data_home=archive_folder, target=target)
    assert cwru.target.tolist() == labels
    assert cwru.target_names == labels[:3]
    assert cwru.groups.tolist() == ["normal", "inner-7", "outer-7-6", "outer-7-3"]


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ({}, [97, 109, 135, 148]),
        ({"sampling_rate_hz": 12_000}, [105]),
        ({"sampling_rate_hz": "all"}, [97, 109, 135, 148, 105]),
        ({"sampling_rate_hz": 12_000, "diameters_mil": (7, 28)}, [105, 3001]),
        ({"outer_positions": (6,)}, [97, 109, 135]),
        ({"outer_positions": ()}, [97, 109]),
        ({"diameters_mil": ()}, [97]),
    ],
)
def test_rates_are_mixed_only_when_asked(arguments, files, archive_folder):
    assert load_cwru(data_home=archive_folder, **arguments).frame["file"].tolist() == files


def test_the_first_download_has_to_be_trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("SKIMBAL_CACHE", str(tmp_path))
    monkeypatch.delenv("SKIMBAL_DATA", raising=False)
    asked = []

    def url_download(url, name, *, what_to_do):
        def download(folder):
            asked.append(url)
            savemat(f"{folder}/{name}", mat_content(int(name[5:-4])))

        return download

    monkeypatch.setattr(_cwru, "url_download", url_download)
    with pytest.raises(DataNotFoundError, match="trust_first_download=True"):
        load_cwru(diameters_mil=())
    assert asked == []
    first = load_cwru(diameters_mil=(), trust_first_download=True)
    assert asked == ["https://engineering.case.edu/sites/default/files/97.mat"]
    assert first.data[0].shape == (1, 6)
    np.testing.assert_array_equal(load_cwru(diameters_mil=()).data[0], first.data[0])
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"X097_DE_time": np.zeros((9, 1))}, r"recording 97 of .* has 9 samples, but 6 are"),
        ({"X098_DE_time": np.zeros((6, 1))}, r"97\.mat has no X097_DE_time"),
        ("<html>Sorry, this page has moved.</html>" * 9, r"97\.mat is not a \.mat file"),
        ({"X097_DE_time": np.full(6, "a")}, r"97\.mat .* does not hold real numbers.*; delete it"),
        ({"X097_DE_time": {"signal": 1.0}}, r"97\.mat .* does not hold real numbers"),
        ({"X097_DE_time": np.zeros(6) * 1j}, r"97\.mat .* does not hold real numbers"),
        ({"X097_DE_time": np.full(6, np.nan)}, r"97\.mat .* NaN, or values beyond single"),
        ({"X097_DE_time": np.full(6, 1e39)}, r"97\.mat .* NaN, or values beyond single"),
    ],
)
def test_another_recording_is_refused(content, message, mat_folder):
    path = mat_folder / "cwru" / "97.mat"
    if isinstance(content, str):
        path.write_text(content)
    else:
        savemat(path, content)
    with pytest.raises(DataNotFoundError, match=message):
        load_cwru(data_home=mat_folder)


def test_channels_of_different_lengths(mat_folder):
    content = mat_content(97) | {"X097_FE_time": np.zeros((5, 1))}
    savemat(mat_folder / "cwru" / "97.mat", content)
    with pytest.raises(DataNotFoundError, match=r"97\.mat .* same shape.*; delete it"):
        load_cwru(data_home=mat_folder, channels="both")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sampling_rate_hz": 24_000}, "sampling_rate_hz=24000 is not known; use 48000 or 12000"),
        ({"channels": "base"}, "channels='base' is not known"),
        ({"target": "kind"}, "target='kind' is not known; use 'fault' or 'fault_diameter'"),
        ({"channels": ["drive_end"]}, "channels=['drive_end'] is not known"),
        ({"sampling_rate_hz": np.array([48_000, 12_000])}, "is not known; use 48000 or 12000"),
        ({"diameters_mil": [[7]]}, "diameters_mil=[[7]] is not usable; give a sequence"),
        ({"diameters_mil": (8,)}, "diameters_mil=(8,) is not usable; give a sequence of some of"),
        ({"outer_positions": 6}, "outer_positions=6 is not usable"),
        ({"loads_hp": (1,)}, "at 48000 Hz there is load 0 only"),
        (
            {"sampling_rate_hz": 12_000, "diameters_mil": (28,), "channels": "both"},
            "the recordings [3001] have no fan-end signal",
        ),
    ],
)
def test_bad_input(arguments, message, archive_folder):
    with pytest.raises(ValueError, match=r".") as raised:
        load_cwru(data_home=archive_folder, **arguments)
    assert message in str(raised.value)


def test_the_shipped_index(real):
    index = _cwru._index()
    assert len(index) == 74
    assert index.groupby("sampling_rate_hz").size().to_dict() == {12000: 60, 48000: 14}
    counts = index.groupby(["sampling_rate_hz", "fault"]).size()
    assert counts[12000].to_dict() == {"ball": 16, "inner": 16, "outer": 28}
    assert counts[48000].to_dict() == {"ball": 3, "inner": 3, "normal": 1, "outer": 7}
    assert index["n_samples"].sum() == 10_096_387
    assert index["rpm"].isna().tolist() == (index["diameter_mil"] == 28).tolist()
    assert ((index["position"] > 0) == (index["fault"] == "outer")).all()
    assert index["file"].is_unique
    assert index["load_hp"].isin([0, 1, 2, 3]).all()


needs_data = pytest.mark.skipif(
    _sources.local_file(_sources.data_folder(), _cwru.LOCAL) is None,
    reason=f"SKIMBAL_DATA has no {_cwru.LOCAL}",
)


@needs_data
def test_the_ten_classes(real):
    cwru = load_cwru(outer_positions=(6,), target="fault_diameter", channels="both")
    assert len(cwru.data) == len(np.unique(cwru.target)) == len(np.unique(cwru.groups)) == 10
    assert [x.shape[1] for x in cwru.data] == cwru.frame["n_samples"].tolist()
    assert cwru.frame["n_samples"].min() == 63_788
    n_per_class = dict.fromkeys(cwru.target.tolist(), 10) | {"normal": 90}
    one, other = (
        cut_segments(cwru.data, cwru.target, length=1024, n_per_class=n_per_class, part=part)
        for part in ((0, 0.5), (0.5, 1))
    )
    assert one.data.shape == (180, 2, 1024)
    assert (one.start[one.target == "normal"].max() + 1024) <= other.start.min() * 10


@needs_data
def test_every_real_recording_can_be_read(real):
    cwru = load_cwru(sampling_rate_hz="all", diameters_mil=(7, 14, 21, 28))
    assert len(cwru.data) == 74
    assert all(np.isfinite(x).all() and x.std() > 0.01 for x in cwru.data)
    # A fault of the inner race is louder than a sound bearing.
    rms = pd.Series([x.std() for x in cwru.data], cwru.groups)
    assert rms["inner-7"].min() > 2 * rms["normal"]
