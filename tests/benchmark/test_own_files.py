"""Tables and methods from files, on the command line and off it."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skimbal.benchmark import cli, resume
from skimbal.benchmark._own_methods import code_checksum, load_methods
from skimbal.benchmark._read_table import read_table
from skimbal.benchmark._store import Store

from . import toy
from .test_frames import make_table

CODE = """
    '''Methods of a user.'''
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from skimbal.benchmark import Method, make_table_encoder
    import {helper}

    class Threshold(ClassifierMixin, BaseEstimator):
        def __init__(self, at=1.0):
            self.at = at

        def fit(self, X, y):
            self.classes_ = sorted(set(y))
            return self

        def predict(self, X):
            return [{helper}.label(load, self.at) for load in X["load"]]

    def make_methods():
        print("noise")
        return {{
            "threshold": Threshold(),
            "forest": make_pipeline(make_table_encoder(), RandomForestClassifier(5)),
        }}

    def as_list():
        return [Method("threshold", "a threshold", lambda seed: Threshold())]
"""
HELPER = "def label(load, at):\n    return 'yes' if load > at else 'no'\n"


def write(path, text):
    path.write_text(textwrap.dedent(text))
    return path


@pytest.fixture(autouse=True)
def imports_are_forgotten(monkeypatch):
    """Forget the modules and the folders that a test has imported from."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "pytest-of" in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def folder(tmp_path, monkeypatch, request):
    """A table and a file of methods, whose names no other test has, in the current folder."""
    name = re.sub(r"\W", "_", request.node.name)
    monkeypatch.chdir(tmp_path)
    make_table().to_csv("pumps.csv", index=False)
    write(tmp_path / f"helper_{name}.py", HELPER)
    write(tmp_path / "mine.py", CODE.format(helper=f"helper_{name}"))
    (tmp_path / "mine.py").rename(f"mine_{name}.py")
    return f"mine_{name}.py"


def arguments(methods, *more, data="pumps.csv"):
    roles = ["--target", "failed", "--group", "machine", "--drop", "hot"]
    return ["run", "--data", data, *roles, "--methods", methods, "--folds", "3", *more]


def scores(out):
    cells = Store.open(out).cells()
    return cells.drop(columns=toy.MEASURED)


# ---------------------------------------------------------------- runs


@pytest.mark.slow
def test_a_table_and_methods_of_ones_own_in_worker_processes(folder, capsys):
    given = f"{folder}:make_methods,knn"
    assert cli.main(arguments(given, "--jobs", "2", "--json", "--out", "a")) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert {row["method"] for row in found["summary"]} == {"threshold", "forest", "knn"}
    assert (found["suite"], found["n_finished"], found["n_failed"]) == ("pumps", 9, 0)
    assert "noise" in printed.err
    # The folder alone is enough, from anywhere; and the number of processes makes no difference.
    out = os.path.abspath("a")
    with Store.open(out).transaction() as database:
        database.execute("DELETE FROM cell WHERE fold = 2")
    before = scores("a")
    os.mkdir("elsewhere")
    os.chdir("elsewhere")
    assert cli.main(["resume", out, "--quiet"]) == 0
    after = scores(out)
    assert (len(before), len(after)) == (6, 9)
    one_by_one = os.path.join(os.path.dirname(out), "b")
    os.chdir("..")
    assert cli.main(arguments(given, "--quiet", "--out", one_by_one)) == 0
    pd.testing.assert_frame_equal(scores(one_by_one), after)
    assert cli.main(["report", out, "--metric", "macro_f1"]) == 0
    assert capsys.readouterr().out.startswith("macro_f1 on 1 data set of pumps: 3 stratified")


@pytest.mark.usefixtures("without_processes")
def test_what_has_changed_since_is_noticed(folder, capsys):
    run = arguments(folder, "--quiet", "--out", "out")
    assert cli.main(run) == 0
    before = scores("out")
    code = Path(folder).read_text()
    with open(folder, "a") as file:
        file.write("\n# a comment\n")
    assert cli.main(run) == 0  # a comment changes nothing
    for old, new in [("load > at", "load > at"), ("at=1.0", "at=0.0"), ("return self", "return 1")]:
        with open(folder, "w") as file:
            file.write(code.replace(old, new))
        expected = 0 if old == new else 2
        for command in (run, ["resume", "out", "--quiet"]):
            assert cli.main(command) == expected
            error = capsys.readouterr().err
            assert (
                "other methods than in the folder for threshold, forest" in error
            ) == expected // 2
    with open(folder, "w") as file:
        file.write(code)
    make_table(1).to_csv("pumps.csv", index=False)
    assert cli.main(run) == 2
    assert "other data than in the folder for pumps" in capsys.readouterr().err
    os.remove("pumps.csv")
    assert cli.main(["resume", "out"]) == 2
    assert "pumps.csv' does not exist" in capsys.readouterr().err
    pd.testing.assert_frame_equal(scores("out"), before)


