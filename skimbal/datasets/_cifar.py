"""CIFAR-10 with few images of some classes.

Krizhevsky (2009), Learning multiple layers of features from tiny images. The long-tailed and step
profiles are those of Cui et al. (2019), doi:10.1109/CVPR.2019.00949, and Cao et al. (2019),
arXiv:1906.07413.
"""

import functools
import os
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skimbal.datasets._checks import check_count, check_number, check_option
from skimbal.datasets._cifar_format import CLASSES, read_archive, read_jpeg_copy
from skimbal.datasets._sources import (
    cached_file,
    data_folder,
    local_file,
    reading,
    url_download,
    verified_file,
)
from skimbal.exceptions import DataNotFoundError

ARCHIVE = "cifar-10-python.tar.gz"
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
JPEG_COPY = "cifar10/cifar10_jpeg_{}.npz"
_N_OF_A_CLASS = {"train": 5000, "test": 1000}
_WHAT_TO_DO = (
    f"set SKIMBAL_DATA (or data_home=) to a folder that holds cifar10/{ARCHIVE}, or "
    f"{JPEG_COPY.format('train')} and {JPEG_COPY.format('test')}"
)
_VERSIONS = {
    "original": "the university's archive, as published",
    "jpeg": "a copy recompressed as JPEG: its pixels differ from those of CIFAR-10, so figures "
    "measured on it differ a little from published ones",
}


def long_tail_counts(n_max, imbalance_ratio, n_classes):
    """Images of each class, n_max * ratio^(-c / (n_classes - 1)), rounded down.

    >>> long_tail_counts(5000, 100, 10).tolist()
    [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    """
    exponent = np.arange(n_classes) / (n_classes - 1)
    return _floor(n_max * float(imbalance_ratio) ** -exponent)


def step_counts(n_max, imbalance_ratio, n_classes):
    """n_max of the first half of the classes, n_max / ratio of the others, rounded down.

    >>> step_counts(5000, 20, 10).tolist()
    [5000, 5000, 5000, 5000, 5000, 250, 250, 250, 250, 250]
    """
    is_rare = np.arange(n_classes) >= n_classes // 2
    return _floor(np.where(is_rare, n_max / imbalance_ratio, n_max))


def _floor(counts):
    # Rounding gives 49.999... where the exact value is 50.
    return np.floor(counts + 1e-6).astype(np.int64)


_PROFILES = {"long-tail": long_tail_counts, "step": step_counts}


def draw_counts(labels, class_counts, rng):
    """Indices of a given number of samples of each class, in random order.

    The samples of a class are the first of one permutation of all of them. A draw with a lower
    count and the same seed is therefore a subset of the larger draw.
    """
    chosen = [
        rng.permutation(np.flatnonzero(labels == c))[:count] for c, count in enumerate(class_counts)
    ]
    return rng.permutation(np.concatenate(chosen))


def fetch_cifar10_imbalanced(
    *,
    profile: str = "long-tail",
    imbalance_ratio: float = 100,
    n_max: int | None = None,
    n_test: int | None = None,
    dtype: str = "float32",
    version: str | None = None,
    random_state: int | np.random.RandomState | None = None,
    data_home: str | os.PathLike | None = None,
    return_X_y: bool = False,
) -> Any:
    r"""Load CIFAR-10 with an imbalanced training set and a balanced test set.

    With C = 10 classes, the training set has

    .. math:: n_c = \lfloor n_{max} \, \rho^{-c / (C - 1)} \rfloor

    images of class c for profile "long-tail" and imbalance ratio rho. For "step" it has n_max of
    classes 0 to 4 and n_max / rho of classes 5 to 9. Rates of 40, 20 and 5 % of five classes are
    "step" with ratios 2.5, 5 and 20.

    The first source is ``cifar10/`` in the folder `data_home` or ``$SKIMBAL_DATA``, with
    ``cifar-10-python.tar.gz`` or with ``cifar10_jpeg_train.npz`` and ``cifar10_jpeg_test.npz`` (a
    recompressed copy). The second is the university's archive of 163 MB, downloaded into
    ``$SKIMBAL_CACHE``. The archive holds pickles, which are read only if its SHA-256 checksum is
    right. ``version`` and ``DESCR`` say which copy was read.

    Parameters
    ----------
    profile : {"long-tail", "step"}, default="long-tail"
        How the counts fall.
    imbalance_ratio : float, default=100
        Images of the largest class divided by those of the smallest, 1 or more; 1 is balanced.
    n_max : int, default=None
        Images of the largest class, 1 to 5,000; None is 5,000.
    n_test : int, default=None
        Test images, 1 to 10,000. The counts of the classes differ by at most 1. None is 10,000.
    dtype : {"float32", "uint8"}, default="float32"
        Pixels from 0 to 1, or from 0 to 255 in a quarter of the memory.
    version : {"original", "jpeg"}, default=None
        The only accepted copy. None takes the first copy that exists, in the order above.
    random_state : int, RandomState or None, default=None
        Seed of the choice of images and of their order. Published figures vary by a few points
        with it, so report several seeds. With one seed, fewer images are a subset of more.
    data_home : path-like, default=None
        Folder of local copies; None is ``$SKIMBAL_DATA``, if that is set.
    return_X_y : bool, default=False
        Return four arrays instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_train, 3, 32, 32) and ``data_test`` of shape (n_test, 3, 32, 32);
        ``target`` and ``target_test``, the names of the classes; ``class_counts`` of shape (10,),
        those of ``target`` in the order of ``target_names``; ``version``, "original" or "jpeg";
        ``source``; ``DESCR``.
    X_train, X_test, y_train, y_test
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        If an option is unknown, the ratio is below 1, or the ratio leaves a class without images.
    DataNotFoundError
        If no source has the data.

    References
    ----------
    .. [1] A. Krizhevsky (2009), Learning multiple layers of features from tiny images, University
       of Toronto.
    .. [2] Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie (2019), Class-balanced loss based on
       effective number of samples, CVPR, section 5.1, doi:10.1109/CVPR.2019.00949.
    .. [3] K. Cao, C. Wei, A. Gaidon, N. Arechiga, T. Ma (2019), Learning imbalanced datasets with
       label-distribution-aware margin loss, NeurIPS, section 4, arXiv:1906.07413.

    Examples
    --------
    >>> from skimbal.datasets import fetch_cifar10_imbalanced
    >>> cifar = fetch_cifar10_imbalanced(random_state=0)  # doctest: +SKIP
    >>> cifar.data.shape, cifar.class_counts[[0, 9]].tolist()  # doctest: +SKIP
    ((12406, 3, 32, 32), [5000, 50])
    """
    class_counts = _check_counts(profile, imbalance_ratio, n_max)
    test_counts = _check_test_counts(n_test)
    check_option("dtype", dtype, ("float32", "uint8"))
    if version is not None:
        check_option("version", version, tuple(_VERSIONS))
    read, version, source = _find(version, data_folder(data_home))
    rng = check_random_state(random_state)
    # The test set is drawn first: it is the same for any training set.
    X_test, y_test = _draw(read, source, "test", test_counts, dtype, rng)
    X, y = _draw(read, source, "train", class_counts, dtype, rng)
    if return_X_y:
        return X, X_test, y, y_test
    return Bunch(
        data=X,
        target=y,
        data_test=X_test,
        target_test=y_test,
        class_counts=class_counts,
        target_names=list(CLASSES),
        version=version,
        source=source,
        DESCR=(
            f"CIFAR-10, profile {profile!r}, imbalance ratio {imbalance_ratio:g}: {len(X)} "
            f"training images ({', '.join(map(str, class_counts))}), {len(X_test)} test images in "
            f"equal parts.\nVersion {version!r}: {_VERSIONS[version]}.\nRead from {source}.\n\n"
            "Reference: A. Krizhevsky (2009), Learning multiple layers of features from tiny "
            "images, University of Toronto."
        ),
    )


