"""Suites of generated spheres and of signals, for convolutional networks.

The spheres are those of the article on the incremental weighted cross entropy
(`make_nested_spheres` has the reference). The windows of a smart watch and the segments of bearing
recordings are cut with a fixed seed, so that every run has the same samples.
"""

import numpy as np
from sklearn.utils import Bunch

from skimbal.benchmark._suite import Suite
from skimbal.datasets import cut_segments, load_cwru, load_watch, make_nested_spheres

N_SPHERE_DRAWS = 5
WATCH_LENGTH = 100  # samples, 2 s
N_MOST_FREQUENT_WINDOWS = 240
WATCH_RATIO = 8
CWRU_LENGTH = 1024  # samples, 21 ms
N_PARTS = 5
PART_FRACTION = 0.9  # of a part that segments are cut from; the rest is a gap between parts
N_NORMAL_SEGMENTS, N_FAULT_SEGMENTS = 40, 4  # in each part


def geometric_counts(n_max, ratio, n_classes):
    """Counts of classes that fall by one factor from `n_max` to ``n_max / ratio``, rounded down.

    >>> geometric_counts(240, 8, 4)
    [240, 120, 60, 30]
    """
    fractions = float(ratio) ** -np.linspace(0, 1, n_classes)
    return [int(n) for n in np.floor(n_max * fractions + 1e-9)]


def _load_spheres(name):
    X_train, _, y_train, _ = _load_sphere_draw(name, 1)
    return X_train, y_train


def _load_sphere_draw(name, fold):
    return make_nested_spheres(random_state=fold, return_X_y=True)


def _sphere_draws(name):
    return range(1, N_SPHERE_DRAWS + 1)


def _watch_windows():
    """Windows of each exercise without overlap, spread over the recordings of all people."""
    watch = load_watch()
    names = watch.target_names
    counts = geometric_counts(N_MOST_FREQUENT_WINDOWS, WATCH_RATIO, len(names))
    return cut_segments(
        watch.data,
        watch.target,
        length=WATCH_LENGTH,
        n_per_class=dict(zip(names, counts, strict=True)),
        groups=watch.groups,
        random_state=0,
    )


def _cwru_segments():
    """Segments of five parts of each recording; a group is a part of a recording."""
    cwru = load_cwru(outer_positions=(6,), target="fault_diameter")
    n_per_class = dict.fromkeys(cwru.target_names, N_FAULT_SEGMENTS)
    n_per_class["normal"] = N_NORMAL_SEGMENTS
    cuts = [
        cut_segments(
            cwru.data,
            cwru.target,
            length=CWRU_LENGTH,
            n_per_class=n_per_class,
            part=(part / N_PARTS, (part + PART_FRACTION) / N_PARTS),
            random_state=part,
        )
        for part in range(N_PARTS)
    ]
    recording = np.concatenate([cut.recording for cut in cuts])
    part = np.repeat(np.arange(N_PARTS), [len(cut.target) for cut in cuts])
    return Bunch(
        data=np.concatenate([cut.data for cut in cuts]),
        target=np.concatenate([cut.target for cut in cuts]),
        groups=recording * N_PARTS + part,
    )


_SEGMENTS = {"watch": _watch_windows, "cwru": _cwru_segments}


def _load_segments(name):
    cut = _SEGMENTS[name]()
    return cut.data, cut.target


def _load_segment_groups(name):
    return _SEGMENTS[name]().groups


SIGNAL_SUITES = {
    "spheres": Suite(
        "spheres", ("nested-spheres",), _load_spheres, _load_sphere_draw, _sphere_draws
    ),
    **{
        name: Suite(name, (name,), _load_segments, load_groups=_load_segment_groups)
        for name in _SEGMENTS
    },
}
