"""Settings, files and the like of local runs: kept in memory, for as long as the process lives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from weir_local.execution import Execution
from weir_protocol.naming import is_plain, record_name, slug


@dataclass(eq=False, slots=True)
class Kept:
    """A setting, a schema, a schedule, or a webhook.

    Attributes:
        name: Object name.
        title: What scripts call it.
        created: Unix time.
        value: Of a schedule or webhook, the `spec` that its object would have.
        holder: The run that holds it as a lock, or held it when it ended.
        since: When that was taken, as Unix time.
        line: Who waits for the lock, the first first.
    """

    name: str
    title: str
    created: float
    value: Any = None
    description: str | None = None
    holder: Execution | None = None
    since: float = 0.0
    line: list[Execution] = field(default_factory=list)

    @property
    def held_by(self) -> Execution | None:
        """Who holds the lock now: the end of its holder frees it."""
        return self.holder if self.holder is not None and not self.holder.is_final else None


@dataclass(frozen=True, slots=True)
class File:
    """A file; times are Unix times."""

    content: bytes
    created: float
    modified: float


class Things:
    """All of one kind, by what they are called."""

    def __init__(self) -> None:
        self._things: dict[str, Kept] = {}

    def __iter__(self) -> Iterator[Kept]:
        return iter(list(self._things.values()))

    def find(self, word: str) -> Kept | None:
        """Return what is called so: by object name or title, else by slug."""
        for one in self._things.values():
            if word in (one.name, one.title):
                return one
        if not is_plain(word):  # its slug keeps too little to find it by
            return None
        near = slug(word)
        found = (one for one in self._things.values() if near in (one.name, slug(one.title)))
        return next(found, None)

    def made(self, word: str, now: float) -> Kept:
        """Return what is called so; it is made where there is none."""
        found = self.find(word)
        if found is None:
            found = Kept(name=record_name(word), title=word, created=now)
            self._things[found.name] = found
        return found

    def remove(self, thing: Kept) -> None:
        """Take it out."""
        self._things.pop(thing.name, None)

    def values(self) -> dict[str, Any]:
        """Return the values by title."""
        return {one.title: one.value for one in self._things.values()}


@dataclass
class Store:
    """All of them."""

    settings: Things = field(default_factory=Things)
    schemas: Things = field(default_factory=Things)
    schedules: Things = field(default_factory=Things)
    webhooks: Things = field(default_factory=Things)
    files: dict[str, File] = field(default_factory=dict)

    def preset(
        self,
        *,
        settings: Mapping[str, Any] | None = None,
        schemas: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes | str] | None = None,
        now: float,
    ) -> None:
        """Put things in before a run."""
        for things, given in ((self.settings, settings), (self.schemas, schemas)):
            for name, value in (given or {}).items():
                things.made(name, now).value = value
        for name, content in (files or {}).items():
            data = content.encode() if isinstance(content, str) else bytes(content)
            self.files[name] = File(data, now, now)
