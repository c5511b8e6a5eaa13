"""WISDM's activity set: phone accelerometers of 36 people.

Kwapisz, Weiss, Moore (2010), Activity recognition using cell phone accelerometers, SensorKDD-10,
doi:10.1145/1964897.1964918.
"""

import tarfile

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skimbal.datasets._arguments import check_count, check_number, check_option
from skimbal.datasets._sources import cached_file, data_folder, local_file, url_download
from skimbal.datasets._wisdm_format import (
    ACTIVITIES,
    parse_raw,
    parse_transformed,
    recording_starts,
)
from skimbal.exceptions import DataNotFoundError

ARCHIVE = "WISDM_ar_latest.tar.gz"
URL = f"https://www.cis.fordham.edu/wisdm/includes/datasets/latest/{ARCHIVE}"
FILES = {"raw": "WISDM_ar_v1.1_raw.txt", "transformed": "WISDM_ar_v1.1_transformed.arff"}
_REFERENCE = (
    "Reference: J. R. Kwapisz, G. M. Weiss, S. A. Moore (2010), Activity recognition using cell "
    "phone accelerometers, SensorKDD-10."
)


def fetch_wisdm(
    *,
    kind="raw",
    max_gap_s=1.0,
    min_samples=1,
    data_home=None,
    trust_first_download=False,
    return_X_y=False,
):
    """Load WISDM's activity set v1.1: six activities of 36 people, by a phone's accelerometer.

    "raw" is the signal at 20 Hz. The file has one line a sample, some of them broken; they are left
    out and counted. A recording is a run of samples of one person and one activity without a leap
    in time. "transformed" are the 43 features of 5,418 windows of 10 s that the authors made. The
    rare activities are sitting and standing. Split by person: windows of one person on both sides
    of a split make any method look better than it is.

    The sources are the folder `data_home` or ``$SKIMBAL_DATA`` with the file in ``wisdm/``, and the
    archive from the authors' site, downloaded into ``$SKIMBAL_CACHE``. No checksum of that archive
    is known: the first download must be trusted explicitly, and its checksum is recorded for all
    later reads.

    Parameters
    ----------
    kind : {"raw", "transformed"}, default="raw"
        Signal or features. One is never put in place of the other.
    max_gap_s : float, default=1.0
        Longest step between two samples of one recording, in seconds (the regular one is 0.05);
        for "raw". Samples that are lost within it are not filled in.
    min_samples : int, default=1
        Leave out shorter recordings; for "raw".
    data_home : path-like, default=None
        Folder of local copies; None is ``$SKIMBAL_DATA``, if that is set.
    trust_first_download : bool, default=False
        Accept an archive that comes for the first time as it is.
    return_X_y : bool, default=False
        Return ``(data, target)`` in place of a Bunch.

    Returns
    -------
    Bunch
        For "raw": ``data``, a list of float32 arrays of shape (3, n_samples), 10 being about the
        acceleration of gravity; ``frame``, a DataFrame with columns user, activity, start_s (of the
        phone's clock) and n_samples; ``channel_names``; ``sampling_rate_hz``, 20; ``n_dropped``,
        records left out by reason (incomplete, unreadable, no_time).
        For "transformed": ``data`` of shape (n_windows, 43), float64, NaN where a value is missing;
        ``feature_names``.
        For both: ``target``, the activities; ``groups``, the persons 1 to 36; ``target_names``;
        ``source``; ``DESCR``.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        For unknown options, a file that is not WISDM's, and where no recording is left.
    DataNotFoundError
        Where no source has the data.

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
    if kind == "raw":
        wisdm = _recordings(text, source, max_gap_s, min_samples)
    else:
        wisdm = _features(text, source)
    return (wisdm.data, wisdm.target) if return_X_y else wisdm


def _read_text(kind, folder, trust_first_download):
    """Text of one of the two files, and where it came from."""
    name = FILES[kind]
    path = local_file(folder, f"wisdm/{name}")
    if path is not None:
        # What is not UTF-8 becomes a character that no field may hold, so its record is counted.
        return path.read_text("utf-8", errors="replace"), str(path)
    what_to_do = f"set SKIMBAL_DATA (or data_home=) to a folder that holds wisdm/{name}"
    archive = cached_file(
        ARCHIVE,
        url_download(URL, ARCHIVE, what_to_do=what_to_do),
        sha256=None,
        what_to_do=what_to_do,
        trust_first_download=trust_first_download,
    )
    return _read_member(archive, name, what_to_do)


def _read_member(archive, name, what_to_do):
    """Text of the file `name` in any folder of the archive, and where it came from."""
    try:
        with tarfile.open(archive, "r:gz") as files:
            for member in files:
                if member.isfile() and member.name.rpartition("/")[2] == name:
                    content = files.extractfile(member)
                    assert content is not None
                    text = content.read().decode("utf-8", errors="replace")
                    return text, f"{archive}:{member.name}"
    except tarfile.ReadError as error:
        raise DataNotFoundError(
            f"{archive} is not an archive ({error}), so another file was served; delete it and "
            f"{archive.name}.sha256, or {what_to_do}"
        ) from error
    raise DataNotFoundError(f"{archive} has no {name}; {what_to_do}")


def _recordings(text, source, max_gap_s, min_samples):
    samples = parse_raw(text)
    starts = recording_starts(samples.user, samples.activity, samples.time_ns, max_gap_s)
    lengths = np.diff(np.append(starts, len(samples.user)))
    starts, lengths = starts[lengths >= min_samples], lengths[lengths >= min_samples]
    if not len(starts):
        raise ValueError(
            f"{source} gives no recording of at least {min_samples} samples "
            f"({len(samples.user)} samples read, left out: {samples.n_dropped}); lower "
            "min_samples, or put the whole file there"
        )
    target = np.array(ACTIVITIES)[samples.activity[starts]]
    user = samples.user[starts]
    return Bunch(
        data=[
            np.ascontiguousarray(samples.acceleration[start : start + n].T)
            for start, n in zip(starts, lengths, strict=True)
        ],
        target=target,
        groups=user,
        frame=pd.DataFrame(
            {
                "user": user,
                "activity": target,
                "start_s": samples.time_ns[starts] * 1e-9,
                "n_samples": lengths,
            }
        ),
        channel_names=["x", "y", "z"],
        target_names=list(ACTIVITIES),
        sampling_rate_hz=20,
        n_dropped=samples.n_dropped,
        source=source,
        DESCR=(
            f"WISDM v1.1, raw signal at 20 Hz: {len(starts)} recordings, {lengths.sum()} samples "
            f"of {len(np.unique(user))} people; records left out: {samples.n_dropped}. Split by "
            f"person.\nRead from {source}.\n\n{_REFERENCE}"
        ),
    )


def _features(text, source):
    table = parse_transformed(text)
    features = table.drop(columns=["UNIQUE_ID", "user", "class"], errors="ignore")
    user = table["user"].to_numpy(dtype=np.int64)
    return Bunch(
        data=features.to_numpy(dtype=np.float64),
        target=table["class"].to_numpy(dtype=str),
        groups=user,
        feature_names=features.columns.tolist(),
        target_names=list(ACTIVITIES),
        source=source,
        DESCR=(
            f"WISDM v1.1, {features.shape[1]} features of {len(table)} windows of 10 s, "
            f"{len(np.unique(user))} people; NaN where a value is missing. Split by person.\n"
            f"Read from {source}.\n\n{_REFERENCE}"
        ),
    )
