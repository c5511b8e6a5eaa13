"""The web report of a run that goes on: written anew until the run is complete or was stopped."""

import time
from pathlib import Path

from skimbal.benchmark._claims import has_runner
from skimbal.benchmark._html_report import html_report
from skimbal.benchmark._progress import progress_of
from skimbal.benchmark._report import report
from skimbal.benchmark._report_files import write_report
from skimbal.benchmark._store import Store

# A run without a runner was stopped if that lasts as long: it may be about to be resumed.
STOPPED_S = 30.0


class _Attention:
    """Notices that no process works on a run any more, and no cell comes."""

    def __init__(self, store):
        self._store = store
        self._n_finished = -1
        self._quiet_since = None

    @property
    def is_alarmed(self):
        """Whether there was no sign of a runner at the last look."""
        return self._quiet_since is not None

    def is_stopped(self, progress):
        """Look at the run; return whether there was no sign of a runner for `STOPPED_S`."""
        has_new_cell = progress.n_finished != self._n_finished  # where locks of files do not work
        self._n_finished = progress.n_finished
        now = time.monotonic()
        if has_new_cell or has_runner(self._store):
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now
        return self._quiet_since is not None and now - self._quiet_since >= STOPPED_S


def follow(out, file, seconds, *, metric="g_mean", control=None, on_page=None):
    """Write the page of a run every few seconds until the run is complete or was stopped.

    The page says how far the run is, and loads itself anew. Before the first cell is finished
    there is no page. A run was stopped if no process has held its lock, and no cell was finished,
    for half a minute. The last page then says so.

    Parameters
    ----------
    out : path
        Output folder of a run.
    file : path
        The page.
    seconds : float
        Time between two pages.
    metric, control
        As in `report`.
    on_page : callable or None, default=None
        Called with the `Progress` after each look at the run.

    Returns
    -------
    str or None
        How to resume a run that was stopped; None if the run is complete.
    """
    store = Store.open(out)
    attention = _Attention(store)
    while True:
        progress = progress_of(store)
        if progress.is_complete:
            return None
        stopped = stopped_text(out, progress) if attention.is_stopped(progress) else None
        if progress.n_finished:
            result = report(out, metric=metric, control=control)
            page = html_report(result, progress=progress, refresh_s=seconds, stopped=stopped)
            write_report(page, Path(file))
        if on_page is not None:
            on_page(progress)
        if stopped is not None:
            return stopped
        time.sleep(min(seconds, STOPPED_S) if attention.is_alarmed else seconds)


def stopped_text(out, progress):
    """What to say of a run that was stopped."""
    return (
        f"the run in {out} was stopped: {progress.n_finished} of {progress.n_cells} cells are "
        f"finished, and no process works on it; resume it with: skimbal resume {out}"
    )
