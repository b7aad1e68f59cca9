"""What a FlowRepository brings to its namespace: what its files say, and what of it is to be done.

Nothing here reads a clock, a repository or a cluster. The same files and the same namespace give
the same answer in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from weir.api import names
from weir.api.reasons import Reason
from weir.api.repository import RejectedFile
from weir.api.resource import JsonObject
from weir.core import sources
from weir.core.source_objects import digest_of
from weir.core.source_reading import Desired, Read, read, rejected_order
from weir.core.sources import order_of, shown_path

__all__ = ["Changes", "Desired", "Live", "Read", "digest_of", "live_of", "plan", "read"]


@dataclass(frozen=True)
class Live:
    """An object of the namespace, as far as syncing looks at it.

    Attributes:
        repository: The FlowRepository that brought it, by its label.
        digest: Of its spec as it is now.
        applied: What was written there last, see Desired.
        path: The file that brought it.
    """

    kind: str
    name: str
    repository: str | None
    digest: str
    applied: str | None
    uid: str
    path: str | None = None

    @property
    def is_drifted(self) -> bool:
        """Whether its spec is not what was written last."""
        return self.applied is not None and self.applied.partition(".")[0] != self.digest


@dataclass(frozen=True)
class Changes:
    """What is to be done.

    Attributes:
        drifted: Of what is to be applied, what was changed by hand.
        unchanged: How many objects are as their files say.
        mine: How many objects are the repository's once all is done.
    """

    apply: list[Desired]
    delete: list[Live]
    drifted: list[Live]
    unchanged: int
    rejected: list[RejectedFile]
    mine: int


def live_of(kind: str, item: JsonObject) -> Live:
    """Return an object as the API has it, as far as syncing looks at it."""
    metadata = item["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    return Live(
        kind=kind,
        name=metadata["name"],
        repository=labels.get(names.REPOSITORY_LABEL),
        digest=digest_of(kind, item.get("spec") or {}),
        applied=annotations.get(names.APPLIED),
        uid=metadata.get("uid") or "",
        path=annotations.get(names.SOURCE_PATH),
    )


def plan(
    desired: Sequence[Desired],
    live: Iterable[Live],
    *,
    repository: str,
    prune: bool,
    rejected: Sequence[RejectedFile],
) -> Changes:
    """Return what is to be done so that a namespace is as files say.

    Parameters:
        live: At least what has the repository's label, and what is called as what is desired.
        rejected: Files that were not taken: what they brought earlier is left as it is.

    What was brought earlier is deleted when no file brings it. When no file brings anything at all,
    nothing is: that is a wrong branch or glob rather than a wish.
    """
    there = {(one.kind, one.name): one for one in live}
    unread = {one.path: one for one in rejected}
    held = set(unread)
    apply: list[Desired] = []
    drifted: list[Live] = []
    unchanged = 0
    problems = list(rejected)
    wanted = {(one.kind, one.name) for one in desired}
    for path, group in groupby(sorted(desired, key=_place), key=lambda one: one.path):
        ours = list(group)
        problem = _first_problem(ours, there, unread, repository)
        if problem is not None:
            problems.append(problem)
            held.add(shown_path(path))
            continue
        for one in ours:
            before = there.get((one.kind, one.name))
            if before is not None and _is_done(one, before):
                unchanged += 1
                continue
            apply.append(one)
            if before is not None and before.is_drifted:
                drifted.append(before)
    mine = {key for key, one in there.items() if one.repository == repository}
    delete = [
        there[key]
        for key in sorted(mine - wanted)
        if prune and desired and _is_gone(there[key], held)
    ]
    return Changes(
        apply=apply,
        delete=delete,
        drifted=drifted,
        unchanged=unchanged,
        rejected=sorted(problems, key=rejected_order),
        mine=len(mine | {(one.kind, one.name) for one in apply}) - len(delete),
    )


def _first_problem(
    ours: Sequence[Desired],
    there: dict[tuple[str, str], Live],
    unread: dict[str, RejectedFile],
    repository: str,
) -> RejectedFile | None:
    """Return why a file cannot be taken as the namespace is now; a file is taken whole."""
    for one in ours:
        before = there.get((one.kind, one.name))
        if before is None:
            continue
        if before.repository != repository:
            whose = f"FlowRepository {before.repository}" if before.repository else "somebody else"
            label = f"{names.REPOSITORY_LABEL}={repository}"
            message = (
                f"{one.kind} {one.name} is there already, and {whose} made it: rename one of the "
                f"two, or hand it over: kubectl label {one.kind.lower()} {one.name} {label}"
                f"{' --overwrite' if before.repository else ''}"
            )
            return sources.rejected(one.path, Reason.NOT_OURS, message)
        holder = unread.get(shown_path(before.path or ""))
        if holder and before.path != one.path and holder.reason != Reason.DUPLICATE:
            message = (
                f"{one.kind} {one.name}: {holder.path} brought it, and is rejected: mend or delete "
                "that file, or give this one another name"
            )
            return sources.rejected(one.path, Reason.DUPLICATE, message)
    return None


def _is_done(one: Desired, before: Live) -> bool:
    is_as_said = before.digest == one.digest
    return is_as_said and before.applied == (one.applied or one.digest) and before.path == one.path


def _is_gone(one: Live, held: Container[str]) -> bool:
    """Whether it was brought by a file that is there no more: a label alone does not say so."""
    return one.applied is not None and one.path is not None and shown_path(one.path) not in held


def _place(one: Desired) -> tuple[bytes, str, str]:
    return (order_of(one.path), one.kind, one.name)
