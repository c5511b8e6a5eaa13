"""Damaged files, and files that are made to do harm: a ModelFileError, and nothing is loaded."""

import json
import sys
import zipfile
from hashlib import sha256
from io import BytesIO

import numpy as np
import pytest
import sklearn
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import DESearchCV, MLPClassifier
from skimbal.exceptions import ModelFileError
from skimbal.persistence import _archive, load, save


def write(folder, data):
    path = folder / "bad.skimbal"
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Bytes of a file with a small fitted pipeline."""
    path = tmp_path_factory.mktemp("saved") / "good.skimbal"
    X, y = make_classification(40, 4, random_state=0)
    network = MLPClassifier(hidden_layer_sizes=(2,), max_epochs=1, random_state=0)
    save(make_pipeline(StandardScaler(), network).fit(X, y), path)
    return path.read_bytes()


def test_a_file_with_one_changed_bit_is_refused(saved, tmp_path):
    rng = np.random.default_rng(0)
    ends = [*range(60), *range(len(saved) - 90, len(saved))]
    for place in [*ends, *rng.choice(len(saved), 300, replace=False)]:
        damaged = bytearray(saved)
        damaged[place] ^= 1 << int(rng.integers(8))
        with pytest.raises(ModelFileError, match=r"checksum|no file that"):
            load(write(tmp_path, bytes(damaged)))


@pytest.mark.parametrize("n_kept", [0, 1, 4, 100, 0.5, 0.99, -1])
def test_a_file_that_is_cut_is_refused(n_kept, saved, tmp_path):
    n = int(n_kept * len(saved)) if isinstance(n_kept, float) else n_kept
    with pytest.raises(ModelFileError, match=r"checksum|no file that"):
        load(write(tmp_path, saved[:n]))


@pytest.mark.parametrize("data", [b"", b"text", b"PK\x03\x04", bytes(1000)])
def test_another_file_is_refused(data, tmp_path):
    with pytest.raises(ModelFileError):
        load(write(tmp_path, data))


# ---------------------------------------------------------------- files with right checksums


def sealed(data):
    """The bytes of a zip with the checksum of this format."""
    data = data[: -_archive.N_CHECKSUM]
    return data + sha256(data).hexdigest().encode()


def zipped(entries, compression=zipfile.ZIP_STORED):
    """A zip of entries, a list of pairs, with the checksum of this format."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, data in entries:
            file.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, compression)
        file.comment = b"0" * _archive.N_CHECKSUM
    return sealed(buffer.getvalue())


def contents(saved):
    _, entries = _archive.open_archive(saved)
    return entries


def forged(saved, change, **about):
    """A file whose objects are changed by a function, with right checksums."""
    entries = contents(saved)
    described = json.loads(entries["objects.json"])
    change(described)
    entries["objects.json"] = json.dumps(described).encode()
    manifest = {"skimbal": "0", "versions": {"scikit-learn": "0"}, **about}
    return _archive.archive_bytes(_archive.seal_entries(entries, manifest))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["../../etc/passwd.json"], "with the name"),
        (["/etc/passwd.json"], "with the name"),
        (["files/../x.json"], "with the name"),
        (["C:\\x.json"], "with the name"),
        (["evil.py"], "with the name"),
        (["a.json"], "has no manifest.json"),
    ],
)
def test_names_that_leave_the_file_are_refused(names, message, tmp_path):
    with pytest.raises(ModelFileError, match=message):
        load(write(tmp_path, zipped([(name, b"{}") for name in names])))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="twice"):
        load(write(tmp_path, zipped([("manifest.json", b"{}"), ("manifest.json", b"{}")])))


def test_a_zip_that_unpacks_to_more_than_its_size_is_refused(tmp_path):
    bomb = zipped([("manifest.json", bytes(10**7))], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 20_000
    with pytest.raises(ModelFileError, match="compressed"):
        load(write(tmp_path, bomb))


def test_entries_that_overlap_are_refused(saved, tmp_path):
    """A zip whose directory names the same bytes twice unpacks to more than its size."""
    data = bytearray(zipped([("a.json", b"{}"), ("b.json", b"{}")]))
    second = data.rfind(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)  # where its entry begins
    with pytest.raises(ModelFileError, match="overlaps"):
        load(write(tmp_path, sealed(bytes(data))))


def test_bytes_in_front_and_between_are_refused(saved, tmp_path):
    with pytest.raises(ModelFileError):
        load(write(tmp_path, sealed(b"PK\x03\x04" + saved)))


def test_too_many_entries_are_refused(tmp_path):
    data = zipped([(f"a{i}.json", b"") for i in range(_archive.MAX_ENTRIES + 1)])
    with pytest.raises(ModelFileError, match="10000 are allowed"):
        load(write(tmp_path, data))


def test_a_large_file_is_refused(tmp_path, monkeypatch, saved):
    monkeypatch.setattr(_archive, "MAX_FILE_BYTES", 1000)
    with pytest.raises(ModelFileError, match="at most 1000"):
        load(write(tmp_path, saved))
    with pytest.raises(ValueError, match="at most 1000"):
        save(MLPClassifier(), tmp_path / "large")


def test_a_newer_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_archive, "FORMAT", 2)
    path = tmp_path / "newer"
    save(MLPClassifier(), path)
    monkeypatch.undo()
    with pytest.raises(ModelFileError, match=r"has format 2, but .* reads format 1"):
        load(path)


