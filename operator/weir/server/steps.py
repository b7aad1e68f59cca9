"""What all operations have in common: they are planned, entered as intents, done, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from weir.api.execution import Execution
from weir.server.runs import Run
from weir.storage.operations import Record
from weir.storage.values import Value
from weir_protocol import Answer, ErrorInfo, ExecutionView
from weir_protocol.arguments import OperationKind

# Operations that may take long. A run that waits in one may give its Pod back meanwhile: what it
# asked for is kept with the intent, and the server goes on waiting without a runner.
WAITING: frozenset[OperationKind] = frozenset({"wait", "sleep", "response", "acquire", "pause"})

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Plan(Generic[Made]):
    """What an operation is going to do, decided without doing anything."""

    made: Made
    digest: str  # of all it asks for
    timeout: float | None = None  # seconds, from the operation's first arrival
    deadline: float | None = None  # Unix time, instead of a timeout
    values: Sequence[Value] = ()  # to be stored with the intent, as the run's own
    creates: str | None = None  # the name of the Execution that it creates


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an operation."""

    executions: list[ExecutionView] = field(default_factory=list)
    error: ErrorInfo | None = None
    effect: Execution | None = None  # an Execution that it created
    value: Any = None  # JSON, for operations that answer something else than executions
    is_open: bool = False  # nothing to be recorded yet

    def answer(self) -> Answer:
        """Return the answer to the runner."""
        if self.is_open:
            return Answer(state="open")
        if self.error is not None:
            return Answer(state="failed", error=self.error)
        return Answer(state="done", executions=self.executions, value=self.value)


class Step(Protocol):
    """How one kind of operation is done."""

    def plan(self, run: Run, sequence: int, arguments: Any) -> Plan[Any]:
        """Decide what to do. Raises Raises for what the script is to see as an exception."""
        ...

    async def act(
        self, run: Run, record: Record, plan: Plan[Any], arguments: Any, until: datetime
    ) -> Result | None:
        """Do it; None: not over at `until`, ask again. Doing it twice is doing it once.

        Raises Raises, Refused, ClusterError.
        """
        ...


@runtime_checkable
class Awaiting(Protocol):
    """A step that waits for something else than a deadline, or a change of its own Execution.

    Of a run without a Pod, `act` is called with `until` in the past whenever one of these topics
    fires (`Executions.topics`) or the record's deadline passes. It then says at once how things
    are: None, or the Result.
    """

    def topics(self, run: Run, arguments: Any) -> list[str]:
        """Return the topics that may end the wait."""
        ...


def topics_of(step: Step, run: Run, arguments: Any) -> list[str]:
    """Return all topics that may end a wait; the run's own Execution is always among them."""
    awaited = step.topics(run, arguments) if isinstance(step, Awaiting) else []
    return [run.uid, *awaited]
