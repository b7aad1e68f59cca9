"""Git hosts tell of a push: the FlowRepository is then asked to sync at once.

Nothing of what they say is used but which branch it is about: what is fetched comes from the
repository itself. A stranger is told the same, in the same time, whether or not there is such a
FlowRepository.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from weir.api.names import MAX_NAME
from weir.api.repository import FlowRepository
from weir.api.resource import Key
from weir.cluster.errors import ClusterError, NotFound
from weir.cluster.secrets import data_of
from weir.core import notices
from weir.core.rates import Rates
from weir.server import answers, messages, refusals
from weir.server.repositories.asking import ask_for_sync
from weir.server.runtime import Runtime

logger = logging.getLogger(__name__)

PATH = "/git/{namespace}/{name}"

_LARGEST = 2**20
_READ_SECONDS = 10.0
# Bodies of strangers that are held at once.
_AT_ONCE = 32
# A push sends one notice; a person who pushes all the time, some in a minute.
_PER_MINUTE, _BURST = 60, 30
# How long a no takes at least: longer than the API server needs to hand out a Secret.
_NO_SECONDS = 0.25


class Notices:
    """The endpoint that Git hosts call."""

    def __init__(self, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._clock = clock
        self._rates = Rates()
        self._logged = Rates()
        self._reading = asyncio.Semaphore(_AT_ONCE)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route(PATH, answers.guarded(self._pushed), methods=["POST"])]

    async def _pushed(self, request: Request) -> Response:
        if not self._runtime.watches.synced.is_set():
            raise refusals.unavailable("the server is starting")
        began, key = self._clock(), _key(request)
        wait = self._rates.wait(key, began, per_minute=_PER_MINUTE, burst=_BURST)
        if wait:
            return _too_many(wait)
        body = await self._body(request)
        repository, why = await self._meant(request, key, body)
        if repository is None:
            self._log(key, why, began)
            await asyncio.sleep(began + _NO_SECONDS - self._clock())
            raise refusals.not_found("there is nothing here, or not for you")
        notice = notices.read(request.headers, body)
        if not notices.concerns(notice, repository.spec.ref):
            return answers.as_json({"sync": False, "message": _why_not(notice)})
        try:
            await ask_for_sync(self._runtime, repository)
        except NotFound:
            raise refusals.not_found("there is nothing here, or not for you") from None
        return answers.as_json({"sync": True}, status=202)

    def _log(self, key: Key, why: str, now: float) -> None:
        # Strangers do not get to fill the log.
        if self._logged.wait("log", now, per_minute=_PER_MINUTE, burst=_BURST) == 0:
            told = {"namespace": key[0], "repository": key[1], "reason": why}
            logger.warning("Push notice refused", extra=told)

    async def _body(self, request: Request) -> bytes:
        if self._reading.locked():
            raise refusals.unavailable("too many push notices at once")
        try:
            async with self._reading, asyncio.timeout(_READ_SECONDS):
                return await messages.body(request, _LARGEST)
        except TimeoutError:
            raise refusals.Refused(
                408, "Timeout", f"a body is sent within {_READ_SECONDS:.0f} seconds"
            ) from None
        except ClientDisconnect:
            raise refusals.invalid("the body ended early") from None

    async def _meant(
        self, request: Request, key: Key, body: bytes
    ) -> tuple[FlowRepository | None, str]:
        """Return the FlowRepository that a genuine notice is for, or why there is none."""
        repository = self._runtime.catalogs.repositories.get(key)
        secret, why = await self._secret(repository)
        # As much work whether or not there is something to compare with.
        genuine = notices.is_genuine(request.headers, body, secret or secrets.token_bytes(32))
        if secret is None or repository is None:
            return None, why
        return (repository, "") if genuine else (None, "no or a wrong signature")

    async def _secret(self, repository: FlowRepository | None) -> tuple[bytes | None, str]:
        """Return what the host signs with, or why there is nothing."""
        if repository is None:
            return None, "no such FlowRepository"
        if repository.spec.suspend:
            return None, "suspended"
        if repository.spec.webhook is None:
            return None, "no spec.webhook"
        reference = repository.spec.webhook.secret_key_ref
        where = f"Secret {reference.name}, key {reference.key}"
        try:
            data = await data_of(
                self._runtime.cluster, repository.metadata.namespace, reference.name
            )
        except ClusterError as error:
            logger.warning("Secret not read", extra={"error": error.message[:500]})
            raise refusals.unavailable("not now") from None
        # Made by `echo` or an editor, it ends in a line break that nobody meant.
        value = (data or {}).get(reference.key, b"").rstrip(b"\r\n")
        return (value, "") if value else (None, f"{where} is not there or empty")


def _key(request: Request) -> Key:
    """Return which FlowRepository is meant; what is too long for one shares a single key."""
    namespace, name = request.path_params["namespace"], request.path_params["name"]
    return (namespace, name) if max(len(namespace), len(name)) <= MAX_NAME else ("", "")


def _why_not(notice: notices.Notice) -> str:
    if not notice.is_push:
        return "this is no push"
    return "this FlowRepository takes another branch or tag"


def _too_many(wait: float) -> Response:
    answer = answers.refused(refusals.Refused(429, "TooMany", "too many push notices"))
    answer.headers["retry-after"] = str(int(wait) + 1)
    return answer
