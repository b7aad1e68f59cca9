"""A server without a network, and runs against it in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from textwrap import dedent
from typing import Any, NoReturn

import pytest

from flow_api import ExecutionCancel
from tests.unit.flow_api.fake_backend import FakeBackend, view
from weir_protocol import (
    Assignment,
    End,
    LogLine,
    Operation,
    decode,
    encode,
)
from weir_protocol.arguments import (
    ARGUMENTS,
)
from weir_runner.departure import Departure
from weir_runner.interrupts import Interrupts
from weir_runner.session import Run
from weir_runner.transport import Refused, body_of

_PROCESS = os.getpid()


class Left(BaseException):
    """The process would have ended here."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class FakeDeparture(Departure):
    """Leaves by raising Left, and remembers what was said."""

    def __init__(self) -> None:
        super().__init__(self._left)
        self.codes: list[int] = []
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def _left(self, code: int) -> NoReturn:
        if os.getpid() != _PROCESS:
            os._exit(code)  # a process that a script forked in a test
        self.codes.append(code)
        raise Left(code)


class FakeServer:
    """Keeps what a runner posts; operations are answered by a FakeBackend and a record.

    Parameters:
        refuse: Raises instead of an answer where it wants to.
    """

    def __init__(self, refuse: Callable[[str, object], None] | None = None) -> None:
        self.patience = 0.0
        self.backend = FakeBackend()
        self.operations: dict[int, Operation] = {}
        self.logs: list[LogLine] = []
        self.ends: list[End] = []
        self.posted: list[str] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._refuse = refuse

    def post(self, path: str, message: Any) -> dict[str, Any] | None:
        self.posted.append(path)
        if self._refuse is not None:
            self._refuse(path, message)
        if path == "control":
            return {}
        # As it comes over the wire.
        message = decode(type(message), json.loads(body_of(message)))
        self.logs += message.lines if path == "logs" else message.logs
        if path == "operations":
            return self._answer(message)
        if path == "end":
            self.ends.append(message)
        return {}

    def another(self, patience: float) -> FakeServer:
        assert patience == self.patience
        return self

    @property
    def end(self) -> End:
        """The one end that was reported."""
        (end,) = self.ends
        return end

    def texts(self, *streams: str) -> list[str]:
        """Return the log's texts, of some streams only if named."""
        return [line.text for line in self.logs if not streams or line.stream in streams]

    def keys(self) -> list[tuple[int, int]]:
        """Return the keys of the log's lines."""
        return [(line.after, line.index) for line in self.logs]

    def _answer(self, operation: Operation) -> dict[str, Any]:
        self.operations[operation.sequence] = operation
        if operation.sequence not in self._answers:
            arguments = decode(ARGUMENTS[operation.kind], operation.arguments)
            answer = self.backend.perform(operation.kind, arguments)
            self._answers[operation.sequence] = encode(answer)
        return self._answers[operation.sequence]


def assignment(script: str | None = None, **fields: Any) -> Assignment:
    """Return work for one attempt."""
    known: dict[str, Any] = {
        "namespace": "demo",
        "execution": view("own"),
        "try_number": 1,
        "attempt": 1,
        "script": None if script is None else dedent(script),
        "seed": "own/1",
    }
    return Assignment(**(known | fields))


def new_interrupts() -> Interrupts:
    """Return interrupts that belong to no signal yet."""
    return Interrupts(lambda: ExecutionCancel("cancelled on request"), FakeDeparture().leave)


def run(
    script: str | None = None,
    *,
    server: FakeServer | None = None,
    departure: FakeDeparture | None = None,
    **fields: Any,
) -> FakeServer:
    """Run a script to its end; the runner has to leave with 0."""
    server = server or FakeServer()
    work = assignment(script, **fields)
    with pytest.raises(Left) as left:
        Run(work, server, departure or FakeDeparture(), new_interrupts()).do()
    assert left.value.code == 0
    return server


def end_of(body: str, **fields: Any) -> End:
    """Return the end of a handler with this body, lines from 2 on."""
    lines = "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())
    return run(f"def handler(system, this, inputs):\n{lines}\n", **fields).end


def refusing(path: str, *refusals: Refused) -> Callable[[str, object], None]:
    """Return what refuses the first requests to a path."""
    waiting = list(refusals)

    def refuse(asked: str, _message: object) -> None:
        if asked == path and waiting:
            raise waiting.pop(0)

    return refuse
