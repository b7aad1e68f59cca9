"""What a commit of a repository holds, and which file is what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from weir.api.reasons import Reason
from weir.api.repository import FlowRepositorySpec, RejectedFile

FileKind = Literal["Flow", "Setting", "Manifest", "Options"]
"""What a file is read as; Options: what it says of the scripts beside it."""

OPTIONS = ("flow.yaml", "flow.yml")
"""Names of the files with options of all scripts of their folder."""

LONGEST_PATH = 1024
"""How long a path may be, in characters."""

_LONGEST_MESSAGE = 1024
_SCRIPT_OPTIONS = (".flow.yaml", ".flow.yml")
_PACKAGE_MARK = "__init__.py"
_ACROSS = "**"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a commit.

    Attributes:
        path: From the top of the repository, parted by `/`.
        content: None: it was not read, because of `problem` or since nobody wanted it.
        problem: Why it cannot be taken.
    """

    path: str
    content: bytes | None
    problem: RejectedFile | None = None


class NotTaken(Exception):
    """A file, or a part of it, cannot be taken; the message says where and what to do."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def rejected(path: str, reason: Reason, message: str) -> RejectedFile:
    """Return why a file is not taken, in one line of printable text, cut to what a status holds."""
    return RejectedFile(
        path=shown_path(path), reason=reason, message=_shown(message, _LONGEST_MESSAGE)
    )


def shown_path(path: str) -> str:
    """Return a path as `rejected` has it."""
    return _shown(path, LONGEST_PATH)


def kind_of(path: str, spec: FlowRepositorySpec) -> FileKind | None:
    """Return what a file is read as, by its path alone; None for one that is left alone.

    A `flow.yaml` and a `NAME.flow.yaml` belong to the scripts beside them, whatever `paths` says.
    """
    parts = path.split("/")
    if any(part.startswith(".") for part in parts) or parts[-1] == _PACKAGE_MARK:
        return None
    if any(fits(path, glob) for glob in spec.exclude):
        return None
    if parts[-1] in OPTIONS or parts[-1].endswith(_SCRIPT_OPTIONS):
        return "Options"
    return next((rule.kind for rule in spec.paths if fits(path, rule.glob)), None)


def options_of(path: str) -> str | None:
    """Return the script that a file of options belongs to; None: all scripts of its folder."""
    for ending in _SCRIPT_OPTIONS:
        if path.endswith(ending):
            return f"{path.removesuffix(ending)}.py"
    return None


def folder_of(path: str) -> str:
    """Return the folder of a file, with a `/` at its end; empty for the top."""
    return path[: path.rfind("/") + 1]


def stem_of(path: str) -> str:
    """Return the name of a file without its folder and its last ending."""
    name = path[path.rfind("/") + 1 :]
    return name.rpartition(".")[0] or name


def text_of(content: bytes) -> str:
    """Return a file as text, without a byte order mark. Raises NotTaken."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"line {line} is not UTF-8: save the file as UTF-8, or leave it out by exclude"
        raise NotTaken(Reason.NOT_TEXT, message) from None


def fits(path: str, glob: str) -> bool:
    """Whether a path fits a glob: `*` and `?` stay within a folder, `**` does not.

    Takes time in proportion to both lengths at most: globs come from users.
    """
    parts, wanted = path.split("/"), glob.removeprefix("/").split("/")
    part = at = 0
    across, tried = -1, 0  # the last `**`, and where what follows it was tried
    while part < len(parts):
        if at < len(wanted) and wanted[at] == _ACROSS:
            across, tried = at, part
            at += 1
        elif at < len(wanted) and fnmatchcase(parts[part], wanted[at]):
            part += 1
            at += 1
        elif across >= 0:
            tried += 1
            part, at = tried, across + 1
        else:
            return False
    return all(one == _ACROSS for one in wanted[at:])


def by_path(files: Iterable[SourceFile]) -> list[SourceFile]:
    """Return files by path: what holds when two bring the same does not hang on their order."""
    return sorted(files, key=lambda one: order_of(one.path))


def order_of(path: str) -> bytes:
    """Return what paths are sorted by, as Git does."""
    return path.encode(errors="surrogatepass")


def _shown(text: str, longest: int) -> str:
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text).strip()
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
