"""What the loaders share whose data are one table in one file."""

import numpy as np
from sklearn.utils import Bunch

from skimbal.datasets._sources import cached_file, data_folder, local_file, url_download


def table_file(local, url, name, sha256, data_home):
    """Path of a file: below the folder of the user, else a checked download in the cache.

    Parameters
    ----------
    local : str
        Path of the file below `data_home` or ``$SKIMBAL_DATA``.
    url : str
    name : str
        Name of the file in the cache.
    sha256 : str
        Checksum of a download.
    data_home : path-like or None

    Raises
    ------
    DataNotFoundError
        If no source has the file.
    """
    path = local_file(data_folder(data_home), local)
    if path is not None:
        return path
    what_to_do = f"set SKIMBAL_DATA (or data_home=) to a folder that holds {local}"
    download = url_download(url, name, what_to_do=what_to_do)
    return cached_file(name, download, sha256=sha256, what_to_do=what_to_do)


def check_columns(frame, names):
    """Raise a ValueError for the first of the names that a table has no column of."""
    missing = [name for name in names if name not in frame]
    if missing:
        raise ValueError(f"it has no column {missing[0]!r}")


def table_bunch(X, y, feature_names, path, *, about, reference, **more):
    """What a loader returns: the data, `more`, and where they are from.

    >>> flowers = table_bunch([[1.0]], ["a"], ["x"], "f.csv", about="Flowers.", reference="none.")
    >>> flowers.target_names.tolist(), flowers.DESCR
    (['a'], 'Flowers.\\nRead from f.csv.\\n\\nReference: none.')
    """
    return Bunch(
        data=X,
        target=y,
        **more,
        feature_names=feature_names,
        target_names=np.unique(y),
        source=str(path),
        DESCR=f"{about}\nRead from {path}.\n\nReference: {reference}",
    )
