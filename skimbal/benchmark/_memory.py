"""Memory that a piece of work needs, measured while it runs."""

import threading

import psutil

from skimbal._utils._free_pages import release_free_pages

SAMPLING_INTERVAL_S = 0.02
MIB = 2.0**20


class PeakMemory:
    """Resident memory of this process above what it had before a block, at its peak.

    Memory that Python and its libraries keep for later use is given back first where the C library
    can do that, so that one block does not hide the need of the next. The memory is looked at
    every 20 ms: a shorter peak may be missed.

    Attributes
    ----------
    mib : float
        The peak in MiB, at least 0; known after the block.
    """

    def __enter__(self):
        release_free_pages()
        self._process = psutil.Process()
        self._start = self._peak = self._resident()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._is_over.set()
        self._thread.join()
        self._peak = max(self._peak, self._resident())
        self.mib = (self._peak - self._start) / MIB

    def _resident(self):
        return self._process.memory_info().rss

    def _watch(self):
        while not self._is_over.wait(SAMPLING_INTERVAL_S):
            self._peak = max(self._peak, self._resident())
