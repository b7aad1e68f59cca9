"""Run Kopf for our own kinds: as a watch, without anything that it would write."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kopf

from weir.api import names
from weir.cluster.client import PAGE, Cluster
from weir.cluster.errors import ClusterError
from weir.controllers.handlers import Memo, registry
from weir.controllers.intake import Intake

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_KINDS = frozenset({"flows", "executions", "connectors", "schedules", "flowrepositories"})
_POLL = 1.0


class _NothingStored(kopf.DiffBaseStorage):
    """Kopf's memory of objects as they were: for handlers that we have none of."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        # Kopf would make a deep copy of each object at each event.
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        return None

    def store(self, **_: Any) -> None:
        return None


class _Backoffs:
    """Seconds between tries of a call, without an end: an API server may be away for long."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.2, 0.5, 1.0, 2.0)
        while True:
            yield 3.0


def settings() -> kopf.OperatorSettings:
    """Return Kopf's settings for an operator that only listens."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.scanning.disabled = True
    chosen.persistence.diffbase_storage = _NothingStored()
    chosen.queueing.worker_limit = 50
    # An object's worker that waits for more news of it would keep others from theirs.
    chosen.queueing.idle_timeout = 0.05
    chosen.queueing.exit_timeout = 0.5
    chosen.watching.chunk_size = PAGE
    chosen.watching.server_timeout = 300
    chosen.watching.reconnect_backoff = 0.1
    chosen.networking.error_backoffs = _Backoffs()
    chosen.networking.connect_timeout = 10
    chosen.process.ultimate_exiting_timeout = 30
    return chosen


@kopf.on.login(registry=registry)
def _login(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo | None:
    """Log in as Cluster does: with the Pod's service account, else with a kubeconfig."""
    token = _ACCOUNT / "token"
    if not token.exists():
        return kopf.login_with_kubeconfig(settings=settings)
    # By address: the name of the API server would need cluster DNS.
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    return kopf.ConnectionInfo(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        ca_path=_ACCOUNT / "ca.crt",
        token=token.read_text().strip(),
    )


async def wait_for_kinds(cluster: Cluster) -> None:
    """Return when our kinds are served: what is missing when Kopf starts, it never watches."""
    while True:
        try:
            found = await cluster.raw("GET", f"/apis/{names.GROUP}/{names.VERSION}")
            if {one["name"] for one in found["resources"]} >= _KINDS:
                return
        except ClusterError:
            pass
        await asyncio.sleep(_POLL)


async def run(intake: Intake, *, namespaces: list[str], stop: asyncio.Event) -> None:
    """Watch until `stop` is set; a signal sets it too."""
    ready = asyncio.Event()
    signals = asyncio.create_task(_take_signals(ready, stop))
    try:
        await kopf.operator(
            registry=registry,
            settings=settings(),
            memo=Memo(intake),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop,
            ready_flag=ready,
        )
    finally:
        signals.cancel()


async def _take_signals(ready: asyncio.Event, stop: asyncio.Event) -> None:
    """Take the signals back from Kopf, which would stop only itself."""
    await ready.wait()
    stop_on_signals(stop)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` when the process is told to end; without effect outside of the main thread."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
