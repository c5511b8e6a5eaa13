"""Compare methods on suites of data sets: from a protocol to a table, on as many runs as it takes.

``skimbal run``, ``resume``, ``report``, ``list`` and ``demo`` on the command line, and the same
here as functions.
"""

from skimbal.benchmark._methods import METHODS, Method
from skimbal.benchmark._report import Report, report
from skimbal.benchmark._run import resume, run_benchmark
from skimbal.benchmark._suite import Suite
from skimbal.benchmark._suites import SUITES

__all__ = ["METHODS", "SUITES", "Method", "Report", "Suite", "report", "resume", "run_benchmark"]
