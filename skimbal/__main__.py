"""``python -m skimbal`` is the ``skimbal`` command."""

import sys

from skimbal.benchmark.cli import main

if __name__ == "__main__":
    sys.exit(main())
