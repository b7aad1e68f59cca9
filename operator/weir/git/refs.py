"""Which commit a FlowRepository's spec.ref means."""

from __future__ import annotations

from dataclasses import dataclass

from weir.api.reasons import Reason
from weir.api.repository import GitRef
from weir.core.versions import parse_range
from weir.git.errors import GitError
from weir.git.failures import no_ref
from weir.git.session import Session
from weir_connectors.git_inputs import is_ref

_PEELED = "^{}"  # after an annotated tag's name, for the commit that it is of


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask a host for, by its name there, and what people call it. Empty: its default."""

    name: str
    said: str

    @property
    def is_commit(self) -> bool:
        """Whether it is a SHA, which a host need not give away."""
        return not self.name.startswith("refs/") and self.name != "HEAD"


def wanted(session: Session, ref: GitRef) -> Wanted:
    """Return what to ask the host for; for a range of versions, it is asked for its tags.

    Raises:
        GitError: InvalidSpec: no name or range. RefNotFound: no tag is in the range.
    """
    if ref.semver is not None:
        return _highest(session, ref.semver)
    for kind, name in (("branch", ref.branch), ("tag", ref.tag)):
        if name is None:
            continue
        _check(f"spec.ref.{kind}", name)
        folder = "heads" if kind == "branch" else "tags"
        return Wanted(f"refs/{folder}/{name}", f'{kind} "{name}"')
    if ref.commit is not None:
        _check("spec.ref.commit", ref.commit)
        return Wanted(ref.commit, f'commit "{ref.commit}"')
    return Wanted("HEAD", "")


def sha_of(session: Session, found: Wanted) -> str:
    """Return the SHA of the commit that a name of the host means now.

    Raises:
        GitError: there is no such ref, or as Session.git does.
    """
    if found.is_commit:
        return found.name
    names = (found.name, found.name + _PEELED)
    advertised = _advertised(session, *names)
    sha = advertised.get(names[1]) or advertised.get(names[0])
    if sha is None:
        message = f"{session.where}: {no_ref(found.said)}"
        raise GitError(Reason.REF_NOT_FOUND, message)
    return sha


def branch(name: str) -> Wanted:
    """Return what to ask the host for.

    Raises:
        GitError: InvalidSpec: it cannot be the name of a branch.
    """
    _check("The branch", name)
    return Wanted(f"refs/heads/{name}", f'branch "{name}"')


def _highest(session: Session, text: str) -> Wanted:
    try:
        versions = parse_range(text)
    except ValueError as error:
        raise GitError(Reason.INVALID_SPEC, f"spec.ref.semver: expected {error}") from None
    prefix = "refs/tags/"
    tags = (
        name.removeprefix(prefix)
        for name in _advertised(session, f"{prefix}*")
        if name.startswith(prefix) and not name.endswith(_PEELED)
    )
    tag = versions.highest(name for name in tags if is_ref(name))
    if tag is None:
        message = f'{session.where}: no tag is a version in the range "{text}"; check spec.ref'
        raise GitError(Reason.REF_NOT_FOUND, message)
    return Wanted(prefix + tag, f'tag "{tag}"')


def _advertised(session: Session, *patterns: str) -> dict[str, str]:
    """Return the SHAs of the host's refs that fit a pattern, by name."""
    finished = session.git(session.scratch, "ls-remote", "--quiet", "origin", *patterns)
    if finished.code != 0:
        raise session.failed(finished)
    pairs = (line.partition("\t") for line in finished.output.splitlines())
    return {name: sha for sha, tab, name in pairs if tab}


def _check(field: str, name: str) -> None:
    if not is_ref(name):
        raise GitError(Reason.INVALID_SPEC, f"{field}: expected a name that Git allows")
