"""The run of a request: made once, however often the same delivery comes."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import NamedTuple

from weir.api import names
from weir.api.execution import MAX_INLINE_INPUTS, Execution
from weir.api.flow import Flow
from weir.api.resource import JsonObject
from weir.api.webhook import Webhook
from weir.cluster.errors import AlreadyExists, ClusterError, NotFound, Unavailable
from weir.cluster.kinds import EXECUTIONS
from weir.core import outcomes, webhook_inputs, webhooks
from weir.core.targets import ready_condition
from weir.core.webhook_inputs import BadContent
from weir.server import refusals
from weir.server.runtime import Runtime
from weir.server.values import owner_of
from weir.server.webhooks.authentication import Authentic
from weir.storage import deliveries
from weir.storage.values import Value

logger = logging.getLogger(__name__)

_MAX_INPUTS = 16 * 2**20
# Before the run is asked for again.
_DELAYS = (0.2, 1.0)


class Replayed(Exception):
    """The signature was taken before."""


class Delivery(NamedTuple):
    """What a request is to start."""

    webhook: Webhook
    flow: Flow
    name: str  # of the Execution
    is_named: bool  # by the sender: the same request again is the same run
    request: str  # its digest
    inputs: JsonObject


class Starting:
    """Makes runs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def delivery(self, webhook: Webhook, authentic: Authentic) -> Delivery:
        """Return what is to be started. Raises Refused: 400 for a body that is not what it says,
        503 when the Flow cannot be run now.
        """
        if isinstance(authentic.content, BadContent):
            raise refusals.invalid(str(authentic.content))
        inputs = webhook_inputs.input_value(
            authentic.request, webhook.spec, authentic.content, authentic.key
        )
        flow = self._flow(webhook)
        word = webhooks.delivery_of(authentic.request)
        name = names.delivered_name(
            webhook.metadata.name, webhook.metadata.uid, word or secrets.token_hex()
        )
        digest = webhooks.digest_of(authentic.request)
        return Delivery(webhook, flow, name, word is not None, digest, inputs)

    async def started(self, delivery: Delivery, authentic: Authentic) -> Execution:
        """Return the run, made now or before.

        Raises Replayed; Refused: 422 for another request of the same name, 413, 503.
        """
        webhook, signed = delivery.webhook, authentic.signed
        if signed is None or not webhooks.remembers(webhook.spec.hmac):
            return await self._made(delivery)
        uid, now = webhook.metadata.uid, self._runtime.timestamp()
        taken_for = await self._runtime.database.write(
            lambda sql: deliveries.take(
                sql, uid, signed.digest, delivery.name, now=now, until=signed.until
            )
        )
        if taken_for != delivery.name:  # the same delivery again is the same run
            raise Replayed
        try:
            return await self._made(delivery)
        except Exception:
            # The sender may well try again. (Who is cancelled does not know what was made.)
            await self._runtime.database.write(
                lambda sql: deliveries.give_back(sql, uid, signed.digest, delivery.name)
            )
            raise

    def _flow(self, webhook: Webhook) -> Flow:
        flow = self._runtime.catalogs.flows(webhook.metadata.namespace).find(webhook.spec.flow)
        ready = ready_condition(flow) if flow is not None else None
        if flow is None:
            problem = "its Flow is not there"
        elif flow.spec.suspend:
            problem = "its Flow is suspended"
        elif ready is not None and ready.status == "False":
            problem = "its Flow is not ready"
        else:
            return flow
        raise refusals.unavailable(f"the webhook cannot run now: {problem}")

    async def _made(self, delivery: Delivery) -> Execution:
        namespace = delivery.webhook.metadata.namespace
        spec, value = _spec(delivery)
        owner = owner_of((namespace, delivery.name))
        now = self._runtime.timestamp()
        if value is not None:
            await self._runtime.database.write(
                lambda sql: deliveries.put_inputs(sql, owner, value, now)
            )
        item = await self._created(delivery, spec)
        execution = self._runtime.executions.feed(Execution.model_validate(item))
        if value is not None:
            await self._runtime.database.write(
                lambda sql: deliveries.hand_over(sql, owner, execution.uid, value, now)
            )
        return execution

    async def _created(self, delivery: Delivery, spec: JsonObject) -> JsonObject:
        namespace, body = delivery.webhook.metadata.namespace, _body(delivery, spec)
        for delay in (*_DELAYS, None):
            try:
                return await self._runtime.cluster.create(EXECUTIONS, namespace, body)
            except AlreadyExists:
                return await self._there(delivery)
            except ClusterError as error:
                # It may have been made all the same: then it is there at the next try.
                if delay is None or not isinstance(error, Unavailable):
                    raise _not_made(delivery, error) from None
            await asyncio.sleep(delay)
        raise AssertionError

    async def _there(self, delivery: Delivery) -> JsonObject:
        try:
            item = await self._runtime.cluster.get(
                EXECUTIONS, delivery.webhook.metadata.namespace, delivery.name
            )
        except NotFound:
            raise refusals.unavailable("the run of this delivery was there and is gone") from None
        except ClusterError as error:
            raise _not_made(delivery, error) from None
        metadata = item["metadata"]
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        if (
            labels.get(names.WEBHOOK_LABEL) != delivery.webhook.metadata.name
            or annotations.get(names.REQUEST) != delivery.request
        ):
            raise refusals.Refused(
                422, "DeliveryReused", "another request came under the same delivery id"
            )
        return item


def _spec(delivery: Delivery) -> tuple[JsonObject, Value | None]:
    """Return the run's spec, and the inputs that stand elsewhere. Raises Refused (413)."""
    given = delivery.webhook.spec
    spec: JsonObject = {"flow": delivery.flow.metadata.name, "mode": str(given.mode)}
    if given.protect_inputs:
        spec["protectInputs"] = given.protect_inputs
    if given.protect_outputs:
        spec["protectOutputs"] = given.protect_outputs
    where = outcomes.placed(delivery.inputs, given.protect_inputs, MAX_INLINE_INPUTS)
    if where.inline is not None:
        spec["inputs"] = where.inline
    if where.stored is None:
        return spec, None
    if len(where.stored) > _MAX_INPUTS:
        raise refusals.too_large(f"the request has more than {_MAX_INPUTS} bytes as JSON")
    value = Value.of(where.stored)
    spec["inputsRef"] = {"digest": value.digest, "bytes": len(value.data)}
    return spec, value


def _body(delivery: Delivery, spec: JsonObject) -> JsonObject:
    return {
        "apiVersion": names.API_VERSION,
        "kind": Execution.KIND,
        "metadata": {
            "name": delivery.name,
            "labels": {
                names.WEBHOOK_LABEL: delivery.webhook.metadata.name,
                names.MODE_LABEL: spec["mode"],
            },
            "annotations": {names.REQUEST: delivery.request},
        },
        "spec": spec,
    }


def _not_made(delivery: Delivery, error: ClusterError) -> refusals.Refused:
    namespace, name = delivery.webhook.key
    logger.warning(
        "Run not started",
        extra={"namespace": namespace, "webhook": name, "error": error.message[:500]},
    )
    return refusals.unavailable("the run could not be started: try again")
