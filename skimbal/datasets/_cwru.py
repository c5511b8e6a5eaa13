"""The bearing recordings of Case Western Reserve University.

Motor bearings with faults of known size, made by electro-discharge machining and recorded by
accelerometers. Case Western Reserve University Bearing Data Center,
https://engineering.case.edu/bearingdatacenter. Smith and Randall (2015),
doi:10.1016/j.ymssp.2015.04.021, say what can be learned from them.
"""

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.io import loadmat
from sklearn.utils import Bunch

from skimbal.datasets._checks import as_signal, check_option, unusable
from skimbal.datasets._sources import (
    cached_file,
    data_folder,
    local_file,
    npz_arrays,
    reading,
    url_download,
)
from skimbal.exceptions import DataNotFoundError

LOCAL = "cwru/cwru_drive_end.npz"
URL = "https://engineering.case.edu/sites/default/files/{}.mat"
FAULTS = ("normal", "inner", "ball", "outer")
_INDEX = Path(__file__).parent / "data" / "cwru.csv"
_CHANNELS = {"drive_end": ("DE",), "fan_end": ("FE",), "both": ("DE", "FE")}
_CHANNEL_NAMES = {"DE": "drive_end", "FE": "fan_end"}
_WHAT_TO_DO = (
    f"set SKIMBAL_DATA (or data_home=) to a folder that holds {LOCAL} or the university's files "
    "as cwru/97.mat and so on"
)


@functools.cache
def _index():
    """One row for each recording: file number, conditions, and the variable in its .mat file."""
    return pd.read_csv(_INDEX)


