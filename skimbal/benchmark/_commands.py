"""What the commands of the command line do, once their options are read (`cli.py`)."""

import json
import shutil
import sys

from skimbal.benchmark._live_report import follow
from skimbal.benchmark._methods import METHODS
from skimbal.benchmark._names import DEMO_METHODS, REPORT_KINDS
from skimbal.benchmark._report import report
from skimbal.benchmark._run import PROTOCOL_OPTIONS, Work, resume, run_benchmark, run_source
from skimbal.benchmark._source import absolute
from skimbal.benchmark._suites import SUITES
from skimbal.benchmark._workers import termination_as_interrupt
from skimbal.datasets import list_keel

FAILED_CELLS = 1
_SOURCE = ("suite", "methods", "data", "target", "group", "drop", "separator", "missing")
# What X is, by its number of axes.
_INPUTS = {2: "tables", 3: "signals"}


def _run_command(options):
    """Run a command within the handling of signals; return the exit code."""
    with termination_as_interrupt():
        return COMMANDS[options.name](options)


def _work(options):
    """Where the cells run, as options of `run_benchmark`; the demo runs on this machine."""
    names = ("backend", "scheduler")
    where = {name: getattr(options, name) for name in names if hasattr(options, name)}
    return {"n_jobs": options.jobs, "progress": not options.quiet, **where}


def _run(options):
    protocol = {name: getattr(options, name) for name in PROTOCOL_OPTIONS}
    source = absolute({name: getattr(options, name) for name in _SOURCE})
    work = Work(**_work(options))
    return _publish(run_source(source, out=options.out, work=work, **protocol), options)


def _resume(options):
    retry_failed = options.retry_failed
    return _publish(resume(options.out, retry_failed=retry_failed, **_work(options)), options)


def _report(options):
    options.quiet = False
    stopped = None if options.live is None else _follow(options)
    result = report(options.out, metric=options.metric, control=options.control)
    if stopped is not None and len(result.cells) == 0:
        raise RuntimeError(stopped)
    files = {kind: getattr(options, kind) for kind in REPORT_KINDS if getattr(options, kind)}
    for kind, file in files.items():  # a mistake here is an error before anything is printed
        if kind != "html" or stopped is None:  # else the last page is there, and says so
            result.export(file, kind)
    code = _publish(result, options)
    if not options.json:
        for file in files.values():
            print(f"Written to {file}")
    if stopped is not None:
        raise RuntimeError(stopped)
    return code


def _follow(options):
    """Write the page until the run ends; return how to resume it if it was stopped."""
    return follow(
        options.out,
        options.html,
        options.live,
        metric=options.metric,
        control=options.control,
        on_page=None if options.json else _tell,
    )


def _tell(progress):
    print(progress.to_text(), file=sys.stderr, flush=True)


def _demo(options):
    result = run_benchmark("demo", DEMO_METHODS, out=options.out, **_work(options))
    return _publish(result, options)


def _publish(result, options):
    """Write the files of the report, and print it, even if they can't be written.

    Returns
    -------
    int
        The exit code: a run with failed cells is no success, the report of one is.
    """
    error = None
    try:
        result.save(options.out)
    except OSError as caught:
        error = caught
    if options.json:
        print(result.to_json())
    elif not options.quiet:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(result.to_text(width))
        if error is None:
            print(f"\nWritten to {options.out}: report.md, summary.csv, per_dataset.csv, cells.csv")
    is_report = options.name == "report"
    if error is not None and not is_report:
        raise error
    if error is not None:
        print(f"skimbal: warning: {error}", file=sys.stderr)
    return 0 if is_report else _code_of_run(result, options)


def _code_of_run(result, options):
    """The exit code of a run; one that prints no table says why it is not 0."""
    if not result.n_failed:
        return 0
    if options.quiet:
        print(
            f"skimbal: failed cells: {result.n_failed}, with a score of 0; "
            f"`skimbal report {options.out}` shows the first error",
            file=sys.stderr,
        )
    return FAILED_CELLS


def _list(options):
    table = LISTS[options.what]()
    if options.json:
        print(json.dumps(table.rows))
    else:
        print(table.text)
    return 0


class _Listing:
    """A list as rows for programs and as text for people."""

    def __init__(self, rows, text):
        self.rows, self.text = rows, text


def _list_datasets():
    table = list_keel()
    return _Listing(json.loads(table.to_json(orient="records")), table.to_string(index=False))


def _list_methods():
    rows = [
        {
            "name": method.name,
            "group": method.group,
            "inputs": [_INPUTS[n_axes] for n_axes in method.n_axes],
            "description": method.description,
        }
        for method in METHODS.values()
    ]
    width = max(len(row["name"]) for row in rows)
    lines = [
        f"{row['name']:{width}}  {row['group']:22}  {' and '.join(row['inputs']):18}  "
        f"{row['description']}"
        for row in rows
    ]
    return _Listing(rows, "\n".join(lines))


def _list_suites():
    rows = [{"name": suite.name, "datasets": [*suite.datasets]} for suite in SUITES.values()]
    width = max(len(row["name"]) for row in rows)
    lines = []
    for row in rows:
        names = row["datasets"]
        shown = ", ".join(names[:6]) + (", and others" if len(names) > 6 else "")
        lines.append(f"{row['name']:{width}}  {len(names):3} data sets: {shown}")
    return _Listing(rows, "\n".join(lines))


LISTS = {"datasets": _list_datasets, "methods": _list_methods, "suites": _list_suites}
COMMANDS = {"run": _run, "resume": _resume, "report": _report, "list": _list, "demo": _demo}
