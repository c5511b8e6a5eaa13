"""Compare methods on suites of data sets: from a protocol to a table, in runs that can be resumed.

The command line has ``skimbal run``, ``resume``, ``report``, ``list`` and ``demo``. This package
has the same as functions.
"""

import typing

from skimbal._lazy import lazy_names as _lazy_names

if typing.TYPE_CHECKING:
    from skimbal.benchmark._methods import Method
    from skimbal.benchmark._report import Report, report
    from skimbal.benchmark._run import resume, run_benchmark
    from skimbal.benchmark._suite import Suite
else:
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "skimbal.benchmark._methods": "Method",
            "skimbal.benchmark._report": "Report report",
            "skimbal.benchmark._run": "resume run_benchmark",
            "skimbal.benchmark._suite": "Suite",
        },
    )

__all__ = ["Method", "Report", "Suite", "report", "resume", "run_benchmark"]
