"""What must come about, and by when. Every wait has a deadline; none polls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Self

from tests.e2e.run import Run
from tests.e2e.world import World
from weir.api.phases import Phase
from weir.api.resource import JsonObject
from weir.cluster.kinds import CONNECTORS, FLOWS, Kind

# Long enough for a cold Pod on a machine that is busy with other tests.
PATIENCE = 60.0


class Outcome:
    """What a run must come to."""

    def __init__(self, run: Run) -> None:
        self.run = run

    async def reaches(self, *phases: str, within: float = PATIENCE) -> Self:
        """Wait until the run stands in one of the phases (or has passed it, for a short one)."""
        wanted = {Phase(phase) for phase in phases}

        def settled() -> bool:
            return self.run.phase in wanted or self.run.phase.is_final

        await self.until(settled, " or ".join(phases), within)
        assert self.run.phase in wanted, f"wanted {phases}, but {self.run.describe()}"
        return self

    async def succeeds(
        self,
        *,
        outputs: JsonObject | None = None,
        message: str | None = None,
        within: float = PATIENCE,
    ) -> Self:
        """Wait until the run has succeeded, with these outputs and a message that matches."""
        await self.reaches("Succeeded", within=within)
        if outputs is not None:
            assert self.run.status.get("outputs") == outputs, self.run.describe()
        return self._says(message)

    async def fails(
        self, reason: str | None = None, *, message: str | None = None, within: float = PATIENCE
    ) -> Self:
        """Wait until the run has failed, for this reason and with a message that matches."""
        await self.reaches("Failed", within=within)
        if reason is not None:
            assert self.run.reason == reason, self.run.describe()
        return self._says(message)

    async def is_cancelled(self, *, within: float = PATIENCE) -> Self:
        """Wait until the run has been cancelled."""
        return await self.reaches("Cancelled", within=within)

    async def stays(self, phase: str, reason: str, *, within: float = PATIENCE) -> Self:
        """Wait until the run is held in a phase for a reason."""
        await self.until(
            lambda: self.run.phase == Phase(phase) and self.run.reason == reason,
            f"{phase} with reason {reason}",
            within,
        )
        return self

    async def says(self, pattern: str, *, within: float = PATIENCE) -> Self:
        """Wait until the message matches the pattern."""
        await self.until(
            lambda: re.search(pattern, self.run.message) is not None,
            f"a message like {pattern!r}",
            within,
        )
        return self

    async def has_a_running_pod(self, *, attempt: int = 1, within: float = PATIENCE) -> Self:
        """Wait until the Pod of the attempt runs its container."""

        def runs() -> bool:
            return self.run.status.get("attempt") == attempt and any(
                pod["metadata"]["name"] == self.run.pod
                and any(
                    "running" in container.get("state", {})
                    for container in pod.get("status", {}).get("containerStatuses", [])
                )
                for pod in self.run.pods
            )

        await self.until(
            lambda: runs() or self.run.phase.is_final, f"the Pod of attempt {attempt}", within
        )
        assert runs(), f"wanted a running Pod, but {self.run.describe()}"
        return self

    async def has_no_pods(self, *, within: float = PATIENCE) -> Self:
        """Wait until all its Pods are gone."""
        await self.until(lambda: not self.run.pods, "its Pods to go", within)
        return self

    async def has_children(self, count: int, *, within: float = PATIENCE) -> list[Run]:
        """Wait until it has that many children, and return them in order."""
        await self.until(lambda: len(self.run.children) >= count, f"{count} children", within)
        assert len(self.run.children) == count
        return self.run.children

    async def is_gone(self, *, within: float = PATIENCE) -> Self:
        """Wait until its object is gone."""
        await self.until(lambda: not self.run.exists, "its object to go", within)
        return self

    async def until(self, holds: Callable[[], bool], what: str, within: float = PATIENCE) -> None:
        """Wait until the condition holds of the run.

        Raises AssertionError saying where the run stands instead.
        """
        try:
            await self.run.history.until(holds, within=within, what=f"{self.run.name}: {what}")
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.run.describe()}") from None

    def _says(self, pattern: str | None) -> Self:
        if pattern is not None:
            assert re.search(pattern, self.run.message), (
                f"no message like {pattern!r}: {self.run.describe()}"
            )
        return self


class Then:
    """`then(run)` is the outcome of a run; the methods are about other objects."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, run: Run) -> Outcome:
        return Outcome(run)

    async def flow_is_ready(self, name: str) -> None:
        """Wait until the operator finds the Flow runnable."""
        await self._condition(FLOWS, name, "True", "", "")

    async def flow_is_refused(self, name: str, reason: str, message: str) -> None:
        """Wait until the operator finds the Flow wrong for a reason, and says so."""
        await self._condition(FLOWS, name, "False", reason, message)

    async def connector_is_refused(self, name: str, reason: str, message: str) -> None:
        """Wait until the operator finds the Connector wrong for a reason, and says so."""
        await self._condition(CONNECTORS, name, "False", reason, message)

    async def _condition(
        self, kind: Kind, name: str, status: str, reason: str, message: str
    ) -> None:
        def ready() -> dict[str, Any]:
            found = self._world.history.current(kind, name) or {}
            conditions = (found.get("status") or {}).get("conditions") or []
            return next((one for one in conditions if one["type"] == "Ready"), {})

        def holds() -> bool:
            now = ready()
            return (
                now.get("status") == status
                and reason in ("", now.get("reason"))
                and re.search(message, now.get("message", "")) is not None
            )

        try:
            await self._world.history.until(
                holds, within=PATIENCE, what=f"{kind.plural}/{name} Ready={status} {reason}"
            )
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {ready()}") from None
