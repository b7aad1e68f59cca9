"""What the files of a repository say: the objects that they bring, and which files are rejected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from weir.api import names
from weir.api.reasons import Reason
from weir.api.repository import FlowRepositorySpec, RejectedFile
from weir.api.resource import JsonObject
from weir.core import source_scripts, source_settings, sources
from weir.core.source_manifests import objects_in
from weir.core.source_objects import Found, digest_of, require_allowed
from weir.core.sources import LONGEST_PATH, NotTaken, SourceFile, by_path, kind_of


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
    return Read(desired, sorted(problems, key=rejected_order), seen)


def rejected_order(one: RejectedFile) -> tuple[str, str, str]:
    """Return what rejected files are sorted by."""
    return (one.path, one.reason, one.message)


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
