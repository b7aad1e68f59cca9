"""Keeps what the server knows of the cluster's objects up to date."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.message import Message
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject, Key, Resource
from weir.api.schedule import Schedule
from weir.api.schema import Schema
from weir.api.setting import Setting
from weir.api.webhook import Webhook
from weir.cluster.client import Cluster
from weir.cluster.kinds import (
    CONNECTORS,
    EXECUTIONS,
    FLOW_REPOSITORIES,
    FLOWS,
    MESSAGES,
    SCHEDULES,
    SCHEMAS,
    SETTINGS,
    WEBHOOKS,
    Kind,
)
from weir.cluster.watching import ChangeType
from weir.core.lookup import Catalog
from weir.server.live import Executions, is_newer
from weir.server.messages_live import Messages

logger = logging.getLogger(__name__)

Titled = TypeVar("Titled", Flow, Connector, Setting, Schema, Schedule, Webhook)
Model = TypeVar("Model", bound=Resource)


class Catalogs:
    """The named objects of all namespaces, by what people call them."""

    def __init__(self) -> None:
        self._flows: dict[str, Catalog[Flow]] = {}
        self._connectors: dict[str, Catalog[Connector]] = {}
        self._settings: dict[str, Catalog[Setting]] = {}
        self._schemas: dict[str, Catalog[Schema]] = {}
        self._schedules: dict[str, Catalog[Schedule]] = {}
        self._webhooks: dict[str, Catalog[Webhook]] = {}
        self.repositories: dict[Key, FlowRepository] = {}

    def flows(self, namespace: str) -> Catalog[Flow]:
        """Return the Flows of a namespace. Their scripts are left out."""
        return self._flows.setdefault(namespace, Catalog())

    def connectors(self, namespace: str) -> Catalog[Connector]:
        """Return the Connectors of a namespace."""
        return self._connectors.setdefault(namespace, Catalog())

    def settings(self, namespace: str) -> Catalog[Setting]:
        """Return the Settings of a namespace. Their values are left out."""
        return self._settings.setdefault(namespace, Catalog())

    def schemas(self, namespace: str) -> Catalog[Schema]:
        """Return the Schemas of a namespace. What they say is left out."""
        return self._schemas.setdefault(namespace, Catalog())

    def schedules(self, namespace: str) -> Catalog[Schedule]:
        """Return the Schedules of a namespace."""
        return self._schedules.setdefault(namespace, Catalog())

    def webhooks(self, namespace: str) -> Catalog[Webhook]:
        """Return the Webhooks of a namespace."""
        return self._webhooks.setdefault(namespace, Catalog())

    def webhook(self, namespace: str, name: str) -> Webhook | None:
        """Return a Webhook by its object name. Words of strangers leave no trace here."""
        catalog = self._webhooks.get(namespace)
        return catalog.get(name) if catalog is not None else None

    def every_webhook(self) -> list[Webhook]:
        """Return the Webhooks of all namespaces."""
        return [webhook for catalog in self._webhooks.values() for webhook in catalog]


class Watches:
    """The server's watches. `run` never returns; `synced` is set once all has been seen."""

    def __init__(self, cluster: Cluster, namespaces: list[str]) -> None:
        self._cluster = cluster
        self._namespaces: list[str | None] = [*namespaces] or [None]
        self._followed: tuple[tuple[Kind, Callable[[JsonObject, bool], None]], ...] = (
            (EXECUTIONS, self._execution),
            (FLOWS, self._flow),
            (CONNECTORS, self._connector),
            (MESSAGES, self._message),
            (SETTINGS, self._setting),
            (SCHEMAS, self._schema),
            (SCHEDULES, self._schedule),
            (WEBHOOKS, self._webhook),
            (FLOW_REPOSITORIES, self._repository),
        )
        self._waiting = len(self._followed) * len(self._namespaces)
        self.executions = Executions()
        self.messages = Messages(self.executions.topics)
        self.catalogs = Catalogs()
        self._locks_of: dict[str, set[str]] = {}  # UID of an Execution -> topics of its locks
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for namespace in self._namespaces:
                for kind, take in self._followed:
                    group.create_task(self._follow(kind, namespace, take))

    async def _follow(
        self,
        kind: Kind,
        namespace: str | None,
        take: Callable[[JsonObject, bool], None],
    ) -> None:
        synced = False
        async for change in self._cluster.watch(kind, namespace):
            if change.type in (ChangeType.SYNCED, ChangeType.ALIVE):
                if change.type == ChangeType.SYNCED and not synced:
                    synced = True
                    self._waiting -= 1
                    if not self._waiting:
                        self.synced.set()
                continue
            take(change.object, change.type == ChangeType.DELETED)

    def _execution(self, item: JsonObject, gone: bool) -> None:
        if gone:
            self.executions.drop(item["metadata"]["uid"])
        elif execution := parsed(Execution, item):
            self.executions.feed(execution)
            self.messages.execution_changed(execution.uid)
        self._wake_for_locks(item["metadata"]["uid"])

    def _message(self, item: JsonObject, gone: bool) -> None:
        if gone:
            self.messages.drop((item["metadata"]["namespace"], item["metadata"]["name"]))
        elif message := parsed(Message, item):
            self.messages.feed(message)

    def written(self, kind: Kind, item: JsonObject) -> None:
        """Take in an object that this server wrote or read itself, before the watch tells of it."""
        for followed, take in self._followed:
            if followed == kind:
                take(item, False)

    def _flow(self, item: JsonObject, gone: bool) -> None:
        # Runs have their script from the revision; this copy is for looking up only.
        catalog = self.catalogs.flows(item["metadata"]["namespace"])
        _take(catalog, Flow, item, gone, left_out={"script": "# left out"})

    def _connector(self, item: JsonObject, gone: bool) -> None:
        _take(self.catalogs.connectors(item["metadata"]["namespace"]), Connector, item, gone)

    def _schema(self, item: JsonObject, gone: bool) -> None:
        catalog = self.catalogs.schemas(item["metadata"]["namespace"])
        _take(catalog, Schema, item, gone, left_out={"json_schema": {}})

    def _schedule(self, item: JsonObject, gone: bool) -> None:
        _take(self.catalogs.schedules(item["metadata"]["namespace"]), Schedule, item, gone)

    def _webhook(self, item: JsonObject, gone: bool) -> None:
        _take(self.catalogs.webhooks(item["metadata"]["namespace"]), Webhook, item, gone)

    def _repository(self, item: JsonObject, gone: bool) -> None:
        key = (item["metadata"]["namespace"], item["metadata"]["name"])
        if gone:
            self.catalogs.repositories.pop(key, None)
        elif repository := parsed(FlowRepository, item):
            self.catalogs.repositories[key] = repository

    def _setting(self, item: JsonObject, gone: bool) -> None:
        namespace, name = item["metadata"]["namespace"], item["metadata"]["name"]
        catalog = self.catalogs.settings(namespace)
        before = catalog.get(name)
        _take(catalog, Setting, item, gone, left_out={"value": None})
        topic, after = lock_topic(namespace, name), catalog.get(name)
        if after is not before:
            self._note_holder(topic, before, after)
            self.executions.topics.notify(topic)

    def _note_holder(self, topic: str, before: Setting | None, after: Setting | None) -> None:
        for setting, held in ((before, False), (after, True)):
            if setting is None or setting.status.holder is None:
                continue
            uid = setting.status.holder.uid
            topics = self._locks_of.setdefault(uid, set())
            topics.add(topic) if held else topics.discard(topic)
            if not topics:
                del self._locks_of[uid]

    def _wake_for_locks(self, uid: str) -> None:
        """Wake who waits for a lock of an Execution's that may have ended: so it is free."""
        for topic in self._locks_of.get(uid, ()):
            self.executions.topics.notify(topic)


def _take(
    catalog: Catalog[Titled],
    model: type[Titled],
    item: JsonObject,
    gone: bool,
    *,
    left_out: JsonObject | None = None,
) -> None:
    """Enter an object into its catalog, unless a newer one is there; or take it out."""
    known = catalog.get(item["metadata"]["name"])
    if gone:
        catalog.remove(item["metadata"]["name"])
        return
    thing = parsed(model, item)
    if thing is None or (known is not None and not is_newer(thing, known)):
        return
    if left_out:
        thing = thing.model_copy(update={"spec": thing.spec.model_copy(update=left_out)})
    catalog.put(thing)


def lock_topic(namespace: str, name: str) -> str:
    """Return the topic of a Setting: news of who holds it."""
    return f"lock/{namespace}/{name}"


def parsed(model: type[Model], item: JsonObject) -> Model | None:
    """Return an object's model; one that a newer or older version wrote wrongly is left aside."""
    try:
        return model.model_validate(item)
    except ValidationError as error:
        metadata = item.get("metadata", {})
        logger.error(
            "Object not understood",
            extra={
                "kind": model.KIND,
                "namespace": metadata.get("namespace"),
                "object": metadata.get("name"),
                "error": str(error)[:500],
            },
        )
        return None
