"""WISDM's activity set: phone accelerometers of 36 people.

Kwapisz, Weiss, Moore (2010), Activity recognition using cell phone accelerometers, SensorKDD-10,
doi:10.1145/1964897.1964918.
"""

import gzip
import os
import tarfile
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skimbal.datasets._checks import check_count, check_number, check_option
from skimbal.datasets._sources import (
    cached_file,
    data_folder,
    local_file,
    reading,
    url_download,
)
from skimbal.datasets._wisdm_format import (
    ACTIVITIES,
    parse_raw,
    parse_transformed,
    recording_starts,
)

ARCHIVE = "WISDM_ar_latest.tar.gz"
URL = f"https://www.cis.fordham.edu/wisdm/includes/datasets/latest/{ARCHIVE}"
FILES = {"raw": "WISDM_ar_v1.1_raw.txt", "transformed": "WISDM_ar_v1.1_transformed.arff"}
_BLOCK_SIZE = 2**20
_REFERENCE = (
    "Reference: J. R. Kwapisz, G. M. Weiss, S. A. Moore (2010), Activity recognition using cell "
    "phone accelerometers, SensorKDD-10."
)


def fetch_wisdm(
    *,
    kind: str = "raw",
    max_gap_s: float = 1.0,
    min_samples: int = 1,
    data_home: str | os.PathLike | None = None,
    trust_first_download: bool = False,
    return_X_y: bool = False,
) -> Any:
    """Load WISDM's activity set v1.1: six activities of 36 people, by a phone's accelerometer.

    "raw" is the signal at 20 Hz. The file has one line for each sample. Broken lines are dropped
    and counted. A recording is a sequence of samples of one person and one activity without a jump
    in time. "transformed" are the 43 features that the authors computed for 5,418 windows of 10 s.
    The rare activities are sitting and standing. Split by person: windows of one person on both
    sides of a split make any method look better than it is.

    The first source is the folder `data_home` or ``$SKIMBAL_DATA`` with the file in ``wisdm/``.
    The second is the archive of the authors' site, downloaded into ``$SKIMBAL_CACHE``. The archive
    has no published checksum: the first download must be trusted explicitly. Its checksum is
    recorded for all later reads if the archive is complete and has both files.

    Parameters
    ----------
    kind : {"raw", "transformed"}, default="raw"
        Signal or features. If one of them is missing, the other is not used instead.
    max_gap_s : float, default=1.0
        Largest step between two samples of one recording, in seconds; for "raw". The regular step
        is 0.05. Samples that are missing within a gap are not filled in.
    min_samples : int, default=1
        Drop shorter recordings; for "raw".
    data_home : path-like, default=None
        Folder of local copies; None is ``$SKIMBAL_DATA``, if that is set.
    trust_first_download : bool, default=False
        Accept the first download of the archive without a known checksum.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        For "raw": ``data``, a list of float32 arrays of shape (3, n_samples), 10 being about the
        acceleration of gravity; ``frame``, a DataFrame with columns user, activity, start_s (of the
        phone's clock) and n_samples; ``channel_names``; ``sampling_rate_hz``, 20; ``n_dropped``,
        dropped records by reason (incomplete, unreadable, no_time).
        For "transformed": ``data`` of shape (n_windows, 43), float64, NaN for a missing value;
        ``feature_names``.
        For both: ``target``, the activities; ``groups``, the people 1 to 36; ``target_names``;
        ``source``; ``DESCR``.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        If an option is unknown, a file is not WISDM's, or no recording is long enough.
    DataNotFoundError
        If no source has the data, or a file can't be read.

    References
    ----------
    J. R. Kwapisz, G. M. Weiss, S. A. Moore (2010), Activity recognition using cell phone
    accelerometers, SIGKDD Explorations 12(2), 74-82, doi:10.1145/1964897.1964918.

    Examples
    --------
    >>> from skimbal.datasets import fetch_wisdm
    >>> wisdm = fetch_wisdm(kind="transformed")  # doctest: +SKIP
    >>> wisdm.data.shape, len(set(wisdm.groups))  # doctest: +SKIP
    ((5418, 43), 36)
    """
    check_option("kind", kind, tuple(FILES))
    check_number("max_gap_s", max_gap_s, 0.05)
    check_count("min_samples", min_samples, 1)
    text, source = _read_text(kind, data_folder(data_home), trust_first_download)
    content = (
        _recordings(text, source, max_gap_s, min_samples)
        if kind == "raw"
        else _features(text, source)
    )
    if return_X_y:
        return content["data"], content["target"]
    summary = f"{content.pop('summary')}, {len(np.unique(content['groups']))} people"
    return Bunch(
        **content,
        target_names=list(ACTIVITIES),
        source=source,
        DESCR=f"WISDM v1.1, {summary}. Split by person.\nRead from {source}.\n\n{_REFERENCE}",
    )


