"""Reports of tiny runs, against numbers worked out by hand."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skimbal.benchmark import report
from skimbal.benchmark._cell import scores_of_confusion
from skimbal.benchmark._claims import claim_cell
from skimbal.benchmark._damage import damaged_cells
from skimbal.benchmark._names import RANK_METRICS
from skimbal.benchmark._protocol import Protocol
from skimbal.benchmark._store import Store


def make_run(folder, methods, datasets, n_folds=2, n_trials=1):
    """An empty run in `folder`."""
    folds = {name: list(range(1, n_folds + 1)) for name in datasets}
    fingerprints = dict.fromkeys(datasets, "")
    protocol = Protocol("s", methods, folds, n_folds, n_trials, "stratified", 0, fingerprints)
    return Store.create(folder, protocol)


def fill(store, score):
    """Finish every cell with ``score(cell)`` as the value of each metric; None leaves it open."""
    for cell in store.protocol().cells():
        if score(cell) is None:
            continue
        with claim_cell(store, cell, 0) as claim:
            n_right = round(1000 * score(cell))  # of each class, so that the G-mean is the score
            confusion = [[n_right, 1000 - n_right], [1000 - n_right, n_right]]
            values = dict.fromkeys(RANK_METRICS, score(cell))
            values |= {"fit_seconds": 2.0, "predict_seconds": 0.0, "n_warnings": 0}
            values |= {**scores_of_confusion(confusion), "g_mean": score(cell)}
            claim.finish("done", {**values, "confusion": json.dumps(confusion)})


@pytest.fixture
def small_run(tmp_path):
    """Two sets, two folds; method k fails on fold 2 of set a."""
    store = make_run(tmp_path, ["m", "k"], ["a", "b"])
    matrices = {
        ("a", "m", 1): [[4, 0], [0, 1]],
        ("a", "m", 2): [[3, 1], [0, 1]],
        ("a", "k", 1): [[4, 0], [1, 0]],
        ("b", "m", 1): [[2, 2], [0, 1]],
        ("b", "m", 2): [[2, 2], [0, 1]],
        ("b", "k", 1): [[3, 1], [0, 1]],
        ("b", "k", 2): [[3, 1], [0, 1]],
    }
    for cell in store.protocol().cells():
        with claim_cell(store, cell, 0) as claim:
            support = {"support": "[4, 1]", "n_warnings": 0}
            if cell[:3] not in matrices:
                claim.finish(
                    "failed",
                    {**support, "error": "Traceback (most recent call last):\nKeyError: 'x|y'"},
                )
                continue
            (tn, fp), (fn, tp) = matrices[cell[:3]]
            g_mean = math.sqrt(tn / (tn + fp) * tp / (tp + fn))
            confusion = [[tn, fp], [fn, tp]]
            scores = {"g_mean": g_mean, "accuracy": (tn + tp) / 5, "fit_seconds": 0.5}
            values = {**support, **scores_of_confusion(confusion), **scores}
            claim.finish("done", {**values, "confusion": json.dumps(confusion)})
    return tmp_path


def test_means_spreads_and_pooled_scores(small_run):
    table = report(small_run).per_dataset.set_index(["dataset", "method"])
    root = math.sqrt(0.75)
    assert table["mean"].to_dict() == pytest.approx(
        {("a", "m"): (1 + root) / 2, ("a", "k"): 0, ("b", "m"): math.sqrt(0.5), ("b", "k"): root}
    )
    assert table.loc[("a", "m"), "std"] == pytest.approx((1 - root) / math.sqrt(2))
    assert table.loc[("a", "m"), "pooled"] == pytest.approx(math.sqrt(7 / 8))
    assert table.n_failed.tolist() == [0, 1, 0, 0]


def test_a_failed_cell_got_everything_wrong(small_run):
    table = report(small_run, metric="accuracy").per_dataset.set_index(["dataset", "method"])
    assert table.loc[("a", "k"), "mean"] == pytest.approx(0.8 / 2)
    assert table.loc[("a", "k"), "pooled"] == pytest.approx(4 / 10)


def test_the_summary_is_over_the_data_sets(small_run):
    result = report(small_run)
    assert result.control == "m"
    assert result.summary.index.tolist() == ["m", "k"]
    means = [(1 + math.sqrt(0.75)) / 2, math.sqrt(0.5)]
    assert result.summary.loc["m", "mean"] == pytest.approx(np.mean(means))
    assert result.summary.loc["m", "std"] == pytest.approx(np.std(means, ddof=1))
    assert result.summary["rank"].tolist() == [1.5, 1.5]
    assert result.summary.n_failed.tolist() == [0, 1]
    assert result.summary.loc["k", "fit_seconds"] == 0.5
    assert result.tests == {}


def test_wins_and_p_values_against_the_control(tmp_path):
    level = {"m": 0.9, "worse": 0.5, "same": 0.9}
    store = make_run(tmp_path, list(level), [*"abcdef"], n_trials=3)
    fill(store, lambda cell: level[cell.method])
    summary = report(tmp_path, control="m").summary
    # Six differences of one sign: 2 / 2^6; Holm doubles the smaller of two p-values.
    assert summary.p.to_dict() == pytest.approx(
        {"m": np.nan, "worse": 1 / 32, "same": 1}, nan_ok=True
    )
    assert summary.p_holm[["worse", "same"]].tolist() == [1 / 16, 1]
    counts = summary[["control_wins", "control_loses", "draws"]]
    assert counts.loc["worse"].tolist() == [6, 0, 0]
    assert counts.loc["same"].tolist() == [0, 0, 6]
    assert report(tmp_path, control="worse").summary.loc["m", "control_loses"] == 6


def test_friedman_of_three_ordered_methods(tmp_path):
    level = {"x": 0.9, "y": 0.8, "z": 0.7}
    fill(make_run(tmp_path, list(level), [*"abc"]), lambda cell: level[cell.method])
    result = report(tmp_path)
    assert result.tests["Friedman"].statistic == pytest.approx(6)
    assert result.tests["Friedman"].p_value == pytest.approx(math.exp(-3))
    # All sets rank the methods equally: an infinite F says nothing of the number of sets.
    assert list(result.tests) == ["Friedman"]
    assert result.summary["rank"].to_dict() == {"x": 1, "y": 2, "z": 3}


def test_ecs_dbn_is_the_control_where_it_took_part(tmp_path):
    make_run(tmp_path, ["dbn", "ecs-dbn"], ["a"])
    assert report(tmp_path).control == "ecs-dbn"


def test_incomplete_sets_are_left_out_of_the_comparison_and_flagged(tmp_path):
    store = make_run(tmp_path, ["m", "k"], ["a", "b"])
    fill(store, lambda cell: None if cell == ("b", "k", 2, 0) else {"a": 0.4, "b": 1}[cell.dataset])
    result = report(tmp_path)
    assert result.notes[0].startswith("INCOMPLETE: 7 of 8 cells are finished")
    assert "over the 1 of 2 data sets" in result.notes[0]
    assert result.summary["mean"].tolist() == [0.4, 0.4]
    assert result.per_dataset.complete.tolist() == [True, True, True, False]
    assert "1.0000" in result.to_text()


def test_methods_that_a_run_left_out_are_noted(tmp_path):
    why = {"svm": "it takes X of 2 axes, and a has shape (9, 2, 30)"}
    folds, fingerprints = {"a": [1, 2]}, {"a": ""}
    protocol = Protocol("s", ["m"], folds, 2, 3, "stratified", 0, fingerprints, why)
    store = Store.create(tmp_path, protocol)
    fill(store, lambda cell: 0.5)
    note = "LEFT OUT: svm; it takes X of 2 axes, and a has shape (9, 2, 30)."
    assert report(tmp_path).notes == [note]
    assert note in report(tmp_path).to_markdown()
    # A run that resumes with the other methods alone is the same run.
    assert Store.create(tmp_path, replace(protocol, left_out={})).protocol() == protocol


def test_a_run_without_cells_says_so(tmp_path):
    make_run(tmp_path, ["m", "k", "l"], ["a", "b"])
    result = report(tmp_path)
    assert "INCOMPLETE: 0 of 12 cells" in result.to_text()
    result.save(tmp_path)
    assert "INCOMPLETE" in (tmp_path / "report.md").read_text()


def test_too_few_scores_for_a_test_are_noted(tmp_path, small_run):
    assert any(
        note.startswith("With 2 scores for each data set") for note in report(small_run).notes
    )
    store = make_run(tmp_path / "enough", ["m"], ["a"], n_trials=3)
    fill(store, lambda cell: 1.0)
    assert report(store.folder).notes == []


@pytest.mark.parametrize(
    ("metric", "title"), [("auc", "AUC"), ("average_precision", "average precision")]
)
def test_an_undefined_score_is_left_out(metric, title, tmp_path):
    store = make_run(tmp_path, ["m", "k"], ["a"])
    fill(store, lambda cell: 0.75)
    with store.transaction() as database:
        database.execute(f"UPDATE cell SET {metric} = NULL WHERE method = 'k' AND fold = 1")
    result = report(tmp_path, metric=metric)
    assert result.summary["mean"].tolist() == [0.75, 0.75]
    assert "pooled" not in result.summary
    assert f"The {title} is undefined in 1 cells, which are left out." in result.notes


@pytest.mark.parametrize("metric", ["auc", "average_precision", "accuracy"])
def test_a_failure_in_a_fold_without_a_score_of_ranks_has_none(metric, tmp_path):
    """Every fold of set "a" lacks a class. Method k fails in the first fold of both sets."""
    store = make_run(tmp_path, ["m", "k", "l"], ["a", "b"])
    for cell in store.protocol().cells():
        lacks = cell.dataset == "a"
        with claim_cell(store, cell, 0) as claim:
            values = {"support": "[4, 0]" if lacks else "[2, 2]", "n_warnings": 0}
            if cell.method == "k" and cell.fold == 1:
                claim.finish("failed", {**values, "error": "x"})
                continue
            confusion = [[4, 0], [0, 0]] if lacks else [[2, 0], [0, 2]]
            values |= {**scores_of_confusion(confusion), "confusion": json.dumps(confusion)}
            values |= dict.fromkeys(RANK_METRICS, None if lacks else 1.0)
            claim.finish("done", values)
    result = report(tmp_path, metric=metric)
    is_of_ranks = metric in RANK_METRICS
    means = result.per_dataset.set_index(["dataset", "method"])["mean"]
    assert means["b", "k"] == 0.5
    assert means["a"].isna().all() == is_of_ranks
    assert result.summary["mean"].to_dict() == {"m": 1.0, "l": 1.0, "k": 0.5}
    note = "is undefined in 6 cells, which are left out."
    assert any(text.endswith(note) for text in result.notes) == is_of_ranks


def test_an_auc_that_no_cell_has_is_a_dash(tmp_path):
    store = make_run(tmp_path, ["m", "k"], ["a"])
    fill(store, lambda cell: 0.75)
    with store.transaction() as database:
        database.execute("UPDATE cell SET auc = NULL WHERE method = 'k'")
    assert report(tmp_path, metric="auc").wide().loc["a"].tolist() == ["0.7500 (0.000)", "-"]


def test_the_files_hold_the_same_numbers(small_run):
    result = report(small_run)
    result.save(small_run)
    summary = pd.read_csv(small_run / "summary.csv", index_col="method")
    assert summary["mean"].to_dict() == pytest.approx(result.summary["mean"].to_dict())
    assert len(pd.read_csv(small_run / "cells.csv")) == 8
    assert len(pd.read_csv(small_run / "per_dataset.csv")) == 4
    text = (small_run / "report.md").read_text()
    assert "| a | **0.9330** (0.095) | 0.0000 (0.000) |" in text
    assert "| k | KeyError: 'x\\|y' | a fold 2 trial 0 |" in text


def test_markdown_tables_have_one_width(small_run):
    lines = report(small_run).to_markdown().split("\n")
    tables = "\n".join(lines).split("\n\n")
    for table in (block.split("\n") for block in tables if block.startswith("|")):
        assert len({row.replace("\\|", "").count("|") for row in table}) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "gmean"}, "unknown metric 'gmean'; did you mean 'g_mean'"),
        ({"control": "ecs-dbn"}, "unknown control 'ecs-dbn'"),
    ],
)
def test_unknown_metric_and_control(options, message, small_run):
    with pytest.raises(ValueError, match=message):
        report(small_run, **options)


@pytest.mark.parametrize(
    ("methods", "is_missing"),
    [
        (["ecs-dbn", "dbn"], True),
        (["ecs-dbn-train"], True),
        (["ecs-dbn", "dbn-prior"], False),
        (["dbn", "m"], False),
    ],
)
def test_a_cost_search_without_the_prior_threshold_is_noted(methods, is_missing, tmp_path):
    store = make_run(tmp_path, methods, ["a", "b"])
    fill(store, lambda cell: 0.5)
    notes = " ".join(report(tmp_path).notes)
    assert ("dbn-prior is not among the methods" in notes) == is_missing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("g_mean = 0.5", "its g_mean is 0.5, but its confusion matrix gives 1.0"),
        ("accuracy = 0.1", "its accuracy is 0.1, but its confusion matrix gives 1.0"),
        ("g_mean = 'x'", "its g_mean is 'x'"),
        ("g_mean = NULL", "its g_mean is None, but its confusion matrix gives 1.0"),
        ("macro_f1 = NULL", "its macro_f1 is None"),
        ("status = 'failed'", "it failed, but it has a confusion matrix"),
        ("fit_seconds = 'x'", "its fit_seconds is 'x'"),
        ("predict_seconds = -1", "its predict_seconds is -1.0"),
        ("n_warnings = x'00'", "its n_warnings is b"),
        ("warnings = '{'", "its warnings can't be read"),
        ("warnings = '[1]'", r"its warnings are '\[1\]'"),
        ("error = x'ff'", "its error is b"),
        ("confusion = '[[4, 0], [1, 0]]'", "its g_mean is 1.0, but its confusion matrix gives 0.0"),
        ("confusion = '[[5, 0], [0, 1]]'", r"is \[\[5, 0\], \[0, 1\]\], but its support is \[4, 1"),
        ("confusion = '[[4, 0]]'", "but its support is"),
        ("confusion = '{4'", "can't be read"),
        ("confusion = NULL", "its confusion is None, which are no counts"),
        ("confusion = '[[0, 0], [0, 0]]', support = '[0, 0]'", "but its support is"),
        ("support = '[5, 1]'", r"but its support is \[5, 1\]"),
        ("support = '[-1, 6]'", r"'\[-1, 6\]', which are no counts"),
        ("auc = 1.5", "its auc is 1.5"),
        ("log_loss = -0.5", "its log_loss is -0.5"),
        ("fit_cpu_seconds = 'x'", "its fit_cpu_seconds is 'x'"),
        ("average_precision = -0.5", "its average_precision is -0.5"),
        ("dataset = 'c'", "the run has no such cell"),
        ("fold = 9", "the run has no such cell"),
    ],
)
def test_a_damaged_cell_is_named(change, message, small_run):
    store = Store.open(small_run)
    with store.transaction() as database:
        database.execute(
            f"UPDATE cell SET {change} WHERE dataset = 'a' AND method = 'm' AND fold = 1"
        )
    with pytest.raises(ValueError, match=message) as raised:
        report(small_run)
    assert "has 1 damaged cells" in str(raised.value)
    assert str(store.path) in str(raised.value)
    assert "--retry-failed" in str(raised.value)
    store.forget(damaged_cells(store.cells(), store.protocol()))
    assert store.n_finished() == 7
    report(small_run)


@pytest.mark.parametrize(("support", "what"), [("[3, 2]", "samples"), ("[2, 2, 1]", "classes")])
def test_a_cell_that_was_tested_on_other_samples_is_damaged(support, what, tmp_path):
    store = make_run(tmp_path, ["m", "k", "l"], ["a"])
    for cell in store.protocol().cells():
        with claim_cell(store, cell, 0) as claim:
            is_other = cell[:3] == ("a", "k", 2)
            claim.finish("failed", {"support": support if is_other else "[4, 1]", "error": "x"})
    found = damaged_cells(store.cells(), store.protocol())
    assert [tuple(cell) for cell in found] == [("a", "k", 2, 0)]
    assert f"it has other {what} than other cells" in " ".join(found.values())
    # If two cells differ, either may be damaged.
    with store.transaction() as database:
        database.execute("DELETE FROM cell WHERE method = 'l' AND fold = 2")
    found = damaged_cells(store.cells(), store.protocol())
    assert {cell.method for cell in found} == ({"m", "k"} if what == "samples" else {"k"})


def test_a_failed_cell_without_support_is_damaged(small_run):
    with Store.open(small_run).transaction() as database:
        database.execute("UPDATE cell SET support = NULL WHERE status = 'failed'")
    with pytest.raises(ValueError, match=r"1 damaged cells .*'k', 2"):
        report(small_run)


FILES = ["cells.csv", "per_dataset.csv", "report.md", "summary.csv"]


@pytest.mark.parametrize("function", ["write_text", "replace"])
def test_a_report_is_written_whole_or_not_at_all(function, small_run, tmp_path, monkeypatch):
    result, folder = report(small_run), tmp_path / "out"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text("old")

    def refuse(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path." + function, refuse)
        with pytest.raises(OSError, match=r"can't be written to .*out .*No space left.*are kept"):
            result.save(folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert {(folder / name).read_text() for name in FILES} == {"old"}
    result.save(folder)
    assert "old" not in {(folder / name).read_text() for name in FILES}
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_a_report_that_is_a_loop_of_links_is_an_error_of_one_line(small_run):
    (small_run / "report.md").symlink_to("report.md")
    with pytest.raises(OSError, match=r"can't be written to .*loop.*; the results are kept"):
        report(small_run).save(small_run)


def test_links_of_a_report_are_followed(small_run, tmp_path):
    target = tmp_path / "elsewhere.csv"
    target.write_text("old")
    (small_run / "cells.csv").symlink_to(target)
    report(small_run).save(small_run)
    assert (small_run / "cells.csv").is_symlink()
    assert target.read_text().startswith("dataset,")
