"""Bring a namespace in step with what a FlowRepository says: apply first, prune last."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Set
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from weir.api import names
from weir.api.flow import Flow
from weir.api.reasons import Reason
from weir.api.repository import DEFAULT_KINDS, FlowRepository, RejectedFile
from weir.api.resource import JsonObject
from weir.api.schedule import Schedule
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError, Conflict, NotFound, Unavailable
from weir.cluster.kinds import BY_NAME
from weir.controllers.intake import Intake
from weir.controllers.store import Store
from weir.core import syncing
from weir.core.lookup import Catalog
from weir.core.sources import rejected
from weir.core.syncing import Changes, Desired, Live, Read
from weir.git.fetching import Commit

logger = logging.getLogger(__name__)

Thing = TypeVar("Thing")

_AT_ONCE = 16
# Whoever writes the same objects meanwhile is given way to so often.
_PLANS = 3


class Superseded(Exception):
    """The FlowRepository is not as it was when the sync began: what it says now is synced next."""


class Plan(NamedTuple):
    """What differs between files and namespace."""

    changes: Changes
    live: dict[tuple[str, str], Live]
    """What is there, by kind and name."""

    @property
    def is_to_do(self) -> bool:
        """Whether anything is to be written or deleted."""
        return bool(self.changes.apply or self.changes.delete)


@dataclass
class Applied:
    """What became of a plan."""

    plan: Plan
    written: list[Desired] = field(default_factory=list)
    refused: list[RejectedFile] = field(default_factory=list)
    """What the API server did not take."""
    unpruned: list[str] = field(default_factory=list)
    """What it did not let go, and why."""

    def there(self, repository: str) -> frozenset[tuple[str, str]]:
        """Return what a FlowRepository has in the namespace now, by kind and name."""
        before = {key for key, one in self.plan.live.items() if one.repository == repository}
        gone = {(one.kind, one.name) for one in self.plan.changes.delete}
        return frozenset((before - gone) | {(one.kind, one.name) for one in self.written})


class Applier:
    """Writes what FlowRepositories bring: in a namespace for one of them at a time, so that two
    that bring the same object see each other.
    """

    def __init__(self, cluster: Cluster, store: Store, intake: Intake) -> None:
        self._cluster = cluster
        self._store = store
        self._intake = intake
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def plan(self, repository: FlowRepository, found: Read) -> Plan:
        """Return what differs. Raises ClusterError."""
        live = await self._live(repository, found)
        changes = syncing.plan(
            found.desired,
            live,
            repository=repository.metadata.name,
            prune=repository.spec.prune,
            rejected=found.rejected,
        )
        return Plan(changes, {(one.kind, one.name): one for one in live})

    async def apply(
        self,
        repository: FlowRepository,
        commit: Commit,
        found: Read,
        is_current: Callable[[], bool],
    ) -> Applied:
        """Write what differs.

        What the API server refuses of single objects is in the answer; the others are written.
        Raises ClusterError when it is away, and Superseded as soon as `is_current` says no. Then
        nothing is pruned.
        """
        async with self._turns[repository.metadata.namespace]:
            for _ in range(_PLANS):
                done = Applied(await self.plan(repository, found))
                if await self._write_all(repository, commit, done, is_current):
                    await self._prune_all(repository, done, is_current)
                    return done
        raise Conflict("somebody else writes the same objects at the same time", status=409)

    def differs(self, repository: FlowRepository, found: Read, news: Set[tuple[str, str]]) -> bool:
        """Whether anything of what is news is gone, or not as the files say. Watched kinds only."""
        ours, namespace = repository.metadata.name, repository.metadata.namespace
        for one in found.desired:
            if (one.kind, one.name) in news:
                there = self._catalog(one.kind, namespace).get(one.name)
                if there is None:
                    return True
                live = syncing.live_of(one.kind, _item(there))
                if (live.repository, live.digest) != (ours, one.digest):
                    return True
        return False

    # What is there

    async def _live(self, repository: FlowRepository, found: Read) -> list[Live]:
        """Return what it brought and what has a name of what it is to bring."""
        wanted: dict[str, set[str]] = {
            kind: set() for kind in repository.spec.kinds or DEFAULT_KINDS
        }
        for one in found.desired:
            wanted.setdefault(one.kind, set()).add(one.name)
        live: list[Live] = []
        for kind, wanted_names in wanted.items():
            if kind in (Flow.KIND, Schedule.KIND):
                items = self._watched(repository, kind, wanted_names)
            else:
                items = await self._listed(repository, kind, wanted_names)
            live += [syncing.live_of(kind, item) for item in items]
        return live

    def _watched(
        self, repository: FlowRepository, kind: str, wanted: Collection[str]
    ) -> list[JsonObject]:
        name = repository.metadata.name
        return [
            _item(one)
            for one in self._catalog(kind, repository.metadata.namespace)
            if one.metadata.name in wanted
            or one.metadata.labels.get(names.REPOSITORY_LABEL) == name
        ]

    def _catalog(self, kind: str, namespace: str) -> Catalog[Flow] | Catalog[Schedule]:
        if kind == Flow.KIND:
            return self._store.flows(namespace)
        return self._store.schedules(namespace)

    async def _listed(
        self, repository: FlowRepository, kind: str, wanted: Collection[str]
    ) -> list[JsonObject]:
        cluster, namespace = self._acting_for(repository), repository.metadata.namespace
        labels = f"{names.REPOSITORY_LABEL}={repository.metadata.name}"
        items = (await cluster.list(BY_NAME[kind], namespace, labels=labels)).items
        brought = {item["metadata"]["name"] for item in items}

        async def look_up(name: str) -> None:
            with contextlib.suppress(NotFound):
                items.append(await cluster.get(BY_NAME[kind], namespace, name))

        await _each(look_up, sorted(set(wanted) - brought))
        return items

    # Writing

    async def _write_all(
        self,
        repository: FlowRepository,
        commit: Commit,
        done: Applied,
        is_current: Callable[[], bool],
    ) -> bool:
        """Apply what is to be applied; return whether nobody else was at the same objects."""
        changes, contested = done.plan.changes, False

        async def write(one: Desired) -> None:
            nonlocal contested
            if not is_current():
                raise Superseded
            try:
                await self._write(repository, commit, one, done.plan.live.get((one.kind, one.name)))
            except Unavailable:
                raise
            except Conflict:
                contested = True
            except ClusterError as error:
                done.refused.append(_refused(one, error))
            else:
                done.written.append(one)

        await _each(write, changes.apply)
        return not contested

    async def _write(
        self, repository: FlowRepository, commit: Commit, one: Desired, live: Live | None
    ) -> None:
        kind, namespace = BY_NAME[one.kind], repository.metadata.namespace
        cluster = self._acting_for(repository)
        body = _body(one, commit, live)
        manager = names.REPOSITORY_MANAGER
        written = await cluster.apply(kind, namespace, one.name, body, manager=manager)
        if syncing.live_of(one.kind, written).digest != one.digest:
            # What others set beside our fields stays when ours are applied.
            version = written["metadata"]["resourceVersion"]
            operations = [
                {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
                {"op": "replace", "path": "/spec", "value": body["spec"]},
            ]
            written = await cluster.amend(kind, namespace, one.name, operations, manager=manager)
        self._take_in(one.kind, written)

    def _take_in(self, kind: str, item: JsonObject) -> None:
        if kind == Flow.KIND:
            self._intake.flow(item)
        elif kind == Schedule.KIND:
            self._intake.schedule(item)

    async def _prune_all(
        self, repository: FlowRepository, done: Applied, is_current: Callable[[], bool]
    ) -> None:
        cluster, namespace = self._acting_for(repository), repository.metadata.namespace

        async def prune(one: Live) -> None:
            if not is_current():
                raise Superseded
            try:
                await cluster.delete(BY_NAME[one.kind], namespace, one.name, uid=one.uid)
            except Unavailable:
                raise
            except ClusterError as error:
                done.unpruned.append(f"{one.kind} {one.name}: {error.message}")
            else:
                logger.info("Pruned", extra={"object": f"{namespace}/{one.kind}/{one.name}"})

        await _each(prune, done.plan.changes.delete)

    def _acting_for(self, repository: FlowRepository) -> Cluster:
        account = repository.spec.service_account_name
        if account is None:
            return self._cluster
        namespace = repository.metadata.namespace
        return self._cluster.acting_as(f"system:serviceaccount:{namespace}:{account}")


async def _each(call: Callable[[Thing], Awaitable[None]], things: Iterable[Thing]) -> None:
    """Call for each thing, for some at once; after an error for none any more."""
    places = asyncio.Semaphore(_AT_ONCE)
    failed: list[Exception] = []

    async def run(thing: Thing) -> None:
        async with places:
            if failed:
                return
            try:
                await call(thing)
            except Exception as error:
                failed.append(error)

    async with asyncio.TaskGroup() as group:
        for thing in things:
            group.create_task(run(thing))
    if failed:
        raise failed[0]


def _item(one: Flow | Schedule) -> JsonObject:
    return {"metadata": one.metadata.dump(), "spec": one.spec.dump()}


def _body(one: Desired, commit: Commit, live: Live | None) -> JsonObject:
    metadata: JsonObject = one.body["metadata"]
    annotations: JsonObject = (metadata.get("annotations") or {}) | {
        names.COMMIT: commit.sha,
        names.COMMIT_AUTHOR: commit.author,
    }
    guarded = {"uid": live.uid} if live is not None else {}
    return one.body | {"metadata": metadata | guarded | {"annotations": annotations}}


def _refused(one: Desired, error: ClusterError) -> RejectedFile:
    message = f"the API server refuses {one.kind} {one.name}: {error.message}"
    return rejected(one.path, Reason.REFUSED, message)