@pytest.mark.usefixtures("without_processes")
def test_a_run_in_python_is_resumed_there(folder):
    assert cli.main(arguments(f"{folder}:as_list", "--quiet", "--out", "out")) == 0
    assert resume("out").summary.index.tolist() == ["threshold"]


@pytest.mark.usefixtures("without_processes")
def test_failed_cells_are_exit_code_1(folder, capsys):
    code = (
        Path(folder)
        .read_text()
        .replace("return [helper", "raise ValueError('no\\nreason')\n        return [helper")
    )
    write_over(folder, code)
    assert cli.main(arguments(f"{folder}:as_list", "--out", "out")) == 1
    assert "The first error: ValueError: no\n" in capsys.readouterr().out
    assert cli.main(["resume", "out", "--quiet"]) == 1
    assert cli.main(["report", "out"]) == 0
    write_over(folder, code.replace("raise ValueError('no\\nreason')", "pass"))
    assert cli.main(["resume", "out", "--quiet", "--retry-failed"]) == 2  # the code has changed


def write_over(path, text):
    with open(path, "w") as file:
        file.write(text)


# ---------------------------------------------------------------- mistakes


TABLE = make_table()
FILES = {
    "empty.csv": "",
    "header.csv": "load,failed\n",
    "twice.csv": "load,load,failed\n1,2,yes\n",
    "semicolon.csv": TABLE.to_csv(index=False, sep=";"),
    "wide.csv": "a,b\n1,2,3\n4,5,6\n",
    "ragged.csv": "a,b\n1,2\n1,2,3\n",
    "one_class.csv": TABLE.assign(failed="no").to_csv(index=False),
    "missing_label.csv": TABLE.assign(failed=TABLE.failed.where(TABLE.load > 0)).to_csv(),
    "rare.csv": TABLE.assign(failed=["yes"] * 2 + ["no"] * 118).to_csv(index=False),
}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": "nothing.csv"}, "nothing.csv' does not exist; give a CSV"),
        ({"data": "."}, "is a folder"),
        ({"data": "empty.csv"}, "it is empty; its first line must name the columns"),
        ({"data": "header.csv"}, "the table has no rows"),
        ({"data": "twice.csv"}, "several columns of the name 'load'"),
        (
            {"data": "semicolon.csv"},
            "its separator may be another one (--separator, or sep= of read_csv)",
        ),
        ({"data": "wide.csv"}, "more values than its first line has names"),
        ({"data": "ragged.csv"}, "Expected 2 fields in line 3, saw 3"),
        ({"data": "latin.csv"}, "it is not in UTF-8"),
        ({"data": "broken.parquet"}, "can't be read"),
        ({"data": "one_class.csv"}, "the target 'failed' is no in all 120 rows"),
        ({"data": "missing_label.csv"}, "the target 'failed' is missing in"),
        ({"data": "rare.csv"}, "class 'yes' has 1 groups, but folds=3"),
        ({"data": "book.xlsx"}, "it is a workbook; save its sheet as CSV"),
        ({"--separator": ""}, "the separator is an empty text"),
        ({"--target": "faild"}, "no column 'faild' for target; did you mean 'failed'?"),
        ({"--group": "machin"}, "no column 'machin' for group; did you mean 'machine'?"),
        ({"--drop": "lode"}, "no column 'lode' for drop; did you mean 'load'?"),
        ({"--split": "official"}, "has no official folds"),
        ({"methods": "nothing.py:make"}, "nothing.py' does not exist"),
        ({"methods": "mine.py:make"}, "has no function 'make'; it has make_methods"),
        ({"methods": "svm,mine.py"}, "mine.py, line 4: ZeroDivisionError: division by zero"),
        ({"methods": "broken.py"}, "broken.py, line 2: SyntaxError"),
        ({"methods": "raises.py"}, "raises.py, line 1: ModuleNotFoundError: No module named"),
        ({"methods": "leaves.py"}, "leaves.py, line 2: SystemExit: 3"),
        ({"methods": "results.py:number"}, "returned 3; return a dict of names to classifiers"),
        ({"methods": "results.py:empty"}, "returned {}; return a dict"),
        ({"methods": "results.py:classes"}, "has 'svm': <class 'sklearn.svm"),
        ({"methods": "results.py:argument"}, "argument must take no arguments, but missing"),
        ({"methods": "results.py:late"}, "the method 'late' can't be made: KeyError: 'x'"),
        ({"methods": "results.py:knn,knn"}, "have a name twice"),
        ({"methods": "json.py"}, "'json' is another module here"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(
    given, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    TABLE.to_csv("pumps.csv", index=False)
    (tmp_path / "latin.csv").write_bytes("load,failed\n1,na\xefve\n".encode("latin1"))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "json.py").write_text("def make_methods():\n    pass\n")
    (tmp_path / "mine.py").write_text("def make_methods():\n    # one\n    # two\n    1 / 0\n")
    (tmp_path / "broken.py").write_text("x = 1\ny = = 2\n")
    (tmp_path / "raises.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "book.xlsx").write_text("")
    write(
        tmp_path / "results.py",
        """
        from skimbal.benchmark import Method
        from sklearn.svm import SVC
        def number(): return 3
        def empty(): return {}
        def classes(): return {"svm": SVC}
        def argument(seed): return {"svm": SVC()}
        def late(): return [Method("late", "", lambda seed: {}["x"])]
        def knn(): return {"knn": SVC()}
        """,
    )
    options = {"--target": "failed", "--group": "machine", "--folds": "3"}
    options |= {name: value for name, value in given.items() if name.startswith("--")}
    if given.get("data", "").startswith(("header", "twice", "wide", "latin", "ragged")):
        del options["--group"]
    words = [word for option in options.items() for word in option]
    data, methods = given.get("data", "pumps.csv"), given.get("methods", "knn")
    out = ["--methods", methods, "--out", "out"]
    assert cli.main(["run", "--data", data, *words, *out]) == 2
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if "warning" not in line]
    assert len(lines) == 1, error
    assert message in lines[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--data", "a.csv"], "--data needs --target"),
        (["--suite", "demo", "--target", "y"], "--target need --data FILE"),
        (["--data", "a.csv", "--target", "y", "--datasets", "b"], "leave it out"),
    ],
)
def test_options_that_do_not_fit_together(given, message, capsys):
    assert cli.main(["run", *given, "--methods", "svm", "--out", "x"]) == 2
    assert message in capsys.readouterr().err


