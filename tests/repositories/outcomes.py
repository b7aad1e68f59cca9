"""What becomes of a bad repository, without a cluster, and whether it is as it must be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.repositories.cases import NAMESPACE, REPOSITORY, Case
from weir.api.repository import RejectedFile
from weir.core.sources import SourceFile
from weir.core.syncing import live_of, plan, read


class Outcome(NamedTuple):
    """What became of a repository."""

    applied: set[str]
    """Kind/name of each object that is written."""
    deleted: set[str]
    rejected: list[RejectedFile]


def outcome(case: Case) -> Outcome:
    """Return what syncing decides."""
    return outcome_of(case, case.sources())


def outcome_of(case: Case, files: Iterable[SourceFile]) -> Outcome:
    """Return what syncing decides about a case whose files somebody else read."""
    spec = case.repository_spec()
    found = read(files, spec, namespace=NAMESPACE, repository=REPOSITORY)
    changes = plan(
        found.desired,
        [live_of(one["kind"], one) for one in case.live],
        repository=REPOSITORY,
        prune=spec.prune,
        rejected=found.rejected,
    )
    return Outcome(
        {f"{one.kind}/{one.name}" for one in changes.apply},
        {f"{one.kind}/{one.name}" for one in changes.delete},
        changes.rejected,
    )


def differences(case: Case, seen: Outcome) -> list[str]:
    """Return what is not as it must be, line by line."""
    return list(_differences(case, seen))


def _differences(case: Case, seen: Outcome) -> Iterator[str]:
    if seen.applied != case.brought:
        yield f"applied {sorted(seen.applied)}, not {sorted(case.brought)}"
    if seen.deleted:
        yield f"deleted {sorted(seen.deleted)}"
    reasons = {one.path: one for one in seen.rejected}
    if reasons.keys() != case.rejected.keys() or len(reasons) != len(seen.rejected):
        yield f"rejected {sorted(reasons)}, not {sorted(case.rejected)}"
    for path, (reason, words) in case.rejected.items():
        one = reasons.get(path)
        if one is not None and (one.reason != reason or words not in one.message):
            yield f"{path}: {one.reason}: {one.message}, but not {reason}: …{words}…"
