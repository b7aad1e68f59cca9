"""A fake of the cluster client: objects in a dict, changes as the test says.

It knows no rules and no rights.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from typer.testing import CliRunner, Result

from weir.api.names import API_VERSION
from weir.api.resource import JsonObject
from weir.cli.main import app
from weir.cli.session import Options
from weir.cluster.client import Cluster, Credentials
from weir.cluster.errors import AlreadyExists, NotFound
from weir.cluster.kinds import EXECUTIONS, SELF_SUBJECT_REVIEWS, Kind
from weir.cluster.watching import Change, ChangeType, Listing

CREATED = "2026-01-05T12:00:00Z"
NOW = datetime(2026, 1, 5, 12, 5, tzinfo=UTC)

# What happens to an object at each step of a watch: new fields of its status.
Step = JsonObject


class FakeCluster(Cluster):
    """Stands in for `Cluster` in the unit tests of the command."""

    def __init__(self, *objects: tuple[Kind, JsonObject], namespace: str | None = "team-a") -> None:
        self.namespace = namespace
        self.objects: dict[tuple[Kind, str, str], JsonObject] = {}
        self.written: list[tuple[str, str, JsonObject]] = []  # verb, name, body
        self.steps: dict[str, list[Step]] = {}  # by object name
        self.interrupts: Callable[[], None] | None = None  # called where a watch has no more news
        self.closed = False
        self._uids = itertools.count(1)
        for kind, item in objects:
            self.put(kind, item)

    def put(self, kind: Kind, item: JsonObject) -> None:
        metadata = {"namespace": "team-a", "creationTimestamp": CREATED} | item["metadata"]
        metadata.setdefault("uid", f"uid-{next(self._uids)}")
        stored = item | {"metadata": metadata}
        self.objects[kind, metadata["namespace"], metadata["name"]] = stored

    async def close(self) -> None:
        self.closed = True

    async def credentials(self) -> Credentials:
        return Credentials("Bearer secret", None, None)

    async def get(self, kind: Kind, namespace: str | None, name: str) -> JsonObject:
        try:
            return copy.deepcopy(self.objects[kind, namespace or "", name])
        except KeyError:
            raise NotFound(f'{kind.plural} "{name}" not found', status=404) from None

    async def list(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> Listing:
        items = [
            copy.deepcopy(item)
            for (of_kind, of_namespace, _), item in self.objects.items()
            if of_kind == kind
            and namespace in (None, of_namespace)
            and _selected(item, labels, fields)
        ]
        return Listing(items, "1")

    async def raw(self, method: str, path: str, body: object = None, **query: str) -> Any:
        return {"items": []}

    async def create(self, kind: Kind, namespace: str | None, body: JsonObject) -> JsonObject:
        if kind == SELF_SUBJECT_REVIEWS:
            return body | {"status": {"userInfo": {"username": "ada"}}}
        name = body["metadata"]["name"]
        if (kind, namespace or "", name) in self.objects:
            raise AlreadyExists(f"{name} already exists", status=409)
        self.written.append(("create", name, body))
        self.put(kind, body | {"metadata": body["metadata"] | {"namespace": namespace}})
        return await self.get(kind, namespace, name)

    async def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        body: JsonObject,
        *,
        status: bool = False,
    ) -> JsonObject:
        self.written.append(("patch", name, body))
        item = self.objects[kind, namespace or "", name]
        for part, fields in body.items():
            item[part] = item.get(part, {}) | fields
        return await self.get(kind, namespace, name)

    async def watch(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> AsyncIterator[Change]:
        listed = (await self.list(kind, namespace, labels=labels, fields=fields)).items
        for item in listed:
            yield Change(ChangeType.ADDED, item)
        yield Change(ChangeType.SYNCED, {})
        for item in listed:
            name = item["metadata"]["name"]
            for step in self._steps_of(name):
                stored = self.objects[kind, item["metadata"]["namespace"], name]
                stored["status"] = stored.get("status", {}) | step
                yield Change(ChangeType.MODIFIED, copy.deepcopy(stored))
        if self.interrupts is not None:
            self.interrupts()
        raise AssertionError("the command waits for a change that the test does not make")

    def _steps_of(self, name: str) -> Sequence[Step]:
        return self.steps.get(name) or self.steps.get("*", [])


def _selected(item: JsonObject, labels: str, fields: str) -> bool:
    carried = item["metadata"].get("labels", {})
    wanted_labels = [one.partition("=") for one in labels.split(",") if one]
    wanted_fields = [one.split("=") for one in fields.split(",") if one]
    return all(
        carried.get(key) == value if is_ else key in carried for key, is_, value in wanted_labels
    ) and all(str(_at(item, path)) == value for path, value in wanted_fields)


def _at(item: JsonObject, path: str) -> object:
    found: object = item
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def flow(name: str, title: str | None = None) -> tuple[Kind, JsonObject]:
    from weir.cluster.kinds import FLOWS

    spec: JsonObject = {"script": "def handler(system, this): pass"}
    if title is not None:
        spec["title"] = title
    return FLOWS, {"metadata": {"name": name}, "spec": spec}


def execution(
    name: str,
    phase: str = "Pending",
    *,
    parent: str | None = None,
    root: str | None = None,
    sequence: int = 1,
    spec: JsonObject | None = None,
    created: str = CREATED,
    **status: Any,
) -> tuple[Kind, JsonObject]:
    """An Execution whose UID is its name with `-uid`; status fields by their names on the wire."""
    of_spec: JsonObject = {"flow": "hello"} | (spec or {})
    if parent is not None:
        of_spec["parent"] = {"name": parent, "uid": f"{parent}-uid", "sequence": sequence}
    return EXECUTIONS, {
        "apiVersion": API_VERSION,
        "kind": "Execution",
        "metadata": {
            "name": name,
            "uid": f"{name}-uid",
            "creationTimestamp": created,
            "labels": {"weir.dev/root": root} if root else {},
        },
        "spec": of_spec,
        "status": {"phase": phase} | status,
    }


def weir(cluster: Cluster, *arguments: str, stdin: str | None = None) -> Result:
    """Call the command against the fake."""

    async def connect(options: Options) -> Cluster:
        return cluster

    # No URL of a server, which the environment might give: the fake has none.
    runner = CliRunner(env={"WEIR_SERVER_URL": None, "WEIR_SERVER_CA": None, "NO_COLOR": "1"})
    return runner.invoke(
        app,
        arguments,
        input=stdin,
        obj=Options(connect=connect),
        prog_name="weir",
        catch_exceptions=False,
    )
