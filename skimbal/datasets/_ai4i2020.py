"""AI4I 2020: failures of a simulated milling machine."""

import os
from typing import Any

import numpy as np
import pandas as pd

from skimbal.datasets._sources import reading
from skimbal.datasets._tables import check_columns, table_bunch, table_file

LOCAL = "ai4i2020/ai4i2020.csv"
URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/00601/ai4i2020.csv"
FILE = "ai4i2020.csv"
SHA256 = "9841aaa04b716d41ce9501f42d9388de7f571566608945061d026f95853c0337"
QUALITIES = ("L", "M", "H")
MEASUREMENTS = (
    "Air temperature [K]",
    "Process temperature [K]",
    "Rotational speed [rpm]",
    "Torque [Nm]",
    "Tool wear [min]",
)
FAILURE, CAUSES = "Machine failure", ("TWF", "HDF", "PWF", "OSF", "RNF")


def load_ai4i2020(
    *,
    as_frame: bool = False,
    data_home: str | os.PathLike | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load AI4I 2020: 10,000 states of a milling machine, 339 of them failures.

    The set is synthetic; its authors made it to reflect a real machine.

    The first source is ``ai4i2020/ai4i2020.csv`` in the folder `data_home` or ``$SKIMBAL_DATA``.
    The second is a download from the UCI repository into ``$SKIMBAL_CACHE``, which is accepted only
    with the SHA-256 checksum of a copy of that file. If UCI serves another file, the error says so.

    Parameters
    ----------
    as_frame : bool, default=False
        Return `data` as a DataFrame of six columns, in which the quality is a category.
    data_home : path-like, default=None
        Folder of a local copy; None is ``$SKIMBAL_DATA``, if that is set.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (10000, 8), float64: a 0/1 column for each quality of the product (low,
        medium, high), air and process temperature in K, rotational speed in rpm, torque in Nm, and
        tool wear in minutes (with ``as_frame=True`` a DataFrame of shape (10000, 6), ``Type`` and
        the five numbers); ``target`` of shape (10000,), "failure" and "no failure"; ``causes``,
        a DataFrame of 0 and 1 with the columns TWF (tool wear), HDF (heat dissipation), PWF
        (power), OSF (overstrain) and RNF (random), the causes of failures, which are no inputs;
        ``feature_names``; ``target_names``; ``source``; ``DESCR``.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    DataNotFoundError
        If no source has the data, or a file is damaged or another one.

    References
    ----------
    S. Matzka (2020), Explainable artificial intelligence for predictive maintenance applications,
    AI4I 2020; the data: UCI Machine Learning Repository, doi:10.24432/C5HS5C.

    Examples
    --------
    >>> from skimbal.datasets import load_ai4i2020
    >>> machine = load_ai4i2020()  # doctest: +SKIP
    >>> machine.data.shape, int((machine.target == "failure").sum())  # doctest: +SKIP
    ((10000, 8), 339)
    """
    path = table_file(LOCAL, URL, FILE, SHA256, data_home)
    with reading(path, "put a complete copy there"):
        frame = _read(path)
    X, names = _inputs(frame, as_frame)
    y = np.where(frame[FAILURE] == 1, "failure", "no failure")
    if return_X_y:
        return X, y
    return table_bunch(
        X,
        y,
        names,
        path,
        causes=frame[list(CAUSES)],
        about=(
            f"AI4I 2020: {len(y)} states of a simulated milling machine, "
            f"{(y == 'failure').sum()} failures."
        ),
        reference=(
            "S. Matzka (2020), Explainable artificial intelligence for predictive maintenance "
            "applications, AI4I 2020, doi:10.24432/C5HS5C. CC BY 4.0."
        ),
    )


def _inputs(frame, as_frame):
    """The inputs and their names, the quality as a category or as columns of zeros and ones."""
    numbers = frame[list(MEASUREMENTS)].astype(np.float64)
    if as_frame:
        quality = pd.Categorical(frame["Type"], categories=QUALITIES)
        X = pd.concat([pd.Series(quality, name="Type"), numbers], axis="columns")
        return X, list(X)
    qualities = np.equal.outer(frame["Type"].to_numpy(dtype=str), np.array(QUALITIES))
    names = [*(f"Type={quality}" for quality in QUALITIES), *MEASUREMENTS]
    return np.hstack([qualities.astype(np.float64), numbers.to_numpy()]), names


def _read(path):
    """The table; a ValueError for another file."""
    frame = pd.read_csv(path, encoding="utf-8-sig")
    numbers, flags = list(MEASUREMENTS), [FAILURE, *CAUSES]
    check_columns(frame, ("Type", *numbers, *flags))
    if not frame["Type"].isin(QUALITIES).all():
        raise ValueError(f"the column 'Type' must hold {', '.join(QUALITIES)}")
    if not np.isfinite(frame[numbers].to_numpy(np.float64)).all():
        raise ValueError("a measurement is missing")
    if not frame[flags].isin([0, 1]).to_numpy().all():
        raise ValueError(f"the columns {', '.join(flags)} must hold 0 and 1")
    return frame
