"""A run that a test started, and what is to be seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.e2e.history import History
from weir.api import names
from weir.api.phases import Phase
from weir.api.resource import JsonObject
from weir.cluster.kinds import EXECUTIONS, PODS


@dataclass(frozen=True)
class Run:
    """One Execution: its identity, and its newest version as the watch brought it."""

    name: str
    uid: str
    namespace: str
    history: History

    def __str__(self) -> str:
        return self.name

    @property
    def object(self) -> JsonObject:
        """The Execution as it is now, or as it was last when it is gone."""
        found = self.history.current(EXECUTIONS, self.name)
        if found is None:
            versions = list(self.history.versions(EXECUTIONS, self.name))
            found = versions[-1].object if versions else {}
        return found

    @property
    def exists(self) -> bool:
        """Whether the object is there."""
        return self.history.current(EXECUTIONS, self.name) is not None

    @property
    def status(self) -> dict[str, Any]:
        """Its status, empty before the first was written."""
        status: dict[str, Any] = self.object.get("status") or {}
        return status

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        return Phase(self.status.get("phase", Phase.PENDING))

    @property
    def message(self) -> str:
        """The message of its status."""
        return str(self.status.get("message", ""))

    @property
    def reason(self) -> str:
        """The reason of its status."""
        return str(self.status.get("reason", ""))

    @property
    def pod(self) -> str | None:
        """Name of the Pod that runs it now."""
        return (self.status.get("runner") or {}).get("pod")

    @property
    def pods(self) -> list[JsonObject]:
        """Its Pods that are there now."""
        return [
            pod
            for pod in self.history.all(PODS)
            if pod["metadata"].get("labels", {}).get(names.EXECUTION_LABEL) == self.name
        ]

    @property
    def phases(self) -> list[Phase]:
        """All phases seen, in order, repetitions left out."""
        seen: list[Phase] = []
        for version in self.history.versions(EXECUTIONS, self.name):
            phase = Phase((version.object.get("status") or {}).get("phase", "Pending"))
            if not seen or seen[-1] != phase:
                seen.append(phase)
        return seen

    @property
    def children(self) -> list[Run]:
        """Its children that are there now, in the order that the script made them."""
        owned = [
            one
            for one in self.history.all(EXECUTIONS)
            if one["spec"].get("parent", {}).get("uid") == self.uid
        ]
        owned.sort(key=lambda one: _made(one["spec"]["parent"]))
        return [
            Run(one["metadata"]["name"], one["metadata"]["uid"], self.namespace, self.history)
            for one in owned
        ]

    def describe(self) -> str:
        """Say in one line where it stands."""
        return (
            f"{self.name} is {self.phase} ({self.reason or 'no reason'}): "
            f"{self.message[:300] or 'no message'}; phases seen: {', '.join(self.phases)}"
        )


def _made(parent: JsonObject) -> tuple[int, int]:
    return (int(parent.get("try", 1)), int(parent["sequence"]))
