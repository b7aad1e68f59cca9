"""A stand-in for the server: knows a few flows, and what becomes of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.unit.flow_api.fake_records import RecordsDouble
from weir_protocol import Answer, Cause, ErrorInfo, ExecutionView
from weir_protocol.arguments import (
    JsonObject,
)

Outputs = Callable[[JsonObject], JsonObject]

LEAF = Cause(execution="leaf-x1", title="leaf", message="ValueError: boom (line 3)")


def view(uid: str = "own", **fields: Any) -> ExecutionView:
    """Return an execution; without more it is a running flow."""
    known: dict[str, Any] = {
        "uid": uid,
        "name": f"{uid}-x1",
        "title": uid,
        "type": "FLOW",
        "status": "RUNNING",
        "phase": "Running",
        "flow_name": "hello",
    }
    return ExecutionView(**(known | fields))


class FakeBackend:
    """Remembers what it was asked for. A flow called `may fail` fails, `missing` is not there.

    With `lean`, answers to waits leave inputs and outputs out, as the server's may.
    """

    def __init__(self, *, lean: bool = False) -> None:
        self.operations: list[tuple[str, Any]] = []
        self.logged: list[tuple[str, JsonObject | None]] = []
        self.children: dict[str, ExecutionView] = {}
        self.lean = lean
        self.answer: Answer | None = None  # given to everything, if set
        self.recorded: Answer | None = None  # of a `once` before
        self.hidden: list[Any] = []
        self.asked: Any = None  # the last message
        self.unanswered = False  # whether nobody answers messages
        self.fails_until = 0  # how many children fail before one succeeds
        self.records = RecordsDouble()

    def perform(self, kind: str, arguments: Any) -> Answer:
        self.operations.append((kind, arguments))
        if self.answer is not None:
            return self.answer
        if kind in RecordsDouble.KINDS:
            return self.records.perform(kind, arguments)
        answer: Answer = getattr(self, f"_{kind}")(arguments)
        return answer

    def log(self, text: str, data: JsonObject | None) -> None:
        self.logged.append((text, data))

    def hide(self, *secrets: Any) -> None:
        self.hidden.extend(secrets)

    def of_kind(self, kind: str) -> list[Any]:
        """Return the arguments of all operations of a kind."""
        return [arguments for known, arguments in self.operations if known == kind]

    def _child(self, arguments: Any) -> Answer:
        if arguments.flow == "missing":
            return _failed("ResourceNotFoundError", "there is no flow 'missing'")
        uid = f"child-{len(self.children) + 1}"
        kind = "FLOW" if arguments.flow else "SCRIPT" if arguments.script else "CONNECTION"
        child = view(
            uid,
            title=arguments.title or "",
            type=kind,
            flow_name=arguments.flow,
            connector_type=arguments.connector_type,
            input_value=arguments.inputs,
            status="RUNNING" if arguments.run else "NEW",
            phase="Running" if arguments.run else "Pending",
        )
        self.children[uid] = child
        return Answer(state="done", executions=[dataclasses.replace(child, input_value=None)])

    def _run(self, arguments: Any) -> Answer:
        return Answer(state="done", executions=[self.children[arguments.uid]])

    def _wait(self, arguments: Any) -> Answer:
        ended = [self._ended(uid) for uid in arguments.uids]
        if arguments.return_when == "FIRST_ENDED":
            ended = ended[:1]
        for child in ended:
            if child.status == "ENDED_ERROR" and arguments.return_when == "ALL_SUCCEEDED":
                message = f"execution {LEAF.execution} ({LEAF.title}) failed: {LEAF.message}"
                return _failed("DependencyFailedError", message, child)
        if self.lean:
            ended = [
                dataclasses.replace(child, input_value=None, output_value=None) for child in ended
            ]
        return Answer(state="done", executions=ended)

    def _read(self, arguments: Any) -> Answer:
        return Answer(state="done", executions=[self._ended(arguments.uid)])

    def _save(self, _arguments: Any) -> Answer:
        return Answer(state="done")

    def _cancel(self, _arguments: Any) -> Answer:
        return Answer(state="done")

    def _pause(self, arguments: Any) -> Answer:
        return Answer(state="done", executions=[self._seen(arguments.uid)])

    def _delete(self, arguments: Any) -> Answer:
        del self.children[arguments.uid]
        return Answer(state="done")

    def _archive(self, arguments: Any) -> Answer:
        return Answer(state="done", executions=[self._seen(arguments.uid)])

    def _children(self, _arguments: Any) -> Answer:
        return Answer(state="done", executions=list(self.children.values()))

    def _cached(self, arguments: Any) -> Answer:
        if arguments.inputs.get("person") != "Grace":  # the only one who was greeted before
            return Answer(state="done")
        found = view("before", flow_name=arguments.flow, status="ENDED_SUCCESS", phase="Succeeded")
        return Answer(state="done", executions=[found], value={"greeting": "Hello again, Grace"})

    def _sleep(self, _arguments: Any) -> Answer:
        return Answer(state="done")

    def _once(self, arguments: Any) -> Answer:
        if arguments.step == "ask":
            return self.recorded or Answer(state="open")
        if arguments.step == "failed":
            return _failed(arguments.error_type, arguments.error_message)
        return Answer(state="done", value=arguments.value)

    def _message(self, arguments: Any) -> Answer:
        self.asked = arguments
        return Answer(state="done", value={"name": "message-x1"})

    def _response(self, arguments: Any) -> Answer:
        if self.unanswered:
            return _failed("MessageResponseTimeoutError", "nobody answered")
        if self.asked.request is not None:
            return Answer(state="done", value={"string": "Ada"})
        if self.asked.body is not None:
            return Answer(state="done", value={"name": "Ada", "approve": True, "reject": False})
        return Answer(state="done", value={"ok": True})

    def _seen(self, uid: str) -> ExecutionView:
        return self.children.get(uid) or view(uid)

    def _ended(self, uid: str) -> ExecutionView:
        child = self.children.get(uid)
        if child is None:
            return view(uid, message="stored", input_value={"person": "Ada"})
        if child.flow_name == "may fail" or len(self.children) <= self.fails_until:
            return dataclasses.replace(
                child, status="ENDED_ERROR", phase="Failed", message="it did fail", cause=LEAF
            )
        outputs: JsonObject = {}
        if child.flow_name == "greet":
            outputs = {"greeting": f"Hello, {(child.input_value or {}).get('person')}"}
        if child.type == "CONNECTION":
            outputs = {"author_name": "Ada"}
        if child.connector_type == "VAULT":
            outputs = {"result": _of_vault(child.input_value or {})}
        return dataclasses.replace(
            child, status="ENDED_SUCCESS", phase="Succeeded", output_value=outputs
        )


def _of_vault(inputs: JsonObject) -> JsonObject:
    if inputs["mode"] == "write":
        return {"data": {"version": 2}}
    secret = {"user": "ada", "password": "s3cret"}
    key = inputs.get("key")
    return {"data": {"data": secret if key is None else {key: secret[key]}}}


def _failed(kind: str, message: str, execution: ExecutionView | None = None) -> Answer:
    return Answer(state="failed", error=ErrorInfo(type=kind, message=message, execution=execution))
