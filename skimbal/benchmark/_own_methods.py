"""Methods of the user's own from a Python file, ``mine.py:make_methods``.

The folder of the file is put at the end of ``sys.path``, and the file is imported by its name. A
worker process gets that path, so it finds the file and what it imports from its folder.
"""

import ast
import contextlib
import difflib
import importlib
import inspect
import os
import sys
import traceback
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from sklearn.base import clone

from skimbal._utils._random import seed_unset
from skimbal.benchmark._methods import Method

DEFAULT_FUNCTION = "make_methods"


def load_methods(text):
    """Methods that a function in a file returns.

    Parameters
    ----------
    text : str
        ``FILE.py:FUNCTION``, or ``FILE.py`` for the function `make_methods`. The function takes no
        arguments. It returns a dict of names to unfitted classifiers, or a list of `Method`.

    Returns
    -------
    list of Method
        Their `version` is a checksum of the code in the file, comments left out.

    Raises
    ------
    ValueError
        If the file or the function is missing, raises an error, or returns something else.
    """
    path, name = _parts(text)
    if not path.is_file():
        raise ValueError(f"the methods file {os.fspath(path)!r} does not exist; give FILE.py:NAME")
    module = _import(path)
    function = getattr(module, name, None)
    if not callable(function):
        own = [n for n, item in vars(module).items() if inspect.isfunction(item)]
        close = difflib.get_close_matches(name, own, n=3) or own
        has = f"; it has {', '.join(sorted(close))}" if close else ""
        raise ValueError(f"{path} has no function {name!r}{has}")
    _check_takes_no_argument(path, name, function)
    with _its_errors(path), contextlib.redirect_stdout(sys.stderr):
        returned = function()
    version = code_checksum(path.read_text(encoding="utf-8"))
    return [_with_version(method, version) for method in _as_methods(returned, f"{path}:{name}")]


def is_methods_file(text):
    """Whether an entry of a list of methods is a file.

    >>> [is_methods_file(text) for text in ("mine.py:make", "mine.py", "svm")]
    [True, True, False]
    """
    return text.endswith(".py") or ".py:" in text


def code_checksum(source):
    """CRC-32 of Python code that comments and the layout don't change.

    >>> code_checksum("x = 1  # one") == code_checksum("x = (1)") != code_checksum("x = 2")
    True
    """
    return f"{zlib.crc32(ast.dump(ast.parse(source)).encode()):08x}"


def _parts(text):
    path, separator, name = text.rpartition(":")
    if not separator or not path.endswith(".py"):
        path, name = text, DEFAULT_FUNCTION
    return Path(os.path.realpath(path)), name


def _import(path):
    name = path.stem
    loaded = sys.modules.get(name)
    if loaded is not None and _file_of(loaded) == path:
        del sys.modules[name]  # the file may have changed
    folder = os.fspath(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    importlib.invalidate_caches()
    with _its_errors(path), contextlib.redirect_stdout(sys.stderr):
        module = importlib.import_module(name)
    if _file_of(module) != path:
        raise ValueError(
            f"{path} can't be imported, because {name!r} is another module here "
            f"({_file_of(module)}); rename the file"
        )
    return module


def _file_of(module):
    file = getattr(module, "__file__", None)
    return None if file is None else Path(os.path.realpath(file))


@contextlib.contextmanager
def _its_errors(path):
    """Turn whatever the user's code raises into a ValueError of one line."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise ValueError(f"{path}{_line_of(error, path)}: {_last_line(error)}") from error


def _line_of(error, path):
    """The last line of the file on the way to the error, as a text."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if os.path.realpath(frame.filename) == str(path)]
    if isinstance(error, SyntaxError) and os.path.realpath(error.filename or "") == str(path):
        lines.append(error.lineno)
    return f", line {lines[-1]}" if lines else ""


def _last_line(error):
    return f"{type(error).__name__}: {' '.join(str(getattr(error, 'msg', error)).split())}"


def _check_takes_no_argument(path, name, function):
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise ValueError(
            f"{path}: {name} must take no arguments, but {error}; the seed is given to "
            "Method.make, and to estimators whose random_state is None"
        ) from error


def _as_methods(returned, source):
    if returned and isinstance(returned, Mapping):
        returned = [_method_of(name, estimator, source) for name, estimator in returned.items()]
    is_list = isinstance(returned, list | tuple)
    if not is_list or not returned or not all(isinstance(m, Method) for m in returned):
        raise ValueError(
            f"{source} returned {_short(returned)}; return a dict of names to classifiers or a "
            "list of skimbal.benchmark.Method, of one entry or more"
        )
    return list(returned)


def _method_of(name, estimator, source):
    has_methods = all(hasattr(estimator, attribute) for attribute in ("fit", "get_params"))
    if isinstance(estimator, type) or not has_methods or not isinstance(name, str):
        raise ValueError(
            f"{source} has {name!r}: {_short(estimator)}; give a name, and an unfitted classifier "
            "with the interface of scikit-learn"
        )
    return Method(name, type(estimator).__name__, partial(_seeded_clone, estimator))


def _seeded_clone(estimator, random_state):
    """A clone; each `random_state` that is None is drawn from the seed."""
    return seed_unset(clone(estimator), random_state)


def _short(value):
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _with_version(method, version):
    return replace(method, version=f"{version} {method.version}".strip())
