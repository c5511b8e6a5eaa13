"""The ``skimbal`` command: run, resume and report comparisons; list data sets and methods."""

import argparse
import shutil
import sqlite3
import sys
import warnings
from collections.abc import Sequence

import skimbal._version
from skimbal._utils._validation import unknown_name_message
from skimbal.benchmark._methods import METHODS, RESAMPLERS
from skimbal.benchmark._report import report
from skimbal.benchmark._run import PROTOCOL_OPTIONS, resume, run_benchmark
from skimbal.benchmark._store import METRICS
from skimbal.benchmark._suite import SPLITS
from skimbal.benchmark._suites import SUITES
from skimbal.benchmark._workers import termination_as_interrupt
from skimbal.datasets import list_keel

DEMO_METHODS = ("ecs-dbn", "dbn-prior", "dbn", *(f"{name}-dbn" for name in RESAMPLERS))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        Arguments of the command; None takes those of the process.

    Returns
    -------
    int
        0 on success, 2 for wrong arguments and files that can't be used, 130 after an interrupt
        or a termination, 1 for other errors.
    """
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings(), termination_as_interrupt():
        warnings.showwarning = _show_warning
        try:
            options.command(options)
        except BrokenPipeError:  # the reader of a pipe, such as `head`, ended
            sys.stderr.close()
            return 0
        except (ValueError, OSError, sqlite3.Error) as error:
            return _fail(error, 2)
        except RuntimeError as error:
            return _fail(error, 1)
        except KeyboardInterrupt:
            return _fail("interrupted; the finished cells are kept" + _advice(options), 130)
    return 0


def _fail(message, code):
    print(f"skimbal: {message}", file=sys.stderr)
    return code


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"skimbal: warning: {message}", file=sys.stderr)


def _advice(options):
    return f"; resume with: skimbal resume {options.out}" if hasattr(options, "out") else ""


def _parser():
    parser = argparse.ArgumentParser(
        prog="skimbal",
        description="Compare classifiers on imbalanced data sets.",
        allow_abbrev=False,  # a later option would change what an abbreviation means
    )
    parser.add_argument("--version", action="version", version=skimbal._version.__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, (command, add_arguments, text) in COMMANDS.items():
        subparser = commands.add_parser(name, help=text, allow_abbrev=False)
        add_arguments(subparser)
        subparser.set_defaults(command=command)
    return parser


def _add_run(parser):
    parser.add_argument("--suite", required=True, help="a name of `skimbal list suites`")
    parser.add_argument(
        "--methods", required=True, type=_names, help="names of `skimbal list methods`, with commas"
    )
    parser.add_argument("--datasets", type=_names, help="data sets of the suite, with commas")
    counts = {"type": int, "metavar": "N"}
    parser.add_argument("--folds", dest="n_folds", default=5, help="default 5", **counts)
    parser.add_argument("--trials", dest="n_trials", default=1, help="default 1", **counts)
    parser.add_argument(
        "--split",
        default="stratified",
        help=f"{' or '.join(SPLITS)}: new folds in each trial, or the published folds",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the methods (default 0)")
    parser.add_argument("--out", required=True, help="output folder; a stopped run is resumed")
    _add_work_options(parser, jobs=1)


def _add_resume(parser):
    parser.add_argument("out", help="output folder of the run")
    parser.add_argument(
        "--retry-failed", action="store_true", help="run failed and damaged cells again"
    )
    _add_work_options(parser, jobs=1)


def _add_report(parser):
    parser.add_argument("out", help="output folder of the run")
    parser.add_argument("--metric", default="g_mean", help=", ".join(METRICS))
    parser.add_argument("--control", help="method that the others are tested against")


def _add_list(parser):
    parser.add_argument("what", help=", ".join(LISTS))


def _add_demo(parser):
    parser.add_argument("--out", default="results/demo", help="output folder (results/demo)")
    _add_work_options(parser, jobs=2)


def _add_work_options(parser, jobs):
    parser.add_argument("--jobs", type=int, default=jobs, help=f"worker processes (default {jobs})")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")


def _names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def _work(options):
    return {"out": options.out, "n_jobs": options.jobs, "progress": not options.quiet}


def _run(options):
    protocol = {name: getattr(options, name) for name in PROTOCOL_OPTIONS}
    _publish(run_benchmark(options.suite, options.methods, **protocol, **_work(options)), options)


def _resume(options):
    _publish(resume(retry_failed=options.retry_failed, **_work(options)), options)


def _report(options):
    options.quiet = False
    _publish(report(options.out, metric=options.metric, control=options.control), options)


def _demo(options):
    _publish(run_benchmark("demo", DEMO_METHODS, **_work(options)), options)


def _publish(result, options):
    """Write the files of the report, and print it, even if they can't be written."""
    error = None
    try:
        result.save(options.out)
    except OSError as caught:
        error = caught
    if not options.quiet:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(result.to_text(width))
        if error is None:
            print(f"\nWritten to {options.out}: report.md, summary.csv, per_dataset.csv, cells.csv")
    if error is not None and options.command is not _report:
        raise error
    if error is not None:
        print(f"skimbal: warning: {error}", file=sys.stderr)


def _list(options):
    if options.what not in LISTS:
        raise ValueError(unknown_name_message("list", options.what, LISTS))
    LISTS[options.what]()


def _list_datasets():
    print(list_keel().to_string(index=False))


# What X is, by its number of axes.
_INPUTS = {2: "tables", 3: "signals"}


def _list_methods():
    width = max(map(len, METHODS))
    for method in METHODS.values():
        inputs = " and ".join(_INPUTS[n_axes] for n_axes in method.n_axes)
        print(f"{method.name:{width}}  {method.group:22}  {inputs:18}  {method.description}")


def _list_suites():
    width = max(map(len, SUITES))
    for suite in SUITES.values():
        names = ", ".join(suite.datasets[:6]) + (", and others" if len(suite.datasets) > 6 else "")
        print(f"{suite.name:{width}}  {len(suite.datasets):3} data sets: {names}")


LISTS = {"datasets": _list_datasets, "methods": _list_methods, "suites": _list_suites}
COMMANDS = {
    "run": (_run, _add_run, "compare methods on a suite of data sets"),
    "resume": (_resume, _add_resume, "resume a stopped run"),
    "report": (_report, _add_report, "print tables and tests of a run, finished or not"),
    "list": (_list, _add_list, "list data sets, methods or suites"),
    "demo": (_demo, _add_demo, "compare ECS-DBN with its rivals on six small data sets"),
}
