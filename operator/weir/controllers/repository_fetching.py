"""What is fetched of FlowRepositories: a clone of each below one folder, a few at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from weir.api import durations
from weir.api.reasons import Reason
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject, Key
from weir.core.sources import SourceFile, kind_of
from weir.core.syncing import Read, read
from weir.git import fetching
from weir.git.credentials import Credentials
from weir.git.errors import GitError
from weir.git.fetching import Clone, Commit
from weir.threads import in_thread

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

# A fetch ends itself at its timeout. One that does not is left alone, folder and all.
_MOST_TEXT = 64 * 1024**2
_NO_BODY: JsonObject = {}
_PATIENCE = timedelta(seconds=15)
# The answer is a line or two. A connection that gets none, as to an address that was not routed yet
# when it began, is better begun anew than waited for.
_ANSWER_SECONDS = 20.0


@dataclass(frozen=True)
class Fetched:
    """A commit, and what its files say."""

    commit: Commit
    read: Read
    generation: int
    """Of the FlowRepository: which files are read as what."""
    is_bare: bool = False
    """Whether the bodies of objects are left out."""

    def is_of(self, repository: FlowRepository, sha: str) -> bool:
        """Whether it is what a repository says at a commit."""
        return (self.commit.sha, self.generation) == (sha, repository.metadata.generation)

    def bare(self) -> Fetched:
        """Return it without bodies: what is kept, since there may be thousands."""
        if self.is_bare:
            return self
        desired = [replace(one, body=_NO_BODY) for one in self.read.desired]
        return replace(self, read=replace(self.read, desired=desired), is_bare=True)


class Fetcher:
    """Asks Git hosts, and keeps what they answer. Use from one event loop."""

    def __init__(
        self, folder: Path, *, at_once: int, max_bytes: int, allow_local: bool = False
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._allow_local = allow_local
        self._places = asyncio.Semaphore(at_once)
        # Hosts that were away lately share half of the places, so that they never fill all.
        self._doubtful_places = asyncio.Semaphore(max(at_once // 2, 1))
        self._doubtful: set[Key] = set()
        self._clones: dict[Key, Path] = {}
        self._numbers = 0
        self.running = 0
        """How many threads are busy now."""

    def clean(self) -> None:
        """Delete what an earlier operator left."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def forget(self, key: Key) -> None:
        """Delete what was fetched of a FlowRepository."""
        self._doubtful.discard(key)
        clone = self._clones.pop(key, None)
        if clone is not None:
            shutil.rmtree(clone, ignore_errors=True)

    async def newest(self, repository: FlowRepository, credentials: Credentials) -> str:
        """Return the commit that spec.ref means now, without fetching it. Raises GitError."""
        spec = repository.spec
        timeout = min(durations.parse(spec.timeout).total_seconds(), _ANSWER_SECONDS)
        return await self._call(
            repository,
            lambda: fetching.newest(
                spec.url, spec.ref, credentials, timeout=timeout, allow_local=self._allow_local
            ),
        )

    async def fetch(self, repository: FlowRepository, credentials: Credentials) -> Fetched:
        """Fetch the commit that spec.ref means now, and read its files. Raises GitError."""
        spec, clone = repository.spec, self._clone(repository)
        timeout = durations.parse(spec.timeout).total_seconds()

        def run() -> Fetched:
            self._folder.mkdir(parents=True, exist_ok=True)
            commit = clone.fetch(
                spec.url,
                spec.ref,
                credentials,
                timeout=timeout,
                max_bytes=self._max_bytes,
                submodules=spec.submodules,
                allow_local=self._allow_local,
            )
            return _read(clone, commit, repository)

        return await self._call(repository, run)

    async def read_again(self, repository: FlowRepository, commit: Commit) -> Fetched:
        """Read the files of a commit that was fetched before. Raises GitError."""
        clone = self._clone(repository)
        return await self._call(repository, lambda: _read(clone, commit, repository))

    def _clone(self, repository: FlowRepository) -> Clone:
        folder = self._clones.get(repository.key)
        if folder is None:
            self._numbers += 1
            folder = self._folder / f"{self._numbers}-{repository.metadata.uid}"
            self._clones[repository.key] = folder
        return Clone(folder)

    async def _call(self, repository: FlowRepository, call: Callable[[], Result]) -> Result:
        key = repository.key
        patience = durations.parse(repository.spec.timeout) + _PATIENCE
        async with self._place(key):
            self.running += 1
            try:
                async with asyncio.timeout(patience.total_seconds()):
                    result = await in_thread(call, name=f"fetch {'/'.join(key)}")
            except TimeoutError:
                self._doubtful.add(key)
                self._clones.pop(key, None)
                message = f"the fetch has not ended within {repository.spec.timeout} (spec.timeout)"
                raise GitError(Reason.FETCH_FAILED, message, transient=True) from None
            except GitError as error:
                if error.transient:
                    self._doubtful.add(key)
                raise
            except OSError as error:
                message = f"the operator cannot keep what it fetches: {error.strerror or error}"
                raise GitError(Reason.FETCH_FAILED, message, transient=True) from error
            finally:
                self.running -= 1
        self._doubtful.discard(key)
        return result

    @contextlib.asynccontextmanager
    async def _place(self, key: Key) -> AsyncIterator[None]:
        if key in self._doubtful:
            async with self._doubtful_places, self._places:
                yield
        else:
            async with self._places:
                yield


def _bounded(files: Iterable[SourceFile]) -> Iterator[SourceFile]:
    """Yield files; they are held in memory until they are read. Raises GitError."""
    size = 0
    for file in files:
        size += len(file.content or b"")
        if size > _MOST_TEXT:
            most = f"{_MOST_TEXT // 1024**2} MiB"
            message = f"the files that spec.paths names have more than {most}: name fewer"
            raise GitError(Reason.TOO_LARGE, message)
        yield file


def _read(clone: Clone, commit: Commit, repository: FlowRepository) -> Fetched:
    metadata = repository.metadata
    files = clone.files(commit.sha, lambda path: kind_of(path, repository.spec) is not None)
    found = read(
        _bounded(files), repository.spec, namespace=metadata.namespace, repository=metadata.name
    )
    return Fetched(commit, found, metadata.generation)
