"""The status of Webhooks: whether they can be called, and when they were.

Every server writes, and only what differs from what is there: so two that find the same do not
write in turn.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import datetime

from weir.api.resource import JsonObject
from weir.api.webhook import Webhook
from weir.cluster.errors import ClusterError, Conflict, Invalid, NotFound, Refused
from weir.cluster.kinds import WEBHOOKS
from weir.core import webhook_status
from weir.core.webhook_status import LastCall
from weir.server.runtime import Runtime
from weir.server.webhooks.secrets import HookSecrets

logger = logging.getLogger(__name__)

_EVERY = 2.0
# Secrets of Webhooks that are well are looked at less often.
_SECRETS_EVERY = 60.0


class LastCalls:
    """The last call of each Webhook that this server took."""

    def __init__(self) -> None:
        self._of: dict[str, LastCall] = {}

    def note(self, webhook: Webhook, execution: str, now: datetime) -> None:
        """Note that a call started a run."""
        self._of[webhook.metadata.uid] = LastCall(execution, now)

    def of(self, webhook: Webhook) -> LastCall | None:
        """Return the last call of a Webhook."""
        return self._of.get(webhook.metadata.uid)

    def keep(self, uids: set[str]) -> None:
        """Forget Webhooks that are gone."""
        for uid in self._of.keys() - uids:
            del self._of[uid]


class HookStatuses:
    """Writes the statuses of Webhooks."""

    def __init__(
        self,
        runtime: Runtime,
        last_calls: LastCalls,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._last_calls = last_calls
        self._secrets = HookSecrets(runtime.cluster)
        self._clock = clock
        # By UID: the generation whose Secrets were there, and until when that is believed.
        self._whole: dict[str, tuple[int, float]] = {}

    async def run(self) -> None:
        """Look around now and then, until cancelled."""
        while True:
            # Several servers do not look at the same moment.
            await asyncio.sleep(_EVERY * random.uniform(0.8, 1.2))
            try:
                await self.look()
            except ClusterError as error:
                logger.warning("Webhooks not looked at", extra={"error": error.message[:300]})

    async def look(self) -> int:
        """Write what has changed; return how many were written. Raises ClusterError."""
        written = 0
        webhooks = self._runtime.catalogs.every_webhook()
        uids = {webhook.metadata.uid for webhook in webhooks}
        self._last_calls.keep(uids)
        for uid in self._whole.keys() - uids:
            del self._whole[uid]
        for webhook in webhooks:
            try:
                patch = await self._change(webhook)
                if patch is not None:
                    await self._write(webhook, patch)
                    written += 1
            except (Invalid, Refused) as error:  # of this one; the others may be written
                logger.warning(
                    "Status not written",
                    extra={"webhook": "/".join(webhook.key), "error": error.message[:300]},
                )
        return written

    async def _change(self, webhook: Webhook) -> JsonObject | None:
        catalogs, namespace = self._runtime.catalogs, webhook.metadata.namespace
        verdict = webhook_status.check(
            webhook,
            catalogs.webhooks(namespace),
            catalogs.flows(namespace).find(webhook.spec.flow),
            await self._missing(webhook),
        )
        return webhook_status.change(
            webhook, verdict, self._last_calls.of(webhook), self._runtime.now()
        )

    async def _missing(self, webhook: Webhook) -> list[str]:
        generation, until = self._whole.get(webhook.metadata.uid, (0, 0.0))
        if generation == webhook.metadata.generation and self._clock() < until:
            return []
        missing = []
        for reference in webhook_status.secrets_of(webhook):
            if await self._secrets.find(webhook.metadata.namespace, reference) is None:
                missing.append(f"Secret {reference.name}, key {reference.key}")
        if not missing:
            until = self._clock() + _SECRETS_EVERY
            self._whole[webhook.metadata.uid] = (webhook.metadata.generation, until)
        return missing

    async def _write(self, webhook: Webhook, patch: JsonObject) -> None:
        # Whoever wrote meanwhile is looked at again.
        metadata = webhook.metadata
        guard = {"uid": metadata.uid, "resourceVersion": metadata.resource_version}
        body = {"metadata": guard, "status": patch}
        try:
            item = await self._runtime.cluster.patch(WEBHOOKS, *webhook.key, body, status=True)
        except (Conflict, NotFound):
            return
        self._runtime.watches.written(WEBHOOKS, item)
