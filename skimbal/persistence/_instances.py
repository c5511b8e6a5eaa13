"""Codecs of estimators and other objects that are parameters and attributes, and of all others.

An object is made without a call of its class and gets its attributes, none of which may hide a
method. What no codec knows, such as a tree of scikit-learn, goes through skops.
"""

import dataclasses
import functools
import inspect
import warnings
import zipfile
from io import BytesIO
from typing import Any

from sklearn.base import BaseEstimator

from skimbal._utils._extras import how_to_install
from skimbal.exceptions import ModelFileError
from skimbal.persistence._archive import MAX_ENTRIES, MAX_FILE_BYTES
from skimbal.persistence._graph import Codec
from skimbal.persistence._names import PRIVATE_CLASSES, public_name, untrusted_message

# Parameters of estimators that run code or read files of their own when the estimator is fitted.
DROPPED = ("callbacks", "state_file", "memory")
OWN_ROOTS = {"skimbal", "sklearn", "imblearn"}
# Objects of these packages may have attributes that only skops knows to take apart.
COPY_METHODS = ("__getstate__", "__setstate__", "__reduce__", "__reduce_ex__", "__getnewargs__")


def root_of(cls):
    """The name of the package that a class is from."""
    return cls.__module__.split(".")[0]


def is_described(thing):
    """Whether an object is its attributes: estimators, and objects of this package."""
    cls = type(thing)
    if isinstance(thing, dict) and cls.__name__ != "Bunch":
        return False
    if root_of(cls) == "skimbal" or f"{cls.__module__}:{cls.__qualname__}" in PRIVATE_CLASSES:
        return True
    if root_of(cls) == "sklearn" and not isinstance(thing, BaseEstimator):
        return cls.__module__.startswith("sklearn.model_selection.") or public_or_none(cls)
    return isinstance(thing, BaseEstimator) and not copies_itself(cls)


def public_or_none(cls):
    """Whether scikit-learn has a class under a public name."""
    try:
        module = public_name(cls).split(":")[0]
    except ValueError:
        return False
    return not any(part.startswith("_") for part in module.split("."))


def copies_itself(cls):
    """Whether a class says itself how it is pickled, unlike other estimators."""
    if not any(root_of(base) not in {"sklearn", "builtins"} for base in cls.__mro__):
        return False
    return any(
        getattr(cls, method, None) is not getattr(BaseEstimator, method, None)
        for method in COPY_METHODS
    )


def hides_a_method(cls, name):
    """Whether an attribute would take the place of a method or property of the class."""
    found = inspect.getattr_static(cls, name, None)
    if isinstance(found, functools.cached_property):
        return True
    return callable(found) or hasattr(type(found), "__get__")


def is_cached(cls, name):
    """Whether an attribute is the value of a property that is computed once."""
    return isinstance(inspect.getattr_static(cls, name, None), functools.cached_property)


def state_of(thing, where):
    """The attributes of an object, without what is dropped."""
    cls = type(thing)
    state = {name: value for name, value in vars(thing).items() if not is_cached(cls, name)}
    for name in state:
        if hides_a_method(cls, name):
            raise ValueError(f"{where}.{name} takes the place of a method, which can't be saved")
    if root_of(cls) in OWN_ROOTS:
        for name in DROPPED:
            if state.get(name) is not None:
                warnings.warn(
                    f"{where}.{name} is not saved; set it again after loading, if you need it",
                    stacklevel=2,
                )
                state[name] = None
    return state


def _encode_instance(thing, writer):
    cls = type(thing)
    where = writer.where()
    try:
        name = public_name(cls)
    except ValueError as error:
        raise ValueError(f"{where} can't be saved: {error}") from error
    state = state_of(thing, where or cls.__name__)
    node: dict[str, Any] = {"name": name, "parameters": {}, "attributes": {}}
    if isinstance(thing, dict):
        return {**node, "items": [[key, writer.value(item, key)] for key, item in thing.items()]}
    parameters = parameter_names(cls)
    for key, value in state.items():
        part = "parameters" if key in parameters else "attributes"
        node[part][key] = writer.value(value, key)
    return node


