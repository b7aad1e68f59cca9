"""What was seen of a namespace: a watch on each kind, every version kept, waits on conditions.

Tests and benchmarks wait here and nowhere else; what must hold in every run is checked on the
record at the end of each test (`violations`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple, Self

from weir.api import names
from weir.api.phases import Phase
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.kinds import CONNECTORS, EXECUTIONS, FLOWS, PODS, Kind
from weir.cluster.watching import ChangeType

WATCHED: tuple[Kind, ...] = (FLOWS, CONNECTORS, EXECUTIONS, PODS)


class Seen(NamedTuple):
    """One version of one object, and when it arrived here (monotonic seconds)."""

    at: float
    object: JsonObject
    deleted: bool


class History:
    """Watches a namespace from `async with` on."""

    def __init__(self, cluster: Cluster, namespace: str, kinds: tuple[Kind, ...] = WATCHED) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._kinds = kinds
        self._seen: dict[Kind, list[Seen]] = {kind: [] for kind in kinds}
        self._current: dict[Kind, dict[str, JsonObject]] = {kind: {} for kind in kinds}  # by name
        self._arrival = asyncio.Condition()
        self._synced: set[Kind] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._follow(kind)) for kind in self._kinds]
        await self.until(lambda: len(self._synced) == len(self._kinds), within=30, what="watches")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def current(self, kind: Kind, name: str) -> JsonObject | None:
        """Return the newest version of an object, None when there is none now."""
        return self._current[kind].get(name)

    def all(self, kind: Kind) -> list[JsonObject]:
        """Return the newest version of all objects that are there now."""
        return list(self._current[kind].values())

    def versions(self, kind: Kind, name: str) -> Iterator[Seen]:
        """Yield every version of an object, oldest first."""
        return (seen for seen in self._seen[kind] if seen.object["metadata"]["name"] == name)

    async def until(self, holds: Callable[[], bool], *, within: float, what: str) -> None:
        """Wait until the condition holds; it is looked at after each change.

        Raises AssertionError after `within` seconds.
        """
        try:
            async with asyncio.timeout(within), self._arrival:
                await self._arrival.wait_for(holds)
        except TimeoutError:
            raise AssertionError(f"waited {within:.0f} s in vain for {what}") from None

    async def _follow(self, kind: Kind) -> None:
        async for change in self._cluster.watch(kind, self._namespace):
            if change.type == ChangeType.SYNCED:
                self._synced.add(kind)
            elif change.object:
                name = change.object["metadata"]["name"]
                deleted = change.type == ChangeType.DELETED
                if deleted:
                    self._current[kind].pop(name, None)
                else:
                    self._current[kind][name] = change.object
                self._seen[kind].append(Seen(time.monotonic(), change.object, deleted))
            async with self._arrival:
                self._arrival.notify_all()

    def violations(self) -> list[str]:
        """Return what was seen and must never be: one sentence each."""
        return [*self._second_pods(), *self._illegal_moves()]

    def _second_pods(self) -> Iterator[str]:
        """Two Pods for one attempt, or two of one run alive at the same time."""
        attempts: dict[tuple[str, str], set[str]] = {}
        alive: dict[str, dict[str, str]] = {}  # execution -> {Pod UID: Pod name}
        for seen in self._seen[PODS]:
            pod = seen.object
            metadata = pod["metadata"]
            execution = metadata.get("labels", {}).get(names.EXECUTION_LABEL)
            if execution is None:
                continue
            attempts.setdefault((execution, metadata["name"]), set()).add(metadata["uid"])
            living = alive.setdefault(execution, {})
            ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
            if seen.deleted or ended or metadata.get("deletionTimestamp"):
                living.pop(metadata["uid"], None)
            else:
                living[metadata["uid"]] = metadata["name"]
            if len(living) > 1:
                yield f"{execution} had two live Pods at once: {sorted(living.values())}"
        for (execution, name), uids in attempts.items():
            if len(uids) > 1:
                yield f"{execution} had {len(uids)} Pods for one attempt, all named {name}"

    def _illegal_moves(self) -> Iterator[str]:
        last: dict[str, tuple[Phase, int]] = {}
        for seen in self._seen[EXECUTIONS]:
            status = seen.object.get("status") or {}
            phase, attempt = Phase(status.get("phase", "Pending")), status.get("attempt") or 0
            uid, name = seen.object["metadata"]["uid"], seen.object["metadata"]["name"]
            before, attempt_before = last.get(uid, (phase, attempt))
            if before.is_final and phase != before:
                yield f"{name} left its final phase {before} for {phase}"
            if attempt < attempt_before:
                yield f"the attempt of {name} went from {attempt_before} to {attempt}"
            last[uid] = phase, attempt
