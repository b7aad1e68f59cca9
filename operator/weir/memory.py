"""Memory that a start, or a long list, took and that is not needed any more."""

import contextlib
import ctypes
import gc


def give_back() -> None:
    """Give free memory to the system: a list is many times as large as what is kept of it."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # a libc without it
        ctypes.CDLL(None).malloc_trim(0)
