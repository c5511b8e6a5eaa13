"""Imbalance out of recordings: so many stretches of each class, cut where they cannot overlap."""

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skimbal.datasets._arguments import check_count, is_count


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


def cut_stretches(
    recordings,
    y,
    *,
    length,
    n_per_class,
    part=(0.0, 1.0),
    groups=None,
    random_state=None,
    return_X_y=False,
):
    """Cut stretches that do not overlap out of recordings, so many of each class.

    This makes an imbalanced set of recordings that are not one, or are too few to be split. A
    class's stretches are spread over its recordings as evenly as their lengths allow, and lie at
    random among the places that tile the part of the recording.

    Parameters
    ----------
    recordings : sequence of arrays of shape (n_channels, n_samples)
        The lengths may differ, the channels may not.
    y : array-like of shape (n_recordings,)
        Class of each recording.
    length : int
        Samples in a stretch, 1 or more.
    n_per_class : int or dict
        Stretches of each class, or a dict of class to number. Classes that the dict leaves out are
        left out.
    part : (float, float), default=(0.0, 1.0)
        Fractions of each recording that stretches may lie in, from 0 to 1. Training on
        ``(0, 0.6)`` and testing on ``(0.7, 1)`` shares no sample and leaves a gap; where a class
        has one recording only, this is all that can be done, and it is less than a test on
        another machine.
    groups : array-like of shape (n_recordings,), default=None
        What must stay together in a split (bearing, person); None is the recording.
    random_state : int, RandomState or None, default=None
        Seed of the places.
    return_X_y : bool, default=False
        Return ``(data, target)`` in place of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_stretches, n_channels, length), of the recordings' dtype; ``target``,
        ``groups``, ``recording`` (index into `recordings`) and ``start`` (first sample), each of
        shape (n_stretches,). Stretches are ordered by class, recording and start.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        For lengths that do not agree, a class that is not there, and for more stretches than there
        is room for; the message says how many there are.

    Examples
    --------
    Two recordings of class a, one of class b:

    >>> import numpy as np
    >>> from skimbal.datasets import cut_stretches
    >>> recordings = [np.zeros((1, 100)), np.zeros((1, 50)), np.zeros((1, 90))]
    >>> cut = cut_stretches(
    ...     recordings, ["a", "a", "b"], length=10, n_per_class={"a": 6, "b": 2}, random_state=0
    ... )
    >>> cut.data.shape
    (8, 1, 10)
    >>> cut.recording.tolist()
    [0, 0, 0, 1, 1, 1, 2, 2]
    """
    recordings = [np.asarray(recording) for recording in recordings]
    y = np.asarray(y)
    groups = np.arange(len(recordings)) if groups is None else np.asarray(groups)
    _check_recordings(recordings, y, groups)
    _check_length_and_part(length, part)
    wanted = _stretches_per_class(n_per_class, np.unique(y))
    rng = check_random_state(random_state)
    places = [
        place
        for label, n in wanted.items()
        for place in _places(label, n, np.flatnonzero(y == label), recordings, length, part, rng)
    ]
    recording, start = np.array(places, dtype=np.int64).reshape(-1, 2).T
    data = np.stack([recordings[r][:, s : s + length] for r, s in places])
    if return_X_y:
        return data, y[recording]
    return Bunch(
        data=data, target=y[recording], groups=groups[recording], recording=recording, start=start
    )


def _places(label, n, indices, recordings, length, part, rng):
    """Pairs (recording, start) of the `n` stretches of one class."""
    bounds = [part_bounds(recordings[i].shape[1], part) for i in indices]
    capacities = [(high - low) // length for low, high in bounds]
    if n > sum(capacities):
        raise ValueError(
            f"class {label!r} has room for {sum(capacities)} stretches of {length} samples in the "
            f"part {tuple(part)} of its {len(indices)} recordings, but {n} were asked for; take "
            "fewer or shorter ones, or a larger part"
        )
    for i, (low, high), capacity, share in zip(
        indices, bounds, capacities, even_shares(n, capacities), strict=True
    ):
        # The tiles are shifted by part of what they leave over, so that no sample is never used.
        first = low + rng.randint(high - low - capacity * length + 1)
        for tile in np.sort(rng.permutation(capacity)[:share]):
            yield i, first + tile * length


def _check_recordings(recordings, y, groups):
    if not recordings:
        raise ValueError("recordings is empty; give at least one")
    for name, values in (("y", y), ("groups", groups)):
        if values.shape != (len(recordings),):
            raise ValueError(
                f"{name} has shape {values.shape}, but with {len(recordings)} recordings it must "
                f"be ({len(recordings)},): one value a recording"
            )
    for k, recording in enumerate(recordings):
        if recording.ndim != 2:
            raise ValueError(
                f"recording {k} has shape {recording.shape}; it must be (n_channels, n_samples), "
                "so reshape one channel to (1, n_samples)"
            )
    channels = sorted({len(recording) for recording in recordings})
    if len(channels) > 1:
        raise ValueError(f"recordings have {channels} channels; all must have the same number")


def _check_length_and_part(length, part):
    check_count("length", length, 1)
    ends = list(part) if np.iterable(part) and not isinstance(part, str) else []
    if len(ends) != 2 or not 0 <= ends[0] < ends[1] <= 1:
        raise ValueError(f"part={part!r} is not usable; give (low, high) with 0 <= low < high <= 1")


def _stretches_per_class(n_per_class, classes):
    """Dict of class to number, in sorted order of the classes."""
    if not isinstance(n_per_class, dict):
        n_per_class = dict.fromkeys(classes.tolist(), n_per_class)
    unknown = [label for label in n_per_class if label not in classes.tolist()]
    if unknown:
        raise ValueError(
            f"n_per_class has the classes {unknown}, which y lacks; y has {classes.tolist()}"
        )
    for label, n in n_per_class.items():
        if not is_count(n):
            raise ValueError(
                f"n_per_class of class {label!r} is {n!r}; give an integer >= 0 for each class"
            )
    if not sum(n_per_class.values()):
        raise ValueError("n_per_class asks for no stretch at all; give numbers above 0")
    return {label: n_per_class[label] for label in classes.tolist() if label in n_per_class}
