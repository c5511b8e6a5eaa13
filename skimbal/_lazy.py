"""Names of packages that are imported when they are first used (PEP 562)."""

import importlib
import pkgutil
import sys
from collections.abc import Callable


def lazy_names(package: str, names: dict[str, str]) -> tuple[Callable, Callable]:
    """Return the `__getattr__` and the `__dir__` of a package.

    Public modules of the package are attributes of it, too, without an import by the caller.

    Parameters
    ----------
    package : str
        Full name of the package.
    names : dict of str to str
        Full name of a module to the names that it defines, with spaces between them.

    Returns
    -------
    tuple of callable
        `__getattr__` and `__dir__`.

    Examples
    --------
    >>> get, _ = lazy_names("skimbal", {"skimbal.neural_network": "MLPClassifier DBNClassifier"})
    >>> get("MLPClassifier").__name__
    'MLPClassifier'
    """
    owners = {name: module for module, exported in names.items() for name in exported.split()}

    def public_modules():
        found = pkgutil.iter_modules(sys.modules[package].__path__)
        return {module.name for module in found if not module.name.startswith("_")}

    def get(name):
        if name in owners:
            value = getattr(importlib.import_module(owners[name]), name)
        elif name in public_modules():
            value = importlib.import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, value)
        return value

    def directory():
        return sorted({*vars(sys.modules[package]), *owners, *public_modules()})

    return get, directory
