"""A Kubernetes API in memory: versions, conflicts, status subresources, and crashes on demand."""

import copy
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, ClusterError, Conflict, Invalid, NotFound
from weir.cluster.kinds import EXECUTIONS, Kind
from weir.cluster.watching import Listing


class Crash(BaseException):
    """The operator's process dies here."""


class FakeCluster(Cluster):
    """What `Cluster` does, on a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], JsonObject] = {}
        self.writes: list[str] = []  # e.g. "create pods"
        self.calls: Counter[str] = Counter()
        self.news: list[tuple[Kind, JsonObject, bool]] = []  # kind, object, deleted
        self.crash_at: int | None = None  # the number of the write that kills the operator
        self.crash_after = False  # whether that write is still carried out
        self.refusals: dict[str, ClusterError] = {}  # e.g. {"create pods": Refused(…)}
        self.created: list[str] = []  # names of all Pods ever made
        self._version = 0

    # What tests do to the cluster, at which nothing crashes

    def put(self, kind: Kind, item: JsonObject) -> JsonObject:
        """Add or replace an object."""
        key = (kind.plural, item["metadata"]["namespace"], item["metadata"]["name"])
        self._version += 1
        stored = copy.deepcopy(item)
        stored["metadata"]["resourceVersion"] = str(self._version)
        self.objects[key] = stored
        self.news.append((kind, copy.deepcopy(stored), False))
        return copy.deepcopy(stored)

    def change(self, kind: Kind, name: str, part: JsonObject) -> JsonObject:
        """Merge something into an object."""
        stored = copy.deepcopy(self.find(kind, name))
        _merge(stored, part)
        return self.put(kind, stored)

    def take(self, kind: Kind, name: str) -> None:
        """Delete an object."""
        item = self.objects.pop((kind.plural, "demo", name))
        self.news.append((kind, item, True))

    def find(self, kind: Kind, name: str) -> JsonObject:
        """Return an object of namespace `demo`."""
        return self.objects[(kind.plural, "demo", name)]

    def all(self, kind: Kind) -> list[JsonObject]:
        """Return all objects of a kind."""
        return [item for (plural, _, _), item in self.objects.items() if plural == kind.plural]

    # What the operator does

    async def get(self, kind: Kind, namespace: str | None, name: str) -> JsonObject:
        if f"get {kind.plural}" in self.refusals:
            raise self.refusals[f"get {kind.plural}"]
        found = self.objects.get((kind.plural, namespace or "", name))
        if found is None:
            raise NotFound(f"{kind.plural} {name} not found", status=404)
        return copy.deepcopy(found)

    async def list(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> Listing:
        items = [item for item in self.all(kind) if _selected(item, labels)]
        return Listing(copy.deepcopy(items), str(self._version))

    async def pages(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> AsyncIterator[Listing]:
        yield await self.list(kind, namespace, labels=labels, fields=fields)

    async def create(self, kind: Kind, namespace: str | None, body: JsonObject) -> JsonObject:
        key = (kind.plural, namespace or "", body["metadata"]["name"])
        self._write(f"create {kind.plural}")
        if key in self.objects:
            raise AlreadyExists(f"{key[2]} already exists", status=409)
        made = copy.deepcopy(body)
        made["metadata"] |= {"namespace": namespace, "uid": f"uid-{len(self.writes)}-{key[2]}"}
        made = self.put(kind, made)
        if kind.plural == "pods":
            self.created.append(key[2])
        self._written()
        return made

    async def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        body: JsonObject,
        *,
        status: bool = False,
    ) -> JsonObject:
        self._write(f"patch {kind.plural}{'/status' if status else ''}")
        stored = await self.get(kind, namespace, name)
        expected = body.get("metadata", {})
        for field, error in (("resourceVersion", Conflict), ("uid", Conflict)):
            if field in expected and expected[field] != stored["metadata"][field]:
                raise error(f"{field} is another", status=409)
        before = copy.deepcopy(stored)
        allowed = ("status",) if status else ("spec", "data", "metadata")
        _merge(stored, {part: body[part] for part in allowed if part in body})
        if kind == EXECUTIONS:
            _check(before, stored)
        written = self.put(kind, stored)
        self._written()
        return written

    async def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        grace_seconds: int | None = None,
    ) -> None:
        self._write(f"delete {kind.plural}")
        found = self.objects.get((kind.plural, namespace or "", name))
        if found is not None and uid in (None, found["metadata"]["uid"]):
            self.take(kind, name)
        self._written()

    def _write(self, what: str) -> None:
        self.calls[what] += 1
        if what in self.refusals:
            raise self.refusals[what]
        if self.crash_at == len(self.writes) and not self.crash_after:
            self.crash_at = None
            raise Crash(what)
        self.writes.append(what)

    def _written(self) -> None:
        if self.crash_at is not None and self.crash_at == len(self.writes) - 1:
            self.crash_at = None
            raise Crash(self.writes[-1])


def _merge(into: JsonObject, part: JsonObject) -> None:
    for key, value in part.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)


def _check(before: JsonObject, after: JsonObject) -> None:
    """Refuse what the CRD's rules refuse."""
    old, new = Execution.model_validate(before), Execution.model_validate(after)
    if old.phase != new.phase and not old.phase.can_move_to(new.phase):
        raise Invalid(f"this move of status.phase is not legal: {old.phase}", status=422)
    if (new.status.attempt or 0) < (old.status.attempt or 0):
        raise Invalid("status.attempt never goes down", status=422)


def _selected(item: JsonObject, labels: str) -> bool:
    have: dict[str, Any] = item["metadata"].get("labels") or {}
    for one in filter(None, labels.split(",")):
        name, _, value = one.partition("=")
        if name not in have or (value and have[name] != value):
            return False
    return True
