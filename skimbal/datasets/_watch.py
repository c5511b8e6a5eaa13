"""Shoulder exercises recorded by a smart watch: real inertial signals of ten people.

Burns, Leung, Hardisty, Whyne, Henry, McLachlin (2018), Shoulder physiotherapy exercise recognition:
machine learning the inertial signals from a smartwatch, arXiv:1802.01489.
"""

import io
import os
import zipfile
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skimbal.datasets._checks import as_signal
from skimbal.datasets._sources import (
    cached_file,
    data_folder,
    local_file,
    npz_arrays,
    pip_download,
)

LOCAL = "watch/watch.npz"
WHEEL = "seglearn-1.2.5-py3-none-any.whl"
WHEEL_SHA256 = "ec6b952c85c9627050102854b372d85951563d3b990df677d7c55547e87413dd"
_REQUIREMENT = "seglearn==1.2.5"
_MEMBER = "seglearn/data/watch_dataset.npy"
ARRAYS = ("signal", "length", "label", "label_names", "channel_names", "subject", "side")
_WHAT_TO_DO = f"set SKIMBAL_DATA (or data_home=) to a folder that holds {LOCAL}"


def load_watch(*, data_home: str | os.PathLike | None = None, return_X_y: bool = False) -> Any:
    """Load shoulder exercises recorded by a smart watch.

    The set has 20 recordings of each of seven exercises by ten people, at 50 Hz, of 947 to 2,618
    samples. It is balanced; `cut_segments` makes an imbalanced set of it. Split by person: two
    recordings of one person resemble each other more than those of two people.

    The first source is ``watch/watch.npz`` in the folder `data_home` or ``$SKIMBAL_DATA``. The
    second is the wheel of the package seglearn 1.2.5, downloaded by pip into ``$SKIMBAL_CACHE``.
    Both give the same numbers. The wheel's array is a pickle, which is read only if the wheel's
    SHA-256 checksum is right. The wheel is not installed.

    Parameters
    ----------
    data_home : path-like, default=None
        Folder with ``watch/watch.npz``; None is ``$SKIMBAL_DATA``, if that is set.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data``, a list of 140 float32 arrays of shape (6, n_samples); ``target`` of shape
        (140,), the exercises "PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"; ``groups`` of shape
        (140,), the people 1 to 10; ``frame``, a DataFrame with columns exercise, subject and side
        (1 right, 0 left); ``channel_names``, three of acceleration and three of rotation;
        ``target_names``; ``sampling_rate_hz``, 50; ``source``; ``DESCR``.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    DataNotFoundError
        If no source has the data.

    References
    ----------
    D. M. Burns, N. Leung, M. Hardisty, C. M. Whyne, P. Henry, S. McLachlin (2018), Shoulder
    physiotherapy exercise recognition: machine learning the inertial signals from a smartwatch,
    Physiological Measurement 39(7), 075007, doi:10.1088/1361-6579/aacfd9.

    Examples
    --------
    >>> from skimbal.datasets import load_watch
    >>> watch = load_watch()  # doctest: +SKIP
    >>> len(watch.data), watch.data[0].shape, str(watch.target[0])  # doctest: +SKIP
    (140, (6, 1333), 'PEN')
    """
    path = local_file(data_folder(data_home), LOCAL)
    content, source = _read_wheel() if path is None else _read_npz(path)
    data, names, target = content["data"], content["label_names"], content["target"]
    subject, side = content["subject"], content["side"]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        groups=subject,
        frame=pd.DataFrame({"exercise": target, "subject": subject, "side": side}),
        channel_names=content["channel_names"].tolist(),
        target_names=names.tolist(),
        sampling_rate_hz=50,
        source=source,
        DESCR=(
            f"Shoulder exercises recorded by a smart watch: {len(data)} recordings of "
            f"{len(names)} exercises by {len(np.unique(subject))} people, 50 Hz. Split by "
            f"person.\nRead from {source}.\n\nReference: D. M. Burns et al. (2018), Shoulder "
            "physiotherapy exercise recognition, arXiv:1802.01489."
        ),
    )


def _read_npz(path):
    """Content of the arrays of a folder, and where it came from."""
    with npz_arrays(path, "put a complete copy there") as arrays:
        content = {name: arrays[name] for name in ARRAYS}
        length, n_samples = content["length"], len(content["signal"])
        if length.sum() != n_samples or not (length > 0).all():
            raise ValueError(f"the lengths must be positive and add up to {n_samples}")
        content["recordings"] = np.split(content["signal"], np.cumsum(length)[:-1])
        return _checked(content), str(path)


def _checked(content):
    """The arrays of the set in the types that are returned; an error if they do not agree."""
    names = np.asarray(content["label_names"], dtype=str)
    channel_names = np.asarray(content["channel_names"], dtype=str)
    data = [np.ascontiguousarray(as_signal(x).T) for x in content["recordings"]]
    of_each = {key: np.asarray(content[key]) for key in ("label", "subject", "side")}
    if not data or any(x.shape != (len(channel_names), x.shape[-1]) for x in data):
        raise ValueError(f"recordings must have {len(channel_names)} channels")
    for key, values in of_each.items():
        if values.shape != (len(data),) or not (values % 1 == 0).all():
            raise ValueError(f"{key} must have a whole number for each of {len(data)} recordings")
    label, subject, side = (values.astype(np.int64) for values in of_each.values())
    if not np.isin(label, np.arange(len(names))).all():
        raise ValueError(f"label must be 0 to {len(names) - 1}")
    return {
        "data": data,
        "target": names[label],
        "label_names": names,
        "channel_names": channel_names,
        "subject": subject,
        "side": side,
    }


def _read_wheel():
    """The same from the wheel of seglearn; its checksum makes the pickle safe to read."""
    download = pip_download(_REQUIREMENT, WHEEL, what_to_do=_WHAT_TO_DO)
    wheel = cached_file(WHEEL, download, sha256=WHEEL_SHA256, what_to_do=_WHAT_TO_DO)
    with zipfile.ZipFile(wheel) as files:
        pickled = io.BytesIO(files.read(_MEMBER))
    pickle = np.load(pickled, allow_pickle=True).item()
    names = {"X": "recordings", "y": "label", "y_labels": "label_names"}
    names |= {"X_labels": "channel_names", "subject": "subject", "side": "side"}
    return _checked({names[key]: pickle[key] for key in names}), f"{wheel}:{_MEMBER}"
