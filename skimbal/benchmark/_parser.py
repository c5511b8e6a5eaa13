"""The options of the command line. Names are checked here, before anything slow is imported."""

import argparse

from skimbal._utils._names import unknown_name_message
from skimbal._version import __version__
from skimbal.benchmark._backends import check_answers, check_backend
from skimbal.benchmark._names import (
    BACKENDS,
    METHOD_NAMES,
    METRICS,
    REPORT_KINDS,
    SPLITS,
    SUITE_NAMES,
)

LISTS = ("datasets", "methods", "suites")
SHELLS = ("bash", "zsh", "fish")
# Options that read a table, which a suite of the package does not have.
_OF_TABLES = ("target", "group", "drop", "separator", "missing")


def make_parser():
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="skimbal",
        description="Compare classifiers on imbalanced data sets.",
        epilog="Exit codes: 0 success, 1 failed cells or another error at run time, 2 wrong "
        "arguments or files that can't be used, 130 interrupted.",
        allow_abbrev=False,  # a later option would change what an abbreviation means
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command", dest="name")
    for name, (add_arguments, text) in COMMANDS.items():
        subparser = commands.add_parser(name, help=text, allow_abbrev=False)
        add_arguments(subparser)
        subparser.add_argument(
            "--debug", action="store_true", help="show where an error comes from"
        )
    return parser


def check_names(options):
    """Raise a ValueError for a name that does not exist, or for options that don't fit together."""
    checks = {
        "suite": ("suite", SUITE_NAMES),
        "split": ("split", SPLITS),
        "backend": ("backend", BACKENDS),
        "metric": ("metric", METRICS),
        "what": ("list", LISTS),
        "shell": ("shell", SHELLS),
    }
    for attribute, (kind, known) in checks.items():
        value = getattr(options, attribute, None)
        if value is not None and value not in known:
            raise ValueError(unknown_name_message(kind, value, known))
    if options.name == "run":
        _check_run(options)
    if hasattr(options, "backend"):
        check_backend(options.backend, options.scheduler, options.jobs)
        if options.scheduler not in (None, "auto"):
            check_answers(options.scheduler, options.backend)
    if options.name == "report":
        _check_live(options)


def _check_run(options):
    if not options.methods:
        raise ValueError("--methods names no method; choose from `skimbal list methods`")
    for method in options.methods:
        if ".py" not in method and method not in METHOD_NAMES:
            raise ValueError(unknown_name_message("method", method, METHOD_NAMES))
    if options.data is None:
        given = [f"--{name}" for name in _OF_TABLES if getattr(options, name)]
        if given:
            raise ValueError(f"{', '.join(given)} need --data FILE, and not --suite")
    elif options.target is None:
        raise ValueError("--data needs --target COLUMN, the column of the labels")
    elif options.datasets:
        raise ValueError(
            "--datasets chooses from a suite, and --data is one data set; leave it out"
        )


def _check_live(options):
    if options.live is None:
        return
    if not options.live >= 1:
        raise ValueError(f"--live {options.live:g} is too often; give at least 1 second")
    if options.html is None:
        raise ValueError("--live needs --html FILE, the page that is written anew")


def _add_run(parser):
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--suite", help="a name of `skimbal list suites`")
    what.add_argument("--data", metavar="FILE", help="a table of your own: CSV or Parquet")
    parser.add_argument("--target", metavar="COLUMN", help="column of the labels")
    parser.add_argument("--group", metavar="COLUMN", help="column of machines, patients, ...")
    parser.add_argument("--drop", metavar="COLUMNS", type=_names, help="no inputs, with commas")
    parser.add_argument("--separator", metavar="TEXT", help="of a CSV file (default: a comma)")
    parser.add_argument(
        "--missing",
        metavar="TEXTS",
        type=_names,
        help="marks of missing values besides the usual ones, with commas",
    )
    parser.add_argument(
        "--methods",
        required=True,
        type=_names,
        help="names of `skimbal list methods` and FILE.py:FUNCTION, with commas",
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
    _add_cluster_options(parser)
    _add_work_options(parser, jobs=1)


def _add_resume(parser):
    parser.add_argument("out", help="output folder of the run")
    parser.add_argument(
        "--retry-failed", action="store_true", help="run failed and damaged cells again"
    )
    _add_cluster_options(parser)
    _add_work_options(parser, jobs=1)


def _add_report(parser):
    parser.add_argument("out", help="output folder of the run")
    parser.add_argument("--metric", default="g_mean", help=", ".join(METRICS))
    parser.add_argument("--control", help="method that the others are tested against")
    parser.add_argument(
        "--live",
        metavar="SECONDS",
        nargs="?",
        type=float,
        const=10.0,
        help="write the page of --html anew, every 10 seconds, until the run is complete",
    )
    for kind, ending in REPORT_KINDS.items():
        parser.add_argument(
            f"--{kind}",
            metavar="FILE",
            help=f"write the report to a {kind} file, such as a{ending}",
        )
    _add_json(parser)


def _add_list(parser):
    parser.add_argument("what", help=", ".join(LISTS))
    _add_json(parser)


def _add_demo(parser):
    parser.add_argument("--out", default="results/demo", help="output folder (results/demo)")
    _add_work_options(parser, jobs=2)


def _add_completion(parser):
    parser.add_argument("shell", help=", ".join(SHELLS))


def _add_cluster_options(parser):
    parser.add_argument(
        "--backend",
        default="processes",
        help="processes of this machine (default), or dask or ray: all workers of a cluster",
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of the cluster")


def _add_work_options(parser, jobs):
    parser.add_argument("--jobs", type=int, default=jobs, help=f"worker processes (default {jobs})")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")
    _add_json(parser)


def _add_json(parser):
    parser.add_argument("--json", action="store_true", help="print JSON for other programs")


def _names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


COMMANDS = {
    "run": (_add_run, "compare methods on a suite of data sets, or on a table of your own"),
    "resume": (_add_resume, "resume a stopped run"),
    "report": (_add_report, "print tables and tests of a run, finished or not"),
    "list": (_add_list, "list data sets, methods or suites"),
    "demo": (_add_demo, "compare ECS-DBN with its rivals on six small data sets"),
    "completion": (_add_completion, "print a script that completes commands in a shell"),
}
