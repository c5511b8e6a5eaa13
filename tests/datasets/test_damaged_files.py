"""Mutated texts and damaged archives: the right values, or the documented error."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from scipy.io import savemat

from skimbal.datasets import _cwru, _keel_sources, _watch, _wisdm
from skimbal.datasets._keel_format import encode_inputs, encode_output, parse_keel
from skimbal.datasets._wisdm_format import ACTIVITIES, parse_raw, parse_transformed
from skimbal.exceptions import DataNotFoundError, KeelFormatError

from .test_keel_format import TOY
from .wisdm_files import ARFF, RAW

PIECES = ["", ",", ";", "?", "{", "}", "@", "@data", "\n", "'", '"', "%", " ", "1e39", "1_0", "nan"]
PIECES += ["9" * 25, "\u0663", "\ufeff", "\x00", "\ufffd", "-", "inf", "1e-400", "Walking", "user"]


def mutated(text, rng):
    """A text with one to four places replaced by pieces, or by pieces of itself."""
    for _ in range(rng.integers(1, 5)):
        start = rng.integers(len(text) + 1)
        length, source = rng.integers(0, 12), rng.integers(len(text) + 1)
        piece = rng.choice(PIECES) if rng.random() < 0.7 else text[source : source + 9]
        text = text[:start] + piece + text[start + length :]
    return text


def check_keel(text):
    try:
        dataset = parse_keel(text)
    except KeelFormatError:
        return
    X, y = encode_inputs(dataset)[0], encode_output(dataset)
    assert not np.isinf(X).any()
    assert len(X) == len(y) == len(dataset.rows) > 0


def check_raw(text):
    samples = parse_raw(text)
    assert np.isfinite(samples.acceleration).all()
    assert len(samples.acceleration) == len(samples.user) == len(samples.time_ns)
    assert (samples.time_ns != 0).all()


def check_transformed(text):
    try:
        table = parse_transformed(text)
    except ValueError as error:
        assert "the ARFF file" in str(error)  # noqa: PT017 - what is raised is of two kinds
        return
    assert set(table["class"]) <= set(ACTIVITIES)
    assert table["user"].dtype == np.int64
    assert not np.isinf(table.drop(columns="class").to_numpy(dtype=float)).any()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("text", "check"), [(TOY, check_keel), (RAW, check_raw), (ARFF, check_transformed)]
)
def test_a_mutated_text_is_read_or_refused(text, check, seed):
    rng = np.random.default_rng(seed)
    for _ in range(250):
        check(mutated(text, rng))


# ---------------------------------------------------------------- archives and arrays


def write_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as files:
        for part in ("tra", "tst"):
            files.writestr(f"iris0/iris0-5-1{part}.dat", TOY * 3)


def read_zip(path):
    return _keel_sources._read_member(path, "iris0/iris0-5-1tst.dat")


def write_tar(path):
    with tarfile.open(path, "w:gz") as files:
        for name, text in (("raw", RAW), ("transformed", ARFF)):
            info = tarfile.TarInfo(_wisdm.FILES[name])
            info.size = len(text)
            files.addfile(info, io.BytesIO(text.encode()))


def read_tar(path):
    with _wisdm.reading(path, "look elsewhere", "an archive"):
        _wisdm._check_archive(path)
        return _wisdm._read_member(path, _wisdm.FILES["raw"])[0]


def write_watch(path):
    signal = np.linspace(0, 1, 60).reshape(10, 6)
    numbers = {"length": [4, 6], "label": [0, 1], "subject": [1, 2], "side": [0, 1]}
    names = {"label_names": ["PEN", "ABD"], "channel_names": list("abcdef")}
    np.savez_compressed(path, signal=signal, **numbers, **names)


def read_watch(path):
    content = _watch._read_npz(path)[0]
    return [x.tolist() for x in content["data"]] + [content["target"].tolist()]


def write_mat(path):
    signal = np.linspace(0, 1, 50)
    savemat(path, {"X097_DE_time": signal, "X097_FE_time": 2 * signal}, do_compression=True)


def read_mat(path):
    return _cwru._read_mat(path, "X097_DE_time", ("DE", "FE")).tolist()


ARCHIVES = {
    "folds.zip": (write_zip, read_zip),
    "wisdm.tar.gz": (write_tar, read_tar),
    "watch.npz": (write_watch, read_watch),
    "97.mat": (write_mat, read_mat),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_cut_archive_is_refused_with_its_path(name, tmp_path):
    write, read = ARCHIVES[name]
    path = tmp_path / name
    write(path)
    content = path.read_bytes()
    for size in np.linspace(0, len(content) - 1, 12).astype(int):
        path.write_bytes(content[:size])
        with pytest.raises(DataNotFoundError, match=rf"{name}.*; "):
            read(path)


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_flipped_bit_is_refused_or_harmless(name, tmp_path):
    write, read = ARCHIVES[name]
    path = tmp_path / name
    write(path)
    content, right = path.read_bytes(), read(path)
    rng = np.random.default_rng(0)
    for position in rng.integers(len(content), size=60):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            found = read(path)
        except DataNotFoundError as error:
            assert name in str(error)  # noqa: PT017 - some bits have no meaning
            continue
        assert found is None or found == right


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_folder_in_place_of_an_archive(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(DataNotFoundError, match=rf"{name}.*; "):
        ARCHIVES[name][1](tmp_path / name)
