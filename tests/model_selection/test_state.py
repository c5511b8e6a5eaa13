"""The state of a search and its file."""

import errno
import os
import pickle
import subprocess
import sys

import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skimbal import DESearchCV
from skimbal._utils._digest import digest

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
SMALL = {"population_size": 4, "max_generations": 3, "cv": 3, "random_state": 0}


def test_the_state_of_another_search_is_refused(data, tmp_path):
    X, y = data
    file = tmp_path / "search.pkl"
    search = DESearchCV(LogisticRegression(), C_SPACE, state_file=str(file), **SMALL)
    search.fit(X, y)
    before = file.read_bytes()
    for changed, name in (
        ({"random_state": 1}, "random_state"),
        ({"search_spaces": {"C": (0.1, 1.0)}}, "search_spaces"),
        ({"estimator": LogisticRegression(tol=0.01)}, "estimator"),
        ({"population_size": 5}, "population_size"),
    ):
        with pytest.raises(ValueError, match=f"another search: it differs in {name}"):
            clone(search).set_params(**changed).fit(X, y)
    with pytest.raises(ValueError, match="it differs in X;"):
        clone(search).fit(X + 1, y)
    assert file.read_bytes() == before
    file.write_text("notes")
    with pytest.raises(ValueError, match="holds no state of a search"):
        clone(search).fit(X, y)
    assert file.read_text() == "notes"
    with pytest.raises(ValueError, match="no folder"):
        clone(search).set_params(state_file=tmp_path / "none" / "s").fit(X, y)


@pytest.fixture
def written(data, tmp_path):
    """A search that has written its state, and the file."""
    file = tmp_path / "state"
    search = DESearchCV(LogisticRegression(), C_SPACE, state_file=file, **SMALL).fit(*data)
    return search, file


def ran(path):
    """An object whose pickle creates a file when it is loaded."""

    class Runs:
        def __reduce__(self):
            return os.mkdir, (str(path),)

    return pickle.dumps(Runs())


def test_nothing_in_a_file_is_run_before_its_checksum_is_right(written, data, tmp_path):
    search, file = written
    header, checksum, _ = file.read_bytes().split(b"\n", 2)
    harm = ran(tmp_path / "harm")
    for content in (harm, header + b"\n" + harm, b"\n".join([header, checksum, harm])):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"(first line|checksum).*name another state_file"):
            clone(search).fit(*data)
        assert not (tmp_path / "harm").exists()
        assert file.read_bytes() == content


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_damaged_files_are_refused(share, written, data):
    search, file = written
    content = file.read_bytes()
    at = int(share * len(content))
    flipped = content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]
    for damaged in (content[:at], flipped):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"holds no state of a search: .*(line|checksum)"):
            clone(search).fit(*data)


def test_a_symbolic_link_is_followed(data, tmp_path, rows):
    (tmp_path / "store").mkdir()
    link, target = tmp_path / "link", tmp_path / "store" / "target"
    link.symlink_to(target)
    search = DESearchCV(LogisticRegression(), C_SPACE, state_file=link, **SMALL).fit(*data)
    assert link.is_symlink()
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    assert rows(clone(search).fit(*data)) == rows(search)
    link.unlink()
    link.symlink_to(tmp_path / "none" / "target")
    with pytest.raises(ValueError, match="no folder"):
        clone(search).fit(*data)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(umask, data, tmp_path):
    before = os.umask(umask)
    try:
        file = tmp_path / "state"
        DESearchCV(LogisticRegression(), C_SPACE, state_file=file, **SMALL).fit(*data)
        assert file.stat().st_mode & 0o777 == 0o666 & ~umask
    finally:
        os.umask(before)


def test_a_full_disk_publishes_what_was_done(data, tmp_path, monkeypatch, rows):
    file = tmp_path / "state"
    search = DESearchCV(LogisticRegression(), C_SPACE, state_file=file, **SMALL)
    replace, n_calls = os.replace, []

    def full(source, target):
        n_calls.append(1)
        if len(n_calls) > 2:  # the first one is before the first batch
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"can't be written \(No space left.*state"):
        search.fit(*data)
    assert search.stopping_reason_ == "error"
    assert len(search.cv_results_["params"]) == 8
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert not hasattr(search, "best_estimator_")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    monkeypatch.undo()
    resumed = clone(search).fit(*data)  # from the first batch
    whole = clone(search).set_params(state_file=None).fit(*data)
    assert rows(resumed) == rows(whole)


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, StopIteration, GeneratorExit])
def test_an_exception_in_a_callback_publishes_what_was_done(error, data, tmp_path, rows):
    def callback(search):
        if len(search.cv_results_["params"]) >= 8:
            raise error("of the callback")

    search = DESearchCV(LogisticRegression(), C_SPACE, state_file=tmp_path / "s", **SMALL)
    stopped = clone(search).set_params(callbacks=callback)
    with pytest.raises(error, match="of the callback"):
        stopped.fit(*data)
    assert stopped.stopping_reason_ == "error"
    assert len(stopped.cv_results_["params"]) == 8
    whole = DESearchCV(LogisticRegression(), C_SPACE, **SMALL).fit(*data)
    assert rows(clone(search).fit(*data)) == rows(whole)