def parameter_names(cls):
    """Names of the parameters of an estimator, none for other classes."""
    return cls._get_param_names() if issubclass(cls, BaseEstimator) else []


def _decode_instance(node, reader):
    cls = reader.names.find(node["name"])
    if not inspect.isclass(cls):
        raise ModelFileError(f"{node['name']} is no class")
    if "items" in node:
        return _decode_bunch(cls, node, reader)
    if issubclass(cls, type | BaseException) or cls.__new__ is not object.__new__:
        raise ModelFileError(f"{node['name']} is no class of objects with attributes")
    state = {**defaults_of(cls), **reader.mapping(node["parameters"])}
    state |= reader.mapping(node["attributes"])
    for name, value in state.items():
        if hides_a_method(cls, name):
            raise ModelFileError(f"the attribute {name} of {node['name']} would hide a method")
        if name in DROPPED and value is not None and root_of(cls) in OWN_ROOTS:
            raise ModelFileError(f"the attribute {name} of {node['name']} must be None in a file")
    thing = cls.__new__(cls)
    vars(thing).update(state)
    return thing


def _decode_bunch(cls, node, reader):
    if not issubclass(cls, dict) or cls.__name__ != "Bunch":
        raise ModelFileError(f"{node['name']} is no dict")
    bunch = dict.__new__(cls)
    for key, value in node["items"]:
        dict.__setitem__(bunch, key, reader.value(value))
    return bunch


def defaults_of(cls):
    """Defaults of the parameters, which a file of an earlier version may lack."""
    if dataclasses.is_dataclass(cls):
        return {
            field.name: field.default
            for field in dataclasses.fields(cls)
            if field.default is not dataclasses.MISSING
        }
    if not issubclass(cls, BaseEstimator):
        return {}
    parameters = inspect.signature(cls.__init__).parameters
    return {
        name: parameters[name].default
        for name in parameter_names(cls)
        if parameters[name].default is not inspect.Parameter.empty
    }


# ---------------------------------------------------------------- skops


def import_skops():
    """skops.io, or an error that says how to install it."""
    try:
        import skops.io
    except ImportError as error:
        raise ValueError(
            "an estimator that is not of this package needs skops to be saved and loaded; "
            f"install it: {how_to_install('skops')}"
        ) from error
    return skops.io


def _encode_by_skops(thing, writer):
    where = writer.where()
    name = f"{type(thing).__module__}.{type(thing).__qualname__}"
    try:
        skops = import_skops()
        data = skops.dumps(thing)
        skops.get_untrusted_types(data=data)
    except Exception as error:  # skops raises what the parts of the object raise
        raise ValueError(f"{where} is {name}, which can't be saved: {error}") from error
    return {"file": writer.file(data, "skops")}


def untrusted_types(files):
    """The types in the parts of skops that are not trusted by default."""
    return [
        name for data in files.values() for name in import_skops().get_untrusted_types(data=data)
    ]


def check_inner_zip(data):
    """Raise a ModelFileError for a zip that would unpack to more than its size."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        infos = file.infolist()
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_ENTRIES or total > min(len(data), MAX_FILE_BYTES):
        raise ModelFileError("a part for skops is compressed or too large")
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise ModelFileError("a part for skops is compressed")


def _decode_by_skops(node, reader):
    data = reader.file(node["file"])
    check_inner_zip(data)
    skops = import_skops()
    needed = skops.get_untrusted_types(data=data)
    trusted = {name.replace(":", "."): name for name in reader.names.things}
    missing = [name for name in needed if name not in trusted]
    if missing:
        raise ModelFileError(untrusted_message(missing))
    return skops.loads(data, trusted=needed)


def _may_go_to_skops(thing):
    return not (inspect.isroutine(thing) or inspect.ismodule(thing) or inspect.isclass(thing))


INSTANCES = Codec("instance", is_described, _encode_instance, _decode_instance)
OTHERS = Codec("skops", _may_go_to_skops, _encode_by_skops, _decode_by_skops)
