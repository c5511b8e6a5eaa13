"""Recordings: windows and spectrograms of them. Tables that are read from the disk in chunks."""

import typing

from skimbal._lazy import lazy_names as _lazy_names

if typing.TYPE_CHECKING:
    from skimbal.preprocessing._chunks import ChunkedTable
    from skimbal.preprocessing._spectrogram import Spectrogram, decibels
    from skimbal.preprocessing._windows import SlidingWindow, WindowIndex, flatten, index_windows
else:
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "skimbal.preprocessing._chunks": "ChunkedTable",
            "skimbal.preprocessing._spectrogram": "Spectrogram decibels",
            "skimbal.preprocessing._windows": "SlidingWindow WindowIndex flatten index_windows",
        },
    )

__all__ = [
    "ChunkedTable",
    "SlidingWindow",
    "Spectrogram",
    "decibels",
    "flatten",
    "index_windows",
]
__all__ += ["WindowIndex"]  # for extenders
