"""The flows that a local run finds: files, source texts, and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from weir_local.errors import LocalError
from weir_protocol.naming import slug

Handler: TypeAlias = Callable[..., Any]
Source: TypeAlias = str | Path | Handler


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A flow: what a Flow object says, as far as it matters without a cluster.

    Exactly one of `script`, `path` and `handler` is given. A file is read when it is run.
    """

    name: str  # object name
    title: str
    script: str | None = None
    path: Path | None = None
    handler: Handler | None = None
    timeout: str | None = None  # longest run, such as 90s
    allow: tuple[str, ...] = ()  # what scripts may change besides settings and files
    input_schema: dict[str, Any] | None = None
    output_schema: dict[str, Any] | None = None
    description: str | None = None
    suspend: bool = False

    def source(self) -> str:
        """Return the script's text; empty for a function. Raises LocalError."""
        if self.path is None:
            return self.script or ""
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LocalError(f"cannot read {self.path}: {error}") from None

    @property
    def shown_as(self) -> str:
        """How tracebacks name the script, as on a cluster."""
        if self.handler is not None:
            return Path(self.handler.__code__.co_filename).name
        return f"{self.name}.py"


def flow(source: Source, title: str | None = None) -> Flow:
    """Return a flow of a file, a source text, or a function `handler(system, this)`.

    Parameters:
        source: A path, or a text: one of several lines is a script, any other a path.
        title: What scripts call it; default: the name of the file or function.

    Raises:
        LocalError: There is no such file.
    """
    if isinstance(source, str) and "\n" in source:
        called = title or "script"
        return Flow(name=slug(called), title=called, script=source)
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            raise LocalError(f"there is no file {path}")
        called = title or path.stem
        return Flow(name=slug(called), title=called, path=path.absolute())
    if not callable(source) or not hasattr(source, "__code__"):
        raise LocalError(
            f"a flow is a file, the text of a script, or a function handler(system, this), "
            f"not {source!r}"
        )
    called = title or source.__name__
    return Flow(name=slug(called), title=called, handler=source)


@dataclass
class Flows:
    """Flows by what they are called; of those called alike, the first holds."""

    _flows: dict[str, Flow] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Flow]:
        return iter(list(self._flows.values()))

    def __len__(self) -> int:
        return len(self._flows)

    def add(self, flow: Flow) -> None:
        """Add a flow, or replace the one of its name."""
        self._flows[flow.name] = flow

    def remove(self, flow: Flow) -> None:
        """Take a flow out; one that is not there is fine."""
        self._flows.pop(flow.name, None)

    def add_folder(self, folder: Path) -> None:
        """Add every `*.py` file of a folder, called by its name; flows that are there stay.

        Raises:
            LocalError: There is no such folder.
        """
        if not folder.is_dir():
            raise LocalError(f"there is no folder {folder}")
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("__") and slug(path.stem) not in self._flows:
                self.add(flow(path))

    def find(self, word: str) -> Flow | None:
        """Return what is called so: by object name or title, else by slug."""
        called = [one for one in self if word in (one.name, one.title)]
        near = slug(word)
        called += [one for one in self if near in (one.name, slug(one.title))]
        return called[0] if called else None
