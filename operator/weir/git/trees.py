"""Reads the files of a fetched commit from Git's objects.

There is no checkout: nothing of a repository is written or run, neither hooks nor filters.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import git
from weir.api.reasons import Reason
from weir.api.repository import RejectedFile
from weir.core.sources import SourceFile
from weir.git.errors import GitError
from weir.git.submodules import DEEPEST, FETCHED
from weir_connectors import git_tree
from weir_connectors.errors import ConnectionFailed

# What fits into an object of Kubernetes, and more: etcd takes 1.5 MiB.
LARGEST_FILE = 2**20  # bytes

_LONGEST_PATH = 1024  # characters, as status.rejected has room

_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "none",  # what was not fetched is not fetched behind our back
    "GIT_NO_REPLACE_OBJECTS": "1",
}

_LEADS_NOWHERE = "a symbolic link that leads to no file of the repository; commit the file itself"
_TOO_LARGE = (
    "{size:.1f} MiB; files up to 1 MiB are taken: split it, or leave it out in spec.exclude"
)
_INVALID_NAME = "its name is not UTF-8, or has unprintable characters; rename it"


@dataclass(slots=True)
class _Tree:
    """What a commit and its submodules hold: files by path, of which some have unusable names."""

    files: dict[str, git_tree.File] = field(default_factory=dict)
    folders: dict[str, git_tree.File] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)
    entries: int = 0


def files(folder: Path, sha: str, wanted: Callable[[str], bool] | None) -> Iterator[SourceFile]:
    """Yield a commit's files; see Clone.files."""
    try:
        repository = git.Repo(folder)
    except git.GitError:
        raise _not_there(sha) from None
    repository.git.update_environment(**_ENVIRONMENT, GIT_DIR=str(folder))
    try:
        yield from _files(repository, sha, wanted)
    except ConnectionFailed as error:
        message = str(error).removeprefix("GIT: ")
        raise GitError(Reason.TOO_LARGE, f"{message[:1].upper()}{message[1:]}") from None
    except (git.GitError, git.exc.ODBError, ValueError):
        raise _not_there(sha) from None
    finally:
        repository.close()


def _not_there(sha: str) -> GitError:
    message = f"Commit {sha[:12]} is not there any more, or cannot be read: it is fetched again"
    return GitError(Reason.FETCH_FAILED, message, transient=True)


def _files(
    repository: git.Repo, sha: str, wanted: Callable[[str], bool] | None
) -> Iterator[SourceFile]:
    modules = _modules(repository)
    tree = _Tree()
    _read_tree(repository, sha, "", tree, modules, DEEPEST)
    for path, file in sorted(tree.files.items()):
        if any(part.startswith(".") for part in path.split("/")):
            continue
        if wanted is not None and not wanted(path):
            continue
        if path in tree.unusable:
            yield _rejected(path, Reason.INVALID_NAME, _INVALID_NAME)
            continue
        target = git_tree.target_of(repository, path, tree.files) if file.is_link else file
        if target is None:
            if not _leads_to_folder(repository, path, tree):
                yield _rejected(path, Reason.OUTSIDE, _LEADS_NOWHERE)
        elif target.size > LARGEST_FILE:
            yield _rejected(path, Reason.TOO_LARGE, _TOO_LARGE.format(size=target.size / 2**20))
        else:
            yield SourceFile(path, target.read(repository))


def _read_tree(
    repository: git.Repo, sha: str, prefix: str, tree: _Tree, modules: set[str], deepest: int
) -> None:
    """Add what a commit holds to `tree`, below `prefix`."""
    for entry in git_tree.entries(repository, sha):
        tree.entries += 1
        if tree.entries > git_tree.ENTRY_LIMIT:
            raise ConnectionFailed(
                f"GIT: the repository has more than {git_tree.ENTRY_LIMIT} files and folders"
            )
        facts, _, name = entry.partition(b"\t")
        mode, kind, object_sha, size = facts.decode().split()
        path, is_usable = _path(prefix, name)
        if kind == "blob":
            tree.files[path] = git_tree.File(object_sha, int(size), mode == "120000")
            if not is_usable:
                tree.unusable.add(path)
        elif kind == "tree":
            tree.folders[path] = git_tree.File(object_sha, 0, False)
        elif object_sha in modules and deepest > 0:
            _read_tree(repository, object_sha, f"{path}/", tree, modules, deepest - 1)


def _path(prefix: str, name: bytes) -> tuple[str, bool]:
    """Return a path that can be shown, and whether it is the file's own."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return prefix + name.decode("utf-8", "backslashreplace"), False
    if not text.isprintable():
        return prefix + text.encode("unicode_escape").decode(), False
    return prefix + text, True


def _leads_to_folder(repository: git.Repo, path: str, tree: _Tree) -> bool:
    """Whether a link leads to a folder of the repository: no file, but no mistake either."""
    everything = ChainMap(tree.files, tree.folders)
    return git_tree.target_of(repository, path, everything) is not None


def _modules(repository: git.Repo) -> set[str]:
    """Return the commits of submodules that were fetched."""
    return {
        ref.rpartition("/")[2]
        for ref in repository.git.for_each_ref("--format=%(refname)", FETCHED).splitlines()
    }


def _rejected(path: str, reason: Reason, message: str) -> SourceFile:
    shown = path if len(path) <= _LONGEST_PATH else f"…{path[-_LONGEST_PATH + 1 :]}"
    return SourceFile(path, None, RejectedFile(path=shown, reason=reason, message=message))
