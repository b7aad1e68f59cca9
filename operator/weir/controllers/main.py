"""`weir-operator`: wait for the Lease, then act; stand by otherwise."""

import asyncio
import logging
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from weir import logs
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError
from weir.controllers import health
from weir.controllers.leader import Leader
from weir.controllers.leadership import Leadership, LeadershipLost
from weir.controllers.settings import Settings
from weir.controllers.watching import stop_on_signals

logger = logging.getLogger(__name__)

# For parts that are in the middle of something when the operator is told to stop.
_LEAVE_SECONDS = 5.0


def utc_now() -> datetime:
    """Return the time: the one clock that everything else is given."""
    return datetime.now(UTC)


def main() -> None:
    """Run the operator until it is told to stop, or must."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(f"weir-operator: wrong settings: {error}")
    logs.configure(settings.log_level, settings.log_format)
    try:
        asyncio.run(run(settings))
    except LeadershipLost as error:
        sys.exit(f"weir-operator: {error}")
    except ClusterError as error:
        sys.exit(f"weir-operator: {error.message}")


async def run(
    settings: Settings, stop: asyncio.Event | None = None, *, kubeconfig: Path | None = None
) -> None:
    """Run the operator until `stop` is set or a signal comes.

    `kubeconfig` is the file that KUBECONFIG names, where that was set after Python's start.

    Raises LeadershipLost when another may act, ClusterError when there is no way to the cluster.
    """
    stop = stop or asyncio.Event()
    state = health.Health()
    server = await health.serve(state, settings.health_port)
    try:
        async with server, await Cluster.connect(kubeconfig) as cluster:
            await _lead(cluster, settings, state, stop)
    finally:
        server.close()


async def _lead(
    cluster: Cluster, settings: Settings, state: health.Health, stop: asyncio.Event
) -> None:
    leadership = Leadership(
        cluster,
        namespace=settings.namespace,
        name=settings.lease,
        identity=settings.identity,
        seconds=settings.lease_seconds,
        clock=utc_now,
    )
    leader = Leader(cluster, settings, clock=utc_now)
    state.is_alive = leader.is_fresh
    state.numbers = leader.numbers
    # A standby is ready too: it takes over in a moment.
    state.is_ready = lambda: leader.acts if leadership.leads else leadership.asked_at > 0
    stop_on_signals(stop)

    async def act() -> None:
        await leadership.acquire()
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(leadership.keep())
            await leader.run(stop)
            keeping.cancel()

    try:
        await _until(stop, act())
    finally:
        await leadership.release()


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work until it ends, or some seconds longer than until `stop` is set."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await asyncio.wait({working}, timeout=_LEAVE_SECONDS)
    finally:
        stopping.cancel()
        working.cancel()
    try:
        await working
    except asyncio.CancelledError:
        return  # it was told to stop
    except BaseExceptionGroup as errors:
        raise _first_of(errors) from errors


def _first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error that stopped everything else."""
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
