"""The scale of recordings: whether values that are given belong to those of the training.

WAV files hold integers, whose scale depends on their type: 16-bit files reach 32,767. Programs that
read them often return numbers between -1 and 1 instead. A classifier that was trained on the one
returns probabilities for the other that mean nothing.
"""

import numpy as np

from skimbal._utils._warnings import warn

LARGEST_RATIO = 100  # of the peak of recordings to the peak of the training
LARGEST_OVERSHOOT = 10  # Filters take sound beyond 1; such values are not those of a file.


def peaks_by_type(recordings):
    """Return the largest absolute value of the recordings of each type, a dict by name.

    >>> peaks_by_type([np.array([[1, -3]], dtype=np.int16), np.array([[0.5]])])
    {'int16': 3.0, 'float64': 0.5}
    """
    peaks: dict[str, float] = {}
    for recording in [recordings] if isinstance(recordings, np.ndarray) else recordings:
        name = recording.dtype.name
        peaks[name] = max(peaks.get(name, 0.0), peak(recording))
    return peaks


def peak(values):
    """The largest absolute value of an array, 0 for an empty one.

    >>> peak(np.array([-32768, 5], dtype=np.int16))
    32768.0
    """
    return max(float(values.max()), -float(values.min())) if values.size else 0.0


def joined_peaks(first, second):
    """The peaks of two dicts by type together.

    >>> joined_peaks({"int16": 3.0}, {"int16": 7.0, "float32": 0.5})
    {'int16': 7.0, 'float32': 0.5}
    """
    names = [*first, *(name for name in second if name not in first)]
    return {name: max(first.get(name, 0.0), second.get(name, 0.0)) for name in names}


def advice_on_scale(known, given):
    """What to do where values do not belong to the scale of known ones, else None.

    Parameters
    ----------
    known, given : tuple of str and float
        Name of a type, and the largest absolute value.

    Returns
    -------
    str or None
        Advice if an integer meets numbers between -1 and 1, two types of integers have values that
        do not fit into the shorter one, or the peak is more than 100 times the known peak.
        Recordings of zeros say nothing.

    Examples
    --------
    >>> advice_on_scale(("float32", 0.9), ("int16", 20000.0))
    'divide them by 32768'
    >>> advice_on_scale(("float32", 0.9), ("float64", 1.2)) is None
    True
    """
    (known_type, known_peak), (given_type, given_peak) = known, given
    if known_peak == 0 or given_peak == 0:
        return None
    if _is_unit(known) and _is_whole(given):
        return _to_unit(given)
    if _is_whole(known) and _is_unit(given):
        return f"in training, {_to_unit(known)}, so that all recordings are between -1 and 1"
    if _is_whole(known) and _is_whole(given) and not _fit_together(known, given):
        return f"for {known_type}, {_to_unit(known)}; for {given_type}, {_to_unit(given)}"
    if given_peak > LARGEST_RATIO * known_peak:
        is_overshoot = known_type.startswith("float") and known_peak <= LARGEST_OVERSHOOT
        is_file = is_overshoot and _is_whole(given)
        return _to_unit(given) if is_file else "bring all recordings to one unit"
    return None


def _is_unit(values):
    """Whether values are floating-point numbers between -1 and 1."""
    return values[0].startswith("float") and values[1] <= 1


def _is_whole(values):
    """Whether values are integers that are not only -1, 0 and 1."""
    return values[0].startswith(("int", "uint")) and values[1] > 1


def _fit_together(one, other):
    """Whether the larger values of two types of integers fit into the shorter type."""
    shorter = min(one, other, key=lambda values: np.iinfo(values[0]).bits)
    return max(one[1], other[1]) <= int(np.iinfo(shorter[0]).max) + 1 and (
        one[0].startswith("u") == other[0].startswith("u")
    )


def _to_unit(values):
    """How integers become numbers between -1 and 1."""
    name, largest = values
    bits = np.iinfo(name).bits
    if bits == 64:  # Python's numbers, and not those of a file
        bits = 16 if largest <= 2**15 else 32
    half = 2 ** (bits - 1)
    if name.startswith("u"):
        return f"make them float32, subtract {half} and divide by {half}"  # uint8 would wrap around
    return f"divide them by {half}"


def warn_of_scale(known, given, what="the recordings", of_known="those of the training"):
    """Warn where values do not belong to any of the known ones; return whether there was a warning.

    Parameters
    ----------
    known, given : dict of str to float
        Peaks by type.
    what, of_known : str
        What the two are in the text of the warning.
    """
    for own in given.items():
        advice = [advice_on_scale(one, own) for one in known.items()]
        if known and all(advice):
            known_type, known_peak = next(iter(known.items()))
            warn(
                f"{what} are {own[0]} with values up to {own[1]:.6g}, but {of_known} are "
                f"{known_type} with values up to {known_peak:.6g}. Predictions mean nothing on "
                f"another scale: {advice[0]}"
            )
            return True
    return False


def warn_of_several_scales(peaks):
    """Warn where recordings of several types do not belong together."""
    first, *others = peaks.items()
    warn_of_scale(dict([first]), dict(others), "some recordings", "others")
