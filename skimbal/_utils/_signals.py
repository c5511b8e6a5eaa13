"""Interrupts: put off where half of a step would do harm."""

import signal
import threading
from contextlib import contextmanager


@contextmanager
def sigint_deferred():
    """Put off a Ctrl-C (SIGINT) until the block has ended.

    Python delivers signals to the main thread only, so that nothing has to be done in others.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    caught: list = []
    signal.signal(signal.SIGINT, lambda *given: caught.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if caught and callable(before):
            before(*caught[0])
