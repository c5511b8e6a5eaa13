"""An estimator as JSON: a table of objects, each described by what it refers to before it.

A value is a JSON value, or an object with the key "ref" (an entry of the table), "kind" and what
belongs to the kind. Entries refer to earlier entries only, so nothing refers to itself, and an
object that is used twice is one object after loading too. What the kinds are stands in the modules
of the codecs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from skimbal.exceptions import ModelFileError
from skimbal.persistence._archive import MAX_JSON_BYTES, dump_json, parse_json
from skimbal.persistence._names import Names, untrusted_message

OBJECTS = "objects.json"
TENSORS = "tensors.safetensors"
MAX_DEPTH = 50
PLAIN = (type(None), bool, int, str)


@dataclass(frozen=True)
class Codec:
    """How objects of one kind are written and read.

    Attributes
    ----------
    kind : str
        The name in the file.
    matches : callable
        Whether an object is of the kind.
    encode : callable
        Maps an object and a `Writer` to a dict of values that `Writer.value` has made.
    decode : callable
        Maps this dict and a `Reader` to the object.
    """

    kind: str
    matches: Callable[[Any], bool]
    encode: Callable[[Any, "Writer"], dict]
    decode: Callable[[dict, "Reader"], Any]


def is_exactly(*types):
    """A function that tells whether an object is of one of the types, and of no subclass."""
    return lambda thing: type(thing) in types


class Writer:
    """Describes objects.

    Parameters
    ----------
    codecs : list of Codec
        The first that matches is used.

    Attributes
    ----------
    objects : list of dict
        The table.
    tensors : dict
        Name -> ndarray, of a type that safetensors knows.
    files : dict
        Name -> bytes of further entries of the archive.
    """

    def __init__(self, codecs):
        self.codecs = codecs
        self.objects: list = []
        self.tensors: dict = {}
        self.files: dict = {}
        self.seen: dict = {}  # id -> (place in the table, object, so that the id stays its own)
        self.path: list[str] = []
        self.open: list[int] = []

    def value(self, thing, name=""):
        """The JSON value of an object; `name` says where it is, for errors."""
        if type(thing) in PLAIN:
            return thing
        if type(thing) is float and math.isfinite(thing):
            return thing
        if id(thing) in self.seen:
            return {"ref": self.seen[id(thing)][0]}
        if id(thing) in self.open or len(self.open) > 2 * MAX_DEPTH:
            raise ValueError(f"{self.where(name)} contains itself, or is nested too deeply")
        self.path.append(name)
        self.open.append(id(thing))
        try:
            return self._described(thing)
        finally:
            self.path.pop()
            self.open.pop()

    def _described(self, thing):
        if type(thing) is list:
            return [self.value(part, "[]") for part in thing]
        for codec in self.codecs:
            if codec.matches(thing):
                described = {"kind": codec.kind, **codec.encode(thing, self)}
                self.objects.append(described)
                self.seen[id(thing)] = (len(self.objects) - 1, thing)
                return {"ref": len(self.objects) - 1}
        raise ValueError(
            f"{self.where()} is {type(thing).__module__}.{type(thing).__qualname__}, which can't "
            "be saved"
        )

    def where(self, name=""):
        """The place in the estimator, for errors."""
        return ".".join(filter(None, [*self.path, name])).replace(".[]", "[]")

    def tensor(self, array):
        """Keep an array of numbers; return its name."""
        name = f"t{len(self.tensors)}"
        self.tensors[name] = np.ascontiguousarray(array).reshape(np.shape(array))
        return name

    def file(self, data, ending):
        """Keep bytes as an entry of the archive; return its name."""
        name = f"files/f{len(self.files)}.{ending}"
        self.files[name] = data
        return name

    def entries(self, root):
        """Name -> bytes of the archive; `root` is the value of the whole."""
        objects = dump_json({"root": root, "objects": self.objects})
        if len(objects) > MAX_JSON_BYTES:
            raise ValueError(
                f"parameters and attributes take {len(objects)} bytes as JSON, at most "
                f"{MAX_JSON_BYTES} can be saved; arrays of objects are large, use numbers"
            )
        return {OBJECTS: objects, TENSORS: save_tensors(self.tensors), **self.files}


class Reader:
    """Makes the objects of an archive, none before all names are known to be trusted.

    Parameters
    ----------
    codecs : list of Codec
    entries : dict
        Name -> bytes.
    names : Names
    """

    def __init__(self, codecs, entries, names: Names):
        self.codecs = {codec.kind: codec for codec in codecs}
        self.files = dict(entries)
        self.names = names
        self.objects: list = []
        self.depth = 0
        described = parse_json(self.files.pop(OBJECTS, b""), OBJECTS)
        if not isinstance(described, dict) or set(described) != {"root", "objects"}:
            raise ModelFileError(f"{OBJECTS} has no root and objects")
        self.root, self.described = described["root"], described["objects"]
        try:
            self.tensors = load_tensors(self.files.pop(TENSORS, b""))
        except (SafetensorError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise ModelFileError(f"{TENSORS} is not valid: {error}") from error

    def check_names(self):
        """Raise a ModelFileError that lists all names that are not trusted."""
        for node in self.described:
            if "name" in node:
                self.names.is_known(node["name"])
        if self.names.missing:
            raise ModelFileError(untrusted_message(self.names.missing))

    def read(self):
        """Return the whole."""
        for node in self.described:
            codec = self.codecs.get(node["kind"])
            if codec is None:
                raise ModelFileError(
                    f"it has an object of the kind {node['kind']!r}, which skimbal of this version "
                    "does not know"
                )
            self.objects.append(codec.decode(node, self))
        whole = self.value(self.root)
        unused = [*self.tensors, *self.files]
        if unused:
            raise ModelFileError(f"it has entries that nothing uses: {unused[:3]}")
        return whole

    def value(self, described):
        """The object of a JSON value."""
        if isinstance(described, dict):
            (place,) = described.values()
            if list(described) != ["ref"] or type(place) is not int or place < 0:
                raise ModelFileError(f"{described!r} is no reference")
            return self.objects[place]
        if not isinstance(described, list):
            return described
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ModelFileError(f"lists are nested more than {MAX_DEPTH} deep")
        found = [self.value(part) for part in described]
        self.depth -= 1
        return found

    def mapping(self, described):
        """A dict of values by names of attributes."""
        for name in described:
            if not name.isidentifier() or name.startswith("__"):
                raise ModelFileError(f"{name!r} is no name of an attribute")
        return {name: self.value(value) for name, value in described.items()}

    def tensor(self, name):
        """An array of numbers, each of which is used once."""
        return self.tensors.pop(name)

    def file(self, name):
        """The bytes of an entry, each of which is used once."""
        return self.files.pop(name)
