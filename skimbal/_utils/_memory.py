"""How much memory there is."""

import psutil


def free_memory():
    """Bytes of the main memory that a new object could take without swapping."""
    return psutil.virtual_memory().available
