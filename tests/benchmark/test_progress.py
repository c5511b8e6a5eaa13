"""How far a run is, the page of a run that goes on, and the memory of cells."""

import contextlib
import io
import itertools
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest
from tqdm import tqdm

from skimbal.benchmark import _live_report, _run, cli
from skimbal.benchmark._claims import runner_lock
from skimbal.benchmark._memory import MIB, PeakMemory
from skimbal.benchmark._progress import progress_of
from skimbal.benchmark._store import Store

from .test_html_report import Page
from .test_report import fill, make_run

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def minutes_later(minutes):
    return START + timedelta(minutes=minutes)


def set_times(store, started, finished):
    """Let the last runner have started, and all cells be finished, at given times."""
    store.begin_session({}, {})
    with contextlib.closing(sqlite3.connect(store.path)) as database, database:
        database.execute("UPDATE session SET started = ?", [started.isoformat()])
        database.execute("UPDATE cell SET finished = ?", [finished and finished.isoformat()])


@pytest.fixture
def half_run(tmp_path):
    """Of 2 sets x 2 methods x 2 folds, those of set a are finished; each took 2 seconds."""
    store = make_run(tmp_path, ["m", "k"], ["a", "b"])
    fill(store, lambda cell: 0.5 if cell.dataset == "a" else None)
    set_times(store, START, minutes_later(1))
    return store


def test_what_is_left_is_divided_among_the_processors_that_were_busy(half_run):
    progress = progress_of(half_run, minutes_later(2))
    assert (progress.n_cells, progress.n_finished, progress.is_complete) == (8, 4, False)
    assert progress.methods.to_dict("index") == {
        name: {"done": 2, "of": 4, "per_minute": 1.0, "cell_seconds": 2.0, "left_seconds": 4.0}
        for name in "mk"
    }
    # 8 seconds of work in 2 minutes: the 8 seconds that are left take 2 minutes.
    assert progress.expected_end == minutes_later(4)
    assert progress.last_finished == minutes_later(1)
    assert progress.to_text().startswith("4 of 8 cells, expected to end 2026-01-01 ")


@pytest.mark.parametrize("finished", [minutes_later(-5), None])
def test_cells_of_an_earlier_runner_or_version_give_no_rate(finished, half_run):
    set_times(half_run, START, finished)
    progress = progress_of(half_run, minutes_later(2))
    assert progress.expected_end is None
    assert progress.methods.left_seconds.tolist() == [4.0, 4.0]
    assert progress.to_text() == "4 of 8 cells"


def test_the_end_is_not_known_before_each_method_has_a_cell(tmp_path):
    store = make_run(tmp_path, ["m", "k"], ["a"])
    fill(store, lambda cell: 0.5 if cell.method == "m" else None)
    set_times(store, START, START)
    progress = progress_of(store, minutes_later(1))
    assert progress.methods.left_seconds["m"] == 0.0
    assert progress.methods.loc["k", ["cell_seconds", "left_seconds"]].isna().all()
    assert progress.expected_end is None


def test_a_run_that_has_just_begun_has_no_end_yet(tmp_path):
    progress = progress_of(make_run(tmp_path, ["m"], ["a"]))
    assert progress.expected_end is progress.last_finished is None


def test_the_bar_counts_at_each_call_and_estimates_now_and_then(half_run, monkeypatch):
    estimated = []
    monkeypatch.setattr(
        _run, "progress_of", lambda store: estimated.append(0) or progress_of(store)
    )
    bar = tqdm(total=8, file=io.StringIO())
    show = _run._ProgressDisplay(bar, half_run)
    show()
    assert bar.n == 4
    fill(half_run, lambda cell: 0.5 if cell.dataset == "b" else None)
    show()
    assert bar.n == 8
    assert len(estimated) == 1


# ---------------------------------------------------------------- the page


@pytest.fixture
def without_sleep(monkeypatch, half_run):
    """Instead of sleeping, finish the cells of set b the second time."""
    slept = itertools.count(1)

    def finish(seconds):
        if next(slept) == 2:
            fill(half_run, lambda cell: 0.5 if cell.dataset == "b" else None)

    monkeypatch.setattr(_live_report.time, "sleep", finish)


def test_a_page_says_how_far_the_run_is_and_loads_itself(half_run, tmp_path, without_sleep):
    pages = []
    file = tmp_path / "live.html"
    _live_report.follow(
        half_run.folder, file, 5.0, on_page=lambda _: pages.append(Page(file.read_text("utf-8")))
    )
    assert len(pages) == 2  # before each sleep; afterward the run is complete
    assert pages[0].all("meta", **{"http-equiv": "refresh"})[0][0]["content"] == "5"
    (progress,) = pages[0].text("section", id="progress")
    assert "4 of 8 cells" in progress
    assert "every 5 seconds" in progress
    assert "m2 of 4" in progress
    assert float(pages[0].all("progress")[0][0]["value"]) == 0.5


