"""The runner from end to end: kills, rivals, failures, seeds and workers change no result."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from skimbal.benchmark import Method, report, resume, run_benchmark
from skimbal.benchmark._protocol import Cell, cell_seed
from skimbal.benchmark._store import Store

from . import toy


def results(out):
    """All cells of a run but the times, which differ from run to run."""
    return Store.open(out).cells().drop(columns=toy.MEASURED)


def start_runner(out, folder, names, jobs=2):
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "benchmark.toy", str(out), str(jobs), str(folder), *names]
    return subprocess.Popen(command, cwd=root)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, inline_workers):
    """Output folder of an uninterrupted run in this process."""
    out = tmp_path_factory.mktemp("finished")
    with inline_workers():
        toy.run_toy(out)
    return out


def test_a_run_has_every_cell_once(finished):
    cells = results(finished)
    assert len(cells) == 3 * 2 * 3 * 2
    assert not cells.duplicated(["dataset", "method", "fold", "trial"]).any()
    assert set(cells.status) == {"done"}
    assert list(finished.glob("claim-*")) == []


def test_a_cell_is_what_scikit_learn_gives(finished):
    cell = Cell("middle", "forest", 2, 1)
    X, y = toy.load_toy("middle")
    splitter = StratifiedKFold(3, shuffle=True, random_state=cell.trial)
    train, test = list(splitter.split(X, y))[cell.fold - 1]
    seed = cell_seed(0, cell)
    forest = RandomForestClassifier(5, random_state=seed).fit(X[train], y[train])
    row = results(finished).set_index(["dataset", "method", "fold", "trial"]).loc[cell]
    assert row.seed == seed
    assert row.accuracy == pytest.approx(forest.score(X[test], y[test]), abs=1e-12)
    assert row.balanced_accuracy == pytest.approx(
        balanced_accuracy_score(y[test], forest.predict(X[test])), abs=1e-12
    )
    auc = roc_auc_score(y[test] == "yes", forest.predict_proba(X[test])[:, 1])
    assert row.auc == pytest.approx(auc, abs=1e-12)


def test_signals_with_groups_from_end_to_end(tmp_path, without_processes):
    methods = ["svm", "extra-trees-summary-prior", "knn"]
    result = run_benchmark(toy.WINDOWS, methods, out=tmp_path, n_folds=3)
    assert result.protocol.methods == ["extra-trees-summary-prior"]
    reason = "it takes X of 2 axes, and watch has shape (36, 2, 10)"
    assert result.protocol.left_out == {"svm": reason, "knn": reason}
    assert f"LEFT OUT: svm; {reason}." in result.notes
    assert result.summary["mean"].item() > 0.8
    assert run_benchmark(toy.WINDOWS, methods[1:2], out=tmp_path, n_folds=3).notes == result.notes
    with pytest.raises(ValueError, match="class 'no' has 6 groups, but folds=7"):
        run_benchmark(toy.WINDOWS, methods, out=tmp_path / "other", n_folds=7)
    with pytest.raises(ValueError, match=r"no method can take these data sets .* choose from cnn"):
        run_benchmark(toy.WINDOWS, ["svm"], out=tmp_path / "other", n_folds=3)
    assert not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def finished_by_two(tmp_path_factory):
    """Output folder of the same run by two worker processes."""
    out = tmp_path_factory.mktemp("finished-by-two")
    toy.run_toy(out, n_jobs=2)
    return out


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_workers(finished, finished_by_two):
    pd.testing.assert_frame_equal(results(finished_by_two), results(finished))


@pytest.mark.usefixtures("without_processes")
def test_numbers_may_be_those_of_numpy(tmp_path):
    result = toy.run_toy(tmp_path, ["logistic"], n_folds=np.int64(3), n_trials=np.int64(1))
    assert result.protocol.n_folds == 3


def test_a_run_leaves_joblib_working_in_its_process(finished_by_two):
    assert Parallel(n_jobs=2)(delayed(abs)(number) for number in (-1, -2)) == [1, 2]


@pytest.mark.usefixtures("without_processes")
def test_more_methods_and_fewer_sets_change_no_cell(finished, tmp_path):
    toy.run_toy(tmp_path, ["logistic", "warning", "forest"], datasets=["large", "small"])
    here, there = results(tmp_path), results(finished)
    here, there = here[here.method != "warning"], there[there.dataset != "middle"]
    pd.testing.assert_frame_equal(here.reset_index(drop=True), there.reset_index(drop=True))


@pytest.mark.usefixtures("without_processes")
def test_another_seed_moves_the_methods_and_not_the_folds(finished, tmp_path):
    toy.run_toy(tmp_path, seed=1)
    here, there = (
        results(out).set_index(["method", "dataset", "fold", "trial"]).accuracy
        for out in (tmp_path, finished)
    )
    pd.testing.assert_series_equal(here.loc["logistic"], there.loc["logistic"])
    assert (here.loc["forest"] != there.loc["forest"]).any()


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_table(tmp_path, inline_workers):
    names = ["killer", "forest"]
    whole, broken, marks = tmp_path / "whole", tmp_path / "broken", tmp_path / "marks"
    marks.mkdir()
    (tmp_path / "no-marks").mkdir()
    (tmp_path / "no-marks" / "killed").touch()
    assert start_runner(broken, marks, names).wait() == -signal.SIGKILL
    n_before = Store.open(broken).n_finished()
    assert 0 < n_before < 36
    toy.run_toy(broken, names, folder=marks, n_jobs=2)
    with inline_workers():
        toy.run_toy(whole, names, folder=tmp_path / "no-marks")
    pd.testing.assert_frame_equal(results(broken), results(whole))
    assert list(broken.glob("claim-*")) == []


@pytest.mark.slow
def test_two_runners_share_the_cells_of_one_file(tmp_path):
    out, marks = tmp_path / "out", tmp_path / "marks"
    marks.mkdir()
    runners = [start_runner(out, marks, ["counted"], jobs=1) for _ in range(2)]
    assert [runner.wait() for runner in runners] == [0, 0]
    assert len(results(out)) == 18
    assert len(list(marks.glob("fit-*"))) == 18


@pytest.mark.usefixtures("without_processes")
def test_a_finished_run_is_not_run_again(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    for _ in range(2):
        toy.run_toy(tmp_path / "out", ["counted"], folder=marks)
    assert len(list(marks.glob("fit-*"))) == 18


@pytest.mark.usefixtures("without_processes")
def test_a_method_that_fails_is_recorded_and_the_run_goes_on(tmp_path):
    result = toy.run_toy(tmp_path, ["logistic", "failing"], datasets=["small"])
    cells = result.cells.groupby("method")
    assert cells.get_group("logistic").status.eq("done").all()
    failed = cells.get_group("failing")
    assert failed.status.eq("failed").all()
    assert failed.error.str.contains("ArithmeticError: cannot fit").all()
    assert result.summary.loc["failing", "mean"] == 0
    note = "FAILED: 6 cells failed and have a score of 0 (failing 6). The first error: "
    assert note + "ArithmeticError: cannot fit 25 samples" in result.notes
    assert "ArithmeticError: cannot fit" in result.to_markdown()


@pytest.mark.usefixtures("without_processes")
def test_failed_cells_run_again_when_forgotten(tmp_path):
    toy.run_toy(tmp_path, ["failing"], datasets=["small"])
    Store.open(tmp_path).forget_failures()
    assert Store.open(tmp_path).n_finished() == 0


@pytest.mark.usefixtures("without_processes")
def test_labels_that_the_data_does_not_have_are_a_failure(tmp_path):
    other = Method("other", "", lambda seed: DummyClassifier(strategy="constant", constant="no"))
    good = run_benchmark(toy.SUITE, [other], out=tmp_path / "a", datasets=["small"], n_folds=2)
    assert good.cells.status.eq("done").all()
    assert good.cells.g_mean.eq(0).all()


@pytest.mark.usefixtures("without_processes")
def test_data_that_cannot_be_read_by_a_worker_stops_the_run(tmp_path):
    def load_fold_one_only(name, fold):
        if fold > 1:
            raise OSError("the disk is gone")
        return toy.load_toy_fold(name, fold)

    suite = replace(toy.SUITE, load_fold=load_fold_one_only)
    with pytest.raises(OSError, match="the disk is gone"):
        run_benchmark(
            suite, toy.methods(["forest"]), out=tmp_path, split="official", datasets=["large"]
        )
    assert Store.open(tmp_path).n_finished() == 1


@pytest.mark.slow
def test_warnings_are_counted_and_do_not_reach_the_terminal(tmp_path, capfd):
    result = toy.run_toy(tmp_path, ["warning"], datasets=["small"])
    assert result.cells.n_warnings.eq(1000).all()
    assert result.summary.loc["warning", "n_warned"] == 6
    assert "| warning | RuntimeWarning | 6 |" in result.to_markdown()
    assert "over and over" not in "".join(capfd.readouterr())


@pytest.mark.usefixtures("without_processes")
def test_official_folds_are_used_as_published(tmp_path):
    result = toy.run_toy(
        tmp_path, ["forest"], split="official", n_folds=5, datasets=["middle", "large"]
    )
    folds = result.cells.groupby("dataset").fold.unique().map(sorted)
    assert folds.to_dict() == {"middle": [2, 3, 4, 5], "large": [1, 2, 3, 4, 5]}
    support = result.cells[(result.cells.dataset == "large") & (result.cells.fold == 1)].support
    assert support.nunique() == 1
    assert result.per_dataset.complete.all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "official", "n_folds": 5}, "'small' of suite 'toy' has no official folds"),
        (
            {"split": "official", "datasets": ["large"]},
            "folds=3 was given, but the official partitions have",
        ),
        ({"split": "oficial"}, "unknown split 'oficial'; did you mean 'official'"),
        ({"n_folds": 9}, "'small': class 'yes' has 8 samples, but folds=9 needs at least 9"),
        ({"n_folds": 1}, "folds=1 is not usable; give a whole number >= 2"),
        ({"n_folds": 2.0}, r"folds=2\.0 is not usable; give a whole number"),
        ({"n_trials": 0}, "trials=0 is not usable; give a whole number >= 1"),
        ({"seed": -1}, "seed=-1 is not usable; give a whole number >= 0"),
        ({"n_jobs": 0}, "jobs=0 is not usable; give a whole number >= 1"),
        ({"datasets": ["smal"]}, "unknown data set 'smal'; did you mean 'small'"),
        ({"datasets": []}, "no data sets were given"),
    ],
)
def test_bad_arguments_are_refused_before_anything_runs(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        toy.run_toy(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (["smote-dnb"], "unknown method 'smote-dnb'; did you mean 'smote-dbn'"),
        (toy.methods(["forest", "forest"]), "the methods forest, forest have a name twice"),
        ([], "no methods were given"),
    ],
)
def test_unknown_and_doubled_methods_are_refused(methods, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        run_benchmark(toy.SUITE, methods, out=tmp_path / "out")


def test_another_protocol_in_the_same_folder_is_refused(finished):
    with pytest.raises(
        ValueError, match="seed is 0 in the folder and 3 here; methods only in the folder: forest"
    ):
        toy.run_toy(finished, ["logistic"], seed=3)


def test_methods_in_another_order_are_the_same_run(finished):
    before = results(finished)
    toy.run_toy(finished, ["logistic", "forest"])
    pd.testing.assert_frame_equal(results(finished), before)


def test_a_run_of_ones_own_methods_cannot_be_resumed_by_name(finished):
    with pytest.raises(
        ValueError, match=r"has the methods forest, logistic, which.*call run_benchmark"
    ):
        resume(finished)


def test_a_changed_environment_is_warned_about(finished, monkeypatch):
    monkeypatch.setattr("skimbal.benchmark._run.environment", lambda: {"numpy": "0.1"})
    with pytest.warns(UserWarning, match=r"numpy [\d.]+ -> 0\.1"):
        toy.run_toy(finished)


def test_an_unfinished_run_can_be_reported(tmp_path, finished):
    store = Store.create(tmp_path, Store.open(finished).protocol())
    assert "INCOMPLETE: 0 of 36 cells" in report(tmp_path).to_text()
    assert os.path.exists(store.folder)
