"""Codecs of numbers, containers, functions and random states."""

import base64
import functools
import inspect
from collections import OrderedDict

import numpy as np
import scipy.stats
from scipy.stats.distributions import rv_frozen

from skimbal.exceptions import ModelFileError
from skimbal.model_selection import ClassWeights
from skimbal.persistence._graph import Codec, is_exactly
from skimbal.persistence._names import public_name

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
SEQUENCES = {"tuple": tuple, "set": set, "frozenset": frozenset}
DICTS = {"dict": dict, "OrderedDict": OrderedDict, "ClassWeights": ClassWeights}


def _encode_pairs(thing, writer):
    items = thing.items()
    return {"items": [[writer.value(key), writer.value(part, str(key))] for key, part in items]}


def _decode_dict(make):
    def decode(node, reader):
        pairs = [(key, value) for key, value in reader.value(node["items"])]
        return make(dict(pairs))

    return decode


def _ordered(thing):
    return sorted(thing, key=repr) if isinstance(thing, set | frozenset) else thing


def _sequence(kind):
    make = SEQUENCES[kind]
    return Codec(
        kind,
        is_exactly(make),
        lambda thing, writer: {"items": [writer.value(part, "[]") for part in _ordered(thing)]},
        lambda node, reader: make(reader.value(node["items"])),
    )


def _encode_name(thing, writer):
    try:
        return {"name": public_name(thing)}
    except ValueError as error:
        raise ValueError(f"{writer.where()} can't be saved: {error}") from error


def _is_numpy_type(thing):
    return inspect.isclass(thing) and issubclass(thing, np.generic)


def _decode_numpy_type(node, reader):
    found = getattr(np, node["type"])
    if not _is_numpy_type(found):
        raise ModelFileError(f"numpy.{node['type']} is no type of numbers")
    return found


BUILTIN_TYPES = {"bool": bool, "int": int, "float": float, "str": str, "object": object}


def _is_builtin_type(thing):
    return inspect.isclass(thing) and thing in BUILTIN_TYPES.values()


def _is_callable_name(thing):
    return inspect.isclass(thing) or inspect.isroutine(thing) or isinstance(thing, np.ufunc)


def _encode_partial(thing, writer):
    return {
        "function": writer.value(thing.func, "func"),
        "args": [writer.value(part, "args") for part in thing.args],
        "kwargs": {name: writer.value(part, name) for name, part in thing.keywords.items()},
    }


def _decode_partial(node, reader):
    function = reader.value(node["function"])
    return functools.partial(
        function, *reader.value(node["args"]), **reader.mapping(node["kwargs"])
    )


def _encode_numpy_scalar(thing, writer):
    return {"array": writer.value(np.asarray(thing))}


def _encode_random_state(thing, writer):
    return {"state": writer.value(thing.get_state(legacy=False))}


def _decode_random_state(node, reader):
    random_state = np.random.RandomState()
    random_state.set_state(reader.value(node["state"]))
    return random_state


def _encode_generator(thing, writer):
    return {"state": writer.value(thing.bit_generator.state)}


def _decode_generator(node, reader):
    state = reader.value(node["state"])
    if state["bit_generator"] not in BIT_GENERATORS:
        raise ModelFileError(f"{state['bit_generator']!r} is no generator of random numbers")
    bit_generator = getattr(np.random, state["bit_generator"])()
    bit_generator.state = state
    return np.random.Generator(bit_generator)


def _encode_distribution(thing, writer):
    return {
        "distribution": thing.dist.name,
        "args": writer.value(list(thing.args)),
        "kwargs": {name: writer.value(part) for name, part in thing.kwds.items()},
    }


def _decode_distribution(node, reader):
    found = getattr(scipy.stats, node["distribution"])
    if not isinstance(found, scipy.stats.rv_continuous | scipy.stats.rv_discrete):
        raise ModelFileError(f"scipy.stats.{node['distribution']} is no distribution")
    return found(*reader.value(node["args"]), **reader.mapping(node["kwargs"]))


def _text(field, kind, matches, to_text, from_text):
    return Codec(
        kind,
        matches,
        lambda thing, writer: {field: to_text(thing)},
        lambda node, reader: from_text(node[field]),
    )


CODECS = [
    _text("value", "float", is_exactly(float), repr, float),
    _text("value", "complex", is_exactly(complex), repr, complex),
    _text(
        "base64",
        "bytes",
        is_exactly(bytes),
        lambda thing: base64.b64encode(thing).decode(),
        lambda text: base64.b64decode(text, validate=True),
    ),
    *(_sequence(kind) for kind in SEQUENCES),
    *(
        Codec(kind, is_exactly(make), _encode_pairs, _decode_dict(make))
        for kind, make in DICTS.items()
    ),
    Codec(
        "slice",
        is_exactly(slice),
        lambda thing, writer: {"ends": writer.value([thing.start, thing.stop, thing.step])},
        lambda node, reader: slice(*reader.value(node["ends"])),
    ),
    _text(
        "type", "builtin_type", _is_builtin_type, lambda t: t.__name__, BUILTIN_TYPES.__getitem__
    ),
    Codec(
        "numpy_type",
        _is_numpy_type,
        lambda thing, writer: {"type": thing.__name__},
        _decode_numpy_type,
    ),
    Codec(
        "callable",
        _is_callable_name,
        _encode_name,
        lambda node, reader: reader.names.find(node["name"]),
    ),
    Codec("partial", is_exactly(functools.partial), _encode_partial, _decode_partial),
    Codec(
        "numpy_scalar",
        lambda thing: isinstance(thing, np.generic),
        _encode_numpy_scalar,
        lambda node, reader: reader.value(node["array"])[()],
    ),
    Codec(
        "random_state",
        is_exactly(np.random.RandomState),
        _encode_random_state,
        _decode_random_state,
    ),
    Codec("generator", is_exactly(np.random.Generator), _encode_generator, _decode_generator),
    Codec(
        "distribution",
        lambda thing: isinstance(thing, rv_frozen),
        _encode_distribution,
        _decode_distribution,
    ),
]
