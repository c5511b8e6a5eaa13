"""The ``skimbal`` command: run, resume and report comparisons; list data sets and methods.

This module imports the parser only. What a command needs is imported when the options are known to
be right, so a version or a typing error is answered at once.
"""

import sqlite3
import sys
import warnings
from collections.abc import Sequence

from skimbal import benchmark
from skimbal.benchmark._completion import completion_script
from skimbal.benchmark._parser import check_names, make_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        Arguments of the command; None takes those of the process.

    Returns
    -------
    int
        0 on success, 1 if cells failed and for other errors at run time, 2 for wrong arguments and
        files that can't be used, 130 after an interrupt or a termination. The option ``--debug``
        raises the error instead.
    """
    options = make_parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            return _execute(options)
        except BrokenPipeError:  # the reader of a pipe, such as `head`, ended
            sys.stderr.close()
            return 0
        except KeyboardInterrupt:
            return _fail("interrupted" + _advice(options), 130)
        except (ValueError, OSError, sqlite3.Error, RuntimeError) as error:
            if options.debug:
                raise
            return _fail(error, 1 if isinstance(error, RuntimeError) else 2)


def _execute(options):
    check_names(options)
    if options.name == "completion":
        print(completion_script(make_parser(), options.shell))
        return 0
    return benchmark._run_command(options)


def _fail(message, code):
    print(f"skimbal: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"skimbal: warning: {message}", file=sys.stderr)


def _advice(options):
    if not hasattr(options, "out"):
        return ""
    if options.name == "report":
        return "; that ends the report and changes nothing in the run"
    scheduler = getattr(options, "scheduler", None)
    where = f" --backend {options.backend} --scheduler {scheduler}" if scheduler else ""
    return f"; resume with: skimbal resume {options.out}{where}"
