"""Saving and loading of estimators: what is done before a byte is written or an object made."""

import platform
import warnings
from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from skimbal._version import __version__
from skimbal.exceptions import ModelFileError
from skimbal.persistence._archive import (
    archive_bytes,
    open_archive,
    read_archive,
    seal_entries,
    write_archive,
)
from skimbal.persistence._arrays import CODECS as ARRAYS
from skimbal.persistence._graph import Reader, Writer
from skimbal.persistence._instances import INSTANCES, OTHERS, untrusted_types
from skimbal.persistence._names import Names
from skimbal.persistence._torch_objects import CODECS as TORCH
from skimbal.persistence._values import CODECS as VALUES

CODECS = [*VALUES, *ARRAYS, *TORCH, INSTANCES, OTHERS]
VERSIONS = {
    "python": platform.python_version(),
    "numpy": np.__version__,
    "scikit-learn": sklearn.__version__,
    "torch": torch.__version__,
}


def save(estimator: BaseEstimator, path: str | PathLike) -> None:
    """Write an estimator, fitted or not, to a file from which `load` runs no code.

    The file is a zip. Parameters and attributes are JSON, arrays and weights are safetensors, and
    there is no pickle. A loaded network predicts the same numbers to the bit, and `partial_fit`
    continues as if it had not been saved. Networks, ensembles and searches of this package,
    pipelines, and estimators of scikit-learn and imbalanced-learn are saved by their attributes.
    What can't be taken apart so, such as trees, is saved by skops, if that is installed. Own
    classes and functions are saved by name.

    Parameters
    ----------
    estimator : estimator
        An estimator of this package, or another one of scikit-learn's kind.
    path : str or path-like
        The file. A file that is there is replaced when the new one is complete.

    Raises
    ------
    ValueError
        For a lambda, a local class or function, and objects that no file can hold. Nothing is
        written then.
    OSError
        Where the file can't be written; an older file stays as it is.

    Warns
    -----
    UserWarning
        If callbacks, the `state_file` of a search or the `memory` of a pipeline are set. They are
        left out, because fitting would run or read what they name.

    See Also
    --------
    skimbal.persistence.load : Read the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import MLPClassifier
    >>> from skimbal.persistence import load, save
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> network = MLPClassifier(max_epochs=5, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(network, Path(folder) / "network.skimbal")
    ...     loaded = load(Path(folder) / "network.skimbal")
    >>> bool((loaded.predict_proba(X) == network.predict_proba(X)).all())
    True
    """
    check_is_estimator(estimator)
    writer = Writer(CODECS)
    root = writer.value(estimator, type(estimator).__name__)
    entries = seal_entries(writer.entries(root), {"skimbal": __version__, "versions": VERSIONS})
    data = archive_bytes(entries)
    check_readable(data, writer)
    write_archive(path, data)


def check_is_estimator(estimator):
    """Raise a ValueError for classes, and for what has no parameters."""
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        raise ValueError(f"estimator={estimator!r} is no estimator; give an instance with a fit")


def check_readable(data, writer):
    """Raise a ValueError where a file with these bytes could not be loaded here."""
    trusted = [node["name"] for node in writer.objects if "name" in node]
    trusted += untrusted_types(writer.files)
    try:
        manifest, parts = open_archive(data)
        read_whole(manifest, parts, Names(trusted))
    except Exception as error:  # whatever own classes and skops raise
        raise ValueError(f"the estimator can't be saved: read again, {error}") from error


def load(path: str | PathLike, *, trusted: Iterable[str | type | Callable] = ()) -> Any:
    """Read an estimator that `save` has written.

    Loading runs no code of the file, and imports only modules of this package, of scikit-learn,
    imbalanced-learn and torch, and those that `trusted` names. All checks are done before the first
    object is made. A file has at most 2 GiB and 10,000 entries, none of them compressed, and 64 MiB
    of JSON.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : iterable of str, classes and functions, default=()
        Classes and functions besides those of this package, scikit-learn, imbalanced-learn and
        torch that the file may use: ``"module:name"``, or the class or function. Trust only code
        that you know: it runs when the estimator is used.

    Returns
    -------
    estimator
        The estimator that was saved. A network that was on a device which this machine does not
        have is on the processor, with a warning.

    Raises
    ------
    skimbal.exceptions.ModelFileError
        A ValueError: for a file that is cut, changed by one bit, of a newer format, or made to do
        harm, and for names that are not trusted. The message lists those names.
    OSError
        If there is no such file.

    Warns
    -----
    sklearn.exceptions.InconsistentVersionWarning
        If another version of scikit-learn has written one of its estimators.

    See Also
    --------
    skimbal.persistence.save : Write the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal import FixedCostClassifier
    >>> from skimbal.persistence import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(FixedCostClassifier(LogisticRegression(C=2.0)), Path(folder) / "costs.skimbal")
    ...     print(load(Path(folder) / "costs.skimbal"))
    FixedCostClassifier(estimator=LogisticRegression(C=2.0))
    """
    names = Names(trusted)
    try:
        manifest, entries = read_archive(path)
        return read_whole(manifest, entries, names)
    except OSError:
        raise
    except ModelFileError as error:
        raise ModelFileError(f"{path} can't be loaded: {error}") from error
    except Exception as error:  # whatever a wrong value makes the parts raise
        what = f"{type(error).__name__}: {error}"
        raise ModelFileError(f"{path} can't be loaded: its contents do not fit ({what})") from error


def read_whole(manifest, entries, names):
    """The estimator of an archive."""
    reader = Reader(CODECS, entries, names)
    reader.check_names()
    estimator = reader.read()
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        raise ModelFileError(f"it holds {type(estimator).__name__}, which is no estimator")
    warn_of_versions(manifest, reader)
    return estimator


def warn_of_versions(manifest, reader):
    """Warn where another version of scikit-learn has written one of its estimators."""
    written = manifest["versions"]["scikit-learn"]
    if written == sklearn.__version__:
        return
    for node in reader.described:
        if str(node.get("name")).startswith("sklearn."):
            warn_of_version(node["name"].split(":")[1], written)
            return


def warn_of_version(name, written):
    """Warn of the version of scikit-learn, as scikit-learn does for pickles."""
    warnings.warn(
        InconsistentVersionWarning(
            estimator_name=name,
            current_sklearn_version=sklearn.__version__,
            original_sklearn_version=written,
        ),
        stacklevel=2,
    )
