"""Reads files out of a fetched commit's tree.

There is no checkout: nothing of a repository is ever written or run.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import git

from weir_connectors.errors import ConnectionFailed

# Outputs of a run are limited to 16 MiB of JSON, and base64 makes 4 bytes of 3.
CONTENT_LIMIT = 10 * 2**20

# Folders and files looked at. A tree of a few hundred bytes can name the same folder over and
# over, without end.
ENTRY_LIMIT = 200_000

_MAX_HOPS = 10  # from symbolic link to symbolic link
_LINK = 0o120000
_NAMED = 10  # things left out that are named in the log


@dataclass(slots=True)
class Files:
    """The files that were found, by path, and why others were left out."""

    found: dict[str, git.Blob] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, why: str, path: str) -> None:
        """Remember that a path was left out."""
        self.left_out.setdefault(why, []).append(path)

    def said(self) -> Iterator[str]:
        """Say, a line per reason, what was left out."""
        for why, paths in self.left_out.items():
            more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
            yield f"left out, {why}: {', '.join(paths[:_NAMED])}{more}"


def select(tree: git.Tree, patterns: list[str] | None) -> Files:
    """Return the files of a tree that match one of the patterns (all, if None), sorted by path.

    A symbolic link stands for the file it leads to, if that is in the tree.

    Raises:
        ConnectionFailed: the tree has too many entries, or the files are too large together.
    """
    files = Files()
    blobs = dict(sorted(_blobs(tree, files)))
    matches = matcher(patterns)
    for path, blob in blobs.items():
        if not matches(path):
            continue
        target = _target(path, blobs) if blob.mode == _LINK else blob
        if target is None:
            files.leave_out("symbolic links that lead to no file of the repository", path)
        else:
            files.found[path] = target
    _check_size(files.found)
    return files


def _blobs(tree: git.Tree, files: Files) -> Iterator[tuple[str, git.Blob]]:
    folders = [tree]
    seen = 0
    while folders:
        for entry in folders.pop():
            seen += 1
            if seen > ENTRY_LIMIT:
                raise ConnectionFailed(
                    f"GIT: the repository has more than {ENTRY_LIMIT} files and folders"
                )
            path = str(entry.path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            if any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/")):
                files.leave_out("names that no repository should hold", path)
            elif isinstance(entry, git.Tree):
                folders.append(entry)
            elif isinstance(entry, git.Blob):
                yield path, entry
            else:
                files.leave_out("submodules", path)


def _target(path: str, blobs: dict[str, git.Blob]) -> git.Blob | None:
    """Return the file that a symbolic link leads to; None if it is none, or out of the tree."""
    for _ in range(_MAX_HOPS):
        link = blobs[path]
        if link.mode != _LINK:
            return link
        if link.size > 4096:  # no path is longer
            return None
        target = link.data_stream.read().decode("utf-8", "replace")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if path not in blobs:  # so are absolute paths and those that begin with ..
            return None
    return None


def _check_size(found: dict[str, git.Blob]) -> None:
    sizes = {path: len(path) + blob.size for path, blob in found.items()}
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
