"""Fetches one commit of a repository into a workspace, as little of it as the server allows.

`git` is run directly, not through GitPython: a fetch must have exactly the environment of the
workspace, and must be stoppable with all its children.
"""

from __future__ import annotations

import os
import re
import time

from weir_connectors import process, scrubbing
from weir_connectors.connector import Context
from weir_connectors.errors import ConnectionCancelled, ConnectionFailed
from weir_connectors.git_failures import Failure
from weir_connectors.git_inputs import GitInputs
from weir_connectors.git_url import RepositoryUrl
from weir_connectors.git_workspace import Workspace, credentials_of, secrets_of

# What may be downloaded. Room for a long history, yet not for filling a node's disk.
DOWNLOAD_LIMIT = 2**30

_FETCHED = "refs/weir/fetched"
FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-gc",
    "--no-recurse-submodules",
)
EVERYTHING = ("+refs/heads/*:refs/weir/heads/*", "+refs/tags/*:refs/weir/tags/*")
_SHA = re.compile(r"[0-9a-f]{7,40}")


def fetch(workspace: Workspace, inputs: GitInputs, url: RepositoryUrl, context: Context) -> str:
    """Fetch the commit that the inputs name; return its full SHA.

    A SHA that the server does not give away alone, and a shortened one, are looked for in the
    whole history of all branches and tags.

    Raises:
        ConnectionFailed: unreachable, refused, no such ref, too large, or out of time.
        ConnectionCancelled: `context.cancelled()` said so.
    """
    return _Fetch(workspace, inputs, url, context).commit()


class _Fetch:
    def __init__(
        self, workspace: Workspace, inputs: GitInputs, url: RepositoryUrl, context: Context
    ) -> None:
        self.workspace = workspace
        self.inputs = inputs
        self.url = url
        self.context = context
        self.deadline = time.monotonic() + inputs.timeout
        self.secrets = secrets_of(inputs, url)

    def commit(self) -> str:
        self._git("init", "--quiet", "--bare", "--template=", str(self.workspace.repository))
        # The commit alone tells all that metadata needs.
        filters = ("--filter=tree:0",) if self.inputs.command == "metadata" else ()
        ref = self.inputs.ref or "HEAD"
        failure = self._try(*FETCH, *filters, "--depth=1", "origin", f"+{ref}:{_FETCHED}")
        if failure is None:
            return self._resolve(_FETCHED)
        is_sha = _SHA.fullmatch(ref) is not None
        is_short_sha = is_sha and len(ref) < 40 and failure.kind == "no ref"
        if not failure.needs_whole_history and not is_short_sha:
            raise self._failed(failure)
        self.context.log("the server does not give this commit alone: fetching the whole history")
        wanted = EVERYTHING if is_sha else (f"+{ref}:{_FETCHED}",)
        self._git(*FETCH, *filters, "origin", *wanted)
        return self._resolve(ref if is_sha else _FETCHED)

    def _resolve(self, name: str) -> str:
        """Return the SHA of the commit that a name means, through an annotated tag if need be."""
        finished = self._run(
            "rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"
        )
        if finished.code != 0:
            text = f'GIT: {self.url.address}: there is no commit "{self.inputs.ref}"'
            raise ConnectionFailed(scrubbing.scrub(text, self.secrets))
        return finished.output.strip()

    def _git(self, *arguments: str) -> None:
        failure = self._try(*arguments)
        if failure is not None:
            raise self._failed(failure)

    def _try(self, *arguments: str) -> Failure | None:
        finished = self._run(*arguments)
        return None if finished.code == 0 else Failure(finished.errors, finished.code)

    def _failed(self, failure: Failure) -> ConnectionFailed:
        login = credentials_of(self.inputs, self.url)
        has_login = login.password is not None or self.inputs.ssh_key is not None
        return ConnectionFailed(
            failure.explain(self.url.address, self.inputs.ref, has_login, self.secrets)
        )

    def _run(self, *arguments: str) -> process.Finished:
        folder = self.workspace.repository
        if not folder.exists():
            folder = self.workspace.folder
        try:
            return process.run(
                ("git", *arguments),
                folder=folder,
                environment=self.workspace.environment,
                check=self._check,
            )
        except FileNotFoundError:
            raise ConnectionFailed(
                "GIT: git is not installed in this image; take Weir's runner image, or add git"
            ) from None

    def _check(self) -> None:
        if self.context.cancelled():
            raise ConnectionCancelled(f"GIT: {self._where}: given up, the run is to be cancelled")
        if time.monotonic() > self.deadline:
            raise ConnectionFailed(
                f"GIT: {self._where}: not done after {self.inputs.timeout:g} s;"
                " raise the input timeout if the repository is large"
            )
        if _bytes_in(self.workspace.repository / "objects" / "pack") > DOWNLOAD_LIMIT:
            raise ConnectionFailed(
                f"GIT: {self._where}: more than {DOWNLOAD_LIMIT // 2**20} MiB to download;"
                " name a branch or tag instead of a commit"
            )

    @property
    def _where(self) -> str:
        return scrubbing.scrub(self.url.address, self.secrets)


def _bytes_in(folder: os.PathLike[str]) -> int:
    total = 0
    try:
        for entry in os.scandir(folder):
            total += size_of_file(entry)
    except FileNotFoundError:  # not yet made
        pass
    return total


def size_of_file(entry: os.DirEntry[str]) -> int:
    """Return the bytes of a file; 0 where it is gone by now."""
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # a temporary file, renamed meanwhile
        return 0
