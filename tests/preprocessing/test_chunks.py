import os
import pickle
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import torch

from skimbal.preprocessing import ChunkedTable

X = np.random.default_rng(0).normal(size=(9000, 16)).astype(np.float32)


def two_files(folder):
    np.save(folder / "a.npy", X[:5000])
    np.save(folder / "b.npy", X[5000:])
    return ChunkedTable.from_npy(folder)


def one_map(folder):
    np.save(folder / "a.npy", X)
    return ChunkedTable.from_npy(np.load(folder / "a.npy", mmap_mode="r"))


def part_of_a_map(folder):
    np.save(folder / "a.npy", np.concatenate([X[:7], X]))
    return ChunkedTable.from_npy(np.load(folder / "a.npy", mmap_mode="r")[7:])


def integers_of_big_end(folder):
    np.save(folder / "a.npy", np.round(X * 1000).astype(">i4"))
    return ChunkedTable.from_npy([folder / "a.npy"])


def parquet(folder):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(X).rename(columns=str).assign(failed=np.arange(len(X)) % 3)
    frame[:4000].to_parquet(folder / "a.parquet", row_group_size=1500)
    frame[4000:].to_parquet(folder / "b.parquet", row_group_size=700)
    return ChunkedTable.from_parquet(folder, label="failed")


def zarr_array(folder):
    zarr = pytest.importorskip("zarr")
    array = zarr.create_array(folder / "a.zarr", shape=X.shape, chunks=(1000, 8), dtype="float32")
    array[:] = X
    return ChunkedTable.from_zarr(folder / "a.zarr")


def torch_dataset(folder):
    labels = torch.arange(len(X)) % 3
    return ChunkedTable.from_dataset(torch.utils.data.TensorDataset(torch.as_tensor(X), labels))


SOURCES = [
    two_files,
    one_map,
    part_of_a_map,
    integers_of_big_end,
    parquet,
    zarr_array,
    torch_dataset,
]


@pytest.mark.parametrize("make", SOURCES)
def test_rows_are_read_in_any_order_of_the_chunks(make, tmp_path):
    table = pickle.loads(pickle.dumps(make(tmp_path)))
    expected = np.round(X * 1000) if make is integers_of_big_end else X
    assert (table.shape, table.ndim, len(table)) == (X.shape, 2, 9000)
    np.testing.assert_array_equal(np.asarray(table), expected)
    np.testing.assert_array_equal(table[3], expected[3])
    order = np.random.default_rng(0).permutation(len(table.chunk_rows))
    assert len(order) > 2
    found = np.zeros(len(X))
    for rows, array in table.chunks(order):
        np.testing.assert_array_equal(array, expected[rows])
        found[rows] += 1
    assert (found == 1).all()


@pytest.mark.parametrize("make", SOURCES)
def test_selected_rows(make, tmp_path):
    table = make(tmp_path)
    expected = np.asarray(table)
    mask = np.arange(9000) % 7 == 2
    mask[4000:8000] = False  # whole chunks
    for part, own in [
        (table[mask], expected[mask]),
        (table[mask][10:50:3], expected[mask][10:50:3]),
        (table[np.flatnonzero(mask), ...], expected[mask]),
        (table[mask][np.array([1, 4])], expected[mask][[1, 4]]),
        (table[:0], expected[:0]),
    ]:
        assert part.shape == own.shape
        np.testing.assert_array_equal(np.asarray(part), own)
        np.testing.assert_array_equal(
            np.concatenate([own[:0], *(block for _, block in part.blocks())]), own
        )


def test_labels(tmp_path):
    table = parquet(tmp_path)
    assert table.columns == [str(i) for i in range(16)]
    np.testing.assert_array_equal(table.y, np.arange(9000) % 3)
    np.testing.assert_array_equal(table[5:8].y, [2, 0, 1])
    np.testing.assert_array_equal(torch_dataset(tmp_path)[5:8].y, [2, 0, 1])
    inputs_only = ChunkedTable.from_dataset([X[0], X[1]])
    assert inputs_only.y is None


