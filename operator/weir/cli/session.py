"""What every verb works with: the cluster, the namespace, and where output goes."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from weir.cli.terminal import Terminal

if TYPE_CHECKING:
    from weir.cluster.client import Cluster

_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


async def _connect(options: Options) -> Cluster:
    from weir.cluster.client import Cluster  # a second of imports: not for --help

    return await Cluster.connect(kubeconfig=options.kubeconfig, context=options.context)


@dataclass(frozen=True)
class Options:
    """The options that every verb has. `connect` makes the client; tests give another."""

    namespace: str | None = None
    kubeconfig: Path | None = None
    context: str | None = None
    server: str | None = None  # URL of Weir's server; None finds it in the cluster
    server_ca: Path | None = None
    connect: Callable[[Options], Awaitable[Cluster]] = _connect


@dataclass(frozen=True)
class Session:
    """One call of the command."""

    options: Options
    cluster: Cluster
    namespace: str
    out: Terminal = field(default_factory=lambda: Terminal.of(sys.stdout))
    err: Terminal = field(default_factory=lambda: Terminal.of(sys.stderr))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@asynccontextmanager
async def opened(options: Options) -> AsyncIterator[Session]:
    """Connect, and find out the namespace: the option, the kubeconfig's, the Pod's, `default`."""
    cluster = await options.connect(options)
    async with cluster:
        namespace = options.namespace or cluster.namespace or _of_pod(options) or "default"
        yield Session(options, cluster, namespace)


def _of_pod(options: Options) -> str | None:
    if options.kubeconfig or options.context or "KUBECONFIG" in os.environ:
        return None
    return _OWN_NAMESPACE.read_text().strip() if _OWN_NAMESPACE.exists() else None
