"""One conversation with a Git host: who logs in, for how long, and how much may come.

The folder with the credentials, and the environment of Git's processes, are those of the GIT
connection type; see weir_connectors.git_workspace.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from weir.api.reasons import Reason
from weir.git import failures
from weir.git.credentials import KEY_OF, Credentials
from weir.git.errors import GitError
from weir_connectors import git_fetch, git_url, git_workspace, process, scrubbing
from weir_connectors.git_inputs import LONGEST_TIMEOUT, GitInputs
from weir_connectors.git_url import RepositoryUrl

# What the GIT connection type calls what the Secret calls otherwise.
_KEYS = {"ssh_key": "identity", "ssh_hostkey": "known_hosts", "cacert": "ca.crt"}

# Room for the names of 100,000 branches and tags.
_LONGEST_OUTPUT = 8 * 2**20

_TOKEN = re.compile(r"[!-~]+")
_LINE_BREAK = re.compile(r"[\r\n\x00]")


class Session:
    """Runs Git commands in one folder until the time is over or the folder is too large."""

    def __init__(
        self,
        url: RepositoryUrl,
        workspace: git_workspace.Workspace,
        *,
        secrets: list[str],
        has_login: bool,
        deadline: float,
        timeout: float,
    ) -> None:
        self.url = url
        self.secrets = secrets
        self.scratch = workspace.folder
        self._has_login = has_login
        self._environment = workspace.environment
        self.deadline = deadline
        self.timeout = timeout

    @property
    def where(self) -> str:
        """The address, for messages."""
        return scrubbing.scrub(self.url.address, self.secrets, 300)

    def git(
        self,
        folder: Path,
        *arguments: str,
        max_bytes: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> process.Finished:
        """Run Git in a folder, however it ends.

        Raises:
            GitError: the time is over, or the folder grew beyond `max_bytes`; Git and its
                children are gone then.
        """

        def check() -> None:
            self.check_time()
            if max_bytes is not None and size_of(folder) > max_bytes:
                raise too_large(self.where, max_bytes)

        try:
            finished = process.run(
                ("git", *arguments),
                folder=folder,
                environment={
                    **self._environment,
                    "GIT_CEILING_DIRECTORIES": str(folder.parent),
                    **(environment or {}),
                },
                check=check,
                keep=_LONGEST_OUTPUT,
            )
        except FileNotFoundError:
            message = "git is not installed here; take Weir's own image, or add git to yours"
            raise GitError(Reason.FETCH_FAILED, message, transient=True) from None
        check()
        return finished

    def do(
        self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run Git in a folder, and return what it printed.

        Raises:
            GitError: it failed, or as `git` does.
        """
        finished = self.git(folder, *arguments, environment=environment)
        if finished.code != 0:
            raise self.failed(finished)
        return finished.output.strip()

    def failed(self, finished: process.Finished, ref: str = "") -> GitError:
        """Return the error that says why a command failed."""
        return failures.error_of(
            finished, self.where, ref=ref, has_login=self._has_login, secrets=self.secrets
        )

    def check_time(self) -> None:
        """Raise GitError when the time is over."""
        if time.monotonic() > self.deadline:
            message = (
                f"{self.where}: not done after {self.timeout:g} s; the host is away or"
                " slow, or the repository large: look whether it answers, or raise spec.timeout"
            )
            raise GitError(Reason.FETCH_FAILED, message, transient=True)


@contextmanager
def opened(
    address: str,
    credentials: Credentials,
    *,
    timeout: float,
    deadline: float | None = None,
    allow_local: bool = False,
) -> Iterator[Session]:
    """Open a session; its folder with the credentials is gone when it is closed.

    Parameters:
        timeout: Seconds that it may take.
        deadline: When it ends, by time.monotonic(), if not after `timeout`.

    Raises:
        GitError: InvalidSpec or HostKeyUnknown: the URL or the credentials cannot be used.
    """
    url = _url_of(address, allow_local)
    inputs = _inputs_of(address, url, credentials, timeout)
    _check(inputs, url, credentials)
    secrets = git_workspace.secrets_of(inputs, url)
    secrets += [one for one in (credentials.bearer_token, credentials.passphrase) if one]
    with _workspace(inputs, url, credentials) as workspace:
        yield Session(
            url,
            workspace,
            secrets=secrets,
            has_login=any((credentials.password, credentials.identity, credentials.bearer_token)),
            deadline=time.monotonic() + timeout if deadline is None else deadline,
            timeout=timeout,
        )


def _url_of(address: str, allow_local: bool) -> RepositoryUrl:
    try:
        url = git_url.parse(address)
    except ValueError as error:
        expected = str(error).replace("git or file,", "or git,")
        raise GitError(Reason.INVALID_SPEC, f"The repository's URL: expected {expected}") from None
    if url.scheme == "file" and not allow_local:
        message = "The repository's URL: expected a host; folders of Weir's own Pod are not read"
        raise GitError(Reason.INVALID_SPEC, message)
    if url.password is not None:
        message = (
            "The repository's URL holds a password, which everybody may read who sees it:"
            " move it to a Secret, as username and password, and name that in spec.secretRef"
        )
        raise GitError(Reason.INVALID_SPEC, message)
    return url


