"""Fetches commits of a repository into a folder, as little of it as the host allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from weir.api.repository import GitRef
from weir.core.sources import SourceFile
from weir.git.credentials import Credentials


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


def newest(
    url: str,
    ref: GitRef,
    credentials: Credentials,
    *,
    timeout: float,
    allow_local: bool = False,
) -> str:
    """Return the SHA of the commit that `ref` means now, without fetching it.

    Raises:
        GitError: unreachable, refused, no such ref, out of time (seconds), or a URL or ref that
            is none.
    """
    raise NotImplementedError


class Clone:
    """A folder that commits of one FlowRepository are kept in. Not for two threads at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fetch(
        self,
        url: str,
        ref: GitRef,
        credentials: Credentials,
        *,
        timeout: float,
        max_bytes: int,
        submodules: bool = False,
        allow_local: bool = False,
    ) -> Commit:
        """Fetch the commit that `ref` means now.

        Parameters:
            timeout: Seconds that all of it may take.
            max_bytes: How large the folder may grow.

        Raises:
            GitError: unreachable, refused, no such ref, too large, or out of time. What was
                fetched before is still there, unless it was too large.
        """
        raise NotImplementedError

    def files(self, sha: str, wanted: Callable[[str], bool] | None = None) -> Iterator[SourceFile]:
        """Yield the files of a fetched commit, sorted by path; content only of those `wanted`.

        Raises:
            GitError: the commit is not there, or cannot be read; or it has too many files.
        """
        raise NotImplementedError
