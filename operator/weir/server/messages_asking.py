"""The operations `message` and `response`: a question under a derived name, and its answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from weir.api import names
from weir.api.execution import Execution
from weir.api.execution_status import Waited
from weir.api.message import MAX_SUBJECT, MAX_TEXT, Message, MessageSpec
from weir.api.resource import JsonObject, Key
from weir.cluster.errors import AlreadyExists, ClusterError, Invalid, NotFound, Unavailable
from weir.cluster.kinds import MESSAGES
from weir.core import journal
from weir.core.messages import answer
from weir.server import raising
from weir.server.disturbance import is_disturbed
from weir.server.messages_live import topic
from weir.server.presence import Presence
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.steps import Plan, Result
from weir.storage.operations import Record
from weir_protocol import forms
from weir_protocol.arguments import MessageArguments, ResponseArguments


class Question(NamedTuple):
    """A Message that is to be made."""

    name: str
    spec: JsonObject


class Asks:
    """Makes Messages."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def plan(self, run: Run, sequence: int, arguments: MessageArguments) -> Plan[Question]:
        """Decide what to ask. Raises Raises."""
        subject = " ".join(arguments.subject.split())
        _check_length("subject", subject, 1, MAX_SUBJECT)
        _check_length("message", arguments.message or "", 0, MAX_TEXT)
        _check_length("request", arguments.request or "", 0, MAX_TEXT)
        try:
            forms.form(arguments.body, arguments.request)
        except forms.FormError as error:
            raise raising.Raises("SchemaError", str(error)) from None
        asking = {
            "name": run.execution.metadata.name,
            "uid": run.uid,
            "try": run.attempt.try_number,
            "sequence": sequence,
        }
        spec: JsonObject = {"subject": subject, "execution": asking}
        if arguments.message is not None:
            spec["message"] = arguments.message
        if arguments.request is not None:
            spec["request"] = arguments.request
        if arguments.body is not None:
            spec["body"] = forms.ordered(arguments.body)
        name = names.message_name(subject, run.uid, run.attempt.try_number, sequence)
        return Plan(Question(name, spec), _digest(spec))

    async def act(
        self, run: Run, record: Record, plan: Plan[Question], arguments: Any, until: datetime
    ) -> Result:
        """Create the Message, or adopt the one that an earlier, interrupted request made."""
        namespace, (name, spec) = run.execution.metadata.namespace, plan.made
        try:
            item = await self._runtime.cluster.create(
                MESSAGES, namespace, _body(run.execution, name, spec)
            )
        except AlreadyExists:
            item = await self._adopted(run, record, plan, namespace, name)
        except Invalid as error:
            raise raising.Raises("InvalidInputError", error.message[:1000]) from None
        except Unavailable:
            raise
        except ClusterError as error:
            if error.status not in (400, 403, 404, 413):
                raise
            raise raising.internal(f"message {name} was refused: {error.message[:1000]}") from None
        self._runtime.messages.feed(Message.model_validate(item))
        return Result(value={"name": name})

    async def _adopted(
        self, run: Run, record: Record, plan: Plan[Question], namespace: str, name: str
    ) -> JsonObject:
        try:
            item = await self._runtime.cluster.get(MESSAGES, namespace, name)
        except NotFound:
            raise Unavailable(f"message {name} was there and is gone") from None
        found = Message.model_validate(item)
        owner, asking = found.metadata.controller, found.spec.execution
        if (
            owner is None
            or owner.uid != run.uid
            or (asking.uid, asking.try_number, asking.sequence)
            != (run.uid, record.try_number, record.sequence)
            # As it was asked first, or by the attempt that then made it.
            or _digest(found.spec.dump()) not in (record.digest, plan.digest)
        ):
            raise raising.internal(
                f"NameTaken: there is a message {namespace}/{name} that somebody else made; "
                "delete it"
            )
        return item


class Responses:
    """Waits for answers."""

    def __init__(self, runtime: Runtime, presence: Presence) -> None:
        self._runtime = runtime
        self._presence = presence

    def plan(self, run: Run, sequence: int, arguments: ResponseArguments) -> Plan[None]:
        """Nothing to decide."""
        return Plan(None, digest=journal.digest(arguments), timeout=arguments.timeout)

    def topics(self, run: Run, arguments: ResponseArguments) -> list[str]:
        """Return what fires when the Message changes."""
        return [topic(_key(run, arguments))]

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: ResponseArguments, until: datetime
    ) -> Result | None:
        """Wait until it is answered, or until it is time to ask again. Raises Raises."""
        key, deadline = _key(run, arguments), record.deadline
        topics = [run.uid, topic(key)]
        with self._runtime.executions.topics.subscribed(topics) as subscription:
            while True:
                message = await self._found(run, key)
                if message.status.accepted:
                    self._presence.works(run.uid)
                    return Result(value=answer(await self._read(key)))
                now = self._runtime.now()
                if deadline is not None and now.timestamp() >= deadline:
                    raise raising.Raises(
                        "MessageResponseTimeoutError",
                        f"nobody answered the message {message.spec.subject[:200]!r} within "
                        f"{arguments.timeout or 0:g} s",
                    )
                self._presence.waits(run.uid, lambda: [Waited(kind="Message", name=key[1])])
                if is_disturbed(self._runtime, run) or now >= until:
                    return None
                left = (until - now).total_seconds()
                if deadline is not None:
                    left = min(left, deadline - now.timestamp())
                await subscription.wait(max(left, 0.001))

    async def _found(self, run: Run, key: Key) -> Message:
        message = self._runtime.messages.get(key)
        if message is None:  # another server may have made it a moment ago
            message = self._runtime.messages.feed(await self._read(key))
        if message.spec.execution.uid != run.uid:
            raise raising.denied(f"message {key[1][:253]} is another execution's")
        return message

    async def _read(self, key: Key) -> Message:
        """Return a Message as it is. Raises Raises when it is gone."""
        try:
            return Message.model_validate(await self._runtime.cluster.get(MESSAGES, *key))
        except NotFound:
            raise raising.not_found(f"message {key[1][:253]} was deleted") from None


def _key(run: Run, arguments: ResponseArguments) -> Key:
    return run.execution.metadata.namespace, arguments.name


def _check_length(what: str, text: str, least: int, most: int) -> None:
    if not least <= len(text) <= most:
        raise raising.Raises("InvalidInputError", f"{what} has {least} to {most} characters")


def _digest(spec: JsonObject) -> str:
    """Return the sha256 of what is asked, as the API server gives it back."""
    whole = MessageSpec.model_validate({**spec, "response": None}).dump()
    return journal.digest_of_json(journal.with_plain_numbers(whole))


def _body(asking: Execution, name: str, spec: JsonObject) -> JsonObject:
    return {
        "apiVersion": names.API_VERSION,
        "kind": Message.KIND,
        "metadata": {
            "name": name,
            "labels": {
                names.EXECUTION_LABEL: asking.metadata.name,
                names.ROOT_LABEL: asking.root,
            },
            "ownerReferences": [
                {
                    "apiVersion": names.API_VERSION,
                    "kind": Execution.KIND,
                    "name": asking.metadata.name,
                    "uid": asking.uid,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": spec,
    }