def _inputs_of(
    address: str, url: RepositoryUrl, credentials: Credentials, timeout: float
) -> GitInputs:
    is_http = url.scheme in ("http", "https")
    # An ssh key beside a password is for other hosts, and so on: one Secret may serve several.
    return GitInputs(
        command="get",
        repository_url=address,
        username=credentials.username if is_http or url.user is None else None,
        password=credentials.password if is_http or url.scheme == "ssh" else None,
        ssh_key=credentials.identity if url.scheme == "ssh" else None,
        ssh_hostkey=credentials.known_hosts if url.scheme == "ssh" else None,
        cacert=credentials.ca if is_http else None,
        timeout=max(0.1, min(timeout, LONGEST_TIMEOUT)),
    )


def _check(inputs: GitInputs, url: RepositoryUrl, credentials: Credentials) -> None:
    if url.scheme == "ssh" and inputs.ssh_hostkey is None:
        port = f"-p {url.port} " if url.port not in (None, 22) else ""
        message = (
            f"The key of {url.host} is not known: put what `ssh-keyscan {port}{url.host}` prints,"
            " once compared with what the host publishes, into the Secret as known_hosts"
        )
        raise GitError(Reason.HOST_KEY_UNKNOWN, message)
    for problem in inputs.problems():
        if problem.field == "ssh_key" and credentials.identity and credentials.passphrase:
            continue  # that it is locked; ssh itself says whether the passphrase fits
        key = _KEYS.get(problem.field, problem.field)
        raise GitError(Reason.INVALID_SPEC, f"The Secret's {key}: expected {problem.expected}")
    token = credentials.bearer_token
    if token is not None and not _TOKEN.fullmatch(token):
        message = f"The Secret's {KEY_OF['bearer_token']}: expected a token without blanks"
        raise GitError(Reason.INVALID_SPEC, message)
    if credentials.passphrase is not None and _LINE_BREAK.search(credentials.passphrase):
        raise GitError(Reason.INVALID_SPEC, "The Secret's passphrase: expected one line")


@contextmanager
def _workspace(
    inputs: GitInputs, url: RepositoryUrl, credentials: Credentials
) -> Iterator[git_workspace.Workspace]:
    with git_workspace.opened(inputs, url) as workspace:
        if credentials.bearer_token is not None and url.scheme in ("http", "https"):
            _add_bearer_token(workspace, url, credentials.bearer_token)
        if credentials.passphrase is not None and inputs.ssh_key is not None:
            _add_passphrase(workspace, credentials.passphrase)
        yield workspace


def _add_bearer_token(
    workspace: git_workspace.Workspace, url: RepositoryUrl, bearer_token: str
) -> None:
    """Send a token along. No redirect is followed: Git would take the header to the new host."""
    escaped = bearer_token.replace("\\", "\\\\").replace('"', '\\"')
    with open(workspace.folder / "config", "a", encoding="utf-8") as config:
        config.write(
            f'[http "{url.origin}"]\n\textraHeader = "Authorization: Bearer {escaped}"\n'
            "[http]\n\tfollowRedirects = false\n"
        )


def _add_passphrase(workspace: git_workspace.Workspace, passphrase: str) -> None:
    """Answer ssh's question for the passphrase, and leave the one for a password as it is."""
    _write(workspace.folder / "passphrase", passphrase + "\n", 0o600)
    quoted = shlex.quote(str(workspace.folder / "passphrase"))
    otherwise = workspace.environment.get("SSH_ASKPASS")
    other = f"exec {shlex.quote(otherwise)}" if otherwise else "exit 1"
    script = f'#!/bin/sh\ncase "$1" in\n*passphrase*) exec cat {quoted} ;;\n*) {other} ;;\nesac\n'
    _write(workspace.folder / "answer-passphrase", script, 0o700)
    workspace.environment.update(
        SSH_ASKPASS=str(workspace.folder / "answer-passphrase"), SSH_ASKPASS_REQUIRE="force"
    )
    # Options of the command win over the file's.
    workspace.environment["GIT_SSH_COMMAND"] += " -o BatchMode=no"


def _write(path: Path, text: str, mode: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)


def too_large(where: str, max_bytes: int) -> GitError:
    """Return the error for a repository that does not fit."""
    message = (
        f"{where}: larger than {max_bytes / 2**20:.0f} MiB, the limit of this installation;"
        " take large files out of it, or have operator.repositories.maxBytes raised"
    )
    return GitError(Reason.TOO_LARGE, message)


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder that may be written to meanwhile."""
    total = 0
    folders: list[str] = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += git_fetch.size_of_file(entry)
        except FileNotFoundError:  # gone meanwhile
            continue
    return total


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="weir-git-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
