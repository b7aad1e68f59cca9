"""Reading a request: with limits in bytes, time and number, the same for all names."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from starlette.requests import ClientDisconnect, Request

from weir.api.resource import Key
from weir.core.webhooks import HookRequest
from weir.server import refusals

# What any Webhook may allow (spec.maxBytes). More than its own is read and thrown away.
_LARGEST = 10_485_760
# Requests that are read at once, and the bytes that they may hold together.
_AT_ONCE = 512
_OF_ONE = 128
_MEMORY = 64 * 2**20

Problem = Literal["too large", "too slow", "broken off"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A request, and why its body is not there."""

    request: HookRequest
    problem: Problem | None = None


class Reading:
    """Reads requests of whoever comes."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._of: Counter[Key] = Counter()
        self._held = 0

    @asynccontextmanager
    async def taken(self, request: Request, key: Key, limit: int) -> AsyncIterator[Taken]:
        """Read a request, of whose body `limit` bytes are kept. Raises Refused when too many are
        being read (503).
        """
        if self._of.total() >= _AT_ONCE or self._of[key] >= _OF_ONE:
            raise refusals.unavailable("too many requests at once")
        self._of[key] += 1
        body = bytearray()
        try:
            problem = await self._read(request, body, limit)
        finally:
            self._held -= len(body)
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]
        content = b"" if problem else bytes(body)
        del body
        yield Taken(_read(request, content), problem)

    async def _read(self, request: Request, body: bytearray, limit: int) -> Problem | None:
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > _LARGEST:
            return "too large"
        seen = 0
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in request.stream():
                    seen += len(chunk)
                    if seen > _LARGEST:
                        return "too large"
                    if seen > limit:
                        continue
                    if self._held + len(chunk) > _MEMORY:
                        raise refusals.unavailable("too much is being read at once")
                    body += chunk
                    self._held += len(chunk)
        except TimeoutError:
            return "too slow"
        except ClientDisconnect:
            return "broken off"
        return "too large" if seen > limit else None


def _read(request: Request, body: bytes) -> HookRequest:
    below = request.path_params.get("below", "")
    return HookRequest(
        method=request.method,
        path=f"/{below}",
        query=tuple(request.query_params.multi_items()),
        headers=tuple(request.headers.items()),
        body=body,
    )
