"""The command line: what it prints, writes and answers to mistakes."""

import json
import signal
import subprocess
import sys

import pandas as pd
import pytest

import skimbal
from skimbal.benchmark import _commands, _names, _parser, cli
from skimbal.benchmark._methods import METHODS, RESAMPLERS
from skimbal.benchmark._store import Store
from skimbal.benchmark._suites import SUITES

from . import toy

RUN = ["run", "--suite", "demo", "--datasets", "glass0,new-thyroid1", "--folds", "2"]
PEERS = ["--methods", "logistic-balanced,svm-balanced"]


@pytest.fixture(scope="module")
def out(tmp_path_factory, inline_workers):
    folder = tmp_path_factory.mktemp("cli") / "nested" / "run"
    with inline_workers():
        assert cli.main([*RUN, *PEERS, "--out", str(folder), "--quiet"]) == 0
    return folder


def test_a_run_writes_its_files(out):
    names = {path.name for path in out.iterdir()}
    assert names == {"results.sqlite", "report.md", "summary.csv", "per_dataset.csv", "cells.csv"}
    assert len(pd.read_csv(out / "cells.csv")) == 8


def test_quiet_is_quiet_and_loud_prints_the_table(out, capsys):
    assert cli.main([*RUN, *PEERS, "--out", str(out), "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main([*RUN, *PEERS, "--out", str(out)]) == 0
    assert "logistic-balanced" in capsys.readouterr().out


@pytest.mark.usefixtures("without_processes")
def test_resume_runs_what_is_missing(out, capsys):
    before = Store.open(out).cells().drop(columns=toy.MEASURED)
    with Store.open(out).transaction() as database:
        database.execute("DELETE FROM cell WHERE fold = 2")
        database.execute("UPDATE cell SET status = 'failed' WHERE method = 'svm-balanced'")
    assert cli.main(["resume", str(out), "--retry-failed", "--jobs", "2"]) == 0
    after = Store.open(out).cells().drop(columns=toy.MEASURED)
    pd.testing.assert_frame_equal(after, before)


def test_report_takes_a_metric_and_a_control(out, capsys):
    arguments = ["report", str(out), "--metric", "auc", "--control", "svm-balanced"]
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out.startswith("auc on 2 data sets of demo: 2 stratified folds")
    assert "against svm-balanced" in (out / "report.md").read_text()


@pytest.mark.parametrize(
    ("what", "names"),
    [("methods", METHODS), ("suites", SUITES), ("datasets", SUITES["keel58"].datasets)],
)
def test_lists(what, names, capsys):
    assert cli.main(["list", what]) == 0
    words = set(capsys.readouterr().out.split())
    assert set(names) <= words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--suite", "kel58", "--methods", "dbn"], "unknown suite 'kel58'; did you mean"),
        (
            ["run", "--suite", "demo", "--methods", "dnb"],
            "unknown method 'dnb'; did you mean 'dbn'",
        ),
        (
            ["run", "--suite", "demo", "--methods", "dbn", "--datasets", "glas0"],
            "unknown data set 'glas0'; did you mean 'glass0'",
        ),
        (
            ["run", "--suite", "demo", "--methods", "dbn", "--split", "oficial"],
            "unknown split 'oficial'; did you mean 'official'",
        ),
        (["run", "--suite", "demo", "--methods", "dbn", "--folds", "100"], "fewer folds"),
        (["run", "--suite", "demo", "--methods", "dbn", "--jobs", "0"], "jobs=0"),
    ],
)
def test_mistakes_get_one_line_and_code_2(arguments, message, tmp_path, capsys):
    assert cli.main([*arguments, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "nowhere"], "has no results.sqlite"),
        (["resume", "nowhere"], "has no results.sqlite"),
        (["list", "datsets"], "unknown list 'datsets'; did you mean 'datasets'"),
    ],
)
def test_mistakes_of_the_other_commands(arguments, message, capsys):
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["report", "resume"])
def test_a_damaged_results_file_is_one_line(command, tmp_path, capsys):
    (tmp_path / "results.sqlite").write_text("not a database, however long it may be")
    assert cli.main([command, str(tmp_path)]) == 2
    assert "file is not a database" in capsys.readouterr().err


