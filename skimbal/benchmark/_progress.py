"""How far a run is: cells and rates by method, and when it is expected to end."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from skimbal.benchmark._costs import Costs

MIN_ELAPSED_S = 1.0  # rates of a shorter time say nothing


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    n_cells, n_finished : int
        Cells of the run, and those that are done or failed.
    methods : DataFrame
        A row for each method: cells ``done`` and ``of`` how many, ``per_minute`` since the last
        runner started, ``cell_seconds`` (the mean of fitting and predicting) and
        ``left_seconds`` (of work on one processor, expected; NaN where no cell is finished).
    expected_end : datetime or None
        In UTC. None if the run is complete, if no cell was finished since the last start, or if a
        method has open cells and has finished none.
    last_finished : datetime or None
        When the latest cell was finished, in UTC; None if an older version ran all cells.
    """

    n_cells: int
    n_finished: int
    methods: pd.DataFrame
    expected_end: datetime | None
    last_finished: datetime | None

    @property
    def is_complete(self):
        """Whether no cell is left."""
        return self.n_finished >= self.n_cells

    def to_text(self):
        """One line, in local time.

        >>> Progress(10, 10, pd.DataFrame(), None, None).to_text()
        '10 of 10 cells'
        """
        text = f"{self.n_finished} of {self.n_cells} cells"
        if self.expected_end is None:
            return text
        return f"{text}, expected to end {clock(self.expected_end)}"


def clock(moment):
    """A time of day, with the date if it is another day, both local."""
    local = moment.astimezone()
    is_today = local.date() == datetime.now(UTC).astimezone().date()
    return f"{local:%H:%M}" if is_today else f"{local:%Y-%m-%d %H:%M}"


def progress_of(store, moment=None):
    """The `Progress` of the run in a store.

    What is left is estimated from what was measured: the mean seconds of the same data set and
    method, else of the method. The end is therefore not known before each method has finished a
    cell. The largest data sets run first, so the end tends to come earlier than expected. The work
    is divided among as many processors as the cells have kept busy since the last start.
    """
    moment = datetime.now(UTC) if moment is None else moment
    protocol, cells = store.protocol(), store.cells()
    seconds = cells[["fit_seconds", "predict_seconds"]].astype(float).sum(axis=1)
    finished = pd.to_datetime(cells.finished, utc=True, format="ISO8601")
    cells = cells.assign(seconds=seconds.where(cells.status == "done"), finished=finished)
    last_start = store.read("SELECT MAX(started) AS started FROM session").started
    (start,) = pd.to_datetime(last_start, utc=True)
    recent = cells[cells.finished >= start]
    elapsed = max((moment - start).total_seconds(), MIN_ELAPSED_S) if len(recent) else np.nan
    n_cells = pd.Series([cell.method for cell in protocol.cells()]).value_counts()
    groups = cells.groupby("method")
    methods = pd.DataFrame({"of": n_cells}).reindex(protocol.methods)
    methods.insert(0, "done", groups.size().reindex(methods.index, fill_value=0))
    n_recent = recent.groupby("method").size().reindex(methods.index, fill_value=0)
    methods["per_minute"] = n_recent / elapsed * 60.0
    methods["cell_seconds"] = groups.seconds.mean()
    left = _seconds_left(cells, protocol).groupby(level=0).sum(min_count=1)
    left = left.reindex(methods.index).where(methods.done < methods.of, 0.0)
    methods["left_seconds"] = left
    return Progress(
        int(n_cells.sum()),
        len(cells),
        methods.rename_axis("method"),
        _expected_end(moment, left.sum(skipna=False), recent.seconds.sum(), elapsed),
        None if finished.isna().all() else finished.max().to_pydatetime(),
    )


def _seconds_left(cells, protocol):
    """Expected seconds of each open cell, indexed by method; NaN where nothing was measured."""
    costs = Costs(dict.fromkeys(protocol.datasets, 1))  # sizes are not known without the data
    costs.add_table(cells)
    done = set(zip(cells.dataset, cells.method, cells.fold, cells.trial, strict=True))
    still_open = [cell for cell in protocol.cells() if cell not in done]
    expected = [
        costs.seconds(*cell[:2]) if costs.is_measured(cell.method) else np.nan
        for cell in still_open
    ]
    return pd.Series(expected, [cell.method for cell in still_open], dtype=float)


def _expected_end(moment, left, busy, elapsed):
    """When the work that is left will be done at the speed so far, or None."""
    if not (left > 0 and busy > 0 and elapsed > 0):
        return None
    with contextlib.suppress(OverflowError):  # beyond the year 9999
        return moment + timedelta(seconds=float(left * elapsed / busy))
    return None
