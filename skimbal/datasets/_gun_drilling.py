"""A simulation of deep hole gun drilling: 14 channels of 20 tools that wear out.

Nothing here was measured. The design follows the data of Zhang, Tan, Li and Hong 2019,
doi:10.1109/TNNLS.2018.2832648, section VI and Tables IV to VI, which are not public: 12 channels of
vibration at 20 kHz, thrust force and torque at 100 Hz, and the speeds, feeds and machining times of
20 tools. What a worn tool does to the signals is made up along the textbook:

* flank wear grows fast at first, then steadily, then fast again until the tool fails;
* thrust and torque grow with the wear;
* a worn edge excites the resonances of the drill more; a chipped or broken one hits the work piece
  once a revolution.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap
from sklearn.utils import Bunch, check_random_state

from skimbal.datasets._checks import check_count, check_number, unusable

SAMPLING_RATE_HZ = 20_000
FORCE_RATE_HZ = 100
# Samples that are drawn together: a tenth of a second of one run.
BLOCK = 2_000
# Flank wear from which a tool is faulty, in mm.
FAULTY_MM = 0.3
N_VIBRATIONS = 12
CHANNELS = (
    *(f"vibration {sensor}{axis}" for sensor in range(1, 5) for axis in "xyz"),
    "thrust force",
    "torque",
)
STATES = ("worn", "chipped", "broken")
# Name, diameter in mm, spindle speed in 1/min, feed in micrometers a revolution, machining time in
# s: Table VI. The article counts 3 broken, 6 chipped and 11 worn tools; which ones is made up.
TOOLS = [
    ("H1_01", 8.05, 1200, 20, 125.00, "worn"),
    ("H1_02", 8.05, 1200, 20, 125.00, "chipped"),
    ("H2_01", 8.05, 800, 20, 187.50, "worn"),
    ("H2_02", 8.05, 800, 20, 187.50, "broken"),
    ("H2_03", 8.02, 1650, 16, 113.64, "worn"),
    ("H3_01", 8.05, 1650, 16, 113.64, "worn"),
    ("H3_02", 8.05, 1650, 16, 113.64, "chipped"),
    ("H3_03", 8.05, 1650, 16, 113.64, "worn"),
    ("H3_04", 8.05, 1650, 16, 113.64, "broken"),
    ("H3_05", 8.05, 1650, 16, 113.64, "chipped"),
    ("H3_06", 8.02, 1650, 16, 113.64, "worn"),
    ("H3_07", 8.02, 1650, 16, 113.64, "worn"),
    ("H3_08", 8.02, 1650, 16, 113.64, "chipped"),
    ("H3_09", 8.02, 1650, 16, 113.64, "worn"),
    ("H3_10", 8.02, 1650, 16, 113.64, "worn"),
    ("H4_01", 8.08, 1650, 16, 113.64, "chipped"),
    ("H4_02", 8.08, 1650, 16, 113.64, "worn"),
    ("H4_03", 8.08, 1650, 16, 113.64, "broken"),
    ("H5_01", 8.045, 1650, 16, 113.64, "worn"),
    ("H5_02", 8.045, 1650, 16, 113.64, "chipped"),
]
# How much of a run is faulty, relative to the others: a broken tool is stopped soonest.
FAULTY_TIME = {"worn": 1.2, "chipped": 0.9, "broken": 0.5}
# Wear that is added at once where a tool fails, in mm.
LOST_MM = {"worn": 0.0, "chipped": 0.1, "broken": 0.3}
ARRAYS = {"data": np.float32, "target": np.int8, "tool": np.int8, "wear_mm": np.float32}


def wear_curve(x):
    """Wear relative to that at which a tool is faulty, after a fraction x of the time until then.

    It rises fast, steadily and fast again; 0 at 0 and 1 at 1.

    >>> wear_curve(np.array([0.0, 0.1, 0.5, 1.0])).round(2)
    array([0. , 0.3, 0.5, 1. ])
    """
    rise = 0.3 * (1.0 - np.exp(-20.0 * x)) / (1.0 - np.exp(-20.0))
    return rise + 0.4 * x + 0.3 * x**8


def shares(total, weights):
    """Whole numbers that add up to a total, in proportion to weights.

    >>> shares(10, np.array([1.0, 1.0, 2.0])).tolist()
    [2, 3, 5]
    """
    ends = np.rint(total * np.cumsum(weights) / np.sum(weights)).astype(np.int64)
    return np.diff(ends, prepend=0)


@dataclass(frozen=True)
class Run:
    """A tool, from the first sample to the last.

    Attributes
    ----------
    number : int
        Number of the tool.
    tool : Series
        Its row in the table.
    n_samples, n_faulty : int
        Samples, of which the last are faulty.
    seed : numpy.random.SeedSequence
        Its child 0 draws what is constant in the run, the others the blocks.
    """

    number: int
    tool: pd.Series
    n_samples: int
    n_faulty: int
    seed: np.random.SeedSequence

    def times_s(self, first, n):
        """Times of a block of samples; blocks are evenly spaced over the machining time."""
        start_s = self.tool.machining_time_s * first / self.n_samples
        return start_s + np.arange(n) / SAMPLING_RATE_HZ

    def wear_mm(self, first, n):
        """Flank wear of samples, shape (n,)."""
        healthy = self.n_samples - self.n_faulty
        place = np.arange(first, first + n)
        wear = FAULTY_MM * wear_curve(place / healthy)
        return wear + LOST_MM[self.tool.state] * (place >= healthy)

    def block(self, first, n):
        """Channels and wear of a block of samples, shapes (n, 14) and (n,)."""
        rng = np.random.default_rng(child(self.seed, 1 + first // BLOCK))
        wear = self.wear_mm(first, n)
        t = self.times_s(first, n)
        signals = np.concatenate([self._vibration(rng, t, wear), self._forces(rng, t, wear)])
        return signals.T, wear

    def _vibration(self, rng, t, wear):
        """Acceleration in g, shape (12, n): harmonics, an excited resonance, impacts and noise."""
        own = np.random.default_rng(child(self.seed, 0))
        gains = np.exp(0.15 * own.standard_normal((N_VIBRATIONS, 1)))
        amplitudes = 0.5 * np.exp(0.3 * own.standard_normal((N_VIBRATIONS, 3))) / [1, 2, 3]
        phases = own.uniform(0, 2 * np.pi, (N_VIBRATIONS, 3))
        resonance_hz, width_hz = own.uniform(2000, 5000), own.uniform(150, 400)
        turns = self.tool.spindle_speed_rpm / 60.0 * t
        angles = 2 * np.pi * np.arange(1, 4)[:, None] * turns
        shaft = np.einsum("ch,cht->ct", amplitudes, np.cos(angles + phases[:, :, None]))
        frequency_hz = np.fft.rfftfreq(len(t), 1 / SAMPLING_RATE_HZ)
        response = 1.0 / (1.0 + ((frequency_hz - resonance_hz) / width_hz) ** 2)
        white = rng.standard_normal((N_VIBRATIONS, len(t)))
        excited = 3.0 * np.fft.irfft(np.fft.rfft(white) * response, len(t))
        relative = wear / FAULTY_MM
        hits = np.exp(-40.0 * (turns % 1.0)) * np.maximum(relative - 1.0, 0.0)
        background = 0.2 * rng.standard_normal((N_VIBRATIONS, len(t)))
        return gains * (shaft + (0.5 + relative + 4.0 * hits) * excited + background)

    def _forces(self, rng, t, wear):
        """Thrust in N and torque in N m, shape (2, n), interpolated from 100 Hz."""
        own = np.random.default_rng(child(self.seed, 0))
        level = np.exp(0.05 * own.standard_normal((2, 1)))
        coarse = np.append(np.arange(t[0], t[-1], 1 / FORCE_RATE_HZ), t[-1])
        relative = np.interp(coarse, t, wear) / FAULTY_MM
        feed = self.tool.feed_um / 16.0 * self.tool.diameter_mm / 8.0
        growth = np.array([[0.3], [0.4]]) * relative
        noise = 0.05 * rng.standard_normal((2, len(coarse)))
        forces = np.array([[800.0], [3.0]]) * level * feed * (1.0 + growth + noise)
        return np.array([np.interp(t, coarse, force) for force in forces])


def child(seed, key):
    """The seed of a part, which does not depend on other parts."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, key))


