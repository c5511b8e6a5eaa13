"""The web report of a run that goes on: written anew until the run is complete."""

import time
from pathlib import Path

from skimbal.benchmark._html_report import html_report
from skimbal.benchmark._progress import progress_of
from skimbal.benchmark._report import report
from skimbal.benchmark._report_files import write_report
from skimbal.benchmark._store import Store


def follow(out, file, seconds, *, metric="g_mean", control=None, on_page=None):
    """Write the page of a run every few seconds until the run is complete.

    The page says how far the run is, and loads itself anew. Before the first cell is finished
    there is no page.

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
    """
    store = Store.open(out)
    while True:
        progress = progress_of(store)
        if progress.is_complete:
            return
        if progress.n_finished:
            result = report(out, metric=metric, control=control)
            page = html_report(result, progress=progress, refresh_s=seconds)
            write_report(page, Path(file))
        if on_page is not None:
            on_page(progress)
        time.sleep(seconds)