@pytest.mark.parametrize("entry", ["objects.json", "tensors.safetensors"])
def test_an_entry_that_the_manifest_does_not_fit_is_refused(entry, saved, tmp_path):
    entries = contents(saved)
    manifest = {"format": 1, "skimbal": "0", "versions": {}, "entries": {}}
    for name, data in entries.items():
        digest = sha256(data if name != entry else b"x").hexdigest()
        manifest["entries"][name] = {"size": len(data), "sha256": digest}
    pairs = [("manifest.json", json.dumps(manifest).encode()), *entries.items()]
    with pytest.raises(ModelFileError, match=f"entry {entry} is wrong"):
        load(write(tmp_path, zipped(pairs)))


def node_of(described, kind):
    return next(node for node in described["objects"] if node["kind"] == kind)


def named(name, kind="instance"):
    def change(described):
        node_of(described, kind)["name"] = name

    return change


def attribute(name, value):
    def change(described):
        node_of(described, "instance")["attributes"][name] = value

    return change


def setting(name, value):
    def change(described):
        node_of(described, "module")["settings"][name] = value

    return change


def changed(kind, /, **values):
    return lambda described: node_of(described, kind).update(values)


def deep(n):
    value = []
    for _ in range(n):
        value = [value]
    return value


ATTACKS = {
    "module of the system": (named("os:system"), "it needs os:system"),
    "module that nothing has imported": (named("antigravity:fly"), "it needs antigravity"),
    "class with a constructor": (named("subprocess:Popen"), "it needs subprocess"),
    "tests of scikit-learn": (named("sklearn.conftest:_fetch"), "it needs sklearn.conftest"),
    "what a safe module imports": (
        named("skimbal.model_selection._state:pickle.loads"),
        "nothing that a file may name",
    ),
    "class that a safe module imports": (
        named("skimbal.model_selection._state:Path"),
        "nothing that a file may name",
    ),
    "function in place of a class": (named("skimbal.metrics:g_mean"), "is no class"),
    "own code outside the parts": (named("skimbal.benchmark._run:run_benchmark"), "it needs"),
    "own files": (named("skimbal.persistence:load"), "it needs skimbal.persistence:load"),
    "builtins through a class": (
        named("skimbal.losses:Focal.__init__.__globals__"),
        "it needs skimbal.losses:Focal.__init__",
    ),
    "numpy": (named("numpy:load"), "nothing that a file may name"),
    "numpy with a path": (named("numpy:ctypeslib.load_library"), "nothing that a file may name"),
    "name that is no text": (named(["os:system"]), "it needs"),
    "empty name": (named(""), "it needs"),
    "class in place of a module": (
        named("sklearn.linear_model:LogisticRegression", "module"),
        "is no module",
    ),
    "torch function in place of a module": (named("torch.nn.functional:relu", "module"), "module"),
    "torch.load": (named("torch:load", "module"), "it needs torch:load"),
    "class of modules outside torch.nn": (
        named("torch.jit:ScriptModule", "module"),
        "it needs torch.jit",
    ),
    "attribute that hides a method": (attribute("fit", 1), "would hide a method"),
    "attribute of Python": (attribute("__class__", 1), "no name of an attribute"),
    "attribute with a path": (attribute("a.b", 1), "no name of an attribute"),
    "setting that hides a method": (setting("forward", 1), "would hide a method"),
    "setting of torch": (setting("_forward_hooks", 1), "would hide a method"),
    "unknown kind": (changed("instance", kind="pickle"), "of the kind 'pickle'"),
    "reference to itself": (attribute("x", {"ref": 10**6}), "do not fit"),
    "negative reference": (attribute("x", {"ref": -1}), "is no reference"),
    "reference that is none": (attribute("x", {"ref": True}), "is no reference"),
    "object that is no reference": (attribute("x", {"kind": "dict"}), "is no reference"),
    "nested lists": (attribute("x", deep(60)), "more than 50 deep"),
    "shape with a negative size": (changed("array", shape=[-1]), "no shape"),
    "shape that does not fit": (changed("array", shape=[10**9]), "do not fit"),
    "array of pickles": (changed("array", dtype="object"), "do not fit|is no type|no type"),
    "array of records": (changed("array", dtype="i4,f8"), "no type of arrays"),
    "wide texts": (changed("array", dtype="<U99999999", items=["a"]), "too wide"),
    "type that does not fit": (changed("tensor", dtype="float64"), "not torch.float64"),
    "tensor that is missing": (changed("array", tensor="t999"), "do not fit"),
    "layer that is missing": (
        lambda described: node_of(described, "net").update(module={"ref": 0}),
        "do not fit",
    ),
    "root that is no estimator": (lambda d: d.update(root={"ref": 0}), "no estimator"),
    "root that is a list": (lambda d: d.update(root=[1]), "no estimator"),
    "objects that are no list": (lambda d: d.update(objects=1), "do not fit"),
    "more keys": (lambda d: d.update(code="import os"), "no root and objects"),
    "tensor that nothing uses": (
        lambda d: d.update(root={"ref": 0}, objects=[{"kind": "tuple", "items": []}]),
        "nothing uses",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_objects_that_do_harm_are_refused(name, saved, tmp_path):
    change, message = ATTACKS[name]
    before = set(sys.modules)
    with pytest.raises(ModelFileError, match=message):
        load(write(tmp_path, forged(saved, change)))
    assert "antigravity" not in sys.modules
    assert {name.split(".")[0] for name in set(sys.modules) - before} <= {"sklearn", "skops"}


def test_random_changes_of_the_json_are_loaded_or_refused(saved, tmp_path):
    """Every value in turn is replaced; nothing but a ModelFileError may come."""
    rng = np.random.default_rng(0)
    replacements = [None, -1, 10**30, "x", [], {}, {"ref": 0}, {"ref": 3}, [[1]], 0.5]

    def places(value, found):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in pairs:
            found.append((value, key))
            if isinstance(part, dict | list):
                places(part, found)
        return found

    n_refused = 0
    for _ in range(150):

        def change(described):
            found = places(described, [])
            holder, key = found[rng.integers(len(found))]
            holder[key] = replacements[rng.integers(len(replacements))]

        try:
            load(
                write(
                    tmp_path, forged(saved, change, versions={"scikit-learn": sklearn.__version__})
                )
            )
        except ModelFileError:
            n_refused += 1
    assert n_refused > 100


def test_the_json_is_strict(saved, tmp_path):
    entries = contents(saved)
    for text in (b'{"root": 1, "root": 2}', b"[NaN]", b"[" * 10**5, b"\xff", b"{"):
        entries["objects.json"] = text
        data = _archive.archive_bytes(_archive.seal_entries(entries, {"skimbal": "0"}))
        with pytest.raises(ModelFileError, match=r"same key twice|number NaN|no valid JSON"):
            load(write(tmp_path, data))


def test_safetensors_that_are_not_valid_are_refused(saved, tmp_path):
    entries = contents(saved)
    for data in (b"", bytes(8), b"\xff" * 100, entries["tensors.safetensors"][:-1]):
        entries["tensors.safetensors"] = data
        data = _archive.archive_bytes(_archive.seal_entries(entries, {"skimbal": "0"}))
        with pytest.raises(ModelFileError, match=r"tensors\.safetensors is not valid"):
            load(write(tmp_path, data))


@pytest.mark.parametrize(
    ("estimator", "parameter"),
    [
        (make_pipeline(LogisticRegression()), "memory"),
        (DESearchCV(LogisticRegression(), {"C": (0.1, 1.0)}), "state_file"),
        (MLPClassifier(), "callbacks"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_file_that_would_make_a_fit_unpickle_is_refused(estimator, parameter, tmp_path):
    """A search reads its state, and joblib its cache, by pickle."""
    path = tmp_path / "plain"
    save(estimator, path)

    def change(described):
        described["objects"][-1]["parameters"][parameter] = "/tmp/evil"

    with pytest.raises(ModelFileError, match=f"{parameter} of .* must be None"):
        load(write(tmp_path, forged(path.read_bytes(), change)))


def test_a_part_of_skops_is_checked_for_size_and_types(tmp_path):
    skops = pytest.importorskip("skops.io")
    save(MLPClassifier(), tmp_path / "plain")
    for data, message in [
        (skops.dumps(np.random.default_rng(0), compression=zipfile.ZIP_DEFLATED), "compressed"),
        (skops.dumps(Unknown()), "it needs .*Unknown"),
        (b"no zip", "do not fit"),
    ]:
        entries = contents((tmp_path / "plain").read_bytes())
        described = {"root": {"ref": 0}, "objects": [{"kind": "skops", "file": "files/f0.skops"}]}
        entries |= {"objects.json": json.dumps(described).encode(), "files/f0.skops": data}
        sealed_file = _archive.archive_bytes(_archive.seal_entries(entries, {"skimbal": "0"}))
        with pytest.raises(ModelFileError, match=message):
            load(write(tmp_path, sealed_file))


class Unknown:
    """A class that no file may name without trust."""

    def __init__(self):
        self.x = 1


@pytest.mark.parametrize("trusted", [True, "a:b", 5, [5], ["no name"], [b"x"]], ids=repr)
def test_trusted_must_be_names_or_code(trusted, saved, tmp_path):
    with pytest.raises(ValueError, match="trusted"):
        load(write(tmp_path, saved), trusted=trusted)
