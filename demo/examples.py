"""The examples and how they must end; for the demo and for the end-to-end tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from demo.echo import ECHO
from demo.host import HOST
from demo.repository import REPOSITORY
from demo.services import Service
from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.api.resource import JsonObject

FOLDER = Path(__file__).parents[1] / "examples"
# What examples connect to. Their public addresses are replaced by those inside the cluster.
SERVICES = (REPOSITORY, ECHO, HOST)


@dataclass(frozen=True)
class Expectation:
    """How one Execution of the examples must end."""

    file: str
    execution: str
    phase: Phase
    reason: str | None = None
    message: str | None = None  # a regular expression
    outputs: JsonObject | None = None
    children: int = 0
    response: JsonObject | None = None  # to what the run asks people

    def problems(self, execution: Execution, children: int) -> Iterator[str]:
        """Yield what is not as expected, in words."""
        status = execution.status
        if status.phase != self.phase:
            yield f"it is {status.phase}, not {self.phase}: {status.message or 'no message'}"
            return
        if self.reason is not None and status.reason != self.reason:
            yield f"its reason is {status.reason}, not {self.reason}"
        if self.message is not None and not re.search(self.message, status.message or ""):
            yield f"its message is {status.message!r}, nothing like {self.message!r}"
        if self.outputs is not None and status.outputs != self.outputs:
            yield f"its outputs are {status.outputs}, not {self.outputs}"
        if children != self.children:
            yield f"it has {children} children, not {self.children}"


def asks(execution: Execution) -> bool:
    """Whether a run waits for people's answer."""
    return any(one.kind == "Message" for one in execution.status.waiting_for or ())


def expectations() -> list[Expectation]:
    """Return all, in the order of examples/expected.yaml."""
    table: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
        (FOLDER / "expected.yaml").read_text()
    )
    return [
        Expectation(file, name, **(facts | {"phase": Phase(facts["phase"])}))
        for file, executions in table.items()
        for name, facts in executions.items()
    ]


def manifest(file: str, addresses: Mapping[str, str]) -> str:
    """Return the text of an example, with addresses in the place of public ones."""
    text = (FOLDER / file).read_text()
    for public, address in addresses.items():
        text = text.replace(public, address)
    return text


def services_of(file: str) -> list[Service]:
    """Return what an example connects to."""
    text = (FOLDER / file).read_text()
    return [service for service in SERVICES if service.public in text]
