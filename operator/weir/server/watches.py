"""Keeps what the server knows of the cluster's Executions, Flows and Connectors up to date."""

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
from weir.api.resource import JsonObject, Resource
from weir.cluster.client import Cluster
from weir.cluster.kinds import CONNECTORS, EXECUTIONS, FLOWS, MESSAGES, Kind
from weir.cluster.watching import ChangeType
from weir.core.lookup import Catalog
from weir.server.live import Executions
from weir.server.messages_live import Messages

logger = logging.getLogger(__name__)

Titled = TypeVar("Titled", Flow, Connector)
Model = TypeVar("Model", bound=Resource)


class Catalogs:
    """The Flows and Connectors of all namespaces, by what people call them."""

    def __init__(self) -> None:
        self._flows: dict[str, Catalog[Flow]] = {}
        self._connectors: dict[str, Catalog[Connector]] = {}

    def flows(self, namespace: str) -> Catalog[Flow]:
        """Return the Flows of a namespace. Their scripts are left out."""
        return self._flows.setdefault(namespace, Catalog())

    def connectors(self, namespace: str) -> Catalog[Connector]:
        """Return the Connectors of a namespace."""
        return self._connectors.setdefault(namespace, Catalog())


class Watches:
    """The server's watches. `run` never returns; `synced` is set once all has been seen."""

    def __init__(self, cluster: Cluster, namespaces: list[str]) -> None:
        self._cluster = cluster
        self._namespaces: list[str | None] = [*namespaces] or [None]
        self._waiting = 4 * len(self._namespaces)
        self.executions = Executions()
        self.messages = Messages(self.executions.topics)
        self.catalogs = Catalogs()
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for namespace in self._namespaces:
                group.create_task(self._follow(EXECUTIONS, namespace, self._execution))
                group.create_task(self._follow(FLOWS, namespace, self._flow))
                group.create_task(self._follow(CONNECTORS, namespace, self._connector))
                group.create_task(self._follow(MESSAGES, namespace, self._message))

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

    def _message(self, item: JsonObject, gone: bool) -> None:
        if gone:
            self.messages.drop((item["metadata"]["namespace"], item["metadata"]["name"]))
        elif message := parsed(Message, item):
            self.messages.feed(message)

    def _flow(self, item: JsonObject, gone: bool) -> None:
        catalog = self.catalogs.flows(item["metadata"]["namespace"])
        if gone:
            catalog.remove(item["metadata"]["name"])
        elif flow := parsed(Flow, item):
            # Runs have their script from the revision; this copy is for looking up only.
            spec = flow.spec.model_copy(update={"script": "# left out"})
            catalog.put(flow.model_copy(update={"spec": spec}))

    def _connector(self, item: JsonObject, gone: bool) -> None:
        catalog = self.catalogs.connectors(item["metadata"]["namespace"])
        if gone:
            catalog.remove(item["metadata"]["name"])
        elif connector := parsed(Connector, item):
            catalog.put(connector)


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