def test_a_suite_or_a_table_is_needed_and_not_both(capsys):
    for given in ([], ["--suite", "demo", "--data", "a.csv"]):
        with pytest.raises(SystemExit) as error:
            cli.main(["run", *given, "--methods", "svm", "--out", "x"])
        assert error.value.code == 2
        assert "--data" in capsys.readouterr().err


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("name", "write_table", "options"),
    [
        ("t.csv", lambda t, p: t.to_csv(p, index=False), {}),
        ("t.csv.gz", lambda t, p: t.to_csv(p, index=False), {}),
        ("t.csv", lambda t, p: t.to_csv(p, index=False, encoding="utf-8-sig"), {}),
        ("t.csv", lambda t, p: t.to_csv(p, index=False, sep=";"), {"separator": ";"}),
        ("t.tsv", lambda t, p: t.to_csv(p, index=False, sep="\t"), {}),
        ("t.csv", lambda t, p: t.to_csv(p, index=False, na_rep="?"), {"missing": ["?"]}),
    ],
)
def test_tables_from_files(name, write_table, options, tmp_path):
    table = make_table()
    write_table(table, tmp_path / name)
    found = read_table(tmp_path / name, **options)
    pd.testing.assert_frame_equal(found, table.fillna({"type": np.nan}), check_dtype=False)


def test_tables_from_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    table = make_table()
    table.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), table)
    marked = table.fillna({"type": "?"})
    marked.set_index("machine").to_parquet(tmp_path / "u.pq")
    found = read_table(tmp_path / "u.pq", missing=["?"])
    pd.testing.assert_frame_equal(found[list(table)], table, check_dtype=False)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "t.parquet").touch()

    def refuse(path):
        raise ImportError("no engine")

    monkeypatch.setattr(pd, "read_parquet", refuse)
    with pytest.raises(ValueError, match=r"needs pyarrow: pip install pyarrow skrub"):
        read_table(tmp_path / "t.parquet")


def test_methods_from_a_file(folder):
    threshold, forest = load_methods(folder)
    assert (threshold.name, forest.name) == ("threshold", "forest")
    assert threshold.version == forest.version == code_checksum(Path(folder).read_text())
    first, second = (forest.make(seed)[-1].random_state for seed in (0, 1))
    assert first != second == forest.make(1)[-1].random_state
    np.testing.assert_array_equal(threshold.make(0).get_params()["at"], 1.0)


# ---------------------------------------------------------------- completion


def complete(shell_line):
    """What bash completes, by its own rules."""
    script = f"""
        eval "$({sys.executable} -m skimbal completion bash)"
        COMP_WORDS=({shell_line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _skimbal; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return found.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("skimbal re", ["resume", "report"]),
        ("skimbal list m", ["methods"]),
        ("skimbal run --su", ["--suite"]),
        ("skimbal run --suite keel-d", ["keel-dev"]),
        ("skimbal run --methods svm,extra-trees-t", ["svm,extra-trees-tuned"]),
        ("skimbal report out --metric macro", ["macro_f1"]),
        ("skimbal completion f", ["fish"]),
    ],
)
def test_bash_completes(line, expected):
    assert complete(line) == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_know_all_options(shell, capsys):
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("resume", "group", "retry-failed", "extra-trees-tuned", "average_precision"):
        assert word in script
    if shutil.which(shell):
        subprocess.run([shell, "-n", "/dev/stdin"], input=script, text=True, check=True)


def test_an_unknown_shell_is_one_line(capsys):
    assert cli.main(["completion", "bsh"]) == 2
    assert "unknown shell 'bsh'; did you mean 'bash'" in capsys.readouterr().err
