"""Records that are objects of Kubernetes: Settings, Flows, Schedules, and so on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, TypeVar

from weir.api import names
from weir.api.connector import Connector
from weir.api.flow import Allowed, Flow
from weir.api.resource import JsonObject, Resource
from weir.api.schedule import Schedule
from weir.api.schema import Schema
from weir.api.setting import Setting
from weir.api.webhook import Webhook
from weir.cluster.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from weir.cluster.kinds import CONNECTORS, FLOWS, SCHEDULES, SCHEMAS, SETTINGS, WEBHOOKS, Kind
from weir.core import records
from weir.core.lookup import Catalog, Titled
from weir.server import connections, permits, raising
from weir.server.holders import holder
from weir.server.records_stores import noted, require_open
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.storage.operations import Record
from weir_protocol.records import FIELDS, required
from weir_protocol.records import changes as changes_of
from weir_protocol.writing import Change, Refusal

# Each loss of the race is a write by somebody else.
_MOST_ROUNDS = 8

Named = TypeVar("Named", bound=Titled)


class _Kept(NamedTuple):
    """How a kind of record is kept."""

    kind: Kind
    model: type[Resource]
    permit: Allowed | None  # what the Flow's spec.allow must name for changes


_KEPT: dict[str, _Kept] = {
    "setting": _Kept(SETTINGS, Setting, None),
    "schema": _Kept(SCHEMAS, Schema, None),
    "flow": _Kept(FLOWS, Flow, "flows"),
    "connector": _Kept(CONNECTORS, Connector, "connectors"),
    "schedule": _Kept(SCHEDULES, Schedule, "schedules"),
    "webhook": _Kept(WEBHOOKS, Webhook, "webhooks"),
}


class ObjectRecords:
    """The records of one of these kinds."""

    def __init__(self, runtime: Runtime, kind: str) -> None:
        self._runtime = runtime
        self._name = kind
        self._kind, self._model, self._permit = _KEPT[kind]
        self.fields: Collection[str] = FIELDS[kind]

    def check(self, fields: JsonObject) -> None:
        """Raise Raises unless a script may save these fields with these values."""
        self._changes(fields)

    async def get(self, run: Run, name: str, *, content: bool) -> JsonObject:
        """Return a record's fields. Raises Raises."""
        item = await self.read(run, name)
        if item is None:
            raise self._missing(run, name)
        return await self._fields(self._model.model_validate(item))

    async def rows(self, run: Run) -> list[tuple[str, JsonObject]]:
        """Return the names of all records, with their fields."""
        listing = await self._runtime.cluster.list(self._kind, run.execution.metadata.namespace)
        rows = []
        for item in listing.items:
            fields = await self._fields(self._model.model_validate(item))
            rows.append((str(fields["name"]), fields))
        return rows

    async def save(self, run: Run, record: Record, name: str, fields: JsonObject) -> JsonObject:
        """Create or change a record and return its fields. Raises Raises, Superseded."""
        if self._permit is not None:
            permits.require(self._runtime, run, self._permit)
        changes = self._changes(fields)
        for _ in range(_MOST_ROUNDS):
            item = await self.read(run, name)
            try:
                if item is None:
                    item = await self._made(run, record, name, fields, changes)
                elif changes:
                    item = await self._changed(run, record, item, changes)
            except (AlreadyExists, Conflict, NotFound):
                continue  # somebody was faster: look again
            except Invalid as error:
                raise raising.Raises("InvalidInputError", error.message[:1000]) from None
            except Refused as error:  # a quota, or a policy of the cluster's
                raise raising.denied(error.message[:1000]) from None
            return await self._fields(self._model.model_validate(item))
        raise raising.internal(f"{self._name} {name!a} is written by others all the time")

    async def delete(self, run: Run, record: Record, name: str) -> None:
        """Delete a record; one that this operation has deleted already is fine."""
        if self._permit is not None:
            permits.require(self._runtime, run, self._permit)
        namespace, meant = run.execution.metadata.namespace, record.progress
        if meant is None:
            item = await self.read(run, name)
            if item is None:
                raise self._missing(run, name)
            await self._require_deletable(run, self._model.model_validate(item))
            metadata = item["metadata"]
            meant = await noted(self._runtime, run, record, f"{metadata['name']} {metadata['uid']}")
        object_name, uid = meant.split(" ")
        await self._runtime.cluster.delete(self._kind, namespace, object_name, uid=uid)

    async def read(self, run: Run, word: str) -> JsonObject | None:
        """Return what a script calls so, as it is now; None: there is no such thing."""
        namespace = run.execution.metadata.namespace
        known = found_in(self._catalog(namespace), word)
        # One that was made a moment ago elsewhere may not have been told of yet.
        guesses = [known.metadata.name] if known else [names.record_name(word)]
        if names.is_object_name(word) and word not in guesses:
            guesses.append(word)
        for guess in guesses:
            try:
                return await self._runtime.cluster.get(self._kind, namespace, guess)
            except NotFound:
                continue
        return None

    async def _made(
        self, run: Run, record: Record, word: str, fields: JsonObject, changes: list[Change]
    ) -> JsonObject:
        namespace, name = run.execution.metadata.namespace, names.record_name(word)
        try:
            required(self._name, fields)
        except Refusal as error:
            raise raising.Raises(error.type, str(error)) from None
        await require_open(self._runtime, run, record)
        spec = records.spec_of(changes, word, name)
        return await created(self._runtime, self._kind, self._model, namespace, name, spec)

    async def _changed(
        self, run: Run, record: Record, item: JsonObject, changes: list[Change]
    ) -> JsonObject:
        self._require_no_secrets(self._model.model_validate(item), changes)
        await require_open(self._runtime, run, record)
        metadata = item["metadata"]
        patch = records.patch(changes, metadata["resourceVersion"])
        written = await self._runtime.cluster.amend(
            self._kind, metadata["namespace"], metadata["name"], patch
        )
        self._runtime.watches.written(self._kind, written)
        return written

    def _require_no_secrets(self, thing: Resource, changes: list[Change]) -> None:
        """Where a Connector's secrets go is for people to say."""
        if not isinstance(thing, Connector) or not thing.spec.secret_inputs:
            return
        if any(change.key != "description" for change in changes):
            raise raising.denied(
                f"connector {thing.metadata.name} has secretInputs: a script cannot change where "
                "they are sent"
            )

    async def _require_deletable(self, run: Run, thing: Resource) -> None:
        if not isinstance(thing, Setting):
            return
        holding = await holder(self._runtime, thing)
        if holding is not None and holding.root != run.execution.root:
            raise raising.denied(
                f"setting {thing.title!a} is a lock that execution {holding.metadata.name} holds"
            )

    async def _fields(self, thing: Resource) -> JsonObject:
        if isinstance(thing, Setting):
            holding = await holder(self._runtime, thing)
            return records.of_setting(thing, holding.metadata.name if holding else None)
        if isinstance(thing, Schema):
            return records.of_schema(thing)
        if isinstance(thing, Flow):
            return records.of_flow(thing)
        if isinstance(thing, Schedule):
            return records.of_schedule(thing)
        if isinstance(thing, Webhook):
            return records.of_webhook(thing)
        assert isinstance(thing, Connector)
        return records.of_connector(thing, connections.secret_by_nature(thing.spec.type))

    def _changes(self, fields: JsonObject) -> list[Change]:
        try:
            return changes_of(self._name, fields)
        except Refusal as error:
            raise raising.Raises(error.type, str(error)) from None

    def _catalog(self, namespace: str) -> Catalog[Any]:
        catalogs = self._runtime.catalogs
        match self._name:
            case "setting":
                return catalogs.settings(namespace)
            case "schema":
                return catalogs.schemas(namespace)
            case "flow":
                return catalogs.flows(namespace)
            case "schedule":
                return catalogs.schedules(namespace)
            case "webhook":
                return catalogs.webhooks(namespace)
            case _:
                return catalogs.connectors(namespace)

    def _missing(self, run: Run, name: str) -> raising.Raises:
        return raising.not_found(
            f"there is no {self._name} {name!a} in namespace {run.execution.metadata.namespace}"
        )


def found_in(catalog: Catalog[Named], word: str) -> Named | None:
    """Return what a script calls so. A word of which a slug keeps too little counts as a whole."""
    return catalog.find(word) if names.is_plain(word) or catalog.called(word) else None


async def created(
    runtime: Runtime,
    kind: Kind,
    model: type[Resource],
    namespace: str,
    name: str,
    spec: JsonObject,
) -> JsonObject:
    """Create an object and return it. Raises AlreadyExists, Invalid, Refused."""
    body = {
        "apiVersion": names.API_VERSION,
        "kind": model.KIND,
        "metadata": {"name": name},
        "spec": spec,
    }
    item = await runtime.cluster.create(kind, namespace, body)
    runtime.watches.written(kind, item)
    return item