def test_a_float64_file_is_read_as_such(tmp_path):
    np.save(tmp_path / "a.npy", X.astype(np.float64) * np.pi)
    table = ChunkedTable.from_npy(tmp_path)
    assert table.dtype == np.float64
    np.testing.assert_array_equal(np.asarray(table), X.astype(np.float64) * np.pi)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("rows", [[3, 1], [1, 1], [0.5], [[1]], np.ones(5, bool), slice(9, 1, -1)])
def test_rows_that_are_out_of_order(rows, tmp_path):
    with pytest.raises(IndexError, match="order"):
        two_files(tmp_path)[rows]


def test_a_file_that_is_cut_short(tmp_path):
    table = two_files(tmp_path)
    size = os.path.getsize(tmp_path / "b.npy")
    os.truncate(tmp_path / "b.npy", size - 100)
    with pytest.raises(ValueError, match=rf"b\.npy is cut short: {size} bytes .* {size - 100} are"):
        ChunkedTable.from_npy(tmp_path)
    with pytest.raises(
        ValueError, match=rf"b\.npy has changed .* {size} bytes and has {size - 100}"
    ):
        np.asarray(table)
    with pytest.raises(ValueError, match=rf"b\.npy is cut short: {size} bytes"):
        table.sources[1].read(0, 4000)
    os.truncate(tmp_path / "b.npy", 20)
    with pytest.raises(ValueError, match=r"b\.npy is not a whole \.npy file"):
        ChunkedTable.from_npy(tmp_path)


def test_a_parquet_file_that_is_cut_short(tmp_path):
    parquet(tmp_path)
    size = os.path.getsize(tmp_path / "b.parquet")
    os.truncate(tmp_path / "b.parquet", size - 100)
    with pytest.raises(ValueError, match=rf"b\.parquet \({size - 100} bytes\) cannot be read"):
        ChunkedTable.from_parquet(tmp_path)


def test_a_chunk_of_zarr_that_is_cut_short(tmp_path):
    table = zarr_array(tmp_path)
    os.truncate(tmp_path / "a.zarr" / "c" / "4" / "0", 10)
    with pytest.raises(ValueError, match=r"a\.zarr has changed"):
        np.asarray(table)
    table = ChunkedTable.from_zarr(tmp_path / "a.zarr")
    with pytest.raises(
        ValueError, match=r"rows 4000 to 8000 of the zarr array .*a\.zarr cannot be"
    ):
        np.asarray(table)


def test_parquet_files_of_other_columns(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(X[:10, :3], columns=["wear", "force", "torque"])
    frame.to_parquet(tmp_path / "a.parquet")
    for other, message in [
        (frame.drop(columns="force"), r"b\.parquet has not the columns \['force'\], compared with"),
        (frame.assign(heat=1.0), r"the columns \['heat'\] in addition"),
        (frame[["torque", "wear", "force"]], "the same columns in another order"),
    ]:
        other.to_parquet(tmp_path / "b.parquet")
        with pytest.raises(ValueError, match=message):
            ChunkedTable.from_parquet(tmp_path)
    frame.assign(heat=1.0).to_parquet(tmp_path / "b.parquet")
    assert ChunkedTable.from_parquet(tmp_path, columns=["force", "wear"]).shape == (20, 2)
    with pytest.raises(ValueError, match=r"a\.parquet has no columns \['heat'\]; it has \['wear'"):
        ChunkedTable.from_parquet(tmp_path, columns=["heat"])
    with pytest.raises(ValueError, match=r"has no columns \['failed'\]"):
        ChunkedTable.from_parquet(tmp_path, label="failed")
    frame.assign(tool="drill").to_parquet(tmp_path / "b.parquet")
    with pytest.raises(ValueError, match=r"\['tool'\] of .*b\.parquet have the types .*string"):
        ChunkedTable.from_parquet(tmp_path / "b.parquet")


@pytest.mark.parametrize("index", [[7, 5], pd.Index([7, 5], name="pump"), pd.RangeIndex(2)])
def test_the_index_of_a_frame_in_a_parquet_file_is_no_input(index, tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"wear": [0.5, 2.0], "failed": [0, 1]}, index=index)
    frame.to_parquet(tmp_path / "a.parquet")
    table = ChunkedTable.from_parquet(tmp_path / "a.parquet", label="failed")
    assert table.columns == ["wear"]
    np.testing.assert_array_equal(table, [[0.5], [2.0]])


