"""The container: a zip whose entries are not compressed, with checksums of each and of all.

The comment of the zip is the SHA-256 checksum of all bytes before it, so a changed bit is found
anywhere. Checksums find accidents, not attackers, who can compute them too. Against attackers, the
layout is fixed: entries follow each other without gaps and without compression, so the file can't
unpack to more than its own size, and names are plain.
"""

import json
import os
import re
import zipfile
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from skimbal.exceptions import ModelFileError

FORMAT = 1
MANIFEST = "manifest.json"
MAX_FILE_BYTES = 2**31 - 1
MAX_ENTRIES = 10_000
MAX_JSON_BYTES = 2**26
# Lengths of the fixed parts of a zip: the header of an entry, its line in the directory, the end.
N_HEADER, N_DIRECTORY, N_END = 30, 46, 22
N_CHECKSUM = 64
NAME = re.compile(r"[a-z0-9_]{1,40}(/[a-z0-9_]{1,40})?\.(json|safetensors|skops)")


def dump_json(value):
    """JSON as bytes; the same value gives the same bytes."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def _without_repeats(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ModelFileError("an object of the JSON has the same key twice")
    return found


def _no_constant(text):
    raise ModelFileError(f"the JSON has the number {text}")


def parse_json(data, name):
    """The value of JSON bytes, or a ModelFileError."""
    if len(data) > MAX_JSON_BYTES:
        raise ModelFileError(f"{name} has {len(data)} bytes, at most {MAX_JSON_BYTES} are allowed")
    try:
        return json.loads(data, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except ModelFileError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{name} is no valid JSON: {error}") from error


# ---------------------------------------------------------------- writing


def seal_entries(entries, about):
    """Return the entries with a manifest in front: format, versions, sizes and checksums.

    Parameters
    ----------
    entries : dict
        Name -> bytes.
    about : dict
        What the manifest says besides.
    """
    listed = {
        name: {"size": len(data), "sha256": sha256(data).hexdigest()}
        for name, data in entries.items()
    }
    manifest = dump_json({"format": FORMAT, **about, "entries": listed})
    sealed = {MANIFEST: manifest, **entries}
    size = zip_size(sealed)
    if size > MAX_FILE_BYTES or len(sealed) > MAX_ENTRIES:
        raise ValueError(
            f"the file would have {size} bytes in {len(sealed)} entries; at most {MAX_FILE_BYTES} "
            f"bytes and {MAX_ENTRIES} entries can be saved: save the parts of the estimator"
        )
    return sealed


def zip_size(entries):
    """Bytes of a file with these entries."""
    of_entry = N_HEADER + N_DIRECTORY
    sizes = (of_entry + 2 * len(name) + len(data) for name, data in entries.items())
    return sum(sizes) + N_END + N_CHECKSUM


def file_to_write(path):
    """The path of a file, with symbolic links followed; a ValueError where it can't be one."""
    path = Path(path).resolve()
    if path.is_dir():
        raise ValueError(f"path={str(path)!r} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise ValueError(f"path={str(path)!r} is in no folder that exists; create it first")
    return path


def write_archive(path, data):
    """Write the bytes of a file completely or not at all; a symbolic link is followed."""
    path = file_to_write(path)
    temporary = path.with_name(f".{uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):  # it has become the file
            temporary.unlink()


def archive_bytes(entries):
    """The bytes of a file; the same entries give the same bytes."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            file.writestr(info, data)
        file.comment = b"0" * N_CHECKSUM
    view = buffer.getbuffer()
    view[-N_CHECKSUM:] = sha256(view[:-N_CHECKSUM]).hexdigest().encode()
    return bytes(view)


# ---------------------------------------------------------------- reading


def read_archive(path):
    """Return the manifest and the entries of a file, or raise a ModelFileError.

    Raises
    ------
    OSError
        If there is no such file, or it can't be read.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ModelFileError("it is no regular file")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE_BYTES:
            raise ModelFileError(f"it has {size} bytes, at most {MAX_FILE_BYTES} are allowed")
        data = file.read(MAX_FILE_BYTES + 1)
    return open_archive(data)


def open_archive(data):
    """Return the manifest and the entries of the bytes of a file, all checksums compared."""
    if data[:4] != b"PK\x03\x04":
        raise ModelFileError("it is no file that skimbal.persistence.save has written, or is cut")
    whole = sha256(memoryview(data)[:-N_CHECKSUM]).hexdigest().encode()
    if data[-N_CHECKSUM:] != whole:
        raise ModelFileError(
            "its checksum is wrong: it is cut, damaged or not from skimbal.persistence.save"
        )
    entries = read_entries(data)
    if MANIFEST not in entries:
        raise ModelFileError(f"it has no {MANIFEST}")
    manifest = parse_json(entries.pop(MANIFEST), MANIFEST)
    check_manifest(manifest, entries)
    return manifest, entries


def read_entries(data):
    """Name -> bytes of a zip of the one layout that `archive_bytes` writes."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as file:
            check_layout(file.infolist(), len(data))
            return {info.filename: file.read(info) for info in file.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, UnicodeError) as error:
        raise ModelFileError(f"it is no valid zip: {error}") from error


def check_layout(infos, n_bytes):
    """Raise a ModelFileError for names, compression or places that `save` never writes."""
    if len(infos) > MAX_ENTRIES:
        raise ModelFileError(f"it has {len(infos)} entries, at most {MAX_ENTRIES} are allowed")
    names, place = set(), 0
    for info in infos:
        name = info.filename
        if not NAME.fullmatch(name) or name in names:
            raise ModelFileError(f"it has an entry with the name {name!r}, or has it twice")
        is_plain = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits
        if not is_plain or info.file_size != info.compress_size or info.extra or info.comment:
            raise ModelFileError(f"its entry {name} is compressed, encrypted or has extra data")
        if info.header_offset != place:
            raise ModelFileError(f"its entry {name} overlaps another or follows a gap")
        names.add(name)
        place += N_HEADER + len(name) + info.file_size
    place += sum(N_DIRECTORY + len(name) for name in names) + N_END + N_CHECKSUM
    if place != n_bytes:
        raise ModelFileError("it has bytes that belong to no entry")


def check_manifest(manifest, entries):
    """Raise a ModelFileError for another format and for entries that are not in the manifest."""
    if not isinstance(manifest, dict) or type(manifest.get("format")) is not int:
        raise ModelFileError(f"its {MANIFEST} names no format")
    if manifest["format"] != FORMAT:
        raise ModelFileError(
            f"it has format {manifest['format']}, but skimbal of this version reads format "
            f"{FORMAT}; it was written by skimbal {manifest.get('skimbal')!r}: use that version"
        )
    listed = manifest.get("entries")
    if not isinstance(listed, dict) or set(listed) != set(entries):
        raise ModelFileError(f"its entries are not those that its {MANIFEST} lists")
    for name, data in entries.items():
        expected = {"size": len(data), "sha256": sha256(data).hexdigest()}
        if listed[name] != expected:
            raise ModelFileError(f"the checksum of its entry {name} is wrong")
