"""The endpoint `/hooks/NAMESPACE/NAME`.

A stranger is told the same, in the same time, whether there is no such Webhook, it is not enabled,
the method is another, or the key or signature is wrong.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weir.api.execution import Execution
from weir.api.resource import Key
from weir.api.webhook import Webhook
from weir.cluster.errors import ClusterError
from weir.core import webhook_inputs
from weir.core.rates import Rates
from weir.core.webhooks import NotAuthentic
from weir.server import answers, refusals
from weir.server.runtime import Runtime
from weir.server.webhooks.answering import Answering, accepted
from weir.server.webhooks.authentication import Authentic, Authentication
from weir.server.webhooks.reading import Reading, Taken
from weir.server.webhooks.starting import Delivery, Replayed, Starting
from weir.server.webhooks.status import LastCalls

logger = logging.getLogger(__name__)

PATH = "/hooks/{namespace}/{name}"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]

# How long a no takes at least: longer than the API server needs to hand out a Secret.
_NO_SECONDS = 0.25
_PER_MINUTE, _BURST = 600, 60
_MAX_BYTES = 1_048_576
# Callers of one Webhook that wait for a run's end.
_WAITING = 100


class Hooks:
    """The endpoint that senders call."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._clock = clock
        self._reading = Reading(seconds=runtime.settings.webhook_body_seconds)
        self._authentication = Authentication(runtime)
        self._starting = Starting(runtime)
        self._answering = Answering(runtime)
        self._rates = Rates()
        self._waiting: Counter[Key] = Counter()
        self.last_calls = LastCalls()

    def routes(self) -> list[Route]:
        """Return the routes."""
        endpoint = answers.guarded(self._called)
        return [
            Route(PATH, endpoint, methods=METHODS),
            Route(f"{PATH}/{{below:path}}", endpoint, methods=METHODS),
        ]

    async def _called(self, request: Request) -> Response:
        if not self._runtime.watches.synced.is_set() or self._runtime.stopping.is_set():
            raise refusals.unavailable("the server is starting or stopping")
        began, key = self._clock(), (request.path_params["namespace"], request.path_params["name"])
        try:
            # Kept by no name here: bodies may be large, and the answer may take long.
            return await self._answered(request, *await self._meant(request, key))
        except (NotAuthentic, Replayed) as error:
            logger.warning(
                "Webhook refused",
                extra={
                    "namespace": key[0][:63],
                    "webhook": key[1][:63],
                    "reason": str(error) or "sent before",
                },
            )
            await asyncio.sleep(began + _NO_SECONDS - self._clock())
            raise refusals.not_found("there is nothing here, or not for you") from None

    async def _meant(self, request: Request, key: Key) -> tuple[Webhook, Taken, Authentic]:
        """Return what an authentic request is for. Raises NotAuthentic, Refused (503)."""
        webhook = self._runtime.catalogs.webhook(*key)
        limit = webhook.spec.max_bytes if webhook is not None else _MAX_BYTES
        async with self._reading.taken(request, key, limit) as taken:
            if webhook is None:
                raise NotAuthentic("no such Webhook")
            if not webhook.spec.enabled:
                raise NotAuthentic("not enabled")
            if request.method not in webhook.spec.methods:
                raise NotAuthentic(f"the method {request.method}")
            if not webhook_inputs.is_plain_path(taken.request.path):
                raise NotAuthentic("a path that may mean another")
            try:
                authentic = await self._authentication.check(webhook, taken)
            except ClusterError as error:
                logger.warning("Secret not read", extra={"error": error.message[:500]})
                raise refusals.unavailable("not now") from None
        return webhook, taken, authentic

    async def _answered(
        self, request: Request, webhook: Webhook, taken: Taken, authentic: Authentic
    ) -> Response:
        rate = webhook.spec.rate
        wait = self._rates.wait(
            webhook.metadata.uid,
            self._clock(),
            per_minute=rate.per_minute if rate else _PER_MINUTE,
            burst=rate.burst if rate else _BURST,
        )
        if wait:
            return _too_many("too many requests", wait)
        _require_body(webhook, taken)
        is_async = webhook_inputs.is_async(taken.request, webhook.spec)
        if not is_async and self._waiting[webhook.key] >= _WAITING:
            return _too_many("too many callers wait for their runs", 1)
        delivery = self._starting.delivery(webhook, authentic)
        if is_async:
            return accepted(await self._started(delivery, authentic))
        self._waiting[webhook.key] += 1
        try:
            execution = await self._started(delivery, authentic)
            is_named = delivery.is_named
            del authentic, taken, delivery
            return await self._answering.answer(request, webhook, execution, is_named=is_named)
        finally:
            self._waiting[webhook.key] -= 1
            if not self._waiting[webhook.key]:
                del self._waiting[webhook.key]

    async def _started(self, delivery: Delivery, authentic: Authentic) -> Execution:
        execution = await self._starting.started(delivery, authentic)
        self.last_calls.note(delivery.webhook, execution.metadata.name, self._runtime.now())
        return execution


def _require_body(webhook: Webhook, taken: Taken) -> None:
    if taken.problem == "too large":
        raise refusals.too_large(f"a body has at most {webhook.spec.max_bytes} bytes")
    if taken.problem == "too slow":
        raise refusals.Refused(408, "Timeout", "the body took too long")
    if taken.problem:
        raise refusals.invalid("the body ended early")


def _too_many(message: str, wait: float) -> Response:
    answer = answers.refused(refusals.Refused(429, "TooMany", message))
    answer.headers["retry-after"] = str(int(wait) + 1)
    return answer