@pytest.mark.usefixtures("without_sleep")
def test_the_command_ends_with_the_page_of_the_complete_run(half_run, tmp_path, capsys):
    file = tmp_path / "live.html"
    assert cli.main(["report", str(half_run.folder), "--html", str(file), "--live", "2"]) == 0
    page = Page(file.read_text("utf-8"))
    assert not page.all("meta", **{"http-equiv": "refresh"})
    assert not page.all("section", id="progress")
    captured = capsys.readouterr()
    assert captured.err.count("4 of 8 cells") == 2
    assert "g_mean on 2 data sets" in captured.out


class Clock:
    """A clock that sleeping moves; `events` maps a number of a sleep to what happens in it."""

    def __init__(self, events=None):
        self.now, self.slept, self.events = 0.0, [], events or {}

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.slept.append(seconds)
        self.events.get(len(self.slept), lambda: None)()


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(_live_report, "time", clock)
    return clock


def test_a_run_that_was_stopped_is_noticed_by_its_lock(half_run, tmp_path, clock):
    """A runner holds its lock for three looks; half a minute after that it counts as gone."""
    lock = runner_lock(half_run, "0" * 32)
    clock.events = {3: lock.release}
    file = tmp_path / "live.html"
    stopped = _live_report.follow(half_run.folder, file, 10.0)
    assert stopped == (
        f"the run in {tmp_path} was stopped: 4 of 8 cells are finished, and no process works on "
        f"it; resume it with: skimbal resume {tmp_path}"
    )
    assert clock.slept == [10.0] * 6
    page = Page(file.read_text("utf-8"))
    assert not page.all("meta", **{"http-equiv": "refresh"})
    assert page.text("h2", id="progress-title") == ["The run was stopped"]
    (progress,) = page.text("section", id="progress")
    assert f"skimbal resume {tmp_path}. The latest cell was finished at" in progress
    assert "loads itself anew" not in progress


def test_a_run_that_is_resumed_in_time_or_has_new_cells_is_not_stopped(half_run, tmp_path, clock):
    def finish(fold):
        fill(half_run, lambda cell: 0.5 if cell[0] == "b" and cell.fold == fold else None)

    locks = []
    clock.events = {
        2: lambda: locks.append(runner_lock(half_run, "0" * 32)),  # after 20 s without one
        3: lambda: locks[0].release(),
        5: lambda: finish(1),  # of a runner whose lock can't be seen here
        7: lambda: finish(2),
    }
    assert _live_report.follow(half_run.folder, tmp_path / "live.html", 10.0) is None
    assert clock.slept == [10.0] * 7


def test_a_rare_page_does_not_delay_the_notice(half_run, tmp_path, clock):
    _live_report.follow(half_run.folder, tmp_path / "live.html", 600.0)
    assert clock.slept == [600.0, 30.0]


@pytest.mark.parametrize("n_finished", [0, 4])
def test_the_command_says_how_to_resume_a_run_that_was_stopped(
    n_finished, half_run, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(_live_report, "time", Clock())
    out = half_run.folder
    if n_finished == 0:
        out = tmp_path / "new"
        make_run(out, ["m"], ["a"]).begin_session({}, {})
    file = tmp_path / "live.html"
    assert cli.main(["report", str(out), "--html", str(file), "--live", "20"]) == 1
    captured = capsys.readouterr()
    last = captured.err.splitlines()[-1]
    assert last.startswith(f"skimbal: the run in {out} was stopped: {n_finished} of ")
    assert last.endswith(f"resume it with: skimbal resume {out}")
    assert file.exists() == bool(n_finished)
    if n_finished:
        assert "The run was stopped" in file.read_text("utf-8")
        assert f"Written to {file}" in captured.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--live"], "--live needs --html FILE"),
        (["--html", "a.html", "--live", "0"], "--live 0 is too often; give at least 1 second"),
        (["--html", "a.html", "--live", "nan"], "--live nan is too often"),
    ],
)
def test_live_options_that_cannot_be_used(arguments, message, half_run, capsys):
    assert cli.main(["report", str(half_run.folder), *arguments]) == 2
    assert message in capsys.readouterr().err


# ---------------------------------------------------------------- memory


def test_the_peak_of_a_block_is_found_after_its_memory_is_free_again(monkeypatch):
    """The memory is what the test says: that of a process depends on its allocator."""
    used, was_seen = [100 * MIB], threading.Event()

    def resident(self):
        value = used[0]
        if value > 100 * MIB:
            was_seen.set()
        return value

    monkeypatch.setattr(PeakMemory, "_resident", resident)
    with PeakMemory() as memory:
        used[0] = 164 * MIB
        assert was_seen.wait(60), "the thread did not look"
        used[0] = 90 * MIB
    assert memory.mib == 64.0


def test_the_memory_is_that_of_this_process():
    with PeakMemory() as memory:
        assert memory._resident() > 10 * MIB  # Python alone takes more
    assert memory.mib >= 0.0


def test_a_cell_stores_its_memory_and_its_time(tmp_path):
    store = make_run(tmp_path, ["m"], ["a"])
    before = datetime.now(UTC)
    fill(store, lambda cell: 0.5)
    finished = [datetime.fromisoformat(text) for text in Store.open(tmp_path).cells().finished]
    assert all(before <= moment <= datetime.now(UTC) for moment in finished)
