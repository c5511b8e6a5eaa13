"""What a classifier of windows predicts for windows, in chunks, and the means over recordings."""

import numpy as np

from skimbal._utils._warnings import warn
from skimbal.neural_network import class_probabilities


def mean_by_recording(window_proba, recording):
    r"""Mean over the windows of each recording, :math:`p_r = \sum_{w \in r} p_w / n_r`.

    Parameters
    ----------
    window_proba : ndarray of shape (n_windows, n_values)
        Predicted probabilities, or other values of windows.
    recording : ndarray of int, shape (n_windows,)
        The recording of each window, in ascending order.

    Returns
    -------
    ndarray of shape (n_recordings, n_values)
        A row for each recording that has windows.
    """
    first = np.flatnonzero(np.diff(recording, prepend=-1))
    n_windows = np.bincount(recording)
    return np.add.reduceat(window_proba, first, axis=0) / n_windows[n_windows > 0][:, None]


def windows_at_once(windows, memory_limit):
    """Return how many windows fit into so many bytes, at least 1."""
    window_bytes = windows.shape[1] * windows.shape[2] * windows.dtype.itemsize
    return max(1, memory_limit // window_bytes)


def in_chunks(function, windows, memory_limit):
    """Values of windows as rows; a function of an array gets so many bytes of windows at once."""
    n_at_once = windows_at_once(windows, memory_limit)
    chunks = [
        np.asarray(function(np.asarray(windows[first : first + n_at_once])))
        for first in range(0, len(windows), n_at_once)
    ]
    return np.concatenate([chunk.reshape(len(chunk), -1) for chunk in chunks])


def windows_proba(classifier, windows):
    """Return the predicted probabilities of windows by a fitted `WindowedClassifier`."""
    if len(windows) == 0:
        return np.empty((0, len(classifier.classes_)))
    return in_chunks(
        lambda chunk: class_probabilities(classifier.estimator_, chunk, classifier.classes_),
        windows,
        classifier.memory_limit,
    )


def warn_of_skipped(windows):
    """Warn of recordings that have no window."""
    skipped = np.setdiff1d(np.arange(len(windows.recordings)), windows.recording)
    if len(skipped):
        warn(
            f"the recordings {skipped.tolist()} are shorter than the window of {windows.size} "
            "samples; their probabilities are the shares of the classes in the training data"
        )
