"""The KDD Cup 1999 connections: simulated network traffic with real attacks, many of them rare."""

import os
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skimbal.datasets._checks import check_count, unusable
from skimbal.datasets._sources import reading
from skimbal.datasets._tables import table_bunch, table_file

LOCAL = "kddcup99/kddcup.data_10_percent.gz"
# The copy that scikit-learn's fetch_kddcup99 downloads, with the checksum that it states.
URL = "https://ndownloader.figshare.com/files/5976042"
FILE = "kddcup99_10_data.gz"
SHA256 = "8045aca0d84e70e622d1148d7df782496f6333bf6eb979a1b0837c42a9fd9561"
NOMINAL = ("protocol_type", "service", "flag")
_INPUTS = """
    duration protocol_type service flag src_bytes dst_bytes land wrong_fragment urgent hot
    num_failed_logins logged_in num_compromised root_shell su_attempted num_root num_file_creations
    num_shells num_access_files num_outbound_cmds is_host_login is_guest_login count srv_count
    serror_rate srv_serror_rate rerror_rate srv_rerror_rate same_srv_rate diff_srv_rate
    srv_diff_host_rate dst_host_count dst_host_srv_count dst_host_same_srv_rate
    dst_host_diff_srv_rate dst_host_same_src_port_rate dst_host_srv_diff_host_rate
    dst_host_serror_rate dst_host_srv_serror_rate dst_host_rerror_rate dst_host_srv_rerror_rate
"""
INPUTS = tuple(_INPUTS.split())


def load_kddcup99(
    *,
    min_per_class: int = 1,
    max_per_class: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    as_frame: bool = False,
    data_home: str | os.PathLike | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load the 10 % file of the KDD Cup 1999 without its duplicate rows.

    The file has 494,021 connections; 145,586 are left when rows that are equal in all inputs and in
    the label are dropped. The classes are normal connections and 22 attacks, from 87,832 samples
    down to 2. The network was simulated; the attack tools were real.

    The first source is ``kddcup99/kddcup.data_10_percent.gz`` in the folder `data_home` or
    ``$SKIMBAL_DATA``. The second is the copy that scikit-learn downloads, kept in
    ``$SKIMBAL_CACHE`` and checked by its SHA-256 checksum.

    Parameters
    ----------
    min_per_class : int, default=1
        Leave out the classes with fewer samples, 1 or more. Stratified folds need as many samples
        of each class as there are folds.
    max_per_class : int or None, default=None
        Thin the larger classes at random to this number of samples, `min_per_class` or more. None
        keeps all.
    random_state : int, RandomState or None, default=None
        Seed of the thinning.
    as_frame : bool, default=False
        Return `data` as a DataFrame of the 41 inputs, in which protocol, service and flag are
        categories.
    data_home : path-like, default=None
        Folder of a local copy; None is ``$SKIMBAL_DATA``, if that is set.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_samples, n_columns), float64: 38 numbers and a 0/1 column for each
        protocol, service and flag that the file has, 118 columns in all (a
        DataFrame of 41 columns with ``as_frame=True``); ``target`` of shape
        (n_samples,), "normal" and the names of the attacks; ``feature_names``; ``target_names``;
        ``n_attributes``, 41 inputs before encoding; ``source``; ``DESCR``. Rows are in the order of
        the file, which is sorted by time in long runs of one class: shuffle them.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        If a number is out of range, or `min_per_class` leaves fewer than two classes.
    DataNotFoundError
        If no source has the data, or a file is damaged or another one.

    References
    ----------
    S. Stolfo, W. Fan, W. Lee, A. Prodromidis, P. Chan (1999), KDD Cup 1999 Data, UCI Machine
    Learning Repository, doi:10.24432/C51C7N.

    Examples
    --------
    >>> from skimbal.datasets import load_kddcup99
    >>> kdd = load_kddcup99(min_per_class=10, max_per_class=5000)  # doctest: +SKIP
    >>> kdd.data.shape, len(kdd.target_names)  # doctest: +SKIP
    ((15901, 118), 17)
    """
    check_count("min_per_class", min_per_class, 1)
    if max_per_class is not None:
        check_count("max_per_class", max_per_class, min_per_class)
    path = table_file(LOCAL, URL, FILE, SHA256, data_home)
    with reading(path, "put a complete copy there"):
        frame = _read(path)
    labels = frame.pop("label").to_numpy(dtype=str)
    rows = _choose(labels, min_per_class, max_per_class, check_random_state(random_state))
    # The columns are those of all rows of the file, so they don't depend on the choice.
    columns = _inputs(frame, as_frame)
    X, y = columns.iloc[rows].reset_index(drop=True), labels[rows]
    X = X if as_frame else X.to_numpy(dtype=np.float64)
    if return_X_y:
        return X, y
    return table_bunch(
        X,
        y,
        columns.columns.tolist(),
        path,
        n_attributes=len(INPUTS),
        about=(
            f"KDD Cup 1999, 10 % file without duplicates: {len(y)} connections of a simulated "
            f"network, {len(np.unique(y))} classes."
        ),
        reference="S. Stolfo et al. (1999), KDD Cup 1999 Data, doi:10.24432/C51C7N.",
    )


def _read(path):
    """The distinct rows as a frame of inputs and label; a ValueError for another file."""
    frame = pd.read_csv(path, header=None, compression="gzip", keep_default_na=False)
    if frame.shape[1] != len(INPUTS) + 1:
        raise ValueError(f"{frame.shape[1]} columns, but {len(INPUTS) + 1} are expected")
    frame.columns = [*INPUTS, "label"]
    for name in INPUTS:
        is_number = frame[name].dtype.kind in "iuf"
        if is_number == (name in NOMINAL) or (is_number and not np.isfinite(frame[name]).all()):
            kind = "names" if name in NOMINAL else "finite numbers"
            raise ValueError(f"the column {name} must hold {kind}")
    frame["label"] = frame["label"].astype(str).str.removesuffix(".")
    return frame.drop_duplicates(ignore_index=True)


def _inputs(frame, as_frame):
    """The inputs of all rows with categories, or with columns of zeros and ones in their place."""
    if as_frame:
        return frame.astype(dict.fromkeys(NOMINAL, "category"))
    return pd.get_dummies(frame, columns=list(NOMINAL), prefix_sep="=", dtype=np.float64)


def _choose(labels, min_per_class, max_per_class, rng):
    """Rows, in order, of the classes that are large enough, thinned to the largest count."""
    names, counts = np.unique(labels, return_counts=True)
    kept = names[counts >= min_per_class]
    if len(kept) < 2:
        raise unusable(
            "min_per_class",
            min_per_class,
            f"a number of at most {np.sort(counts)[-2:][0]}, the second largest class",
        )
    rows_of = [rng.permutation(np.flatnonzero(labels == name))[:max_per_class] for name in kept]
    return np.sort(np.concatenate(rows_of))
