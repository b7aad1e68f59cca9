"""Webhooks for tests: made as the server then knows them, and called."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import time
from typing import Any

import httpx

from tests.integration.server.worlds import World, until
from weir.api import names
from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.cluster.kinds import EXECUTIONS, SECRETS, WEBHOOKS
from weir.server.runtime import Runtime

KEY, SECRET = "a-key-of-the-test", b"what both sides know"
KEY_REF = {"name": "hook", "key": "key"}
HMAC = {"secretRef": {"name": "hook", "key": "secret"}}


class Hooks:
    """The Webhooks of a world, and a client."""

    def __init__(self, world: World, runtime: Runtime, url: str, authority: str) -> None:
        context = ssl.create_default_context(cadata=authority)
        self.client = httpx.AsyncClient(base_url=url, verify=context, trust_env=False, timeout=60)
        self.world = world
        self.runtime = runtime
        self.context = context

    async def prepare(self) -> None:
        """Make the Flow, and the Secret of the Webhooks."""
        await self.world.flow("hello")
        data = {
            "key": base64.b64encode(KEY.encode() + b"\n").decode(),
            "secret": base64.b64encode(SECRET).decode(),
        }
        body = {"metadata": {"name": "hook"}, "data": data}
        await self.world.cluster.create(SECRETS, self.world.namespace, body)

    async def make(self, name: str, **spec: Any) -> str:
        """Make a Webhook that the server knows of, and return its path."""
        body: JsonObject = {
            "apiVersion": names.API_VERSION,
            "kind": "Webhook",
            "metadata": {"name": name},
            "spec": {"flow": "hello", "enabled": True} | spec,
        }
        await self.world.cluster.create(WEBHOOKS, self.world.namespace, body)
        catalogs, namespace = self.runtime.catalogs, self.world.namespace

        async def known() -> bool:
            flow = catalogs.flows(namespace).find(body["spec"]["flow"])
            is_there = flow is not None or body["spec"]["flow"] != "hello"
            return is_there and catalogs.webhook(namespace, name) is not None

        await until(known)
        return f"/hooks/{namespace}/{name}"

    async def status(self, name: str) -> JsonObject:
        item = await self.world.cluster.get(WEBHOOKS, self.world.namespace, name)
        found: JsonObject = item.get("status") or {}
        return found

    async def runs(self, webhook: str) -> list[Execution]:
        """Return the Executions that a Webhook started."""
        listing = await self.world.cluster.list(
            EXECUTIONS, self.world.namespace, labels=f"{names.WEBHOOK_LABEL}={webhook}"
        )
        return [Execution.model_validate(item) for item in listing.items]

    async def run(self, webhook: str, count: int = 1) -> Execution:
        """Return the newest run of a Webhook, once it has so many."""

        async def there() -> list[Execution] | None:
            found = await self.runs(webhook)
            return found if len(found) >= count else None

        found = await until(there)
        assert len(found) == count, [one.metadata.name for one in found]
        newest: Execution = max(found, key=lambda one: one.metadata.creation_timestamp or 0)
        return newest

    def call(self, path: str, method: str = "POST", **request: Any) -> asyncio.Task[httpx.Response]:
        """Begin a call."""
        return asyncio.create_task(self.client.request(method, path, **request))

    async def answered(
        self, path: str, webhook: str, outputs: JsonObject | None = None, **request: Any
    ) -> tuple[httpx.Response, Execution]:
        """Call a Webhook whose one run succeeds with these outputs."""
        call = self.call(path, **request)
        run = await self.run(webhook)
        await self.world.end(run.metadata.name, outputs=outputs or {})
        return await call, run


def signature(
    body: bytes, *, timestamp: int | None = None, secret: bytes = SECRET, scheme: str = "{t}.{body}"
) -> str:
    """Return the hex of a signature."""
    before, _, after = scheme.partition("{body}")
    signed = body
    if timestamp is not None:
        signed = before.replace("{t}", str(timestamp)).encode() + body + after.encode()
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()


def signed(data: Any, **more: str) -> dict[str, Any]:
    """Return what is to be posted, signed without a time."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    headers = {"X-Weir-Signature": f"sha256={signature(body)}", "Content-Type": "application/json"}
    return {"content": body, "headers": headers | more}


def signed_at(data: Any, timestamp: int | None = None) -> dict[str, Any]:
    """Return what is to be posted, signed with its time in `X-Time`."""
    moment = int(time.time()) if timestamp is None else timestamp
    body = json.dumps(data).encode()
    headers = {
        "X-Weir-Signature": f"sha256={signature(body, timestamp=moment)}",
        "X-Time": str(moment),
        "Content-Type": "application/json",
    }
    return {"content": body, "headers": headers}
