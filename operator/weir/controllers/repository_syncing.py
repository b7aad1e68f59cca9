"""One sync of a FlowRepository, from its credentials to what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from weir.api.reasons import Reason
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError, Conflict, Unavailable
from weir.cluster.secrets import data_of
from weir.controllers.repository_applying import Applied, Applier
from weir.controllers.repository_fetching import Fetched, Fetcher
from weir.git import credentials
from weir.git.credentials import Credentials
from weir.git.errors import GitError


class Before(NamedTuple):
    """What the last sync left."""

    fetched: Fetched | None = None
    """What it found, without the bodies of objects."""
    there: frozenset[tuple[str, str]] = frozenset()
    """What it left in the namespace, by kind and name."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a sync."""

    error: GitError | None = None
    """Why it did not come to its end."""
    fetched: Fetched | None = None
    """The commit, as far as it came to one."""
    applied: Applied | None = None
    """None: it did not come to its end."""
    undone: tuple[str, ...] = ()
    """Objects, as Kind/name, whose changes by hand were undone."""

    @property
    def is_transient(self) -> bool:
        """Whether the same may succeed with nothing changed."""
        return self.error is not None and self.error.transient

    @property
    def word(self) -> str:
        """What to count it as: Unchanged, Synced, or the reason of trouble."""
        if self.error is not None:
            return str(self.error.reason)
        assert self.applied is not None
        if self.applied.refused or self.applied.plan.changes.rejected:
            return str(Reason.FILES_REJECTED)
        return str(Reason.SYNCED) if self.applied.plan.is_to_do else "Unchanged"

    @property
    def facts(self) -> JsonObject:
        """What to log of it."""
        if self.error is not None:
            return {"error": self.error.message[:300]}
        assert self.applied is not None
        return {
            "written": len(self.applied.written),
            "pruned": len(self.applied.plan.changes.delete) - len(self.applied.unpruned),
            "rejected": len(self.applied.plan.changes.rejected) + len(self.applied.refused),
        }

    def left(self, repository: FlowRepository, before: Before) -> Before:
        """Return what to remember of it."""
        there = before.there
        if self.applied is not None:
            there = self.applied.there(repository.metadata.name)
        return Before(self.fetched.bare() if self.fetched else None, there)


class Syncer:
    """Syncs FlowRepositories: several at once, each of them once at a time."""

    def __init__(self, cluster: Cluster, fetcher: Fetcher, applier: Applier) -> None:
        self._cluster = cluster
        self._fetcher = fetcher
        self._applier = applier

    async def sync(
        self,
        repository: FlowRepository,
        before: Before,
        *,
        begin: Callable[[str], Awaitable[None]],
        is_current: Callable[[], bool],
    ) -> Outcome:
        """Fetch what is new, and write what differs.

        `begin` is called with a message when there is something to do. Raises Superseded when
        `is_current` says no; all else that goes wrong is in the outcome.
        """
        fetched = before.fetched
        try:
            login = await self._credentials(repository)
            newest = await self._fetcher.newest(repository, login)
            if fetched is None or not fetched.is_of(repository, newest):
                if not _is_said(repository, newest):
                    await begin(f"fetching commit {newest[:7]}")
                fetched = await self._fetcher.fetch(repository, login)
            plan = await self._applier.plan(repository, fetched.read)
            if not plan.is_to_do:
                return Outcome(fetched=fetched, applied=Applied(plan))
            await begin(f"applying commit {fetched.commit.sha[:7]}")
            if fetched.is_bare:
                fetched = await self._fetcher.read_again(repository, fetched.commit)
            applied = await self._applier.apply(
                repository, fetched.commit, fetched.read, is_current
            )
        except GitError as error:
            return Outcome(error=error, fetched=fetched)
        except ClusterError as error:
            transient = isinstance(error, Unavailable | Conflict)
            told = GitError(Reason.APPLY_FAILED, error.message, transient=transient)
            return Outcome(error=told, fetched=fetched)
        return Outcome(fetched=fetched, applied=applied, undone=_undone(before, applied))

    async def _credentials(self, repository: FlowRepository) -> Credentials:
        reference = repository.spec.secret_ref
        if reference is None:
            return credentials.NONE
        data = await data_of(self._cluster, repository.metadata.namespace, reference.name)
        if data is None:
            # Manifests are applied in any order: it may come in a moment.
            message = f"there is no Secret {reference.name} (spec.secretRef) in this namespace"
            raise GitError(Reason.SECRET_NOT_FOUND, message, transient=True)
        return Credentials.of_secret(data)


def _is_said(repository: FlowRepository, sha: str) -> bool:
    """Whether the status is about this commit and this spec: after a restart, most are."""
    status, generation = repository.status, repository.metadata.generation
    return (status.last_synced_commit, status.observed_generation) == (sha, generation)


def _undone(before: Before, applied: Applied) -> tuple[str, ...]:
    """Name what was changed by hand, or deleted, and is again as the files say."""
    written = {(one.kind, one.name) for one in applied.written}
    drifted = {(one.kind, one.name) for one in applied.plan.changes.drifted}
    deleted = before.there - applied.plan.live.keys()
    return tuple(f"{kind}/{name}" for kind, name in sorted(written & (drifted | deleted)))
