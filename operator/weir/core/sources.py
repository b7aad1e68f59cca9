"""What a commit of a repository holds, file by file."""

from __future__ import annotations

from dataclasses import dataclass

from weir.api.repository import RejectedFile


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a commit.

    Attributes:
        path: From the top of the repository, parted by `/`.
        content: None: it was not read, because of `problem` or since nobody wanted it.
        problem: Why it cannot be taken.
    """

    path: str
    content: bytes | None
    problem: RejectedFile | None = None
