"""The examples and how they must end; for the demo and for the end-to-end tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.api.resource import JsonObject

FOLDER = Path(__file__).parents[1] / "examples"
# In git-connection.yaml; replaced by the address of a repository inside the cluster.
PUBLIC_REPOSITORY = "https://github.com/octocat/Hello-World.git"


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


def manifest(file: str, repository: str) -> str:
    """Return the text of an example, reading the Git repository that is given."""
    return (FOLDER / file).read_text().replace(PUBLIC_REPOSITORY, repository)