def test_the_index_of_a_frame_in_a_parquet_file_can_be_chosen(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"wear": [0.5, 2.0]}, index=pd.Index([7, 5], name="age"))
    frame.to_parquet(tmp_path / "a.parquet")
    table = ChunkedTable.from_parquet(tmp_path / "a.parquet", columns=["age", "wear"])
    np.testing.assert_array_equal(table, [[7.0, 0.5], [5.0, 2.0]])


def test_columns_of_parquet_files_that_can_not_be_inputs(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"wear": [1.0, 2.0], "failed": [0, 1], "tool": pd.Categorical(["a", "b"])})
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"\['tool'\] of .*a\.parquet have the types dict"):
        ChunkedTable.from_parquet(tmp_path, label="failed")
    np.testing.assert_array_equal(
        ChunkedTable.from_parquet(tmp_path, columns=["wear"], label="tool").y, ["a", "b"]
    )
    with pytest.raises(ValueError, match=r"columns=\['wear', 'failed'\] has the label 'failed'"):
        ChunkedTable.from_parquet(tmp_path, columns=["wear", "failed"], label="failed")
    with pytest.raises(ValueError, match="give the path of a"):
        ChunkedTable.from_parquet(frame)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([Decimal("1.5"), Decimal("2")], r"decimal128\(2, 1\); .*decimals as floats"),
        (pd.to_datetime(["2024-01-01", "2024-01-31"]), "timestamp.*days since a date"),
    ],
    ids=["decimals", "dates"],
)
def test_columns_of_parquet_files_that_must_become_numbers(values, expected, tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"wear": [1.0, 2.0], "odd": values}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=rf"the columns \['odd'\] of .* have the types {expected}"):
        ChunkedTable.from_parquet(tmp_path)


def test_the_order_of_numbered_files(tmp_path):
    for i in (2, 10):
        np.save(tmp_path / f"part{i}.npy", X[:i])
    with pytest.raises(ValueError, match=r"part10\.npy comes before part2\.npy by name"):
        ChunkedTable.from_npy(tmp_path)
    table = ChunkedTable.from_npy([tmp_path / "part2.npy", tmp_path / "part10.npy"])
    assert table.chunk_rows == [2, 10]
    (tmp_path / "part2.npy").rename(tmp_path / "part02.npy")
    assert ChunkedTable.from_npy(tmp_path).chunk_rows == [2, 10]


def test_the_order_of_numbered_files_with_labels(tmp_path):
    pytest.importorskip("pyarrow")
    for i in (2, 10):
        pd.DataFrame({"wear": [1.0], "part": [i]}).to_parquet(tmp_path / f"part{i}.parquet")
    np.testing.assert_array_equal(ChunkedTable.from_parquet(tmp_path, label="part").y, [10, 2])
    with pytest.raises(ValueError, match="in doubt"):
        ChunkedTable.from_parquet(tmp_path)


def test_files_of_other_widths(tmp_path):
    two_files(tmp_path)
    np.save(tmp_path / "b.npy", X[:, :5])
    with pytest.raises(ValueError, match=r"b\.npy has rows of the shape \(5,\), .*a\.npy of .*16"):
        ChunkedTable.from_npy(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_not_finite(value, tmp_path):
    bad = X[5000:].copy()
    bad[3500, 4] = value
    np.save(tmp_path / "a.npy", X[:5000])
    np.save(tmp_path / "b.npy", bad)
    table = ChunkedTable.from_npy(tmp_path)
    with pytest.raises(ValueError, match=rf"row 3500 of .*b\.npy has {value} in column 4"):
        np.asarray(table)
    with pytest.raises(ValueError, match=r"row 3500 of"):
        np.asarray(table[8001:])
    assert np.isfinite(np.asarray(table[:8500])).all()


def test_a_missing_number_of_a_parquet_file(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"wear": np.arange(10.0), "force": [1, None, *range(8)]})
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"row 1 of .*a\.parquet has nan in column 'force'"):
        np.asarray(ChunkedTable.from_parquet(tmp_path))


