"""Suites of spheres and signals: counts, groups and splits, on made recordings and on real ones."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from skimbal.benchmark import _signal_suites as signal_suites
from skimbal.benchmark import report, run_benchmark
from skimbal.benchmark._protocol import Cell, Protocol
from skimbal.benchmark._suite import describe_dataset, load_split, resolve_folds
from skimbal.benchmark._suites import SUITES
from skimbal.datasets import _cwru, _sources, _watch, make_nested_spheres
from skimbal.exceptions import DataNotFoundError

EXERCISES = ["PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"]
WINDOWS = [240, 169, 120, 84, 60, 42, 30]
FAULTS = [
    "normal",
    *(f"{kind}-{mil}" for kind in ("inner", "ball", "outer") for mil in (7, 14, 21)),
]


def made_watch():
    """Ten people with two recordings of each exercise; a value names recording and time."""
    names = np.repeat(EXERCISES, 20)
    lengths = np.random.default_rng(0).integers(1250, 2600, len(names))
    data = [np.tile(1e4 * k + np.arange(n), (6, 1)) for k, n in enumerate(lengths)]
    people = np.tile(np.repeat(np.arange(1, 11), 2), len(EXERCISES))
    return Bunch(data=data, target=names, target_names=EXERCISES, groups=people)


def made_cwru(**options):
    assert options == {"outer_positions": (6,), "target": "fault_diameter"}
    data = [
        np.arange(n, dtype=float)[None] + 1e6 * k for k, n in enumerate([240_000, *[64_000] * 9])
    ]
    return Bunch(data=data, target=np.array(FAULTS), target_names=FAULTS)


@pytest.fixture
def made_files(monkeypatch):
    """Recordings of the real numbers and about the real lengths, whose loaders need no data."""
    monkeypatch.setattr(signal_suites, "load_watch", made_watch)
    monkeypatch.setattr(signal_suites, "load_cwru", made_cwru)


def split(suite, n_folds, fold, trial, kind="stratified"):
    name = suite.datasets[0]
    return load_split(
        suite, Protocol("s", ["m"], {}, n_folds, 1, kind, 0, {}), Cell(name, "m", fold, trial)
    )


@pytest.mark.parametrize(
    ("name", "shape", "counts"),
    [
        ("watch", (6, 100), dict(zip(EXERCISES, WINDOWS, strict=True))),
        ("cwru", (1, 1024), dict.fromkeys(FAULTS, 20) | {"normal": 200}),
    ],
)
def test_counts_and_shapes(name, shape, counts, made_files):
    X, y = SUITES[name].load(name)
    assert X.shape == (sum(counts.values()), *shape)
    assert dict(zip(*np.unique(y, return_counts=True), strict=True)) == counts
    assert describe_dataset(SUITES[name], name) == describe_dataset(SUITES[name], name)


@pytest.mark.parametrize("trial", [0, 1])
def test_the_people_of_a_test_fold_are_not_trained_on(trial, made_files):
    people = made_watch().groups
    for fold in range(1, 6):
        X_train, X_test, _, y_test = split(SUITES["watch"], 5, fold, trial)
        train, test = (set(people[(X[:, 0, 0] // 1e4).astype(int)]) for X in (X_train, X_test))
        assert not train & test
        assert set(y_test) == set(EXERCISES)


@pytest.mark.parametrize("trial", [0, 1])
def test_parts_of_a_recording_have_a_gap_between_them(trial, made_files):
    for fold in range(1, 6):
        X_train, X_test, y_train, y_test = split(SUITES["cwru"], 5, fold, trial)
        assert set(y_test) == set(y_train) == set(FAULTS)
        starts = X_train[:, 0, 0], X_test[:, 0, 0]
        distances = np.abs(np.subtract.outer(*starts))
        # The gap is a tenth of a fifth of the shortest recording.
        assert distances.min() >= 1024 + 0.02 * 64_000 - 1


@pytest.mark.parametrize(("name", "n_folds"), [("watch", 11), ("cwru", 6)])
def test_more_folds_than_people_or_parts_are_refused(name, n_folds, made_files):
    infos = {name: describe_dataset(SUITES[name], name)}
    with pytest.raises(ValueError, match=f"has {n_folds - 1} groups, but folds={n_folds} needs"):
        resolve_folds(SUITES[name], infos, "stratified", n_folds)
    with pytest.raises(ValueError, match=f"data set '{name}' of suite '{name}' has no official"):
        resolve_folds(SUITES[name], infos, "official", 5)


def test_the_draws_of_the_spheres_have_the_article_s_counts():
    suite = SUITES["spheres"]
    draws = [split(suite, 5, fold, 0, "official") for fold in suite.folds_of("nested-spheres")]
    assert len(draws) == 5
    for fold, draw in enumerate(draws, start=1):
        assert np.bincount(draw[2]).tolist() == [800, 400, 1000]
        assert np.bincount(draw[3]).tolist() == [3334, 3333, 3333]
        np.testing.assert_array_equal(draw[1], make_nested_spheres(random_state=fold).data_test)
    np.testing.assert_array_equal(suite.load("nested-spheres")[0], draws[0][0])
    assert not np.array_equal(draws[0][0], draws[1][0])


def test_a_run_on_windows_leaves_out_the_methods_for_tables(
    made_files, tmp_path, without_processes
):
    methods = ["extra-trees-prior", "extra-trees-summary-prior"]
    run_benchmark("watch", methods, out=tmp_path, n_folds=2)
    result = report(tmp_path, metric="average_precision")
    assert result.summary.index.tolist() == methods[1:]
    assert any(note.startswith("LEFT OUT: extra-trees-prior; it takes") for note in result.notes)


@pytest.mark.parametrize(
    ("name", "module"), [("watch", "skimbal.datasets._watch"), ("cwru", "skimbal.datasets._cwru")]
)
def test_without_data_the_error_says_what_to_do(name, module, monkeypatch, tmp_path):
    def fail(*args, **kwargs):
        raise DataNotFoundError("no download in this test; " + kwargs["what_to_do"])

    monkeypatch.setenv("SKIMBAL_DATA", str(tmp_path))
    monkeypatch.setattr(f"{module}.cached_file", fail)
    with pytest.raises(DataNotFoundError, match="set SKIMBAL_DATA"):
        run_benchmark(name, ["cnn"], out=tmp_path / "out")


def has_file(name):
    folder = _sources.data_folder()
    return folder is not None and (folder / name).is_file()


@pytest.mark.skipif(
    not (has_file(_watch.LOCAL) and has_file(_cwru.LOCAL)), reason="SKIMBAL_DATA has no recordings"
)
@pytest.mark.parametrize(("name", "n_groups"), [("watch", 10), ("cwru", 50)])
def test_the_real_recordings(name, n_groups):
    info = describe_dataset(SUITES[name], name)
    assert info.shape == {"watch": (745, 6, 100), "cwru": (380, 1, 1024)}[name]
    groups = SUITES[name].load_groups(name)
    assert len(np.unique(groups)) == n_groups
    assert resolve_folds(SUITES[name], {name: info}, "stratified", 5) == {name: [1, 2, 3, 4, 5]}
