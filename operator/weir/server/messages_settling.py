"""Accepts answers to Messages, refuses those that do not fit, and closes what nobody waits for."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from weir.api.execution import Execution
from weir.api.message import Message
from weir.api.resource import JsonObject, Key
from weir.cluster.errors import ClusterError, Conflict, NotFound, Unavailable
from weir.cluster.kinds import MESSAGES
from weir.core import messages
from weir.server import refusals
from weir.server.runtime import Runtime
from weir.server.watches import parsed
from weir_protocol.forms import FormError, ResponseError

logger = logging.getLogger(__name__)

_RETRY = timedelta(seconds=5)
# Each loss of the race is a write by somebody else; there are few that write to one Message.
_MOST_ROUNDS = 8
_AT_ONCE = 16


class Settling:
    """Writes the status of Messages."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Look at each Message when there is news of it, until cancelled."""
        while True:
            news = await self._runtime.messages.news()
            await asyncio.gather(*(self._settled(key) for key in news))

    async def responded(
        self, namespace: str, name: str, response: JsonObject, *, by: str | None
    ) -> JsonObject:
        """Answer a Message in somebody's name, and return it as it then is.

        Raises Refused: there is none, it takes no answer (any more), the answer does not fit; and
        ClusterError.
        """
        for _ in range(_MOST_ROUNDS):
            try:
                return await self._responded(await self._read(namespace, name), response, by)
            except Conflict:
                continue
            except NotFound:
                raise _unknown(namespace, name) from None
        raise Unavailable(f"message {namespace}/{name} is written by others all the time")

    async def _responded(
        self, message: Message, response: JsonObject, by: str | None
    ) -> JsonObject:
        message = await self._settle(message)  # what was written to the spec came first
        name = message.metadata.name
        if message.status.accepted:
            raise refusals.Refused(409, "Answered", f"message {name} was answered before")
        if message.status.closed:
            raise refusals.Refused(
                409, "Closed", f"message {name} is closed: its run does not wait for it"
            )
        try:
            complete = messages.form_of(message).completed(response)
        except (FormError, ResponseError) as error:
            raise refusals.Refused(422, "ResponseRefused", str(error)) from None
        status = messages.accepted(message, complete, now=self._runtime.now(), by=by)
        return await self._write(message, status)

    async def _settled(self, key: Key) -> None:
        message = self._runtime.messages.get(key)
        if message is None or not messages.is_due(message, self._asking(message)):
            return
        async with self._turns:
            try:
                await self._settle(await self._read(*key))
            except Conflict:
                return  # the watch brings the newer one
            except (NotFound, refusals.Refused):
                self._runtime.messages.drop(key)
            except ClusterError as error:
                logger.warning(
                    "Message not settled",
                    extra={"namespace": key[0], "object": key[1], "error": error.message[:300]},
                )
                asyncio.get_running_loop().call_later(
                    _RETRY.total_seconds(), self._runtime.messages.look_again, key
                )

    def _asking(self, message: Message) -> Execution | None:
        return self._runtime.executions.get(message.spec.execution.uid)

    async def _settle(self, message: Message) -> Message:
        """Write what is to be said of a Message, and return it as it then is."""
        status = messages.settled(message, self._asking(message), now=self._runtime.now())
        if status is None:
            return message
        return Message.model_validate(await self._write(message, status))

    async def _write(self, message: Message, status: JsonObject) -> JsonObject:
        metadata = message.metadata
        body = {
            "metadata": {"resourceVersion": metadata.resource_version, "uid": metadata.uid},
            "status": status,
        }
        item = await self._runtime.cluster.patch(
            MESSAGES, metadata.namespace, metadata.name, body, status=True
        )
        self._runtime.messages.feed(Message.model_validate(item))
        logger.info(
            "Message settled",
            extra={
                "namespace": metadata.namespace,
                "object": metadata.name,
                "execution": message.spec.execution.name,
                "became": "closed" if status.get("closed") else _word(status),
            },
        )
        return item

    async def _read(self, namespace: str, name: str) -> Message:
        try:
            item = await self._runtime.cluster.get(MESSAGES, namespace, name)
        except NotFound:
            raise _unknown(namespace, name) from None
        message = parsed(Message, item)
        if message is None:
            raise _unknown(namespace, name)
        self._runtime.messages.feed(message)
        return message


def _word(status: JsonObject) -> str:
    return "accepted" if status.get("accepted") else "refused"


def _unknown(namespace: str, name: str) -> refusals.Refused:
    return refusals.not_found(f"there is no message {namespace}/{name}")