def test_a_file_that_changes(tmp_path):
    table = two_files(tmp_path)
    state = os.stat(tmp_path / "b.npy")
    with open(tmp_path / "b.npy", "r+b") as file:
        file.seek(500)
        file.write(b"1234")
    os.utime(tmp_path / "b.npy", ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    with pytest.raises(ValueError, match=r"b\.npy has changed .* as many bytes as before"):
        next(table.chunks())
    os.remove(tmp_path / "b.npy")
    with pytest.raises(ValueError, match=r"b\.npy has changed .* it is gone"):
        next(table.chunks())


@pytest.mark.parametrize(
    ("package", "extra", "make"),
    [
        ("pyarrow", "tables", lambda path: ChunkedTable.from_parquet(path)),
        ("zarr", "zarr", lambda path: ChunkedTable.from_zarr(path)),
    ],
    ids=["pyarrow", "zarr"],
)
def test_a_package_that_is_missing(package, extra, make, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(ImportError, match=rf"need {package}; .*pip install .*\.\[{extra}\]"):
        make(tmp_path / "a.parquet")


def save(folder, array):
    np.save(folder / "a.npy", array)
    return folder / "a.npy"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: save(f, np.array([["a"]], dtype=object)), r"a\.npy has the type object"),
        (lambda f: save(f, np.array([["a", "b"]])), r"a\.npy has the type <U1"),
        (lambda f: save(f, X[:, 0]), r"a\.npy has the shape \(9000,\)"),
        (lambda f: save(f, np.asfortranarray(X)), "columns side by side"),
        (lambda f: save(f, X[:0]), "has no rows"),
        (lambda f: f, r"has no \*\.npy files"),
        (lambda f: f / "b.npy", r"there is no file .*b\.npy"),
        (lambda f: 5, "paths=5 is not usable"),
        (lambda f: [], "has no files"),
        (lambda f: X, "got an array in memory"),
    ],
    ids=["object", "text", "one_axis", "fortran", "empty", "folder", "path", "5", "[]", "array"],
)
def test_what_is_no_file_of_rows(make, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        ChunkedTable.from_npy(make(tmp_path))


def test_an_object_memory_map_is_refused_by_numpy_or_here(tmp_path):
    save(tmp_path, np.array([["a"]], dtype=object))
    with pytest.raises(ValueError, match="object"):
        ChunkedTable.from_npy(np.load(tmp_path / "a.npy", mmap_mode="r", allow_pickle=True))
    records = np.memmap(tmp_path / "b", dtype=[("a", "f4")], mode="w+", shape=(3, 2))
    with pytest.raises(ValueError, match="networks take numbers"):
        ChunkedTable.from_npy(records)


@pytest.mark.parametrize("buffer_bytes", [0, 65535, 1e6, "256 MB"])
def test_a_buffer_that_can_not_be(buffer_bytes, tmp_path):
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(ValueError, match="buffer_bytes="):
        ChunkedTable.from_npy(tmp_path, buffer_bytes=buffer_bytes)


def test_columns_that_are_one_name(tmp_path):
    with pytest.raises(ValueError, match="give a list of names"):
        ChunkedTable.from_parquet(tmp_path, columns="wear")


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (iter([]), "map-style"),
        ([], "is empty"),
        ([np.zeros(2), np.zeros(3)], r"sample 1 of .* has the shape \(3,\), the first one \(2,\)"),
        ([np.array(["a"])], "has the type <U1"),
        ([1.0, 2.0], "give rows"),
    ],
    ids=["iterable", "empty", "shapes", "text", "numbers"],
)
def test_data_sets_that_can_not_be_read(dataset, message):
    with pytest.raises(ValueError, match=message):
        np.asarray(ChunkedTable.from_dataset(dataset))


def test_what_is_no_zarr_array(tmp_path):
    zarr = pytest.importorskip("zarr")
    group = zarr.create_group(tmp_path / "group")
    with pytest.raises(ValueError, match="give a zarr array, or the path of one"):
        ChunkedTable.from_zarr(group)
    with pytest.raises(ValueError, match="cannot be opened as a zarr array"):
        ChunkedTable.from_zarr(tmp_path / "nothing")
