"""Runs a coroutine that may hang.

Whoever waits for it can give up at any moment, and then its sockets are closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from weakref import WeakSet

from weir_connectors.errors import ConnectionCancelled

# Seconds between two looks at whether to give up. The end of the work is seen at once.
TICK = 0.1

# Seconds for work that was given up to close what it has open.
_GRACE = 0.5

Result = TypeVar("Result")


class _Loop(asyncio.SelectorEventLoop):
    """Knows the connections it has made: libraries forget one that is cancelled in a handshake."""

    def __init__(self) -> None:
        super().__init__()
        self.made: WeakSet[asyncio.Transport] = WeakSet()

    async def create_connection(self, *args: Any, **named: Any) -> Any:
        transport, protocol = await super().create_connection(*args, **named)
        self.made.add(transport)
        return transport, protocol


def run(work: Coroutine[Any, Any, Result], cancelled: Callable[[], bool], name: str) -> Result:
    """Run a coroutine to its end, in an event loop of its own.

    Parameters:
        work: What to do.
        cancelled: Whether to give up; asked every TICK seconds.
        name: The connection type, for the error's text.

    Raises:
        ConnectionCancelled: it was given up.
    """
    # Not asyncio.run(), which waits for threads: a name that is being looked up has one, and no
    # end for half a minute.
    loop = _Loop()
    task = loop.create_task(work)
    try:
        if loop.run_until_complete(_is_done(task, cancelled)):
            return task.result()
        raise ConnectionCancelled(f"{name}: given up, the run is to be cancelled")
    finally:
        if not task.done():  # given up, by us or by a signal handler that raised
            task.cancel()
            loop.run_until_complete(asyncio.wait({task}, timeout=_GRACE))
        if task.done() and not task.cancelled():
            task.exception()  # seen, so that asyncio does not complain of it
        for transport in list(loop.made):
            transport.abort()
        # In this turn of the loop their sockets are closed, too.
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _is_done(task: asyncio.Task[Any], cancelled: Callable[[], bool]) -> bool:
    """Wait for the task; return False when it is to be given up."""
    while not task.done():
        await asyncio.wait({task}, timeout=TICK)
        if not task.done() and cancelled():
            return False
    return True
