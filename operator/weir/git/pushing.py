"""Commits one file to a branch, without a working tree."""

from __future__ import annotations

from dataclasses import dataclass

from weir.api.repository import GitRef
from weir.git.credentials import Credentials
from weir.git.fetching import Commit


@dataclass(frozen=True, slots=True)
class Author:
    """Who a commit is by."""

    name: str
    email: str = ""


def push(
    url: str,
    credentials: Credentials,
    *,
    branch: str,
    base_ref: GitRef,
    path: str,
    content: bytes,
    expected: bytes | None,
    message: str,
    author: Author,
    timeout: float,
    trailer: str | None = None,
    max_bytes: int = 2**30,
    allow_local: bool = False,
) -> Commit:
    """Commit a file to a branch; make the branch from `base_ref` if it is not there.

    Does nothing when the branch holds the file as it is to be. Tries once more when the branch
    moved meanwhile.

    Parameters:
        expected: What the file holds that was edited; None: there is none yet.
        timeout: Seconds that all of it may take.
        trailer: A line of messages. In a branch that is there already, and whose newest commit has
            this line, the file may be another than `expected`: it is this user's own.

    Raises:
        Conflict: the file at the branch's tip is not `expected`.
        GitError: unreachable, refused, no such ref, too large, out of time, or a path that is none.
    """
    raise NotImplementedError
