"""Warnings that point at the line of the user, not at a line of this package."""

import sys
import warnings
from pathlib import Path
from types import FrameType

PACKAGE = str(Path(__file__).parent.parent)


def warn(message, category=UserWarning):
    """Give a warning that points at the innermost line outside the package."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def error_line(traceback):
    """The line of a traceback that names the error, without further lines of its message.

    >>> error_line('Traceback (most recent call last):\\n  File "a.py"\\nKeyError: 1\\nmore')
    'KeyError: 1'
    >>> error_line("The worker died.\\nWorkerDied: signal 9")
    'WorkerDied: signal 9'
    """
    _, is_traceback, text = traceback.strip().rpartition("Traceback (most recent call last):\n")
    rows = [row for row in text.split("\n") if row[:1].strip()]
    return rows[0 if is_traceback else -1] if rows else text