def load_cwru(
    *,
    sampling_rate_hz: int | str = 48_000,
    channels: str = "drive_end",
    target: str = "fault",
    diameters_mil: Sequence[int] = (7, 14, 21),
    outer_positions: Sequence[int] = (3, 6, 12),
    loads_hp: Sequence[int] = (0, 1, 2, 3),
    data_home: str | os.PathLike | None = None,
    trust_first_download: bool = False,
    return_X_y: bool = False,
) -> Any:
    """Load recordings of motor bearings: normal, and with three kinds of fault.

    The faults are in the inner race, a ball or the outer race. At 48 kHz there are one normal
    recording and 13 recordings of faults, all at 0 hp. At 12 kHz there are 60 recordings of faults
    at 0 to 3 hp and none of a normal bearing. Recordings are few and long, so samples are segments
    of them: `cut_segments` makes a set of any imbalance. A result holds for other bearings only if
    no bearing (`groups`) is on both sides of a split. The class "normal" has one recording, which
    can be split in time only.

    The first source of a recording is ``cwru/cwru_drive_end.npz`` or ``cwru/<number>.mat`` in the
    folder `data_home` or ``$SKIMBAL_DATA``. The second is the university's own file, downloaded
    into ``$SKIMBAL_CACHE``. These files have no published checksum: the first download must be
    trusted explicitly. Its checksum is recorded for all later reads if the file holds the
    recording. The number of samples is always compared with the known one.

    Parameters
    ----------
    sampling_rate_hz : {48000, 12000, "all"}, default=48000
        Load recordings of that rate only. "all" mixes the rates: resample the recordings before
        you train a network on them.
    channels : {"drive_end", "fan_end", "both"}, default="drive_end"
        Which accelerometer. The faults of 28 mil have no fan-end signal.
    target : {"fault", "fault_diameter"}, default="fault"
        Labels: the kind of fault, or the kind with the diameter ("inner-14"). With
        ``outer_positions=(6,)`` at 48 kHz the latter gives the usual ten classes with one
        recording each.
    diameters_mil : sequence of int, default=(7, 14, 21)
        Faults to load by their diameter in thousandths of an inch; 28 exists at 12 kHz.
    outer_positions : sequence of int, default=(3, 6, 12)
        Faults of the outer race to load, by their place as hours on a clock. The load is at 6.
    loads_hp : sequence of int, default=(0, 1, 2, 3)
        Recordings to load by the load of the motor in horsepower.
    data_home : path-like, default=None
        Folder of local copies; None is ``$SKIMBAL_DATA``, if that is set.
    trust_first_download : bool, default=False
        Accept the first download of a file without a known checksum.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data``, a list of float32 arrays of shape (n_channels, n_samples), acceleration in g;
        ``target`` of shape (n_recordings,), strings; ``groups`` of shape (n_recordings,), the
        bearing: fault, diameter and position; ``frame``, a DataFrame with columns file (the
        university's number), sampling_rate_hz, fault, diameter_mil and position (0 if there is
        none), load_hp, rpm (NaN if the file has none), n_samples, source; ``channel_names``;
        ``target_names``; ``sampling_rate_hz``, as given; ``DESCR``.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        If an option is unknown or no recording meets the choice.
    DataNotFoundError
        If no source has a recording, or a file holds another recording.

    References
    ----------
    W. A. Smith, R. B. Randall (2015), Rolling element bearing diagnostics using the Case Western
    Reserve University data: a benchmark study, Mechanical Systems and Signal Processing 64-65,
    100-131, doi:10.1016/j.ymssp.2015.04.021.

    Examples
    --------
    >>> from skimbal.datasets import load_cwru
    >>> cwru = load_cwru(outer_positions=(6,), target="fault_diameter")  # doctest: +SKIP
    >>> cwru.target.tolist()[:3], cwru.data[0].shape  # doctest: +SKIP
    (['normal', 'inner-7', 'inner-14'], (1, 243938))
    """
    check_option("sampling_rate_hz", sampling_rate_hz, (48_000, 12_000, "all"))
    check_option("channels", channels, tuple(_CHANNELS))
    check_option("target", target, ("fault", "fault_diameter"))
    frame = _choose(sampling_rate_hz, diameters_mil, outer_positions, loads_hp)
    kinds = _CHANNELS[channels]
    _check_channels(frame, kinds)
    folder = data_folder(data_home)
    read = [_read(row, kinds, folder, trust_first_download) for row in frame.itertuples()]
    data = [recording for recording, _ in read]
    columns = ["fault"] if target == "fault" else ["fault", "diameter_mil"]
    labels = _join(frame, columns)
    if return_X_y:
        return data, labels
    groups = _join(frame, ["fault", "diameter_mil", "position"])
    frame = frame.drop(columns=["variable", "has_fan_end"])
    return Bunch(
        data=data,
        target=labels,
        groups=groups,
        frame=frame.assign(source=[source for _, source in read]),
        channel_names=[_CHANNEL_NAMES[kind] for kind in kinds],
        target_names=list(dict.fromkeys(labels.tolist())),
        sampling_rate_hz=sampling_rate_hz,
        DESCR=_describe(frame),
    )


def _join(frame, columns):
    """Values of some columns with dashes between them, 'inner-14'; a number 0 is left out."""
    return np.array(["-".join(str(v) for v in row if v) for row in frame[columns].to_numpy()])


def _choose(sampling_rate_hz, diameters_mil, outer_positions, loads_hp):
    """Rows of the index that meet a choice, or a ValueError."""
    frame = _index()
    loads = _checked("loads_hp", loads_hp, (0, 1, 2, 3))
    diameters = _checked("diameters_mil", diameters_mil, (7, 14, 21, 28))
    positions = _checked("outer_positions", outer_positions, (3, 6, 12))
    keep = frame["load_hp"].isin(loads) & frame["diameter_mil"].isin((0, *diameters))
    keep &= frame["position"].isin((0, *positions))
    if sampling_rate_hz != "all":
        keep &= frame["sampling_rate_hz"] == sampling_rate_hz
    if not keep.any():
        raise ValueError(
            f"no recording has sampling_rate_hz={sampling_rate_hz}, loads_hp={loads}, "
            f"diameters_mil={diameters}; choose others (at 48000 Hz there is load 0 only)"
        )
    return frame[keep].reset_index(drop=True)


