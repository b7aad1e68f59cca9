"""Brings a commit into a bare repository, and says who wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from weir.api.reasons import Reason
from weir.git.errors import GitError
from weir.git.failures import no_ref
from weir.git.refs import Wanted
from weir.git.session import Session
from weir_connectors import git_fetch, scrubbing
from weir_connectors.git_failures import Failure

_LONGEST_AUTHOR = 512  # characters, as status.lastSyncedAuthor has room
_LONGEST_SUBJECT = 200

# Author, their address, seconds since 1970 when it was committed, first line of the message.
_FORMAT = "%an%x00%ae%x00%ct%x00%s"

# What Git says of its own folder, not of the host.
_BROKEN = re.compile(
    "corrupt|bad object|missing (blob|tree|commit)|unable to read|loose object|bad config"
    "|not a git repository|shallow file|unable to create .*lock|did not send all necessary"
    "|invalid sha1 pointer|unable to find|bad index file|is far too short to be a packfile",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a repository.

    Attributes:
        sha: The whole SHA-1.
        author: `Name <address>`, cut to 512 characters.
        subject: The first line of its message, cut to 200 characters.
        time: When it was committed, in UTC.
        ref: What it was found by: `refs/heads/main`, `refs/tags/v1.2`, `HEAD`, or its SHA.
    """

    sha: str
    author: str
    subject: str
    time: datetime
    ref: str


class BrokenClone(Exception):
    """The folder that is fetched into cannot be used any more."""


class HistoryNeeded(Exception):
    """The host gives this commit only with its whole history, and the folder has a part of it."""


def create(session: Session, folder: Path) -> None:
    """Make an empty bare repository, without hooks or anything else of the machine's."""
    folder.mkdir(parents=True)
    session.do(folder, "init", "--quiet", "--bare", "--template=", ".")


def fetch(
    session: Session,
    folder: Path,
    found: Wanted,
    into: str,
    *,
    max_bytes: int,
    options: tuple[str, ...] = (),
) -> str:
    """Fetch one commit into the ref `into`; return its SHA.

    A host that does not give it alone is asked for the history of all branches and tags.

    Raises:
        GitError: as Session.git does, no such ref, or refused.
        BrokenClone, HistoryNeeded: a new folder is needed.
    """
    command = (*options, *git_fetch.FETCH)
    finished = session.git(
        folder, *command, "--depth=1", "origin", f"+{found.name}:{into}", max_bytes=max_bytes
    )
    if finished.code == 0:
        return _resolved(session, folder, into, found)
    if not Failure(finished.errors, finished.code).needs_whole_history:
        if _BROKEN.search(finished.errors):
            raise BrokenClone
        raise session.failed(finished, found.said)
    if (folder / "shallow").exists():
        raise HistoryNeeded
    return fetch_history(session, folder, found, into, max_bytes=max_bytes, options=options)


def fetch_history(
    session: Session,
    folder: Path,
    found: Wanted,
    into: str,
    *,
    max_bytes: int,
    options: tuple[str, ...] = (),
) -> str:
    """Fetch a commit with all that came before it; a SHA is looked for in all branches and tags.

    Raises:
        GitError: as `fetch` does.
    """
    command = (*options, *git_fetch.FETCH)
    refspecs = git_fetch.EVERYTHING if found.is_commit else (f"+{found.name}:{into}",)
    finished = session.git(folder, *command, "origin", *refspecs, max_bytes=max_bytes)
    if finished.code != 0:
        raise session.failed(finished, found.said)
    sha = _resolved(session, folder, found.name if found.is_commit else into, found)
    session.do(folder, "update-ref", into, sha)
    return sha


def _resolved(session: Session, folder: Path, name: str, found: Wanted) -> str:
    """Return the SHA of the commit that a name means, through an annotated tag if need be."""
    sha = sha_in(session, folder, name)
    if sha is None:
        raise GitError(Reason.REF_NOT_FOUND, f"{session.where}: {no_ref(found.said)}")
    return sha


def sha_in(session: Session, folder: Path, name: str) -> str | None:
    """Return the SHA of the commit that a name means in the folder; None: there is none."""
    arguments = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}")
    finished = session.git(folder, *arguments)
    return finished.output.strip() if finished.code == 0 else None


def describe(session: Session, folder: Path, sha: str, ref: str) -> Commit:
    """Return who wrote a commit that is in the folder, and when."""
    arguments = ("log", "-1", "--no-show-signature", "--encoding=UTF-8", f"--format={_FORMAT}", sha)
    shown = session.do(folder, *arguments)
    name, email, unix, subject = shown.split("\x00", 3)
    author = scrubbing.scrub(f"{name} <{email}>", (), 10_000)[:_LONGEST_AUTHOR]
    return Commit(sha, author, scrubbing.scrub(subject)[:_LONGEST_SUBJECT], _time(unix), ref)


def _time(unix: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(unix), UTC)
    except (ValueError, OverflowError, OSError):  # Git allows times that no calendar has
        return datetime.fromtimestamp(0, UTC)