def plan_runs(n_samples, imbalance_ratio, entropy):
    """Return the runs of all tools; their faulty samples add up to the imbalance ratio."""
    columns = ["name", "diameter_mm", "spindle_speed_rpm", "feed_um", "machining_time_s", "state"]
    tools = pd.DataFrame(TOOLS, columns=columns)
    sizes = shares(n_samples, tools.machining_time_s.to_numpy())
    rng = np.random.default_rng(entropy)
    spread = np.exp(0.2 * rng.standard_normal(len(tools)))
    weights = sizes * tools.state.map(FAULTY_TIME).to_numpy() * spread
    n_faulty = shares(round(n_samples / (1.0 + imbalance_ratio)), weights)
    if (n_faulty < 1).any() or (n_faulty >= sizes).any():
        raise ValueError(
            f"n_samples={n_samples} with imbalance_ratio={imbalance_ratio:g} leaves a tool without "
            "healthy or faulty samples; give more samples, or a ratio from 1 to n_samples / 1000"
        )
    seeds = [np.random.SeedSequence(entropy, spawn_key=(k,)) for k in range(len(tools))]
    rows = zip(tools.iterrows(), sizes.tolist(), n_faulty.tolist(), seeds, strict=True)
    return tools, [Run(k, tool, size, faulty, seed) for (k, tool), size, faulty, seed in rows]


def fill(arrays, runs):
    """Write the samples of all runs into arrays, block by block."""
    start = 0
    for run in runs:
        for first in range(0, run.n_samples, BLOCK):
            n = min(BLOCK, run.n_samples - first)
            rows = slice(start + first, start + first + n)
            arrays["data"][rows], wear = run.block(first, n)
            arrays["wear_mm"][rows] = wear
            arrays["tool"][rows] = run.number
            arrays["target"][rows] = np.arange(first, first + n) >= run.n_samples - run.n_faulty
        start += run.n_samples


