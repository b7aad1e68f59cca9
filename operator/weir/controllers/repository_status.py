"""The status of a FlowRepository: written where it is another than before, and only then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from weir.api.flow import Flow
from weir.api.reasons import Reason
from weir.api.repository import FlowRepository, RejectedFile
from weir.api.resource import changed
from weir.cluster.client import Cluster
from weir.cluster.errors import NotFound
from weir.cluster.kinds import FLOW_REPOSITORIES
from weir.controllers.events import EventWriter
from weir.controllers.intake import Intake
from weir.controllers.repository_applying import Applied
from weir.controllers.repository_fetching import Fetched
from weir.controllers.repository_syncing import Outcome
from weir.controllers.store import Store
from weir.core import sync_status

logger = logging.getLogger(__name__)

_SHORT = 7
_MOST_REJECTED = 100
_MOST_EVENTS = 10


class StatusWriter:
    """Writes the status of FlowRepositories, and Events about trouble. All raise ClusterError."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        intake: Intake,
        events: EventWriter,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._intake = intake
        self._events = events
        self._clock = clock

    async def begin(self, repository: FlowRepository, message: str) -> None:
        """Say that there is something to do."""
        repository = self._latest(repository)
        await self._write(
            repository, {"conditions": sync_status.begun(repository, message, self._clock())}
        )

    async def suspended(self, repository: FlowRepository) -> None:
        """Say that nothing is done."""
        fields = {
            "conditions": sync_status.suspended(repository, self._clock()),
            "observed_generation": repository.metadata.generation,
            "webhook_path": _webhook_path(repository),
        }
        await self._write(repository, fields)

    async def ended(
        self, repository: FlowRepository, outcome: Outcome, request: str | None
    ) -> None:
        """Say what came of a sync; `request` is what had asked for it."""
        now = self._clock()
        before = self._latest(repository)
        fields: dict[str, Any] = {
            "observed_generation": repository.metadata.generation,
            "webhook_path": _webhook_path(repository),
            "conditions": _conditions(before, outcome, now),
        }
        if request is not None:
            fields["last_handled_request"] = request
        if outcome.applied is not None and outcome.fetched is not None:
            fields |= _facts(repository, outcome.fetched, outcome.applied)
            wrote = outcome.applied.written or outcome.applied.plan.changes.delete
            commit = outcome.fetched.commit.sha
            if wrote or commit != before.status.last_synced_commit:
                fields["last_sync_time"] = now
        if outcome.undone:
            fields |= {"last_drift": outcome.undone[-1][:512], "last_drift_time": now}
        await self._write(before, fields)
        self._tell(repository, outcome, fields["conditions"][0])

    def _tell(self, repository: FlowRepository, outcome: Outcome, ready: Any) -> None:
        """Write Events: of trouble, and of what was undone."""
        if ready.status == "False":
            self._events.warn(repository, ready.reason, ready.message)
        commit = outcome.fetched.commit.sha[:_SHORT] if outcome.fetched else ""
        for one in outcome.undone[:_MOST_EVENTS]:
            message = f"{one} was changed by hand, and is again as commit {commit} says"
            self._events.warn(repository, Reason.DRIFTED, message)

    def _latest(self, repository: FlowRepository) -> FlowRepository:
        """Return it with the status that was written last."""
        known = self._store.repositories.get(repository.key)
        if known is None or known.metadata.uid != repository.metadata.uid:
            return repository
        return repository.model_copy(update={"status": known.status})

    async def _write(self, repository: FlowRepository, fields: dict[str, Any]) -> None:
        patch = changed(repository.status, repository.status.model_copy(update=fields))
        if not patch:
            return
        body = {"metadata": {"uid": repository.metadata.uid}, "status": patch}
        try:
            written = await self._cluster.patch(
                FLOW_REPOSITORIES, *repository.key, body, status=True
            )
        except NotFound:
            return
        self._intake.repository(written)


def _conditions(repository: FlowRepository, outcome: Outcome, now: datetime) -> Any:
    error, fetched, applied = outcome.error, outcome.fetched, outcome.applied
    if error is not None:
        # A Secret is looked for again, but who moves is whoever makes it.
        moves = error.transient and error.reason != Reason.SECRET_NOT_FOUND
        return sync_status.failed(repository, error.reason, error.message, moves=moves, now=now)
    assert fetched is not None
    assert applied is not None
    rejected = _rejected(applied)
    commit = f"commit {fetched.commit.sha[:_SHORT]}"
    if not fetched.read.seen:
        message = f"{commit} has no file that spec.paths names; nothing is pruned"
        return sync_status.failed(repository, Reason.NO_FILES, message, moves=False, now=now)
    if rejected:
        message = f"{commit}: {sync_status.of_rejected(rejected)}"
        return sync_status.failed(repository, Reason.FILES_REJECTED, message, moves=False, now=now)
    if applied.unpruned:
        message = f"{commit}: not pruned: {'; '.join(applied.unpruned)}"
        return sync_status.failed(repository, Reason.APPLY_FAILED, message, moves=False, now=now)
    count = len(applied.there(repository.metadata.name))
    objects = "1 object" if count == 1 else f"{count} objects"
    return sync_status.synced(repository, f"{objects} as {commit} says", now)


def _facts(repository: FlowRepository, fetched: Fetched, applied: Applied) -> dict[str, Any]:
    there = applied.there(repository.metadata.name)
    rejected = _rejected(applied)
    return {
        "last_synced_commit": fetched.commit.sha,
        "short_commit": fetched.commit.sha[:_SHORT],
        "last_synced_author": fetched.commit.author[:512],
        "flows": sum(kind == Flow.KIND for kind, _ in there),
        "objects": len(there),
        "rejected": rejected[:_MOST_REJECTED] or None,
        "rejected_count": len(rejected),
    }


def _rejected(applied: Applied) -> list[RejectedFile]:
    """Return all files that were not taken, by path."""
    return sorted([*applied.plan.changes.rejected, *applied.refused], key=lambda one: one.path)


def _webhook_path(repository: FlowRepository) -> str | None:
    if repository.spec.webhook is None:
        return None
    return f"/git/{repository.metadata.namespace}/{repository.metadata.name}"
