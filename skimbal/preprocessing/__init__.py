"""Recordings: windows that are cut from them, and spectrograms."""

from skimbal.preprocessing._spectrogram import Spectrogram, decibels
from skimbal.preprocessing._windows import SlidingWindow, WindowIndex, flatten, index_windows

__all__ = ["SlidingWindow", "Spectrogram", "decibels", "flatten", "index_windows"]
__all__ += ["WindowIndex"]  # for extenders