def _read_text(kind, folder, trust_first_download):
    """Text of one of the two files, and its source."""
    name = FILES[kind]
    path = local_file(folder, f"wisdm/{name}")
    if path is not None:
        # Bytes that are not UTF-8 become a character that no field may hold: the record is dropped.
        with reading(path, "put a complete copy there"):
            return path.read_text("utf-8", errors="replace"), str(path)
    what_to_do = f"set SKIMBAL_DATA (or data_home=) to a folder that holds wisdm/{name}"
    archive = cached_file(
        ARCHIVE,
        url_download(URL, ARCHIVE, what_to_do=what_to_do),
        sha256=None,
        what_to_do=what_to_do,
        trust_first_download=trust_first_download,
        check=_check_archive,
    )
    advice = f"delete it and {archive.name}.sha256, or {what_to_do}"
    with reading(archive, advice, "an archive"):
        return _read_member(archive, name)


def _check_archive(path):
    """Raise an error unless an archive is complete and has both files."""
    with gzip.open(path) as file:  # tarfile does not read the checksum behind the last file
        while file.read(_BLOCK_SIZE):
            pass
    for name in FILES.values():
        _read_member(path, name)


def _read_member(archive, name):
    """Text of the file `name` in any folder of the archive, and its source, or a ValueError."""
    with tarfile.open(archive, "r:gz") as files:
        for member in files:
            if member.isfile() and member.name.rpartition("/")[2] == name:
                content = files.extractfile(member)
                assert content is not None
                text = content.read().decode("utf-8", errors="replace")
                if not text.strip():
                    raise ValueError(f"its {name} is empty")
                return text, f"{archive}:{member.name}"
    raise ValueError(f"it has no {name}")


def _recordings(text, source, max_gap_s, min_samples):
    """Content of the Bunch for the raw signal."""
    samples = parse_raw(text)
    starts = recording_starts(samples.user, samples.activity, samples.time_ns, max_gap_s)
    lengths = np.diff(np.append(starts, len(samples.user)))
    starts, lengths = starts[lengths >= min_samples], lengths[lengths >= min_samples]
    if not len(starts):
        raise ValueError(
            f"{source} has no recording of at least {min_samples} samples "
            f"({len(samples.user)} samples read, dropped records: {samples.n_dropped}); lower "
            "min_samples, or use the complete file"
        )
    parts = zip(starts, lengths, strict=True)
    user, target = samples.user[starts], np.array(ACTIVITIES)[samples.activity[starts]]
    frame = {"user": user, "activity": target, "start_s": samples.time_ns[starts] * 1e-9}
    return {
        "data": [np.ascontiguousarray(samples.acceleration[s : s + n].T) for s, n in parts],
        "target": target,
        "groups": user,
        "frame": pd.DataFrame({**frame, "n_samples": lengths}),
        "channel_names": ["x", "y", "z"],
        "sampling_rate_hz": 20,
        "n_dropped": samples.n_dropped,
        "summary": f"raw signal at 20 Hz, {len(starts)} recordings, {lengths.sum()} samples, "
        f"dropped records: {samples.n_dropped}",
    }


def _features(text, source):
    """Content of the Bunch for the authors' features."""
    try:
        table = parse_transformed(text)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    features = table.drop(columns=["UNIQUE_ID", "user", "class"], errors="ignore")
    return {
        "data": features.to_numpy(dtype=np.float64),
        "target": table["class"].to_numpy(dtype=str),
        "groups": table["user"].to_numpy(dtype=np.int64),
        "feature_names": features.columns.tolist(),
        "summary": f"{features.shape[1]} features of {len(table)} windows of 10 s, NaN where a "
        "value is missing",
    }
