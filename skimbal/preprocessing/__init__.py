"""Recordings: windows that are cut from them, and spectrograms."""

from skimbal.preprocessing._spectrogram import Spectrogram, amplitude_spectrogram, decibels
from skimbal.preprocessing._windows import (
    SlidingWindow,
    WindowIndex,
    flatten,
    index_windows,
    window_starts,
)

__all__ = [
    "SlidingWindow",
    "Spectrogram",
    "WindowIndex",
    "amplitude_spectrogram",
    "decibels",
    "flatten",
    "index_windows",
    "window_starts",
]
