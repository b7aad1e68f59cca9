"""What a FlowRepository brings to its namespace: what its files say, and what of it is to be done.

Nothing here reads a clock, a repository or a cluster. The same files and the same namespace give
the same answer in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from weir.api import names
from weir.api.reasons import Reason
from weir.api.repository import FlowRepositorySpec, RejectedFile
from weir.api.resource import JsonObject
from weir.core import source_scripts, source_settings, sources
from weir.core.source_manifests import objects_in
from weir.core.source_objects import Found, digest_of, require_allowed
from weir.core.sources import (
    LONGEST_PATH,
    NotTaken,
    SourceFile,
    by_path,
    kind_of,
    order_of,
    shown_path,
)

__all__ = ["Changes", "Desired", "Live", "Read", "digest_of", "live_of", "plan", "read"]


@dataclass(frozen=True)
class Desired:
    """An object that a file brings.

    Attributes:
        body: apiVersion, kind, metadata (name, labels, annotations) and spec.
        path: Its file.
        digest: Of its spec, see `digest_of`.
        applied: What the annotation weir.dev/applied is to say: the digest, and where the file has
            labels or annotations a digest of those behind it.
    """

    kind: str
    name: str
    body: JsonObject
    path: str
    digest: str
    applied: str = ""


@dataclass(frozen=True)
class Read:
    """What the files of a commit say.

    Attributes:
        seen: How many files spec.paths names.
    """

    desired: list[Desired]
    rejected: list[RejectedFile]
    seen: int


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


class _Brought(NamedTuple):
    """The objects of one file, or why there are none."""

    path: str
    found: list[Found]
    problem: RejectedFile | None = None


def read(
    files: Iterable[SourceFile], spec: FlowRepositorySpec, *, namespace: str, repository: str
) -> Read:
    """Return the objects that files bring, and the files that are rejected, both by path."""
    ordered = by_path(files)
    kinds = {one.path: kind_of(one.path, spec) for one in ordered}
    options = source_scripts.options_in(
        [one for one in ordered if kinds[one.path] == "Options"],
        scripts={path for path, kind in kinds.items() if kind == "Flow"},
    )
    problems = list(options.rejected)
    desired: list[Desired] = []
    taken = _Taken()
    seen = 0
    for file in ordered:
        kind = kinds[file.path]
        if kind is None or kind == "Options":
            continue
        seen += 1
        try:
            content = _content(file)
            if kind != "Manifest":
                require_allowed(kind, spec)
            if kind == "Flow":
                found = [source_scripts.flow_in(file.path, content, options, namespace)]
            elif kind == "Setting":
                found = [source_settings.setting_in(file.path, content, namespace)]
            else:
                found = objects_in(content, spec, namespace=namespace)
            taken.add(file.path, found)
        except NotTaken as error:
            problems.append(sources.rejected(file.path, error.reason, error.message))
        else:
            desired += [_desired(one, file.path, repository) for one in found]
    return Read(desired, sorted(problems, key=_by_path), seen)


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
        rejected=sorted(problems, key=_by_path),
        mine=len(mine | {(one.kind, one.name) for one in apply}) - len(delete),
    )


class _Taken:
    """What files before this one bring."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._words: dict[tuple[str, str], tuple[str, str]] = {}

    def add(self, path: str, found: Sequence[Found]) -> None:
        """Take in the objects of a file, all or none. Raises NotTaken."""
        ours = _Taken()
        for one in found:
            for others, where in ((self, None), (ours, path)):
                others._require_free(one, where)
            ours._put(one, path)
        self._names |= ours._names
        self._words |= ours._words

    def _require_free(self, one: Found, here: str | None) -> None:
        holder = self._names.get((one.kind, one.name))
        if holder is not None:
            what = "this file brings it twice" if here else f"{holder} brings it already"
            message = f"{one.kind} {one.name}: {what}: give one of the two another name{one.hint}"
            raise NotTaken(Reason.DUPLICATE, message)
        for word in _words(one):
            if (one.kind, word) in self._words:
                other, where = self._words[one.kind, word]
                message = (
                    f"{one.kind} {one.name}: {one.kind} {other} ({where}) is called {word!r} "
                    f"already: give one of the two another title{one.hint}"
                )
                raise NotTaken(Reason.TITLE_TAKEN, message)

    def _put(self, one: Found, path: str) -> None:
        self._names[one.kind, one.name] = path
        for word in _words(one):
            self._words[one.kind, word] = (one.name, path)


def _words(one: Found) -> Iterator[str]:
    yield from {one.name, one.title or one.name}


def _content(file: SourceFile) -> bytes:
    if file.problem is not None:
        raise NotTaken(file.problem.reason, file.problem.message)
    if file.content is None:
        raise NotTaken(Reason.REFUSED, "the file was not read")
    if not file.path.isprintable() or len(file.path) > LONGEST_PATH:
        message = "the path has more than 1024 characters, or some that cannot be printed: rename"
        raise NotTaken(Reason.INVALID_NAME, message)
    return file.content


def _desired(one: Found, path: str, repository: str) -> Desired:
    digest = digest_of(one.kind, one.spec)
    applied = f"{digest}.{names.digest(*_marks(one))}" if one.labels or one.annotations else digest
    metadata: JsonObject = {
        "name": one.name,
        "labels": {**one.labels, names.REPOSITORY_LABEL: repository},
        "annotations": {**one.annotations, names.SOURCE_PATH: path, names.APPLIED: applied},
    }
    body = {
        "apiVersion": names.API_VERSION,
        "kind": one.kind,
        "metadata": metadata,
        "spec": one.spec,
    }
    return Desired(one.kind, one.name, body, path, digest, applied)


def _marks(one: Found) -> list[str]:
    both = ((one.labels, "label"), (one.annotations, "annotation"))
    return [f"{what} {key}={value}" for marks, what in both for key, value in sorted(marks.items())]


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


def _by_path(one: RejectedFile) -> tuple[str, str, str]:
    return (one.path, one.reason, one.message)
