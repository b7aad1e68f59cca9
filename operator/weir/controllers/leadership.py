"""Hold the Lease, or wait for it: of several operators one acts.

The client library's own election is left aside: it never gives a Lease back, so that each restart
would cost its whole duration, and it writes local times without a zone.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError, NotFound
from weir.cluster.kinds import LEASES
from weir.core import leadership

logger = logging.getLogger(__name__)

_POLL = 1.0


class LeadershipLost(Exception):
    """Another operator may act now: stop at once."""


class Leadership:
    """One candidate for a Lease."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        namespace: str,
        name: str,
        identity: str,
        seconds: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._seconds = seconds
        self._clock = clock
        self._lease: JsonObject | None = None
        self._seen_since = 0.0
        self.leads = False
        self.asked_at = 0.0
        """Loop time at which the Lease was last read."""

    async def acquire(self) -> None:
        """Return when this operator is the one that acts."""
        while not await self.try_once():
            await asyncio.sleep(min(_POLL, self._seconds / 3))
        self.leads = True
        logger.info("Leading", extra={"lease": self._name, "identity": self._identity})

    async def keep(self) -> None:
        """Renew until cancelled; raises LeadershipLost when that fails for too long."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            await asyncio.sleep(self._seconds / 5)
            try:
                # An answer that comes too late is none.
                async with asyncio.timeout(self._seconds / 3):
                    succeeded = await self.try_once()
            except TimeoutError:
                succeeded = False
            if succeeded:
                renewed = loop.time()
            elif self._held_by_other() or loop.time() - renewed > self._seconds * 2 / 3:
                self.leads = False
                raise LeadershipLost(f"the Lease {self._name} could not be renewed")

    async def release(self) -> None:
        """Give the Lease back, so that the next operator need not wait."""
        if not self.leads or self._lease is None:
            return
        self.leads = False
        body = leadership.released(self._lease, self._clock())
        try:
            await self._cluster.patch(LEASES, self._namespace, self._name, body)
        except ClusterError as error:
            logger.warning("Lease not given back", extra={"error": error.message[:200]})

    async def try_once(self) -> bool:
        """Take or renew the Lease if that may be; say whether it is held now."""
        loop = asyncio.get_running_loop()
        try:
            self._note(await self._read(), loop.time())
            unchanged_for = loop.time() - self._seen_since
            if not leadership.may_take(self._lease, self._identity, unchanged_for):
                return False
            body = leadership.held(
                self._lease,
                name=self._name,
                namespace=self._namespace,
                identity=self._identity,
                seconds=self._seconds,
                now=self._clock(),
            )
            if self._lease is None:
                written = await self._cluster.create(LEASES, self._namespace, body)
            else:
                written = await self._cluster.patch(LEASES, self._namespace, self._name, body)
        except ClusterError as error:
            logger.info("Lease not taken", extra={"error": error.message[:200]})
            return False
        self._note(written, loop.time())
        return True

    async def _read(self) -> JsonObject | None:
        try:
            found = await self._cluster.get(LEASES, self._namespace, self._name)
        except NotFound:
            found = None
        self.asked_at = asyncio.get_running_loop().time()
        return found

    def _note(self, lease: JsonObject | None, now: float) -> None:
        if _version(lease) != _version(self._lease):
            self._seen_since = now
        self._lease = lease

    def _held_by_other(self) -> bool:
        holder = ((self._lease or {}).get("spec") or {}).get("holderIdentity")
        return holder not in (None, "", self._identity)


def _version(lease: JsonObject | None) -> str:
    return str(lease["metadata"]["resourceVersion"]) if lease else ""
