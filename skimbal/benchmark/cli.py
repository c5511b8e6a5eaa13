"""The ``skimbal`` command: run, resume and report comparisons, and list what there is."""

import argparse
import shutil
import sys
import warnings

import skimbal._version
from skimbal._utils._validation import unknown_name_message
from skimbal.benchmark._methods import METHODS
from skimbal.benchmark._report import report
from skimbal.benchmark._run import resume, run_benchmark
from skimbal.benchmark._store import METRICS
from skimbal.benchmark._suite import SPLITS
from skimbal.benchmark._suites import SUITES
from skimbal.datasets import list_keel

DEMO_METHODS = (
    "ecs-dbn",
    "dbn-prior",
    "dbn",
    "adasyn-dbn",
    "smote-dbn",
    "smote-borderline1-dbn",
    "smote-borderline2-dbn",
    "smote-svm-dbn",
)


def main(arguments=None):
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : list of str or None, default=None
        None: those of the process.

    Returns
    -------
    int
        0 on success, 2 for wrong arguments, 130 after an interrupt, 1 for other errors.
    """
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            options.command(options)
        except BrokenPipeError:  # the reader of a pipe, such as `head`, has had enough
            sys.stderr.close()
            return 0
        except (ValueError, OSError) as error:
            return _fail(error, 2)
        except RuntimeError as error:
            return _fail(error, 1)
        except KeyboardInterrupt:
            return _fail("interrupted; the finished cells are kept" + _hint(options), 130)
    return 0


def _fail(message, code):
    print(f"skimbal: {message}", file=sys.stderr)
    return code


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"skimbal: warning: {message}", file=sys.stderr)


def _hint(options):
    return f"; go on with: skimbal resume {options.out}" if hasattr(options, "out") else ""


def _parser():
    parser = argparse.ArgumentParser(
        prog="skimbal", description="Compare classifiers on imbalanced data sets."
    )
    parser.add_argument("--version", action="version", version=skimbal._version.__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_run(commands)
    _add_resume(commands)
    _add_report(commands)
    _add_list(commands)
    _add_demo(commands)
    return parser


def _add_run(commands):
    parser = commands.add_parser("run", help="compare methods on a suite of data sets")
    parser.add_argument("--suite", required=True, help="a name of `skimbal list suites`")
    parser.add_argument("--methods", required=True, type=_names, help="names, comma-separated")
    parser.add_argument("--datasets", type=_names, help="some of the suite, comma-separated")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=1)
    parser.add_argument(
        "--split",
        default="stratified",
        help=f"{' or '.join(SPLITS)}: folds drawn anew in each trial, or the published ones",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the methods")
    parser.add_argument("--out", required=True, help="output folder; an unfinished run goes on")
    _add_work_options(parser, jobs=1)
    parser.set_defaults(command=_run)


def _add_resume(commands):
    parser = commands.add_parser("resume", help="go on with a run that was stopped")
    parser.add_argument("out", help="output folder of the run")
    parser.add_argument("--retry-failed", action="store_true", help="run failed cells once more")
    _add_work_options(parser, jobs=1)
    parser.set_defaults(command=_resume)


def _add_report(commands):
    parser = commands.add_parser("report", help="tables and tests of a run, finished or not")
    parser.add_argument("out", help="output folder of the run")
    parser.add_argument("--metric", default="g_mean", help=", ".join(METRICS))
    parser.add_argument("--control", help="method to test the others against")
    parser.set_defaults(command=_report)


def _add_list(commands):
    parser = commands.add_parser("list", help="what there is to run")
    parser.add_argument("what", help=", ".join(LISTS))
    parser.set_defaults(command=_list)


def _add_demo(commands):
    parser = commands.add_parser("demo", help="ECS-DBN and its rivals on six small real sets")
    parser.add_argument("--out", default="results/demo")
    _add_work_options(parser, jobs=2)
    parser.set_defaults(command=_demo)


def _add_work_options(parser, jobs):
    parser.add_argument("--jobs", type=int, default=jobs, help="worker processes")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")


def _names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def _run(options):
    result = run_benchmark(
        options.suite,
        options.methods,
        out=options.out,
        datasets=options.datasets,
        n_folds=options.folds,
        n_trials=options.trials,
        split=options.split,
        seed=options.seed,
        n_jobs=options.jobs,
        progress=not options.quiet,
    )
    _publish(result, options)


def _resume(options):
    result = resume(
        options.out,
        n_jobs=options.jobs,
        retry_failed=options.retry_failed,
        progress=not options.quiet,
    )
    _publish(result, options)


def _report(options):
    options.quiet = False
    _publish(report(options.out, metric=options.metric, control=options.control), options)


def _demo(options):
    result = run_benchmark(
        "demo",
        DEMO_METHODS,
        out=options.out,
        n_jobs=options.jobs,
        progress=not options.quiet,
    )
    _publish(result, options)


def _publish(result, options):
    """Write the report's files, and print it."""
    result.save(options.out)
    if not options.quiet:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(result.to_text(width))
        print(f"\nWritten to {options.out}: report.md, summary.csv, per_dataset.csv, cells.csv")


def _list(options):
    if options.what not in LISTS:
        raise ValueError(unknown_name_message("list", options.what, LISTS))
    LISTS[options.what]()


def _list_datasets():
    print(list_keel().to_string(index=False))


def _list_methods():
    width = max(map(len, METHODS))
    for method in METHODS.values():
        print(f"{method.name:{width}}  {method.group:22}  {method.description}")


def _list_suites():
    for suite in SUITES.values():
        print(f"{suite.name:10}  {len(suite.datasets):3} data sets: {_shortened(suite.datasets)}")


def _shortened(names):
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")


LISTS = {"datasets": _list_datasets, "methods": _list_methods, "suites": _list_suites}
