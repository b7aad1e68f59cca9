"""Fetches the submodules of a commit into the same folder, each with its own login.

Their objects lie beside the repository's own, under refs that trees.py knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from weir.api.reasons import Reason
from weir.git import commits, session
from weir.git.credentials import Credentials
from weir.git.errors import GitError
from weir.git.refs import Wanted
from weir.git.session import Session
from weir_connectors import git_url

FETCHED = "refs/weir/modules/"
"""Before the SHA of each submodule's commit that was fetched."""

DEEPEST = 3
"""Submodules of submodules of submodules."""

_MOST = 50

_SUBMODULE = re.compile(r"submodule\.(?P<name>.*)\.(?P<key>path|url)", re.DOTALL)

# Nothing that we have is told to the submodule's host.
_NO_NEGOTIATION = ("-c", "fetch.negotiationAlgorithm=noop")


@dataclass(frozen=True, slots=True)
class _Module:
    """A submodule of a commit: where it lies, where it is fetched from, and its commit."""

    path: str
    url: str
    sha: str


def fetch(
    host: Session,
    folder: Path,
    sha: str,
    url: str,
    credentials: Credentials,
    *,
    max_bytes: int,
) -> None:
    """Fetch all submodules of a commit that is in the folder, and theirs.

    The credentials go along to the same host only.

    Raises:
        GitError: as Session.git does; or a submodule is on no host, there are too many, or they
            are too deep. The text names the submodule.
    """
    waiting = [(sha, url, credentials, "", 0)]
    seen = 0
    while waiting:
        parent_sha, parent_url, login, prefix, depth = waiting.pop()
        for module in _modules(host, folder, parent_sha):
            path = prefix + module.path
            seen += 1
            if seen > _MOST or depth >= DEEPEST:
                message = f"More than {_MOST} submodules, or deeper than {DEEPEST}: {path[-200:]}"
                raise GitError(Reason.TOO_LARGE, message)
            try:
                address = resolve(parent_url, module.url)
                mine = login if is_same_host(parent_url, address) else login.for_another_host()
                _fetch_one(host, folder, module.sha, address, mine, max_bytes)
            except GitError as error:
                message = f"Submodule {path[-200:]}: {error.message}"
                raise GitError(error.reason, message, error.transient) from None
            waiting.append((module.sha, address, mine, f"{path}/", depth + 1))


def _fetch_one(
    host: Session, folder: Path, sha: str, url: str, credentials: Credentials, max_bytes: int
) -> None:
    into = FETCHED + sha
    if commits.sha_in(host, folder, into) == sha:
        return
    with session.opened(url, credentials, timeout=host.timeout, deadline=host.deadline) as other:
        found = Wanted(sha, f'commit "{sha}", which the repository names')
        try:
            commits.fetch(other, folder, found, into, max_bytes=max_bytes, options=_NO_NEGOTIATION)
        except commits.HistoryNeeded:
            commits.fetch_history(
                other, folder, found, into, max_bytes=max_bytes, options=_NO_NEGOTIATION
            )


def _modules(host: Session, folder: Path, sha: str) -> Iterator[_Module]:
    """Yield the submodules that .gitmodules names and the commit holds."""
    arguments = ("config", "--null", "--no-includes", "--blob", f"{sha}:.gitmodules", "--list")
    finished = host.git(folder, *arguments)
    if finished.code != 0:  # there is none, or it is none
        return
    found: dict[str, dict[str, str]] = {}
    for line in finished.output.split("\x00"):
        key, _, value = line.partition("\n")
        named = _SUBMODULE.fullmatch(key)
        if named is not None:
            found.setdefault(named["name"], {})[named["key"]] = value
    for values in found.values():
        path, url = values.get("path", "").strip("/"), values.get("url", "")
        if not path or not url:
            continue
        entry = host.git(folder, "ls-tree", "-z", "--full-tree", sha, "--", path).output
        facts, _, name = entry.rstrip("\x00").partition("\t")
        if name == path and facts.startswith("160000 commit "):
            yield _Module(path, url, facts.split()[2])


def resolve(base: str, url: str) -> str:
    """Return the address of a submodule whose URL may be relative to its repository's.

    Raises:
        GitError: InvalidSpec: it leads to no host.
    """
    if url.startswith(("./", "../")):
        address = base.rstrip("/")
        while url.startswith(("./", "../")):
            step, _, url = url.partition("/")
            if step == "..":
                address = address[: max(address.rfind("/"), address.rfind(":") + 1)]
        url = f"{address}{'' if address.endswith((':', '/')) else '/'}{url}"
    try:
        parsed = git_url.parse(url)
    except ValueError as error:
        message = f"its URL in .gitmodules: expected {error}"
        raise GitError(Reason.INVALID_SPEC, message) from None
    if parsed.scheme == "file":
        message = "its URL in .gitmodules is a folder; only submodules on hosts are fetched"
        raise GitError(Reason.INVALID_SPEC, message)
    return url


def is_same_host(one: str, other: str) -> bool:
    """Whether both addresses are of one host, reached the same way."""
    return git_url.parse(one).origin == git_url.parse(other).origin
