"""Tables as numbers for networks, and read in chunks; windows and spectrograms of recordings."""

import typing

from skimbal._lazy import lazy_names as _lazy_names

if typing.TYPE_CHECKING:
    from skimbal.preprocessing._chunks import ChunkedTable
    from skimbal.preprocessing._spectrogram import Spectrogram, decibels
    from skimbal.preprocessing._table_encoder import TableEncoder
    from skimbal.preprocessing._windows import SlidingWindow, WindowIndex, flatten, index_windows
else:
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "skimbal.preprocessing._chunks": "ChunkedTable",
            "skimbal.preprocessing._spectrogram": "Spectrogram decibels",
            "skimbal.preprocessing._table_encoder": "TableEncoder",
            "skimbal.preprocessing._windows": "SlidingWindow WindowIndex flatten index_windows",
        },
    )

__all__ = [
    "ChunkedTable",
    "SlidingWindow",
    "Spectrogram",
    "TableEncoder",
    "decibels",
    "flatten",
    "index_windows",
]
__all__ += ["WindowIndex"]  # for extenders
