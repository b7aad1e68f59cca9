"""What became of a local run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from weir_local.execution import Execution, full_view
from weir_protocol import Cause, LogLine
from weir_protocol.arguments import JsonObject


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result:
    """One execution, and all that it started. Fields are those that scripts read.

    Attributes:
        entries: Its log, tracebacks among it, with times and streams.
        slept: Seconds that it slept, whether they were skipped or not.
        error: The exception that its script let go; None for an end by `this.error`, too.
    """

    name: str
    title: str
    status: str  # ENDED_SUCCESS, ENDED_ERROR, ENDED_CANCELLED, …
    phase: str
    type: str
    reason: str | None = None
    message: str | None = None
    description: str | None = None
    flow_name: str | None = None
    connector_name: str | None = None
    connector_type: str | None = None
    inputs: JsonObject = field(default_factory=dict)
    outputs: JsonObject = field(default_factory=dict)
    cause: Cause | None = None
    entries: tuple[LogLine, ...] = ()
    slept: float = 0.0
    error: BaseException | None = None
    is_archived: bool = False
    duration: float | None = None  # seconds
    children: tuple[Result, ...] = ()
    uid: str = ""

    def __repr__(self) -> str:
        said = f": {self.message}" if self.message else ""
        return f"<{self.title} {self.status}{said}>"

    @property
    def is_success(self) -> bool:
        """Whether it succeeded."""
        return self.phase == "Succeeded"

    @property
    def log(self) -> list[str]:
        """What it logged and printed, as lines; tracebacks are left out."""
        return [text_of(one) for one in self.entries if one.stream not in ("traceback", "system")]

    @property
    def traceback(self) -> str:
        """The script's lines that its failure came through; empty if it did not fail so."""
        return "\n".join(one.text for one in self.entries if one.stream == "traceback")

    def child(self, called: str) -> Result:
        """Return the first child that is called so: by title, or by what it runs.

        Raises:
            LookupError: There is no such child.
        """
        for child in self.children:
            if called in (child.title, child.flow_name, child.connector_name, child.connector_type):
                return child
        there = ", ".join(repr(child.title) for child in self.children) or "none"
        raise LookupError(f"{self.title} has no child {called!r}; its children: {there}")

    def walk(self) -> Iterator[Result]:
        """Yield this execution and all below it, parents before their children."""
        yield self
        for child in self.children:
            yield from child.walk()


def result_of(execution: Execution, now: float) -> Result:
    """Return what became of an execution and of all below it."""
    view = full_view(execution, now)
    duration = None
    if execution.started is not None:
        duration = (execution.ended or now) - execution.started
    return Result(
        uid=view.uid,
        name=view.name,
        title=view.title,
        status=view.status,
        phase=view.phase,
        type=view.type,
        reason=view.reason,
        message=view.message,
        description=view.description,
        flow_name=view.flow_name,
        connector_name=view.connector_name,
        connector_type=view.connector_type,
        inputs=execution.spec.inputs,
        outputs=execution.outputs,
        cause=view.cause,
        entries=tuple(execution.log),
        slept=execution.slept,
        error=execution.error,
        is_archived=execution.is_archived,
        duration=duration,
        children=tuple(
            result_of(child, now) for child in execution.children if not child.is_deleted
        ),
    )


def told(result: Result) -> str:
    """Return a run for people: its family as a tree, and what each of them logged."""
    lines = list(_tree(result, "", ""))
    for one in result.walk():
        texts = [text_of(entry) for entry in one.entries]
        if texts:
            lines.append(f"\n{one.title} ({one.name}) logged:")
            lines += [f"  {line}" for text in texts for line in text.split("\n")]
    return "\n".join(lines)


def _tree(result: Result, first: str, rest: str) -> Iterator[str]:
    message = f"  {result.message}" if result.message else ""
    yield f"{first}{result.title}  {result.status}{message}"
    for child in result.children:
        last = child is result.children[-1]
        yield from _tree(
            child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  ")
        )


def text_of(line: LogLine) -> str:
    """Return an entry of a log as people read it: its text, and its named values as JSON."""
    data: Any = line.data
    if not data:
        return line.text
    shown = json.dumps(data, ensure_ascii=False)
    return f"{line.text} {shown}" if line.text else shown