def write_files(folder, shapes, runs):
    """Write the arrays as files of a folder, and return them as they are on the disk.

    Where it is interrupted, no file is left.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    found = [name for name in ARRAYS if (folder / f"{name}.npy").exists()]
    if found:
        raise ValueError(f"{folder} has {found[0]}.npy already; give another folder, or delete it")
    parts = {name: folder / f"{name}.npy.part" for name in ARRAYS}
    try:
        arrays = {
            name: open_memmap(parts[name], "w+", dtype, shapes[name])
            for name, dtype in ARRAYS.items()
        }
        fill(arrays, runs)
        for array in arrays.values():
            array.flush()
        for part in parts.values():
            os.replace(part, part.with_suffix(""))
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}


def make_gun_drilling(
    n_samples: int = 140_000,
    *,
    imbalance_ratio: float = 10.0,
    out: str | os.PathLike | None = None,
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
) -> Any:
    """Simulate the signals of 20 gun drills, healthy and faulty, at any size.

    **This is a simulation** for examples, tests and measurements of time and memory. Scores on it
    say nothing about real tools. The article's data, which are not public, have 19,712,414 samples
    of 14 channels with an imbalance ratio of 10.

    Parameters
    ----------
    n_samples : int, default=140_000
        Samples of all tools together, 2,000 or more. A tool has as many as its share of the
        machining time.
    imbalance_ratio : float >= 1, default=10.0
        Healthy samples for each faulty one.
    out : path or None, default=None
        A folder for ``data.npy``, ``target.npy``, ``tool.npy`` and ``wear_mm.npy``. The samples are
        written there in blocks, so more of them than the memory holds can be made, and the arrays
        that are returned are memory maps. None makes arrays in memory.
    random_state : int, RandomState or None, default=None
        Seed.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data``, float32 of shape (n_samples, 14): 12 accelerations in g, the thrust in N and the
        torque in N m; ``target``, int8 of shape (n_samples,), 1 where the flank wear is 0.3 mm or
        more; ``tool``, int8, the number of the tool, for splits by tool; ``wear_mm``, float32;
        ``tools``, a DataFrame with a row for each tool: diameter_mm, spindle_speed_rpm, feed_um (a
        revolution), machining_time_s and state at the end; ``feature_names``; ``target_names``;
        ``sampling_rate_hz``; ``DESCR``. Samples are in the order of tools and times.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        For a size or ratio that cannot be had, and if `out` has such files already.

    Notes
    -----
    Speeds, feeds, times and the numbers of worn, chipped and broken tools are those of the
    article; which tool ends in which state is made up, and so is what the wear does to the signals
    (see the source). Thrust and torque are drawn at 100 Hz and interpolated to 20 kHz. Samples come
    in blocks of a tenth of a second that are evenly spaced over the run of a tool. Neighboring
    samples are alike: split by ``tool``.

    References
    ----------
    C. Zhang, K. C. Tan, H. Li and G. S. Hong 2019, A Cost-Sensitive Deep Belief Network for
    Imbalanced Classification, IEEE TNNLS 30(1), doi:10.1109/TNNLS.2018.2832648, section VI.

    Examples
    --------
    >>> from skimbal.datasets import make_gun_drilling
    >>> drills = make_gun_drilling(11_000, random_state=0)
    >>> drills.data.shape, int(drills.target.sum()), drills.tools["state"].value_counts().to_dict()
    ((11000, 14), 1000, {'worn': 11, 'chipped': 6, 'broken': 3})
    """
    check_count("n_samples", n_samples, 2000)
    check_number("imbalance_ratio", imbalance_ratio, 1)
    if not (out is None or isinstance(out, str | os.PathLike)):
        raise unusable("out", out, "the path of a folder, or None")
    entropy = int(check_random_state(random_state).randint(2**31 - 1))
    tools, runs = plan_runs(n_samples, imbalance_ratio, entropy)
    shapes: dict = dict.fromkeys(ARRAYS, (n_samples,)) | {"data": (n_samples, len(CHANNELS))}
    if out is None:
        arrays = {name: np.empty(shapes[name], dtype) for name, dtype in ARRAYS.items()}
        fill(arrays, runs)
    else:
        arrays = write_files(out, shapes, runs)
    if return_X_y:
        return arrays["data"], arrays["target"]
    return Bunch(
        **arrays,
        tools=tools,
        feature_names=list(CHANNELS),
        target_names=["healthy", "faulty"],
        sampling_rate_hz=SAMPLING_RATE_HZ,
        DESCR=(
            f"A SIMULATION of the signals of {len(tools)} gun drills: {n_samples} samples of "
            f"{len(CHANNELS)} channels, {imbalance_ratio:g} healthy ones for each faulty one. "
            "Nothing in it was measured."
        ),
    )
