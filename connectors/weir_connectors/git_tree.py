"""Reads files out of a fetched commit's tree.

There is no checkout: nothing of a repository is ever written or run.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import git

from weir_connectors.errors import ConnectionFailed

# Outputs of a run are limited to 16 MiB of JSON, and base64 makes 4 bytes of 3.
CONTENT_LIMIT = 10 * 2**20

# Folders and files looked at. A few hundred bytes can name the same folder over and over, without
# end; 200,000 entries are more than the largest projects have, and listed in a second.
ENTRY_LIMIT = 200_000

_MAX_HOPS = 10  # from symbolic link to symbolic link
_LONGEST_PATH = 4096
_NAMED = 10  # things left out that are named in the log


@dataclass(frozen=True, slots=True)
class File:
    """A file or symbolic link of a commit. `size` is in bytes."""

    sha: str
    size: int
    is_link: bool

    def read(self, repository: git.Repo) -> bytes:
        """Return the content."""
        return bytes(repository.odb.stream(bytes.fromhex(self.sha)).read())


@dataclass(slots=True)
class Files:
    """The files that were found, by path, and why others were left out."""

    found: dict[str, File] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, why: str, path: str) -> None:
        """Remember that a path was left out."""
        self.left_out.setdefault(why, []).append(path)

    def said(self) -> Iterator[str]:
        """Say, a line per reason, what was left out."""
        for why, paths in self.left_out.items():
            more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
            yield f"left out, {why}: {', '.join(paths[:_NAMED])}{more}"


def select(repository: git.Repo, sha: str, patterns: list[str] | None) -> Files:
    """Return a commit's files that match one of the patterns (all, if None), sorted by path.

    A symbolic link stands for the file it leads to, if that is in the commit.

    Raises:
        ConnectionFailed: there are too many entries, or the files are too large together.
    """
    files = Files()
    everything = dict(sorted(_listed(repository, sha, files)))
    matches = matcher(patterns)
    for path, file in everything.items():
        if not matches(path):
            continue
        target = target_of(repository, path, everything) if file.is_link else file
        if target is None:
            files.leave_out("symbolic links that lead to no file of the repository", path)
        else:
            files.found[path] = target
    _check_size(files.found)
    return files


def _listed(repository: git.Repo, sha: str, files: Files) -> Iterator[tuple[str, File]]:
    """List a commit's files; what else there is goes to `files.left_out`."""
    for entry in entries(repository, sha):
        facts, _, name = entry.partition(b"\t")
        mode, kind, blob, size = facts.decode().split()
        path = name.decode("utf-8", "replace")
        if any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/")):
            files.leave_out("names that no repository should hold", path)
        elif kind == "blob":
            yield path, File(blob, int(size), mode == "120000")
        elif kind == "commit":
            files.leave_out("submodules", path)


def entries(repository: git.Repo, sha: str) -> Iterator[bytes]:
    """Run `ls-tree`, folders included, so that endless empty folders are noticed as well.

    An entry is `MODE TYPE SHA SIZE<tab>PATH`.

    Raises:
        ConnectionFailed: there are too many.
    """
    listing = repository.git.ls_tree("-rtz", "--long", "--full-tree", sha, as_process=True)
    process = listing.proc
    seen = 0
    rest = b""
    try:
        while chunk := process.stdout.read(2**16):
            *whole, rest = (rest + chunk).split(b"\x00")
            yield from whole
            seen += len(whole)
            if seen > ENTRY_LIMIT:
                raise ConnectionFailed(
                    f"GIT: the repository has more than {ENTRY_LIMIT} files and folders"
                )
        listing.wait()  # raises GitCommandError if the listing broke off
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()


def target_of(repository: git.Repo, path: str, files: Mapping[str, File]) -> File | None:
    """Return the file that a symbolic link leads to; None if it is none, or out of the tree."""
    for _ in range(_MAX_HOPS):
        link = files[path]
        if not link.is_link:
            return link
        if link.size > _LONGEST_PATH:
            return None
        target = link.read(repository).decode("utf-8", "replace")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if path not in files:  # so are absolute paths and those that begin with ..
            return None
    return None


def _check_size(found: Mapping[str, File]) -> None:
    sizes = {path: len(path) + file.size for path, file in found.items()}
    total = sum(sizes.values())
    if total > CONTENT_LIMIT:
        largest = max(sizes, key=lambda path: sizes[path])
        raise ConnectionFailed(
            f"GIT: the files are too large: {total / 2**20:.1f} MiB in {len(sizes)} files,"
            f" the limit is {CONTENT_LIMIT // 2**20} MiB"
            f" (largest: {largest[-200:]}, {sizes[largest] / 2**20:.1f} MiB);"
            " choose some with the input paths"
        )


def matcher(patterns: list[str] | None) -> Callable[[str], bool]:
    """Return a test for paths: does one match a pattern, or lie in a folder that does?"""
    if patterns is None:
        return lambda path: True
    expression = re.compile("|".join(_expression(pattern) for pattern in patterns), re.DOTALL)
    return lambda path: expression.fullmatch(path) is not None


_TOKENS = re.compile(r"(?P<folders>\*\*/)|(?P<any>\*\*)|(?P<star>\*)|(?P<one>\?)|(?P<text>[^*?]+)")
_MEANS = {"folders": "(?:.*/)?", "any": ".*", "star": "[^/]*", "one": "[^/]"}


def _expression(pattern: str) -> str:
    parts = (
        _MEANS.get(str(token.lastgroup)) or re.escape(token.group())
        for token in _TOKENS.finditer(pattern.strip("/"))
    )
    return f"(?:{''.join(parts)})(?:/.*)?"
