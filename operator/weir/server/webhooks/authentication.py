"""Whether who calls a Webhook knows its key and its secret."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from weir.api.resource import JsonObject
from weir.api.webhook import Webhook
from weir.core import webhook_inputs, webhooks
from weir.core.webhook_inputs import BadContent
from weir.core.webhooks import HookRequest, NotAuthentic, Signed
from weir.server.runtime import Runtime
from weir.server.webhooks.reading import Taken
from weir.server.webhooks.secrets import HookSecrets

# Larger bodies are parsed beside the event loop, two at a time.
_SMALL = 64 * 1024
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Authentic:
    """A request of somebody who may call."""

    request: HookRequest
    content: JsonObject | BadContent  # the body, as the script gets it
    key: bytes | None
    signed: Signed | None


class Authentication:
    """Checks requests."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.secrets = HookSecrets(runtime.cluster)
        self._parsing = asyncio.Semaphore(_AT_ONCE)

    async def check(self, webhook: Webhook, taken: Taken) -> Authentic:
        """Return what is authentic. Raises NotAuthentic, ClusterError.

        A request whose body is not there cannot be signed.
        """
        spec, request = webhook.spec, taken.request
        key = await self._key(webhook)
        content: JsonObject | BadContent | None = None
        if key is not None and not webhooks.is_key(webhooks.outer_keys(request, spec), key):
            content = await self._content(request)
            inner = [] if isinstance(content, BadContent) else webhooks.inner_keys(content)
            if not webhooks.is_key(inner, key):
                raise NotAuthentic("no or a wrong key")
        signed = None
        if spec.hmac is not None:
            if taken.problem:
                raise NotAuthentic(f"the body that is signed is {taken.problem}")
            reference = spec.hmac.secret_ref
            secret = await self.secrets.find(webhook.metadata.namespace, reference)
            signed = webhooks.verified(
                request, spec.hmac, secret or secrets.token_bytes(32), self._runtime.timestamp()
            )
        if content is None:
            content = await self._content(request)
        return Authentic(request, content, key, signed)

    async def _key(self, webhook: Webhook) -> bytes | None:
        reference = webhook.spec.key_secret_ref
        if reference is None:
            return None
        key = await self.secrets.find(webhook.metadata.namespace, reference)
        if key is None:
            raise NotAuthentic(
                f"Secret {reference.name}, key {reference.key} is not there or empty"
            )
        return key

    async def _content(self, request: HookRequest) -> JsonObject | BadContent:
        if len(request.body) <= _SMALL:
            return _content(request)
        async with self._parsing:
            return await asyncio.to_thread(_content, request)


def _content(request: HookRequest) -> JsonObject | BadContent:
    try:
        return webhook_inputs.content_of(request)
    except BadContent as error:
        return error
