"""A run's log as one stream, whatever becomes of the server meanwhile: it may be restarted, and a
run outlives that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from weir.api.execution import Execution
from weir.cli.server import Entry, Server, ServerAway, reached
from weir.cli.session import Session
from weir.cluster.errors import NotFound, Unavailable
from weir.cluster.kinds import EXECUTIONS

# How long a server that was there may be away: a new Pod of it is ready within this.
_PATIENCE = 90.0
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 5.0


async def entries(
    session: Session, server: Server, name: str, *, follow: bool
) -> AsyncGenerator[Entry, None]:
    """Yield the log of a run; with `follow` until it has ended.

    While following, a server that goes away is looked for again. Raises CliError, ClusterError.
    """
    way: Server | None = server
    cursor = 0
    delay, give_up = _FIRST_DELAY, 0.0
    while True:
        try:
            async with _way(session, way) as open_way:
                log = open_way.logs(session.namespace, name, follow=follow, after=cursor)
                async with aclosing(log) as lines:
                    async for line in lines:
                        cursor = line.cursor
                        delay, give_up = _FIRST_DELAY, 0.0
                        yield line
            # A server that is being stopped ends its answers as well.
            if not follow or await _has_ended(session, name):
                return
        except (ServerAway, Unavailable):
            give_up = give_up or time.monotonic() + _PATIENCE
            if not follow or time.monotonic() > give_up:
                raise
        way = None
        await asyncio.sleep(delay)
        delay = min(delay * 2, _LONGEST_DELAY)


@asynccontextmanager
async def _way(session: Session, known: Server | None) -> AsyncIterator[Server]:
    if known is not None:
        yield known
    else:
        async with reached(session) as server:
            yield server


async def _has_ended(session: Session, name: str) -> bool:
    try:
        item = await session.cluster.get(EXECUTIONS, session.namespace, name)
    except NotFound:
        return True
    return Execution.model_validate(item).phase.is_final