def _check_counts(profile, imbalance_ratio, n_max):
    check_option("profile", profile, tuple(_PROFILES))
    check_number("imbalance_ratio", imbalance_ratio, 1)
    n_max = _check_size("n_max", n_max, _N_OF_A_CLASS["train"])
    counts = _PROFILES[profile](n_max, imbalance_ratio, len(CLASSES))
    if counts.min() < 1:
        raise ValueError(
            f"imbalance_ratio={imbalance_ratio:g} leaves no image of {CLASSES[counts.argmin()]!r} "
            f"with n_max={n_max}; use a ratio of at most n_max"
        )
    return counts


def _check_size(parameter, value, maximum):
    """`value`, or `maximum` for None; ValueError if it is out of range."""
    if value is None:
        return maximum
    check_count(parameter, value, 1)
    if value > maximum:
        raise ValueError(
            f"{parameter}={value} is more than the {maximum} images that CIFAR-10 has; lower it"
        )
    return value


def _check_test_counts(n_test):
    n_test = _check_size("n_test", n_test, len(CLASSES) * _N_OF_A_CLASS["test"])
    # The first classes get the remainder.
    return (n_test + len(CLASSES) - 1 - np.arange(len(CLASSES))) // len(CLASSES)


def _find(version, folder):
    """Reader of a part, version and source of the first accepted copy."""
    archive = local_file(folder, f"cifar10/{ARCHIVE}")
    if archive is not None and version != "jpeg":
        verified_file(archive, ARCHIVE_SHA256, f"put a complete copy there, or {_WHAT_TO_DO}")
        return functools.partial(read_archive, archive), "original", str(archive)
    parts = {part: local_file(folder, JPEG_COPY.format(part)) for part in ("train", "test")}
    if None not in parts.values() and version != "original":
        return lambda part: read_jpeg_copy(parts[part]), "jpeg", str(parts["train"].parent)
    if version == "jpeg":
        raise DataNotFoundError(
            f"there is no recompressed copy here; {_WHAT_TO_DO}, or use version='original'"
        )
    download = url_download(URL, ARCHIVE, what_to_do=_WHAT_TO_DO)
    archive = cached_file(ARCHIVE, download, sha256=ARCHIVE_SHA256, what_to_do=_WHAT_TO_DO)
    return functools.partial(read_archive, archive), "original", str(archive)


def _draw(read, source, part, class_counts, dtype, rng):
    """Images and class names of a part, with a given number of each class."""
    with reading(source, "put a complete copy there"):
        labels, decode = read(part)
        available = np.bincount(labels, minlength=len(CLASSES))
        if len(available) > len(CLASSES):
            raise ValueError(f"label {labels.max()} is not one of 0 to {len(CLASSES) - 1}")
    short = np.flatnonzero(available < class_counts)
    if short.size:
        c = short[0]
        name, parameter = ("training", "n_max") if part == "train" else ("test", "n_test")
        raise ValueError(
            f"{class_counts[c]} {name} images of {CLASSES[c]!r} were asked for, but this copy's "
            f"{name} set has {available[c]}; lower {parameter}, or use a complete copy"
        )
    chosen = draw_counts(labels, class_counts, rng)
    with reading(source, "put a complete copy there"):
        images = decode(chosen)
    if dtype == "float32":
        images = images.astype(np.float32) / np.float32(255)
    return images, np.array(CLASSES)[labels[chosen]]