def _checked(parameter, values, allowed):
    """`values` as a tuple; ValueError unless all of them are in `allowed`."""
    is_known = np.iterable(values) and all(np.ndim(v) == 0 and v in allowed for v in values)
    if not is_known or isinstance(values, str):
        raise unusable(parameter, values, f"a sequence of some of {allowed}")
    return tuple(values)


def _check_channels(frame, kinds):
    missing = frame.loc[~frame["has_fan_end"], "file"].tolist() if "FE" in kinds else []
    if missing:
        raise ValueError(
            f"the recordings {missing} have no fan-end signal; use channels='drive_end', or "
            "diameters_mil without 28"
        )


def _read(row, kinds, folder, trust_first_download):
    """One recording and its source: arrays of the folder, or else a file of the university."""
    archive = local_file(folder, LOCAL)
    recording = None if archive is None else _read_npz(archive, row, kinds)
    source = str(archive)
    if recording is None:
        path = local_file(folder, f"cwru/{row.file}.mat")
        path = path or _download(row, trust_first_download)
        recording, source = _read_mat(path, row.variable, kinds), str(path)
    if recording.shape[1] != row.n_samples:
        raise DataNotFoundError(
            f"recording {row.file} of {source} has {recording.shape[1]} samples, but "
            f"{row.n_samples} are expected, so it is another recording; {_WHAT_TO_DO}"
        )
    return recording, source


def _download(row, trust_first_download):
    name, advice = f"cwru-{row.file}.mat", {"what_to_do": _WHAT_TO_DO}
    download = url_download(URL.format(row.file), name, **advice)
    trust = {"sha256": None, "trust_first_download": trust_first_download}
    check = functools.partial(_check_mat, row=row)
    return cached_file(name, download, check=check, **trust, **advice)


def _read_npz(archive, row, kinds):
    """Channels of a recording from scaled counts, or None if the archive does not have it."""
    key = f"{row.sampling_rate_hz // 1000}k_{row.file}"
    # One array is read at a time: the archive has 74 recordings of two channels.
    with npz_arrays(archive, "put a complete copy there") as arrays:
        entries = arrays["index"]
        entry = entries[entries["key"] == key]
        if not len(entry):
            return None
        scales = [entry[f"{k.lower()}_scale"][0] for k in kinds]
        channels = [arrays[f"{key}_{k}"] * s for k, s in zip(kinds, scales, strict=True)]
        return as_signal(np.stack(channels))


def _read_mat(path, variable, kinds):
    """Channels of a recording from a file of the university."""
    names = [variable.replace("_DE_", f"_{kind}_") for kind in kinds]
    advice = f"delete it (and {path.name}.sha256, if it exists), or {_WHAT_TO_DO}"
    with reading(path, advice, "a .mat file"):
        content = loadmat(path, variable_names=names)
    missing = [name for name in names if name not in content]
    if missing:
        raise DataNotFoundError(
            f"{path} has no {' and no '.join(missing)}, so it is another file; {_WHAT_TO_DO}"
        )
    with reading(path, advice):
        return as_signal(np.stack([content[name].ravel() for name in names]))


def _check_mat(path, row):
    """Raise an error unless a file has all channels of a recording in full length."""
    content = loadmat(path)  # all variables, as the last one ends the file
    kinds = ("DE", "FE") if row.has_fan_end else ("DE",)
    names = [row.variable.replace("_DE_", f"_{kind}_") for kind in kinds]
    n_samples = as_signal(np.stack([content[name].ravel() for name in names])).shape[1]
    if n_samples != row.n_samples:
        raise ValueError(f"{n_samples} samples, but {row.n_samples} are expected")


def _describe(frame):
    counts = frame["fault"].value_counts().reindex(FAULTS).dropna().astype(int)
    return (
        "Bearing recordings of the Case Western Reserve University Bearing Data Center, "
        f"https://engineering.case.edu/bearingdatacenter. {len(frame)} recordings ("
        + ", ".join(f"{n} {fault}" for fault, n in counts.items())
        + f"), {', '.join(f'{r} Hz' for r in sorted(frame['sampling_rate_hz'].unique()))}. "
        "Segments of one recording, and recordings of one bearing, are not independent."
    )
