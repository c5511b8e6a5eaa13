"""Compare methods on suites of data sets: from a protocol to a table, in runs that can be resumed.

The command line has ``skimbal run``, ``resume``, ``report``, ``list`` and ``demo``. This package
has the same as functions.
"""

from skimbal.benchmark._methods import Method
from skimbal.benchmark._report import Report, report
from skimbal.benchmark._run import resume, run_benchmark
from skimbal.benchmark._suite import Suite

__all__ = ["Method", "Report", "Suite", "report", "resume", "run_benchmark"]