class Unfit(LogisticRegression):
    """No candidate may be fitted."""

    def fit(self, *arguments, **options):
        raise AssertionError("a candidate was fitted")


class Unpicklable:
    """As a lock or an open file in an estimator."""

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("cannot pickle 'a lock' object")


@pytest.mark.parametrize("value", [lambda: 0, Unpicklable()])
@pytest.mark.parametrize("where", ["estimator", "space"])
def test_what_cannot_be_pickled_is_refused_before_any_fit(where, value, data, tmp_path):
    estimator, space = Unfit(), {"C": [1.0, 2.0]}
    if where == "estimator":
        estimator.set_params(random_state=value)
    else:
        space["random_state"] = [value, None]
    search = DESearchCV(estimator, space, state_file=tmp_path / "s", error_score="raise", **SMALL)
    with pytest.raises(
        ValueError, match=r"can't be pickled \(.*\); use functions .* state_file=None"
    ):
        search.fit(*data)
    assert list(tmp_path.iterdir()) == []
    assert not hasattr(search, "cv_results_")


def make_pipe(path):
    os.mkfifo(path)


def make_loop(path):
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (make_pipe, "s", "is a pipe or a device; name a file"),
        (os.mkdir, "s", "is a folder; name a file in it"),
        (make_loop, "s", r"can't be used \(.*; name another file"),
        (lambda path: None, "s" * 300, r"can't be used \(.*too long.*; name another file"),
    ],
)
def test_what_can_be_no_file_is_refused_before_any_fit(make, name, message, data, tmp_path):
    make(tmp_path / name)
    search = DESearchCV(Unfit(), C_SPACE, state_file=tmp_path / name, error_score="raise", **SMALL)
    with pytest.raises(ValueError, match=message):
        search.fit(*data)


def test_a_file_that_cannot_be_written_is_noticed_before_any_fit(data, tmp_path):
    search = DESearchCV(Unfit(), C_SPACE, error_score="raise", **SMALL)
    search.set_params(state_file=tmp_path / ("s" * 250))  # the temporary file has a longer name
    with pytest.raises(OSError, match=r"can't be written \(File name too long\); make room"):
        search.fit(*data)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_search_needs_no_file_that_can_be_written(written, data, rows, monkeypatch):
    search, _ = written

    def refuse(source, target):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "replace", refuse)
    assert rows(clone(search).fit(*data)) == rows(search)


@pytest.mark.parametrize("changes", [{"estimator__C": None}, {"state_file": "none/s"}])
def test_a_fit_that_does_nothing_leaves_the_earlier_one_whole(changes, data):
    search = DESearchCV(LogisticRegression(), {"tol": (1e-4, 1e-2)}, error_score="raise", **SMALL)
    before = dict(vars(search.fit(*data)))
    with pytest.raises(ValueError, match=r"(?i)'C'|no folder"):
        search.set_params(**changes).fit(*data)
    after = vars(search)
    assert {name for name in before if after.get(name) is not before[name]} <= {"state_file"}


@pytest.mark.slow
def test_digests_are_the_same_in_another_process():
    code = (
        "import scipy.stats; from skimbal import MLPClassifier\n"
        "from skimbal.losses import Focal\n"
        "from skimbal.model_selection import ClassWeights, class_weight_space\n"
        "from skimbal.model_selection._space import SearchSpace\n"
        "from skimbal._utils._digest import digest\n"
        "print(digest((MLPClassifier(loss=Focal(), class_weight=ClassWeights([0, 1])),"
        " SearchSpace.parse({'x': scipy.stats.loguniform(1, 3), 'y': ['a', {1: 2}]}"
        " | class_weight_space(['a', 'b'])).description(), {'a', 'b'})))\n"
        "print(digest(lambda: 0))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert digest(LogisticRegression(C=1)) != digest(LogisticRegression(C=2))
