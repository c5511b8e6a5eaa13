"""Compare methods on suites of data sets: from a protocol to a table, in runs that can be resumed.

The command line has ``skimbal run``, ``resume``, ``report``, ``list``, ``demo`` and ``completion``.
This package has the same as functions. Its names are imported when they are first used, so that the
command line answers a typing error at once.
"""

import typing

from skimbal._lazy import lazy_names as _lazy_names

if typing.TYPE_CHECKING:
    from skimbal.benchmark._commands import _run_command
    from skimbal.benchmark._methods import Method
    from skimbal.benchmark._report import Report, report
    from skimbal.benchmark._run import resume, run_benchmark
    from skimbal.benchmark._suite import Suite
    from skimbal.benchmark._table_encoder import make_table_encoder
else:
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "skimbal.benchmark._commands": "_run_command",
            "skimbal.benchmark._methods": "Method",
            "skimbal.benchmark._report": "Report report",
            "skimbal.benchmark._run": "resume run_benchmark",
            "skimbal.benchmark._suite": "Suite",
            "skimbal.benchmark._table_encoder": "make_table_encoder",
        },
    )

__all__ = [
    "Method",
    "Report",
    "Suite",
    "make_table_encoder",
    "report",
    "resume",
    "run_benchmark",
]
