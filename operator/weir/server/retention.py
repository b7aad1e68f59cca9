"""Keeps ended trees for as long as people want: as objects, then in the archive, then no more.

Nothing is deleted that is not archived.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime

from weir.api import durations
from weir.api.execution import Execution
from weir.api.names import ROOT_LABEL
from weir.api.phases import Mode
from weir.api.resource import JsonObject
from weir.cluster.errors import ClusterError, NotFound
from weir.cluster.kinds import EXECUTIONS
from weir.core.retention import Tree, due
from weir.server.runtime import Runtime
from weir.storage import archive, attempts, deliveries
from weir.storage.archive import Archived
from weir.storage.errors import StorageError

logger = logging.getLogger(__name__)

DEFAULT_TTL = "24h"


class Retention:
    """Archives, deletes and purges."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def run(self) -> None:
        """Look around now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._runtime.settings.retention_interval)
            try:
                await self.sweep()
                await self.purge()
            except (ClusterError, StorageError) as error:
                logger.warning("Retention interrupted", extra={"error": str(error)[:300]})

    async def sweep(self) -> int:
        """Archive and delete the trees whose time is over; return how many."""
        now = self._runtime.now()
        overdue = due(self.trees(), now=now, most=self._runtime.settings.max_ended_trees)
        for tree in overdue:
            await self._remove(tree, now)
        if overdue:
            logger.info("Ended trees archived", extra={"trees": len(overdue)})
        return len(overdue)

    async def purge(self) -> int:
        """Forget what was archived long ago, and runs whose objects others deleted."""
        before = (self._runtime.now() - self._runtime.settings.archive_for).timestamp()
        database, executions = self._runtime.database, self._runtime.executions
        old = await database.read(lambda sql: archive.expired(sql, before))
        forgotten = await database.read(lambda sql: attempts.forgotten(sql, before))
        orphaned = [uid for uid in forgotten if executions.get(uid) is None]
        kept = await database.read(lambda sql: archive.known(sql, orphaned))
        now = self._runtime.timestamp()
        await database.write(lambda sql: deliveries.sweep(sql, now=now, before=before))
        uids = [*old, *(uid for uid in orphaned if uid not in kept)]
        if uids:
            await database.write(lambda sql: archive.purge(sql, uids))
            logger.info("Archive purged", extra={"executions": len(uids)})
        return len(uids)

    def trees(self) -> list[Tree]:
        """Return the trees that have ended, each from root to leaves."""
        executions = self._runtime.executions
        found = []
        for root in executions:
            if root.spec.parent is not None or not root.phase.is_final:
                continue
            members = list(_descendants(root, executions.children))
            if all(one.phase.is_final for one in members):
                ends = [one.status.completion_time for one in members]
                ended = max((end for end in ends if end), default=None)
                if ended is not None:
                    found.append(Tree(root.key, root.uid, ended, self._ttl(root)))
        return found

    def _ttl(self, root: Execution) -> str:
        if root.spec.ttl_after_finished is not None:
            return root.spec.ttl_after_finished
        name = root.status.flow or root.spec.flow
        flows = self._runtime.catalogs.flows(root.metadata.namespace)
        flow = flows.find(name) if root.spec.flow and name else None
        ttl = flow.spec.ttl_after_finished if flow else DEFAULT_TTL
        if root.spec.mode == Mode.DEVELOPMENT:
            return min(ttl, self._runtime.settings.development_ttl, key=durations.parse)
        return ttl

    async def _remove(self, tree: Tree, now: datetime) -> None:
        namespace, name = tree.key
        try:
            root = await self._runtime.cluster.get(EXECUTIONS, namespace, name)
        except NotFound:
            return
        if root["metadata"]["uid"] != tree.uid:
            return
        members = [root]
        if self._runtime.executions.children(tree.uid):
            below = await self._runtime.cluster.list(
                EXECUTIONS, namespace, labels=f"{ROOT_LABEL}={name}"
            )
            members = _tree_of(root, below.items)
        if not all(Execution.model_validate(one).phase.is_final for one in members):
            return  # a child was made meanwhile
        rows = [archived(one, tree.uid, now) for one in members]
        await self._runtime.database.write(lambda sql: archive.put(sql, rows))
        # The garbage collector takes the descendants along.
        await self._runtime.cluster.delete(EXECUTIONS, namespace, name, uid=tree.uid)


def _descendants(
    root: Execution, children: Callable[[str], list[Execution]]
) -> Iterator[Execution]:
    pending = [root]
    while pending:
        one = pending.pop()
        yield one
        pending += children(one.uid)


def _tree_of(root: JsonObject, candidates: list[JsonObject]) -> list[JsonObject]:
    """Return the root and its descendants: others may carry the label of a root that was."""
    by_parent: dict[str, list[JsonObject]] = {}
    for one in candidates:
        parent = one["spec"].get("parent") or {}
        by_parent.setdefault(parent.get("uid", ""), []).append(one)
    found, pending = [], [root]
    while pending:
        one = pending.pop()
        found.append(one)
        pending += by_parent.get(one["metadata"]["uid"], [])
    return found


def archived(item: JsonObject, root_uid: str, now: datetime) -> Archived:
    """Return the archive's row of an Execution."""
    execution = Execution.model_validate(item)
    item = {**item, "metadata": {**item["metadata"]}}
    item["metadata"].pop("managedFields", None)
    status, metadata = execution.status, execution.metadata
    return Archived(
        uid=execution.uid,
        namespace=metadata.namespace,
        name=metadata.name,
        root_uid=root_uid,
        parent_uid=execution.spec.parent.uid if execution.spec.parent else None,
        flow=_clean(execution.status.flow or execution.target),
        title=_clean(execution.title),
        mode=str(execution.spec.mode),
        phase=str(status.phase),
        reason=str(status.reason) if status.reason else None,
        created=_unix(metadata.creation_timestamp),
        started=_unix(status.start_time),
        ended=_unix(status.completion_time),
        archived=now.timestamp(),
        object=json.dumps(item),
    )


def _clean(text: str) -> str:
    # PostgreSQL refuses NUL, and one title must not hold up the archive.
    return text.replace("\x00", "\ufffd")[:253]


def _unix(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
