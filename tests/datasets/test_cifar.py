import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest

from skimbal.datasets import _cifar, _cifar_format, _sources, fetch_cifar10_imbalanced
from skimbal.datasets._cifar import draw_counts, long_tail_counts, step_counts
from skimbal.datasets._cifar_format import CLASSES
from skimbal.exceptions import DataNotFoundError

N_TRAIN, N_TEST = 12, 4  # of each class, in the small sets


def small_images(n_per_class, seed):
    """Random images and labels in mixed order; the batches of the archive are mixed too."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(10), n_per_class))
    return rng.integers(0, 256, (len(labels), 3, 32, 32), dtype=np.uint8), labels


TRAIN, TEST = small_images(N_TRAIN, 0), small_images(N_TEST, 1)


def write_archive(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    batches = {"test_batch": TEST}
    for k, rows in enumerate(np.array_split(np.arange(10 * N_TRAIN), 5), start=1):
        batches[f"data_batch_{k}"] = (TRAIN[0][rows], TRAIN[1][rows])
    with tarfile.open(path, "w:gz") as archive:
        for name, (images, labels) in batches.items():
            content = {b"data": images.reshape(-1, 3072), b"labels": labels.tolist()}
            pickled = pickle.dumps(content, protocol=2)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(pickled)
            archive.addfile(member, io.BytesIO(pickled))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def archive_home(tmp_path, monkeypatch):
    path = tmp_path / "original" / "cifar10" / _cifar.ARCHIVE
    monkeypatch.setattr(_cifar, "ARCHIVE_SHA256", write_archive(path))
    return tmp_path / "original"


@pytest.fixture
def jpeg_home(tmp_path):
    rng = np.random.default_rng(3)
    for part, n in (("train", N_TRAIN), ("test", N_TEST)):
        path = tmp_path / "jpeg" / _cifar.JPEG_COPY.format(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        luma = rng.integers(-50, 50, (8, 8, 10 * n, 4, 4), dtype=np.int16)
        chroma = rng.integers(-50, 50, (8, 8, 10 * n, 2, 2, 2), dtype=np.int16)
        quantization = np.ones((2, 8, 8), np.int16)
        labels = np.repeat(np.arange(10, dtype=np.uint8), n)
        np.savez(path, Y=luma, C=chroma, quant=quantization, label=labels, classes=CLASSES)
    return tmp_path / "jpeg"


def small(data_home, **arguments):
    defaults = {"n_max": N_TRAIN, "n_test": 10 * N_TEST, "imbalance_ratio": 4, "random_state": 0}
    return fetch_cifar10_imbalanced(data_home=data_home, **{**defaults, **arguments})


@pytest.mark.parametrize(("ratio", "total"), [(100, 12_406), (50, 13_996), (10, 20_431)])
def test_long_tail_totals_are_the_published_ones(ratio, total):
    assert long_tail_counts(5000, ratio, 10).sum() == total


@pytest.mark.parametrize(
    ("profile", "arguments", "counts"),
    [
        (long_tail_counts, (80, 16, 3), [80, 20, 5]),
        (long_tail_counts, (7, 1, 4), [7] * 4),
        (step_counts, (5000, 2.5, 10), [5000] * 5 + [2000] * 5),
        (step_counts, (9, 2, 3), [9, 4, 4]),
        (step_counts, (5000, 100, 10), [5000] * 5 + [50] * 5),
    ],
)
def test_counts_by_hand(profile, arguments, counts):
    assert profile(*arguments).tolist() == counts


def test_draws_are_nested():
    labels = np.random.default_rng(0).integers(0, 3, 200)
    more = draw_counts(labels, [20, 10, 5], np.random.RandomState(1))
    fewer = draw_counts(labels, [20, 4, 1], np.random.RandomState(1))
    assert np.bincount(labels[fewer]).tolist() == [20, 4, 1]
    assert len(set(fewer.tolist())) == 25
    assert set(fewer.tolist()) < set(more.tolist())


def test_the_archive(archive_home):
    cifar = small(archive_home)
    assert cifar.version == "original"
    assert "as published" in cifar.DESCR
    assert cifar.source == str(archive_home / "cifar10" / _cifar.ARCHIVE)
    assert cifar.class_counts.tolist() == long_tail_counts(12, 4, 10).tolist()
    names, counts = np.unique(cifar.target, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == dict(
        zip(CLASSES, cifar.class_counts, strict=True)
    )
    check_images(cifar.data, cifar.target, TRAIN)
    check_images(cifar.data_test, cifar.target_test, TEST)
    assert len(cifar.data_test) == 10 * N_TEST


def check_images(X, y, pool):
    """Each is an image of the pool with its own label, and none comes twice."""
    assert X.dtype == np.float32
    known = {image.tobytes(): label for image, label in zip(*pool, strict=True)}
    drawn = [np.rint(x * 255).astype(np.uint8).tobytes() for x in X]
    assert [CLASSES[known[image]] for image in drawn] == y.tolist()
    assert len(set(drawn)) == len(drawn)


def test_pixels_of_eight_bits(archive_home):
    one, other = small(archive_home), small(archive_home, dtype="uint8")
    assert other.data.dtype == np.uint8
    np.testing.assert_array_equal(one.data, other.data.astype(np.float32) / np.float32(255))


def test_the_recompressed_copy_is_named(jpeg_home):
    cifar = small(jpeg_home, profile="step")
    assert cifar.version == "jpeg"
    assert "recompressed" in cifar.DESCR
    assert cifar.class_counts.tolist() == [12] * 5 + [3] * 5
    assert cifar.data.shape == (75, 3, 32, 32)
    assert 0 <= cifar.data.min() < cifar.data.max() <= 1


def test_the_order_of_the_sources(archive_home, jpeg_home, tmp_path, monkeypatch):
    monkeypatch.setenv("SKIMBAL_CACHE", str(tmp_path / "cache"))
    (archive_home / "cifar10" / _cifar.ARCHIVE).rename(jpeg_home / "cifar10" / _cifar.ARCHIVE)
    assert small(jpeg_home).version == "original"
    assert small(jpeg_home, version="jpeg").version == "jpeg"
    with pytest.raises(DataNotFoundError, match="no recompressed copy here"):
        small(tmp_path, version="jpeg")


def test_the_original_is_downloaded_rather_than_replaced(jpeg_home, tmp_path, monkeypatch):
    """With version="original" a recompressed copy in the folder is no substitute."""
    monkeypatch.setenv("SKIMBAL_CACHE", str(tmp_path / "cache"))
    asked = []

    def url_download(url, name, *, what_to_do):
        def download(folder):
            asked.append(url)
            write_archive(tmp_path / "served")
            (tmp_path / "served").rename(f"{folder}/{name}")

        return download

    monkeypatch.setattr(_cifar, "url_download", url_download)
    monkeypatch.setattr(_cifar, "ARCHIVE_SHA256", "0" * 64)
    monkeypatch.setattr(_cifar_format.pickle, "load", lambda *a, **k: pytest.fail("unpickled"))
    with pytest.raises(DataNotFoundError, match="SHA-256"):
        small(jpeg_home, version="original")
    assert asked == ["https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"]


def test_an_archive_with_another_checksum_is_never_unpickled(archive_home, monkeypatch):
    monkeypatch.setattr(_cifar, "ARCHIVE_SHA256", "0" * 64)
    monkeypatch.setattr(_cifar_format.pickle, "load", lambda *a, **k: pytest.fail("unpickled"))
    with pytest.raises(DataNotFoundError, match="put a complete copy there"):
        small(archive_home)


def test_seeds(archive_home):
    one, again, other = (small(archive_home, random_state=s, return_X_y=True) for s in (1, 1, 2))
    for x, y in zip(one, again, strict=True):
        np.testing.assert_array_equal(x, y)
    assert (one[2] != other[2]).any()
    # The test set does not depend on how the training set is cut.
    np.testing.assert_array_equal(
        small(archive_home, profile="step", random_state=1).data_test, one[1]
    )


def test_small_test_sets(archive_home):
    y = small(archive_home, n_test=13).target_test
    assert sorted(np.unique(y, return_counts=True)[1].tolist()) == [1] * 7 + [2] * 3


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("label", lambda a: a[:-1], r"Y is int16 of shape .*whole numbers of shape"),
        ("label", lambda a: a + 0.5, "label is float64 of shape"),
        ("label", lambda a: a.astype(int) - 1, "labels must be 0 to 9"),
        ("label", lambda a: a + 1, "labels must be 0 to 9"),
        ("Y", lambda a: a * np.nan, "Y is float"),
        ("Y", lambda a: a.T, "Y is int16 of shape"),
        ("C", lambda a: a[:, :, :, :1], "C is int16 of shape"),
        ("quant", lambda a: a[:1], "quant is int16 of shape"),
        ("classes", lambda a: a[::-1], r"classes are \['truck'"),
    ],
)
def test_arrays_of_the_recompressed_copy_that_do_not_agree(name, change, message, jpeg_home):
    path = jpeg_home / _cifar.JPEG_COPY.format("train")
    arrays = dict(np.load(path))
    np.savez(path, **(arrays | {name: change(arrays[name])}))
    with pytest.raises(DataNotFoundError, match=rf"train\.npz .*{message}.*; put a complete copy"):
        small(jpeg_home)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"profile": "linear"}, "profile='linear' is not known; use 'long-tail' or 'step'"),
        ({"imbalance_ratio": 0.5}, "imbalance_ratio=0.5 is not usable; give a number >= 1"),
        ({"imbalance_ratio": 13}, "leaves no image of 'truck' with n_max=12"),
        (
            {"n_max": 13},
            "13 training images of 'airplane' were asked for, but this copy's training set has 12",
        ),
        (
            {"n_test": 41},
            "5 test images of 'airplane' were asked for, but this copy's test set has 4",
        ),
        ({"n_test": 0}, "n_test=0 is not usable"),
        ({"n_max": 5001}, "n_max=5001 is more than the 5000 images that CIFAR-10 has"),
        ({"n_test": 10_001}, "n_test=10001 is more than the 10000 images that CIFAR-10 has"),
        ({"dtype": "float64"}, "dtype='float64' is not known"),
        ({"version": "png"}, "version='png' is not known; use 'original' or 'jpeg'"),
    ],
)
def test_bad_input(arguments, message, archive_home):
    with pytest.raises(ValueError, match=r".") as raised:
        small(archive_home, **arguments)
    assert message in str(raised.value)


needs_data = pytest.mark.skipif(
    _sources.local_file(_sources.data_folder(), _cifar.JPEG_COPY.format("train")) is None,
    reason="SKIMBAL_DATA has no copy of CIFAR-10",
)


@needs_data
def test_the_real_copy():
    cifar = fetch_cifar10_imbalanced(n_max=500, n_test=200, random_state=0)
    assert cifar.data.shape == (1236, 3, 32, 32)
    assert 0.4 < cifar.data.mean() < 0.55  # CIFAR-10's is 0.473
