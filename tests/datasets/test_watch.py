import hashlib
import io
import zipfile

import numpy as np
import pytest

from skimbal.datasets import _sources, _watch, load_watch
from skimbal.exceptions import DataNotFoundError

CHANNELS = ["ax", "ay", "az", "wx", "wy", "wz"]


def recordings():
    rng = np.random.default_rng(0)
    return [rng.standard_normal((n, 6)) for n in (5, 3, 4)]


@pytest.fixture
def folder(tmp_path):
    """A folder with a small set in the layout of the real one."""
    path = tmp_path / "data" / _watch.LOCAL
    path.parent.mkdir(parents=True)
    np.savez(
        path,
        signal=np.concatenate(recordings()).astype(np.float32),
        length=[5, 3, 4],
        label=np.array([0, 1, 0], np.int32),
        label_names=np.array(["PEN", "ABD"]),
        channel_names=np.array(CHANNELS),
        subject=np.array([7, 10, 7], np.int32),
        side=np.array([1, 0, 1], np.int32),
    )
    return tmp_path / "data"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A stand-in for the wheel in the cache: the same small set, pickled."""
    content = {
        "X": recordings(),
        "y": np.array([0, 1, 0]),
        "subject": np.array([7, 10, 7]),
        "side": np.array([1.0, 0.0, 1.0]),
        "X_labels": CHANNELS,
        "y_labels": ["PEN", "ABD"],
    }
    pickled = io.BytesIO()
    np.save(pickled, content, allow_pickle=True)
    cache = tmp_path / "cache"
    cache.mkdir()
    path = cache / _watch.WHEEL
    with zipfile.ZipFile(path, "w") as files:
        files.writestr("seglearn/data/watch_dataset.npy", pickled.getvalue())
    monkeypatch.setenv("SKIMBAL_CACHE", str(cache))
    monkeypatch.delenv("SKIMBAL_DATA", raising=False)
    monkeypatch.setattr(_watch, "WHEEL_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def check_small_set(watch):
    for x, expected in zip(watch.data, recordings(), strict=True):
        np.testing.assert_array_equal(x, expected.T.astype(np.float32))
        assert x.dtype == np.float32
    assert watch.target.tolist() == ["PEN", "ABD", "PEN"]
    assert watch.groups.tolist() == [7, 10, 7]
    assert watch.frame["side"].tolist() == [1, 0, 1]
    assert watch.frame.columns.tolist() == ["exercise", "subject", "side"]
    assert watch.channel_names == CHANNELS
    assert watch.target_names == ["PEN", "ABD"]
    assert watch.sampling_rate_hz == 50


def test_the_folder(folder):
    watch = load_watch(data_home=folder)
    check_small_set(watch)
    assert watch.source == str(folder / _watch.LOCAL)
    assert watch.source in watch.DESCR
    X, y = load_watch(data_home=folder, return_X_y=True)
    np.testing.assert_array_equal(X[1], watch.data[1])
    np.testing.assert_array_equal(y, watch.target)


def test_the_wheel(wheel):
    watch = load_watch()
    check_small_set(watch)
    assert watch.source == f"{wheel}:seglearn/data/watch_dataset.npy"


def test_a_wheel_with_another_checksum_is_never_unpickled(wheel, monkeypatch):
    monkeypatch.setattr(_watch, "WHEEL_SHA256", "0" * 64)
    monkeypatch.setattr(_watch.np, "load", lambda *args, **kwargs: pytest.fail("was unpickled"))
    with pytest.raises(DataNotFoundError, match="is expected; delete"):
        load_watch()


@pytest.mark.parametrize("name", _watch.ARRAYS)
def test_a_missing_array(name, folder):
    arrays = dict(np.load(folder / _watch.LOCAL))
    del arrays[name]
    np.savez(folder / _watch.LOCAL, **arrays)
    with pytest.raises(DataNotFoundError, match=rf"watch\.npz .*{name}.*; put a complete copy"):
        load_watch(data_home=folder)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("label", [0, 2, 0], "label must be 0 to 1"),
        ("label", [0, -1, 0], "label must be 0 to 1"),
        ("label", [0, 0.5, 0], "label must have a whole number for each of 3 recordings"),
        ("label", [0, 1], "label must have a whole number for each of 3"),
        ("subject", [7, np.nan, 7], "subject must have a whole number"),
        ("side", [1, 0, 1, 1], "side must have a whole number"),
        ("signal", np.zeros(12), "recordings must have 6 channels"),
        ("signal", np.zeros((12, 5)), "recordings must have 6 channels"),
        ("signal", np.full((12, 6), np.nan), "NaN, or values beyond single precision"),
        ("signal", np.full((12, 6), 1e39), "NaN, or values beyond single precision"),
        ("signal", np.full((12, 6), "a"), "does not hold real numbers"),
        ("channel_names", CHANNELS[:5], "recordings must have 5 channels"),
        ("length", [5, 3, 5], "lengths must be positive and add up to 12"),
        ("length", [13, -5, 4], "lengths must be positive and add up to 12"),
        ("length", [], "lengths must be positive and add up to 12"),
    ],
)
def test_arrays_that_do_not_agree(name, values, message, folder):
    arrays = dict(np.load(folder / _watch.LOCAL)) | {name: np.asarray(values)}
    np.savez(folder / _watch.LOCAL, **arrays)
    with pytest.raises(DataNotFoundError, match=message):
        load_watch(data_home=folder)


needs_data = pytest.mark.skipif(
    _sources.local_file(_sources.data_folder(), _watch.LOCAL) is None,
    reason=f"SKIMBAL_DATA has no {_watch.LOCAL}",
)


@needs_data
def test_the_real_set():
    watch = load_watch()
    assert len(watch.data) == 140
    lengths = [x.shape[1] for x in watch.data]
    assert (min(lengths), max(lengths), sum(lengths)) == (947, 2618, 244_102)
    assert np.unique(watch.target, return_counts=True)[1].tolist() == [20] * 7
    assert np.unique(watch.groups).tolist() == list(range(1, 11))
