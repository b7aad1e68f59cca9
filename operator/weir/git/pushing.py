"""Commits one file to a branch, without a working tree."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from weir.api.reasons import Reason
from weir.api.repository import GitRef
from weir.git import commits, refs, session
from weir.git.commits import Commit
from weir.git.credentials import Credentials
from weir.git.errors import Conflict, GitError
from weir.git.session import Session
from weir_connectors import scrubbing

_TIP = "refs/weir/tip"

# Who made the commit on the author's behalf; the author is another field of it.
_COMMITTER = {"GIT_COMMITTER_NAME": "Weir", "GIT_COMMITTER_EMAIL": "noreply@weir.dev"}

_FILE_MODES = ("100644", "100755")

# What Git would take for the end of a name or an address.
_NOT_IN_NAMES = re.compile(r"[<>\x00-\x1f\x7f]")
_CRUD = " .,:;'\"\\"

_MOVED = re.compile(
    r"\[rejected\]|non-fast-forward|fetch first|cannot lock ref|failed to update ref|stale info"
)
_REFUSED = re.compile(r"! \[remote rejected\].*|! .*\(.*declined\)|remote: .*")


@dataclass(frozen=True, slots=True)
class Author:
    """Who a commit is by."""

    name: str
    email: str = ""


class _Moved(Exception):
    """The branch got another commit meanwhile."""


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
    _check_path(path)
    with session.opened(url, credentials, timeout=timeout, allow_local=allow_local) as host:
        change = _Change(host, branch, base_ref, path, content, expected, message, author, trailer)
        try:
            return change.push(max_bytes)
        except _Moved:
            pass
        try:
            return change.push(max_bytes)
        except _Moved:
            text = (
                f'{host.where}: branch "{branch}" moves faster than it can be pushed to; try again'
            )
            raise GitError(Reason.FETCH_FAILED, text, transient=True) from None


@dataclass(frozen=True, slots=True)
class _Change:
    """One file as it is to be."""

    host: Session
    branch: str
    base_ref: GitRef
    path: str
    content: bytes
    expected: bytes | None
    message: str
    author: Author
    trailer: str | None

    def push(self, max_bytes: int) -> Commit:
        with session.scratch_folder() as folder:
            repository = folder / "repository"
            commits.create(self.host, repository)
            tip, is_there = self._tip(repository, max_bytes)
            name = refs.branch(self.branch).name
            mode, found = self._file_at(repository, tip)
            if found == _blob_sha(self.content):
                return commits.describe(self.host, repository, tip, name)
            as_expected = found == (None if self.expected is None else _blob_sha(self.expected))
            if not as_expected and not (is_there and self._is_own(repository, tip)):
                raise self._conflict(found)
            sha = self._commit(folder, repository, tip, mode)
            self._send(repository, f"{sha}:{name}")
            return commits.describe(self.host, repository, sha, name)

    def _tip(self, repository: Path, max_bytes: int) -> tuple[str, bool]:
        """Fetch what to build on: the branch or, if there is none, what it is to be made from.

        Return its commit, and whether the branch is there.
        """
        wanted = refs.branch(self.branch)
        try:
            return commits.fetch(self.host, repository, wanted, _TIP, max_bytes=max_bytes), True
        except GitError as error:
            if error.reason is not Reason.REF_NOT_FOUND:
                raise
        base = refs.wanted(self.host, self.base_ref)
        return commits.fetch(self.host, repository, base, _TIP, max_bytes=max_bytes), False

    def _is_own(self, repository: Path, tip: str) -> bool:
        """Whether the newest commit of the branch has the trailer."""
        message = self._git(repository, "log", "-1", "--format=%B", tip)
        return self.trailer is not None and self.trailer in message.splitlines()

    def _file_at(self, repository: Path, tip: str) -> tuple[str, str | None]:
        """Return the file's mode, and the SHA of its content; None: there is no such file."""
        listed = self._git(repository, "ls-tree", "-z", "--full-tree", tip, "--", self.path)
        facts, _, name = listed.rstrip("\x00").partition("\t")
        if name != self.path:
            return _FILE_MODES[0], None
        mode, _, sha = facts.split()
        if mode not in _FILE_MODES:
            text = f"{self.path}: a folder, a submodule or a symbolic link; edit the file itself"
            raise GitError(Reason.INVALID_SPEC, text)
        return mode, sha

    def _conflict(self, found: str | None) -> Conflict:
        what = "is there already" if self.expected is None else "was changed"
        if found is None:
            what = "is not there"
        return Conflict(
            f'{self.host.where}: {self.path} {what} on branch "{self.branch}":'
            " take over what is there, or push to another branch"
        )

    def _commit(self, folder: Path, repository: Path, tip: str, mode: str) -> str:
        file, text = folder / "content", folder / "message"
        file.write_bytes(self.content)
        text.write_text(self.message.replace("\x00", "") + "\n", encoding="utf-8")
        environment = {"GIT_INDEX_FILE": str(folder / "index"), **_COMMITTER, **self._authorship()}
        blob = self._git(repository, "hash-object", "-w", "--no-filters", "--", str(file))
        self.host.do(repository, "read-tree", tip, environment=environment)
        added = self.host.git(
            repository,
            *("update-index", "--add", "--cacheinfo", f"{mode},{blob},{self.path}"),
            environment=environment,
        )
        if added.code != 0:
            said = f"{self.path}: cannot be a file there: a part of it is a file, or not allowed"
            raise GitError(Reason.INVALID_SPEC, said)
        tree = self.host.do(repository, "write-tree", environment=environment)
        arguments = ("commit-tree", "--no-gpg-sign", "-p", tip, "-F", str(text), tree)
        return self.host.do(repository, *arguments, environment=environment)

    def _authorship(self) -> dict[str, str]:
        name = _NOT_IN_NAMES.sub(" ", self.author.name).strip(_CRUD) or "unknown"
        email = _NOT_IN_NAMES.sub("", self.author.email).strip()
        return {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email}

    def _send(self, repository: Path, refspec: str) -> None:
        finished = self.host.git(
            repository, "push", "--porcelain", "--no-verify", "--no-thin", "origin", refspec
        )
        if finished.code == 0:
            return
        said = f"{finished.output}\n{finished.errors}"
        if _MOVED.search(said):
            raise _Moved
        if "[remote rejected]" in said:
            raise self._refused(said)
        raise self.host.failed(finished, f'branch "{self.branch}"')

    def _refused(self, said: str) -> GitError:
        quoted = scrubbing.scrub(" ".join(_REFUSED.findall(said)), self.host.secrets, 300)
        text = (
            f'{self.host.where}: the host does not take the commit to branch "{self.branch}"'
            f" ({quoted}); push to another branch"
        )
        return GitError(Reason.REFUSED, text)

    def _git(self, repository: Path, *arguments: str) -> str:
        return self.host.do(repository, *arguments)


def _blob_sha(content: bytes) -> str:
    """Return the name that Git gives to a content."""
    head = b"blob %d\x00" % len(content)
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def _check_path(path: str) -> None:
    parts = path.split("/")
    if (
        not path.isprintable()
        or len(path) > 1024
        or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    ):
        text = "The file's path: expected one from the top of the repository, such as flows/a.py"
        raise GitError(Reason.INVALID_SPEC, text)
