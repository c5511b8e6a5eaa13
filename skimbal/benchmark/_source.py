"""What the command line names: a suite or a table, and methods. A run is resumed by it.

A source is a dict that JSON can hold, with these keys:

suite
    Name of a suite of the package, or None if there is a table.
methods
    Names of methods of the package, and entries such as ``mine.py:make_methods``.
data, target, group, drop, separator, missing
    The file of a table and how it is read; missing or None without a table.
"""

import os
import typing
from pathlib import Path

from skimbal.benchmark._own_methods import is_methods_file, load_methods
from skimbal.benchmark._read_table import read_table
from skimbal.benchmark._suite import Suite


def suite_of(source):
    """The name of the suite, or a `Suite` of the table."""
    if not source.get("data"):
        return source["suite"]
    frame = read_table(
        source["data"], separator=source.get("separator"), missing=source.get("missing") or ()
    )
    return Suite.from_frame(
        frame,
        source["target"],
        source.get("group"),
        drop=source.get("drop") or (),
        name=name_of_table(source["data"]),
    )


def methods_of(source):
    """Names of methods, and the methods of files."""
    methods: list[typing.Any] = []
    for entry in source["methods"]:
        methods += load_methods(entry) if is_methods_file(entry) else [entry]
    return methods


def is_of_files(source):
    """Whether a source names a file of the user's own."""
    return bool(source.get("data")) or any(map(is_methods_file, source.get("methods", ())))


def absolute(source):
    """The source with absolute paths, so that the run can be resumed from another folder."""
    methods = [os.path.abspath(m) if is_methods_file(m) else m for m in source["methods"]]
    data = source.get("data")
    return {**source, "methods": methods, "data": data and os.path.abspath(data)}


def name_of_table(path):
    """Name of the data set of a file: its name up to the first dot.

    >>> name_of_table("plant/pumps.csv.gz")
    'pumps'
    """
    return Path(path).name.partition(".")[0] or "table"
