"""Pages that the allocator of C keeps between blocks in use, given back to the system."""

import ctypes
import mmap
import sys
from functools import lru_cache


@lru_cache(1)
def trim_function():
    """The function of the C library that gives free pages back to the system; None without one."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc


def release_free_pages():
    """Give free pages back to the system; return whether the C library can do that.

    >>> release_free_pages() == (trim_function() is not None)
    True
    """
    trim = trim_function()
    if trim is not None:
        trim(0)
    return trim is not None


def anonymous_bytes():
    """Memory of the process that is no page of a file, on Linux."""
    with open("/proc/self/statm") as file:
        _, resident, shared, *_ = map(int, file.read().split())
    return (resident - shared) * mmap.PAGESIZE


class FreePages:
    """Gives free pages back to the system where the process has grown.

    Of thousands of batches the allocator keeps up to twice the buffer, by chance more or less.
    Pages that are given back take time when they are used again, so they are not given back after
    every batch.

    Parameters
    ----------
    limit : int
        Bytes by which the process may grow.
    """

    def __init__(self, limit):
        self.limit = limit
        self.lowest = float("inf")

    def give_back(self):
        """Give pages back if the process has grown by more than the limit."""
        if trim_function() is None:
            return
        n_bytes = anonymous_bytes()
        if n_bytes > self.lowest + self.limit:
            release_free_pages()
            self.lowest = anonymous_bytes()
        self.lowest = min(self.lowest, n_bytes)
