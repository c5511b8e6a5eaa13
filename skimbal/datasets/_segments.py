"""Imbalanced sets out of recordings: a given number of segments of each class, without overlap."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, check_random_state

from skimbal._utils._labels import carries_labels, vector_by_label
from skimbal._utils._recordings import (
    check_collection,
    check_on_short,
    check_order_of_axes,
    pad_to,
    sample_shape,
    transpose_advice,
)
from skimbal.datasets._checks import check_count, unusable


def even_shares(n, capacities):
    """Split `n` over places of given capacities, as evenly as these allow.

    >>> even_shares(7, [1, 5, 5]).tolist()
    [1, 3, 3]
    """
    capacities = np.asarray(capacities, dtype=np.int64)
    assert 0 <= n <= capacities.sum()
    # The largest level at which no more than n are placed; one each of the rest, in order.
    level = 0
    while np.minimum(capacities, level + 1).sum() <= n and level < capacities.max(initial=0):
        level += 1
    shares = np.minimum(capacities, level)
    rest = n - shares.sum()
    shares[np.flatnonzero(capacities > level)[:rest]] += 1
    return shares


def part_bounds(n_samples, part):
    """First sample inside and first sample behind the fractions `part` of a recording."""
    return round(part[0] * n_samples), round(part[1] * n_samples)


def cut_segments(
    recordings: Sequence[ArrayLike],
    y: ArrayLike,
    *,
    length: int,
    n_per_class: int | dict,
    part: tuple[float, float] = (0.0, 1.0),
    groups: ArrayLike | None = None,
    on_short: str = "skip",
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
) -> Any:
    """Cut segments that do not overlap out of recordings, a given number of each class.

    This makes an imbalanced set from balanced recordings, or from recordings that are too few to
    be split. The segments of a class are spread over its recordings as evenly as their lengths
    allow. Within a recording they are drawn at random from the tiles of the chosen part.

    Parameters
    ----------
    recordings : sequence of arrays of shape (n_channels, n_samples)
        The recordings. Their lengths may differ, their numbers of channels may not.
    y : array-like of shape (n_recordings,)
        Class of each recording.
    length : int
        Samples in a segment, 1 or more.
    n_per_class : int, dict or Series
        Segments of each class, or the number of segments by class. Classes that are not named have
        no segments.
    part : (float, float), default=(0.0, 1.0)
        Fractions of each recording, from 0 to 1, between which the segments lie. Training on
        ``(0, 0.6)`` and testing on ``(0.7, 1)`` shares no sample and leaves a gap. A class with
        a single recording can't be split otherwise. Such a test says less than a test on another
        machine.
    groups : array-like of shape (n_recordings,), default=None
        What must stay on one side of a split (bearing, person). None is the recording.
    on_short : {"skip", "pad", "raise"}, default="skip"
        What happens to recordings whose chosen part is shorter than a segment. They give no
        segment ("skip"), one segment with zeros at its end ("pad"), or an error ("raise").
    random_state : int, RandomState or None, default=None
        Seed of the places.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_segments, n_channels, length), of the recordings' dtype; ``target``,
        ``groups``, ``recording`` (index into `recordings`) and ``start`` (first sample), each of
        shape (n_segments,). Segments are ordered by class, recording and start.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        If lengths do not agree, a recording does not hold numbers, a label is missing, a class is
        not in `y`, or there is no room for the segments. The message says how many segments fit.

    Examples
    --------
    Two recordings of class a, one of class b:

    >>> import numpy as np
    >>> from skimbal.datasets import cut_segments
    >>> recordings = [np.zeros((1, 100)), np.zeros((1, 50)), np.zeros((1, 90))]
    >>> cut = cut_segments(
    ...     recordings, ["a", "a", "b"], length=10, n_per_class={"a": 6, "b": 2}, random_state=0
    ... )
    >>> cut.data.shape
    (8, 1, 10)
    >>> cut.recording.tolist()
    [0, 0, 0, 1, 1, 1, 2, 2]
    """
    check_on_short(on_short)
    check_collection(recordings, "a single recording of shape (channels, length) goes into a list")
    if any(sample_shape(recording) is None for recording in recordings):
        raise ValueError("a recording has channels of different lengths; give arrays of samples")
    arrays = [np.asarray(recording) for recording in recordings]
    labels = np.asarray(y)
    group_of = np.arange(len(arrays)) if groups is None else np.asarray(groups)
    _check_recordings(arrays, labels, group_of)
    _check_length_and_part(length, part)
    counts = _segments_per_class(n_per_class, _classes(labels))
    shapes = [array.shape for array in arrays]
    if on_short != "skip":
        check_order_of_axes(shapes, length)
    places = [_places(k, array, length, part, on_short) for k, array in enumerate(arrays)]
    rows = {label: np.flatnonzero(labels == label) for label in counts}
    _check_room(counts, rows, places, length, part, transpose_advice(shapes))
    rng = check_random_state(random_state)
    segments = [
        segment
        for label, n in counts.items()
        for segment in _draw(n, rows[label], places, length, rng)
    ]
    recording, start = np.array(segments, dtype=np.int64).reshape(-1, 2).T
    data = np.stack(
        [pad_to(arrays[r][:, s : min(s + length, places[r][1])], length) for r, s in segments]
    )
    target = labels[recording]
    if return_X_y:
        return data, target
    return Bunch(
        data=data, target=target, groups=group_of[recording], recording=recording, start=start
    )


def _places(number, recording, length, part, on_short):
    """First sample inside and first behind the part of a recording, and how many segments fit."""
    low, high = part_bounds(recording.shape[1], part)
    if high - low < length and on_short == "raise":
        raise ValueError(
            f"recording {number} has {high - low} samples in the part {tuple(part)}, which is less "
            f'than a segment of {length}; use shorter segments, or on_short="skip" or "pad"'
        )
    is_padded = on_short == "pad" and 0 < high - low < length
    return low, high, 1 if is_padded else (high - low) // length


def _check_room(counts, rows, places, length, part, advice):
    for label, n in counts.items():
        capacity = sum(places[i][2] for i in rows[label])
        if n > capacity:
            raise ValueError(
                f"class {label!r} has room for {capacity} segments of {length} samples in the "
                f"part {tuple(part)} of its {len(rows[label])} recordings, but {n} were asked "
                f"for; ask for fewer or shorter segments, or for a larger part{advice}"
            )


def _draw(n, indices, places, length, rng):
    """Pairs (recording, start) of the `n` segments of one class."""
    capacities = [places[i][2] for i in indices]
    for i, share in zip(indices, even_shares(n, capacities), strict=True):
        low, high, capacity = places[i]
        # The tiles are shifted at random by what they leave over, so that every sample is used.
        first = low + rng.randint(max(0, high - low - capacity * length) + 1)
        for tile in np.sort(rng.permutation(capacity)[:share]):
            yield i, first + tile * length


def _check_recordings(recordings, y, groups):
    if not recordings:
        raise ValueError("recordings is empty; give one or more recordings")
    n = len(recordings)
    for name, values in (("y", y), ("groups", groups)):
        if values.shape != (n,):
            raise ValueError(
                f"{name} has shape {values.shape}, but with {n} recordings it must be ({n},); give "
                "one value for each recording"
            )
    for k, recording in enumerate(recordings):
        if recording.ndim != 2:
            raise ValueError(
                f"recording {k} has shape {recording.shape}, but it must be (n_channels, "
                "n_samples); reshape a single channel to (1, n_samples), and put a single "
                "recording into a list"
            )
        if recording.dtype.kind not in "fiubc" or not len(recording):
            raise ValueError(
                f"recording {k} is {recording.dtype} of shape {recording.shape}, but it must be "
                "numbers of at least one channel"
            )
    shapes = [recording.shape for recording in recordings]
    channels = sorted({len(recording) for recording in recordings})
    if len(channels) > 1:
        shown = channels if len(channels) <= 4 else f"{channels[0]} to {channels[-1]}"
        raise ValueError(
            f"the recordings have {shown} channels; give recordings with one number of channels"
            + transpose_advice(shapes)
        )


def _check_length_and_part(length, part):
    check_count("length", length, 1)
    ends = list(part) if np.iterable(part) and not isinstance(part, str) else []
    if len(ends) != 2 or not 0 <= ends[0] < ends[1] <= 1:
        raise unusable("part", part, "(low, high) with 0 <= low < high <= 1")


def _classes(labels):
    """The sorted classes; a ValueError for missing labels and for those that can't be sorted."""
    if pd.isna(labels).any():
        raise ValueError(
            f"y has {pd.isna(labels).sum()} missing labels (None or NaN); give every recording a "
            "class, or leave the recording out"
        )
    try:
        return np.unique(labels)
    except TypeError as error:
        raise ValueError(
            f"y has labels of types that can't be compared ({error}); give labels of one type"
        ) from error


def _segments_per_class(n_per_class, classes):
    """Dict of class to number, in sorted order of the classes."""
    classes = classes.tolist()
    if carries_labels(n_per_class) and not isinstance(n_per_class, dict):
        counts = vector_by_label(n_per_class, classes, "n_per_class", 0, is_outer=True)
        n_per_class = dict(zip(classes, counts.tolist(), strict=True))
    if not isinstance(n_per_class, dict):
        n_per_class = dict.fromkeys(classes, n_per_class)
    unknown_labels = [label for label in n_per_class if label not in classes]
    if unknown_labels:
        raise ValueError(
            f"n_per_class has the classes {unknown_labels}, which are not in y; use {classes}"
        )
    for label, n in n_per_class.items():
        check_count(f"n_per_class[{label!r}]", n)
    if not sum(n_per_class.values()):
        raise ValueError("n_per_class asks for no segments; give a number above 0 for some class")
    return {label: n_per_class[label] for label in classes if label in n_per_class}
