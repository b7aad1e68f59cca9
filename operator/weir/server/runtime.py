"""What all parts of the server share: the cluster, the database, what is known, and the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from weir.cluster.client import Cluster
from weir.server.live import Executions
from weir.server.messages_live import Messages
from weir.server.settings import Settings
from weir.server.watches import Catalogs, Watches
from weir.storage.database import Database
from weir_protocol import POLL_SECONDS


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


@dataclass
class Runtime:
    """The server's parts. Made once, by `main`, or by a test."""

    settings: Settings
    cluster: Cluster
    database: Database
    watches: Watches
    now: Callable[[], datetime] = utc_now
    poll_seconds: float = POLL_SECONDS
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def executions(self) -> Executions:
        """The Executions there are."""
        return self.watches.executions

    @property
    def messages(self) -> Messages:
        """The Messages there are."""
        return self.watches.messages

    @property
    def catalogs(self) -> Catalogs:
        """The Flows and Connectors there are."""
        return self.watches.catalogs

    def timestamp(self) -> float:
        """Return the present moment as Unix time."""
        return self.now().timestamp()

    def stop(self) -> None:
        """Have all long polls answered: the server is about to go."""
        self.stopping.set()
        self.executions.topics.notify_all()
