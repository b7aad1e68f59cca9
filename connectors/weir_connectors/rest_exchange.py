"""Sends the request of a REST connection: redirects, retries, and what comes back."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from weir_connectors import backoff, rest_failures, rest_request, rest_response, rest_url, tls
from weir_connectors.connector import Context
from weir_connectors.rest_failures import Failure
from weir_connectors.rest_inputs import RestInputs
from weir_connectors.rest_response import Received


async def exchange(inputs: RestInputs, context: Context) -> Received:
    """Send the request, again if need be, and return the answer.

    Raises:
        InvalidInputError: an input cannot be used; nothing was sent.
        ConnectionFailed: no answer, or another than expected.
    """
    return await _Exchange(inputs, context).received()


class _Exchange:
    def __init__(self, inputs: RestInputs, context: Context) -> None:
        self.inputs = inputs
        self.context = context
        self.wanted = rest_request.prepared(inputs, context)
        self.tls = tls.client_context("REST", inputs.cacert, inputs.verify_ssl)

    async def received(self) -> Received:
        waits = backoff.of(self.inputs.retry_backoff)
        began = time.monotonic()
        for tries in itertools.count(1):
            try:
                return await self._try()
            except Failure as failure:
                elapsed = time.monotonic() - began
                wait = None
                if waits is not None and self._may_try_again(failure):
                    wait = waits.wait(tries, elapsed, failure.retry_after)
                if wait is None:
                    raise failure.after(tries, elapsed) if tries > 1 else failure from None
                self.context.log(f"{failure.where}: {failure.reason}; next try in {wait:g} s")
                await asyncio.sleep(wait)
        raise AssertionError("count() has no end")

    def _may_try_again(self, failure: Failure) -> bool:
        # What the server has not seen can be sent by any method.
        return failure.transient and (not failure.sent or self.inputs.repeatable())

    async def _try(self) -> Received:
        async with self._client() as client:
            request = self.wanted.request(client)
            for redirects in itertools.count():
                async with self._answer(client, request) as response:
                    if response.next_request is None or not self.inputs.allow_redirects:
                        return await self._read(client, request, response)
                    if redirects >= self.inputs.max_redirects:
                        raise Failure(
                            self.wanted.where(request),
                            f"redirects once more after {redirects} redirects; raise max_redirects,"
                            " or give the address where it ends",
                        )
                    request = self.wanted.redirected(request, response)
        raise AssertionError("count() has no end")

    def _client(self) -> httpx.AsyncClient:
        inputs = self.inputs
        return httpx.AsyncClient(
            verify=self.tls,
            proxy=self._proxy(),
            timeout=httpx.Timeout(inputs.read_timeout, connect=inputs.connect_timeout),
        )

    def _proxy(self) -> httpx.Proxy | None:
        if self.inputs.proxy is None:
            return None
        proxy = rest_url.parse(self.inputs.proxy)
        login = None if proxy.user is None else (proxy.user, proxy.password or "")
        return httpx.Proxy(proxy.address, auth=login, ssl_context=self._proxy_tls(proxy.address))

    def _proxy_tls(self, address: str) -> Any:
        return self.tls if address.startswith("https:") else None

    @asynccontextmanager
    async def _answer(
        self, client: httpx.AsyncClient, request: httpx.Request
    ) -> AsyncIterator[httpx.Response]:
        """Send one request; what httpx raises while its answer is read is a Failure as well."""
        response = None
        try:
            response = await client.send(request, stream=True, follow_redirects=False)
            yield response
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise rest_failures.of_error(
                error,
                self.wanted.where(request),
                connect_timeout=self.inputs.connect_timeout,
                read_timeout=self.inputs.read_timeout,
            ) from error
        finally:
            if response is not None:
                await response.aclose()

    async def _read(
        self, client: httpx.AsyncClient, request: httpx.Request, response: httpx.Response
    ) -> Received:
        where = self.wanted.where(request)
        if response.status_code in self.inputs.expected:
            kept = rest_response.BODY_LIMIT if self.inputs.dst is None else rest_response.FILE_LIMIT
            body = await rest_response.body_of(response, where, kept)
            return Received(response, body, client.cookies, where)
        raise rest_failures.of_status(
            response.status_code,
            self.inputs.expected,
            await rest_response.start_of(response),
            rest_response.retry_after(response, lambda: datetime.now(UTC)),
            where,
        )
