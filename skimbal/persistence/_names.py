"""Which classes and functions a file may name, and how a name is looked up.

A name is ``module:qualname``. Three kinds of names need no trust: those of this package, public
names of scikit-learn, imbalanced-learn and torch.nn that hold no code of the file, and numpy's
universal functions. All others are looked up only if the reader of the file lists them. Nothing is
imported before that is known.
"""

import inspect
import re
import sys
from importlib import import_module

import numpy as np

from skimbal.exceptions import ModelFileError

PARTS = {
    *("augmentation", "cost_sensitive", "ensemble", "losses", "metrics", "model_selection"),
    *("modules", "neural_network", "optim", "preprocessing", "sampling", "_training", "_utils"),
}
# Of these, functions may be named; of the others, classes alone.
PARTS_WITH_FUNCTIONS = {"losses", "metrics", "modules", "preprocessing", "sampling"}
SCHEDULES = "skimbal._training.schedules"

# Packages whose public classes are saved by parameters and attributes.
CLASSES_OF = {
    "sklearn": """
        calibration cluster compose covariance cross_decomposition decomposition
        discriminant_analysis dummy ensemble feature_extraction feature_extraction.text
        feature_selection frozen gaussian_process impute isotonic kernel_approximation
        kernel_ridge linear_model manifold mixture model_selection multiclass multioutput
        naive_bayes neighbors neural_network pipeline preprocessing random_projection
        semi_supervised svm tree
    """,
    "imblearn": "combine ensemble over_sampling pipeline under_sampling",
    "torch": "nn optim",
}
FUNCTIONS_OF = {"sklearn": "metrics feature_selection", "torch": "nn.functional"}
PUBLIC_CLASSES = [f"{root}.{part}" for root, parts in CLASSES_OF.items() for part in parts.split()]
PUBLIC_FUNCTIONS = [f"{r}.{part}" for r, parts in FUNCTIONS_OF.items() for part in parts.split()]
# Private classes that public ones keep as attributes.
PRIVATE_CLASSES = {
    *("sklearn.calibration:_CalibratedClassifier", "sklearn.calibration:_SigmoidCalibration"),
    *("sklearn.calibration:_TemperatureScaling", "sklearn.metrics._scorer:_Scorer"),
    *("sklearn.metrics._scorer:_PassthroughScorer", "sklearn.utils._bunch:Bunch"),
    *("sklearn.metrics._scorer:_MultimetricScorer",),
    *("sklearn.utils._metadata_requests:MetadataRequest",),
    *("sklearn.utils._metadata_requests:MethodMetadataRequest",),
    *("torch.nn.modules.linear:NonDynamicallyQuantizableLinear",),  # of MultiheadAttention
}
NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def full_name(thing):
    """The name by which a class or function says it can be found."""
    return f"{thing.__module__}:{thing.__qualname__}"


def public_name(thing):
    """The name of a class or function in a file: its public one, where it has one.

    Raises
    ------
    ValueError
        For a lambda, a local class, and what is not found under its own name.
    """
    if isinstance(thing, np.ufunc):
        return _checked_name(thing, f"numpy:{thing.__name__}")
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
    root = str(module).split(".")[0]
    packages = PUBLIC_CLASSES if inspect.isclass(thing) else PUBLIC_FUNCTIONS
    for package in packages:
        if package.split(".")[0] == root and getattr(_imported(package), name, None) is thing:
            return f"{package}:{name}"
    return _checked_name(thing, f"{module}:{name}")


def _imported(package):
    """A module if it has been imported, else None."""
    return sys.modules.get(package)


def _checked_name(thing, name):
    found = None
    if NAME.fullmatch(name) and name.split(":")[0] in sys.modules:
        found = _attribute(sys.modules[name.split(":")[0]], name.split(":")[1])
    if found is not thing:
        raise ValueError(
            f"{thing!r} can't be found again under a name ({name}): it is a lambda, a local class "
            "or function, or has been replaced; define it at the top level of a module"
        )
    return name


def _attribute(module, qualname):
    found = module
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


class Names:
    """Looks names up that need no trust or that the reader trusts.

    Parameters
    ----------
    trusted : iterable of str or of classes and functions
        Names ``module:qualname``, or what they stand for.
    """

    def __init__(self, trusted=()):
        if isinstance(trusted, str | bool) or not np.iterable(trusted):
            raise ValueError(
                f"trusted={trusted!r} must be a list of names such as 'my_module:MyClass', or of "
                "classes and functions"
            )
        self.things: dict = {}
        for entry in trusted:
            self.things |= _trusted_entry(entry)
        self.missing: list[str] = []

    def is_known(self, name):
        """Whether a name may be looked up; else it is remembered as missing."""
        if isinstance(name, str) and (name in self.things or is_safe(name)):
            return True
        if name not in self.missing:
            self.missing.append(str(name))
        return False

    def find(self, name):
        """The class or function of a name, or a ModelFileError."""
        if not self.is_known(name):
            raise ModelFileError(untrusted_message([name]))
        if self.things.get(name) is not None:
            return self.things[name]
        module, qualname = name.split(":")
        try:
            found = _attribute(import_module(module), qualname)
        except ImportError as error:
            raise ModelFileError(f"{name} can't be imported: {error}") from error
        if found is None:
            raise ModelFileError(f"{module} has no {qualname}; another version may have it")
        if name not in self.things:
            check_safe(found, name)
        return found


def _trusted_entry(entry):
    """Name -> class or function of an entry of `trusted`; None where it is not known yet."""
    if isinstance(entry, str):
        name = entry
        if ":" not in name:  # as skops writes it
            module, _, qualname = name.rpartition(".")
            name = f"{module}:{qualname}"
        if not NAME.fullmatch(name):
            raise ValueError(f"trusted has {entry!r}, which is no name like 'my_module:MyClass'")
        return {name: None}
    if inspect.isclass(entry) or callable(entry):
        return {full_name(entry): entry}
    raise ValueError(f"trusted has {entry!r}; each must be a name, a class or a function")


def is_safe(name):
    """Whether a name needs no trust; nothing is imported to know it."""
    if not NAME.fullmatch(name) or "__" in name:
        return False
    module, qualname = name.split(":")
    root, _, rest = module.partition(".")
    if root == "skimbal":
        return rest.split(".")[0] in PARTS
    if name in PRIVATE_CLASSES or module == "numpy":
        return True
    return module in {*PUBLIC_CLASSES, *PUBLIC_FUNCTIONS} and "." not in qualname


def check_safe(found, name):
    """Raise a ModelFileError where a safe name stands for something else than it must."""
    module = name.split(":")[0]
    root, _, rest = module.partition(".")
    is_class, is_function = inspect.isclass(found), inspect.isroutine(found)
    own = str(getattr(found, "__module__", ""))
    if root == "skimbal":
        may_call = rest.split(".")[0] in PARTS_WITH_FUNCTIONS or module == SCHEDULES
        fits = own.startswith("skimbal.") and (is_class or (is_function and may_call))
    elif root == "numpy":
        fits = isinstance(found, np.ufunc)
    else:
        fits = own.split(".")[0] == root or (root == "torch" and is_function)
        classes = module in PUBLIC_CLASSES or name in PRIVATE_CLASSES
        fits &= (is_class and classes) or (is_function and module in PUBLIC_FUNCTIONS)
    if not fits:
        raise ModelFileError(f"{name} is nothing that a file may name")


def untrusted_message(names):
    """What to do about names that are not trusted."""
    return (
        f"it needs {', '.join(names)}, which this package does not know; if you trust the file "
        f"and this code, use load(..., trusted={names!r})"
    )