def test_a_report_is_printed_where_it_cannot_be_written(out, capsys, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    before = (out / "report.md").read_text()
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_text", refuse)
        assert cli.main(["report", str(out)]) == 0
        printed = capsys.readouterr()
        assert printed.out.startswith("g_mean on 2 data sets of demo")
        assert "Written" not in printed.out
        assert f"warning: the report can't be written to {out} " in printed.err
        assert printed.err.count("\n") == 1
        # A run promises the files.
        assert cli.main([*RUN, *PEERS, "--out", str(out)]) == 2
        printed = capsys.readouterr()
        assert "logistic-balanced" in printed.out
        assert f"skimbal: the report can't be written to {out} " in printed.err
    assert (out / "report.md").read_text() == before
    assert "tmp" not in " ".join(path.name for path in out.iterdir())


@pytest.mark.parametrize("command", [["report"], ["resume"], [*RUN, *PEERS, "--out"]])
@pytest.mark.parametrize("kind", ["no database", "cut", "folder", "newer", "damaged cell"])
def test_a_store_that_cannot_be_used_is_one_line(kind, command, out, tmp_path, capsys):
    path = tmp_path / "results.sqlite"
    path.write_bytes((out / "results.sqlite").read_bytes())
    if kind == "no database":
        path.write_text("not a database, however long it may be")
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    else:
        changes = {"newer": "PRAGMA user_version = 9", "damaged cell": "UPDATE cell SET g_mean = 2"}
        with Store.open(tmp_path).transaction() as database:
            database.execute(changes[kind])
    assert cli.main([*command, str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "results.sqlite" in error


@pytest.mark.usefixtures("without_processes")
def test_damaged_cells_run_again_when_asked_to(out, tmp_path):
    path = tmp_path / "results.sqlite"
    path.write_bytes((out / "results.sqlite").read_bytes())
    right = Store.open(out).cells().drop(columns=toy.MEASURED)
    with Store.open(tmp_path).transaction() as database:
        database.execute("UPDATE cell SET g_mean = 2 WHERE fold = 1")
    assert cli.main(["resume", str(tmp_path), "--retry-failed", "--quiet"]) == 0
    found = Store.open(tmp_path).cells().drop(columns=toy.MEASURED)
    pd.testing.assert_frame_equal(found, right)


@pytest.mark.usefixtures("without_processes")
def test_a_quiet_run_with_failed_cells_says_why_its_exit_code_is_1(out, tmp_path, capsys):
    path = tmp_path / "results.sqlite"
    path.write_bytes((out / "results.sqlite").read_bytes())
    with Store.open(tmp_path).transaction() as database:
        database.execute(
            "UPDATE cell SET status = 'failed', error = 'E: no', confusion = NULL WHERE fold = 1"
        )
    assert cli.main(["resume", str(tmp_path), "--quiet"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"skimbal: failed cells: 4, with a score of 0; `skimbal report {tmp_path}` shows the first "
        "error\n"
    )


def test_an_output_folder_that_is_a_file_is_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert cli.main([*RUN, *PEERS, "--out", str(tmp_path / "file")]) == 2
    assert "File exists" in capsys.readouterr().err


def test_another_protocol_names_the_difference(out, capsys):
    assert cli.main([*RUN, "--methods", "svm-balanced", "--seed", "4", "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert (
        "seed is 0 in the folder and 4 here; methods only in the folder: logistic-balanced" in error
    )


def test_wrong_usage_is_code_2(capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(["frobnicate"])
    assert error.value.code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--sui", "demo", "--methods", "dbn", "--out", "x"],
        ["run", "--suite", "demo", "--method", "dbn", "--out", "x"],
        ["run", "--suite", "demo", "--methods", "dbn", "--out", "x", "--see", "3"],
        ["resume", "x", "--retry"],
        ["resume", "x", "--qui"],
        ["report", "x", "--metr", "auc"],
        ["demo", "--job", "1"],
        ["--vers"],
        ["lis", "methods"],
    ],
)
def test_abbreviations_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 2
    assert "usage: skimbal" in capsys.readouterr().err


@pytest.mark.parametrize("name", [None, "SIGTERM", "SIGHUP"])
def test_an_interrupt_tells_how_to_go_on(name, out, capsys, monkeypatch):
    def interrupt(*arguments, **options):
        if name is None:
            raise KeyboardInterrupt
        signal.raise_signal(getattr(signal, name))

    monkeypatch.setattr(_commands, "run_source", interrupt)
    assert cli.main([*RUN, *PEERS, "--out", str(out)]) == 130
    assert f"resume with: skimbal resume {out}" in capsys.readouterr().err


def test_an_interrupted_report_does_not_advise_to_resume_the_run(out, capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(_commands, "follow", interrupt)
    assert cli.main(["report", str(out), "--html", "a.html", "--live"]) == 130
    error = capsys.readouterr().err
    assert "changes nothing in the run" in error
    assert "resume" not in error


def test_the_demo_runs_the_paper_s_methods_on_the_demo_suite(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(_commands, "run_benchmark", lambda *a, **k: calls.append((a, k)))
    monkeypatch.setattr(_commands, "_publish", lambda result, options: 0)
    assert cli.main(["demo", "--out", str(tmp_path)]) == 0
    ((suite, methods), options) = calls[0]
    assert suite == "demo"
    assert set(methods) <= set(METHODS)
    assert {"ecs-dbn", "dbn", "dbn-prior"} <= set(methods)
    assert sum("smote" in name or "adasyn" in name for name in methods) == 5
    assert options["n_jobs"] == 2


def test_python_m_skimbal_is_the_same_command():
    command = [sys.executable, "-m", "skimbal", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == f"{skimbal.__version__}\n"


def test_the_names_that_the_parser_knows_are_those_that_there_are():
    assert tuple(METHODS) == _names.METHOD_NAMES
    assert tuple(SUITES) == _names.SUITE_NAMES
    assert tuple(_commands.LISTS) == _parser.LISTS
    assert {*_commands.COMMANDS, "completion"} == set(_parser.COMMANDS)
    assert tuple(RESAMPLERS) == _names.RESAMPLER_NAMES


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["frobnicate"],
        ["list", "metods"],
        ["run", "--suite", "demo", "--methods", "dnb", "--out", "x"],
        ["run", "--suite", "kel58", "--methods", "dbn", "--out", "x"],
        ["completion", "bash"],
    ],
)
def test_nothing_slow_is_imported_for_an_answer_that_needs_none(arguments):
    script = (
        "import sys\nfrom skimbal.benchmark import cli\n"
        f"try:\n    cli.main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print(); print(sorted(name.partition('.')[0] for name in sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(eval(result.stdout.splitlines()[-1]))
    assert "skimbal" in loaded
    assert not loaded & {"numpy", "pandas", "scipy", "sklearn", "torch"}


@pytest.mark.parametrize(
    ("what", "n_rows", "keys"),
    [
        ("methods", len(METHODS), {"name", "group", "inputs", "description"}),
        ("suites", len(SUITES), {"name", "datasets"}),
        ("datasets", 116, {"name", "imbalance_ratio", "n_samples"}),
    ],
)
def test_lists_for_programs(what, n_rows, keys, capsys):
    assert cli.main(["list", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == n_rows
    assert keys <= set(rows[0])


def test_reports_for_programs(out, capsys):
    assert cli.main(["report", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["method"] for row in found["summary"]} == {"logistic-balanced", "svm-balanced"}
    assert (found["n_cells"], found["n_finished"], found["n_failed"]) == (8, 8, 0)
    assert (found["metric"], found["suite"]) == ("g_mean", "demo")
    mean = pd.read_csv(out / "summary.csv").set_index("method")["mean"]
    assert {row["method"]: row["mean"] for row in found["summary"]} == pytest.approx(mean.to_dict())
    assert cli.main([*RUN, *PEERS, "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_debug_raises_the_error_itself(tmp_path):
    with pytest.raises(ValueError, match="has no results"):
        cli.main(["report", str(tmp_path), "--debug"])
