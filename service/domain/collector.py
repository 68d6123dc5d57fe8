"""Spares the process work of the garbage collector that finds nothing. Owns its settings and its pauses."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

LARGE_BYTES: Final = 100_000
YOUNG_OBJECTS: Final = 100_000
"""So many more objects than were freed start a collection, in place of 700. An event frees what it is made of without
the collector; but thousands of events are in memory at a time, and were gone through again and again. With 10,000 of
them a tenth of the processor time of a backlog went there, for next to nothing that was found."""

_AS_IT_IS: Final = nullcontext()


def set_up_collector() -> None:
    """For a process that has been built and begins its work: what is there now stays, and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def collector_paused(size_bytes: int) -> AbstractContextManager[None]:
    """No collection in here when so many bytes are `LARGE_BYTES` or more.

    While a million lists are made, the collector goes through all of them again and again and finds nothing: seven
    eighths of the time of reading such a value. Not for coroutines: the pause holds for the whole process.
    """
    return _AS_IT_IS if size_bytes < LARGE_BYTES or not gc.isenabled() else _paused()


@contextmanager
def _paused() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
