"""Samples and recordings as they come from files: the order of their axes, and their lengths.

All packages that take recordings use the same rule for the order of the axes, and the same words.
"""

from collections.abc import Iterator, Mapping
from os import PathLike

import numpy as np

ON_SHORT = ("raise", "pad", "skip")
CHANNELS_PER_ENTRY = 8  # a signal has at most so many channels for each entry of its length
CHANNELS_PER_ENTRY_OF_FEW = 4  # if its length is at most FEW
FEW = 16  # entries: as many as the channels of common sensors
RULE = (
    f"the second axis has more than {CHANNELS_PER_ENTRY} times as many entries as the last "
    f"({CHANNELS_PER_ENTRY_OF_FEW} times, if the last has at most {FEW})"
)


def is_channels_last(n_channels, length):
    """Whether a signal of these axes rather has them in the order (length, channels).

    >>> is_channels_last(300, 3), is_channels_last(64, 128), is_channels_last(9, 128)
    (True, False, False)
    """
    most = CHANNELS_PER_ENTRY_OF_FEW if length <= FEW else CHANNELS_PER_ENTRY
    return n_channels > most * length


def transpose_advice(shapes):
    """Advice for recordings whose shapes look like (length, channels); "" for other shapes.

    The longest recording decides, so that one short recording of many channels says nothing.

    >>> transpose_advice([(2, 9521), (2, 10117)])
    ''
    >>> transpose_advice([(9521, 2), (10117, 2)])[:58]
    '; recordings of shape (10117, 2) look like (length, channe'
    """
    shapes = [shape for shape in shapes if shape is not None and len(shape) == 2]
    n_channels, length = max(shapes, key=max, default=(0, 0))
    if not is_channels_last(n_channels, length):
        return ""
    return (
        f"; recordings of shape ({n_channels}, {length}) look like (length, channels), the order "
        "of WAV files in scipy, but it must be (channels, length): transpose each recording, as in "
        "[x.T for x in X]"
    )


def pad_to(recordings, size):
    """Append zeros to the last axis of an array up to `size` entries.

    >>> pad_to(np.ones((1, 2), dtype=np.int16), 4).tolist()
    [[1, 1, 0, 0]]
    """
    n_missing = max(0, size - recordings.shape[-1])
    return np.pad(recordings, [(0, 0)] * (recordings.ndim - 1) + [(0, n_missing)])


def check_order_of_axes(shapes, size):
    """Raise a ValueError if recordings are shorter than `size` because their axes are swapped."""
    length, advice = min((shape[-1] for shape in shapes), default=size), transpose_advice(shapes)
    if advice and length < size:
        raise ValueError(
            f"a recording of {length} samples is shorter than the window of {size}{advice}. If the "
            "axes are right, append zeros with np.pad first"
        )


def pad_short(recordings, size):
    """Return recordings of at least `size` samples, with zeros at the end of the short ones."""
    if isinstance(recordings, np.ndarray) and recordings.ndim == 3:
        return pad_to(recordings, size) if recordings.shape[-1] < size else recordings
    arrays = [np.asarray(recording) for recording in recordings]
    return [pad_to(array, size) if array.shape[-1] < size else array for array in arrays]


def check_on_short(on_short):
    """Raise a ValueError for an unknown value of `on_short`."""
    if not isinstance(on_short, str) or on_short not in ON_SHORT:
        raise ValueError(f"on_short={on_short!r} is not usable; give one of {ON_SHORT}")


def check_collection(X, single):
    """Raise a ValueError for what is no collection of samples: a file name, a dict, a bare signal.

    `single` says how a single sample is given.
    """
    if isinstance(X, str | bytes | PathLike):
        raise ValueError(f"X is the name {X!r}; read the file, and give a list of arrays")
    if isinstance(X, list | tuple) and any(isinstance(x, str | bytes | PathLike) for x in X):
        raise ValueError("X holds names or text; read the files, and give a list of arrays")
    if isinstance(X, Mapping) and not hasattr(X, "shape"):  # sparse matrices of keys have both
        raise ValueError("X is a dict; give its values as a list: list(X.values())")
    if isinstance(X, Iterator):
        raise ValueError("X is an iterator, which can be read only once; give a list: list(X)")
    if is_bare_signal(X):
        raise ValueError(
            f"X has shape {np.shape(X)}, so it is a single sample and not an array of samples. "
            f"Reshape your data: {single}"
        )


def is_bare_signal(X):
    """Whether X is numbers along one axis."""
    if hasattr(X, "shape"):
        return len(X.shape) == 1 and getattr(np.asarray(X).dtype, "kind", "O") in "fiub"
    return isinstance(X, list | tuple) and len(X) > 0 and all(np.isscalar(x) for x in X)


def check_one_shape(X, name, advice):
    """Return X, a list or object array of samples as one array; a ValueError for unequal shapes.

    Anything else is returned as it is. `advice` says what to do with recordings of different
    lengths.
    """
    is_objects = getattr(X, "ndim", None) == 1 and getattr(X.dtype, "kind", "") == "O"
    if not (is_objects or isinstance(X, list | tuple)) or len(X) == 0:
        return X
    samples = list(X)
    shapes = [sample_shape(x) for x in samples]
    for number, shape in enumerate(shapes):
        if shape is None:
            raise ValueError(
                f"sample {number} of X has rows of different lengths; give samples that are arrays"
            )
        if shape != shapes[0]:
            raise ValueError(
                f"X has samples of different shapes: sample 0 has {shapes[0]} and sample {number} "
                f"has {shape}{transpose_advice(shapes)}. {name} takes samples of one shape; "
                f"{advice}"
            )
    return np.stack(samples) if is_objects and shapes[0] else X


def sample_shape(x):
    """The shape of a sample, None for nested lists of different lengths."""
    try:
        return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)
    except ValueError:
        return None
