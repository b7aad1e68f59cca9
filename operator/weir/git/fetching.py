"""Fetches commits of a repository into a folder, as little of it as the host allows."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from weir.api.reasons import Reason
from weir.api.repository import GitRef
from weir.core.sources import SourceFile
from weir.git import commits, refs, session, submodules, trees
from weir.git.commits import Commit
from weir.git.credentials import Credentials
from weir.git.errors import GitError
from weir.git.session import Session

__all__ = ["Clone", "Commit", "newest"]

_FETCHED = "refs/weir/fetched"
_MARKER = "weir-origin"  # a file in the folder: what it was fetched from

# Every fetch that finds something new adds a pack, and each makes reading a little slower.
_MOST_PACKS = 50


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
    with session.opened(url, credentials, timeout=timeout, allow_local=allow_local) as host:
        return refs.sha_of(host, refs.wanted(host, ref))


class Clone:
    """A folder that commits of one FlowRepository are kept in. Not for two threads at once.

    It is a cache: it may be lost, and is made anew where it does not fit.
    """

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
        with session.opened(url, credentials, timeout=timeout, allow_local=allow_local) as host:
            fetch = _Fetch(self.folder, host, url, credentials, max_bytes, submodules)
            return fetch.commit(ref)

    def files(self, sha: str, wanted: Callable[[str], bool] | None = None) -> Iterator[SourceFile]:
        """Yield the files of a fetched commit, sorted by path; only those `wanted`, if given.

        Files and folders whose names begin with a dot are left out. A symbolic link stands for the
        file of the repository that it leads to.

        Raises:
            GitError: the commit is not there, or cannot be read; or it has too many files.
        """
        return trees.files(self.folder, sha, wanted)


class _Fetch:
    """One fetch into a folder."""

    def __init__(
        self,
        folder: Path,
        host: Session,
        url: str,
        credentials: Credentials,
        max_bytes: int,
        submodules: bool,
    ) -> None:
        self.folder = folder
        self.host = host
        self.url = url
        self.credentials = credentials
        self.max_bytes = max_bytes
        self.submodules = submodules
        # Another URL's commits, and submodules that are no longer wanted, are not to be readable.
        self._origin = hashlib.sha256(f"{url}\n{submodules}".encode()).hexdigest()

    def commit(self, ref: GitRef) -> Commit:
        found = refs.wanted(self.host, ref)
        is_new = not self._fits()
        if is_new:
            self._start_anew()
        try:
            return self._fetched(found)
        except (commits.BrokenClone, commits.HistoryNeeded, GitError) as error:
            if is_new or (isinstance(error, GitError) and error.reason is not Reason.TOO_LARGE):
                raise self._said(error) from None
        finally:
            self._tidy()
        # What has gathered in the folder was in the way, and maybe only that.
        self._start_anew()
        try:
            return self._fetched(found)
        except (commits.BrokenClone, commits.HistoryNeeded, GitError) as error:
            raise self._said(error) from None
        finally:
            self._tidy()

    def _fetched(self, found: refs.Wanted) -> Commit:
        host, folder = self.host, self.folder
        if found.is_commit and commits.sha_in(host, folder, _FETCHED) == found.name:
            sha = found.name  # a commit never changes
        else:
            sha = commits.fetch(host, folder, found, _FETCHED, max_bytes=self.max_bytes)
        if self.submodules:
            submodules.fetch(
                host, folder, sha, self.url, self.credentials, max_bytes=self.max_bytes
            )
        return commits.describe(host, folder, sha, found.name)

    def _said(self, error: Exception) -> GitError:
        if not isinstance(error, GitError):
            message = f"{self.host.where}: what was fetched cannot be read; run `git fsck` there"
            return GitError(Reason.FETCH_FAILED, message, transient=True)
        if error.reason is Reason.TOO_LARGE:
            shutil.rmtree(self.folder, ignore_errors=True)
        return error

    def _fits(self) -> bool:
        """Whether the folder can be fetched into; what a killed process left is taken away."""
        try:
            if (self.folder / _MARKER).read_text() != self._origin:
                return False
        except (OSError, UnicodeDecodeError):
            return False
        self._tidy()
        return sum(1 for _ in (self.folder / "objects" / "pack").glob("*.pack")) < _MOST_PACKS

    def _start_anew(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        commits.create(self.host, self.folder)
        (self.folder / _MARKER).write_text(self._origin)

    def _tidy(self) -> None:
        """Take away what Git leaves when it is killed. Nobody else works in this folder."""
        leftovers = (
            *self.folder.glob("*.lock"),
            *self.folder.glob("shallow_*"),
            *(self.folder / "refs").rglob("*.lock"),
            *(self.folder / "objects").glob("*/tmp_*"),
            *(self.folder / "objects").glob("*/.tmp-*"),
        )
        for path in leftovers:
            with suppress(OSError):
                path.unlink()
