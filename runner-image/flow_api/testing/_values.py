"""Settings, schemas and files of a test, as mappings: preset before a run, looked at after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from weir_local.store import File, Store, Things


class Values(MutableMapping[str, Any]):
    """Settings or schemas, by what scripts call them."""

    def __init__(self, things: Things, now: Callable[[], float]) -> None:
        self._things = things
        self._now = now

    def __repr__(self) -> str:
        return repr(self._things.values())

    def __getitem__(self, name: str) -> Any:
        found = self._things.find(name)
        if found is None:
            raise KeyError(name)
        return found.value

    def __setitem__(self, name: str, value: Any) -> None:
        self._things.made(name, self._now()).value = value

    def __delitem__(self, name: str) -> None:
        found = self._things.find(name)
        if found is None:
            raise KeyError(name)
        self._things.remove(found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._things.values())

    def __len__(self) -> int:
        return len(self._things.values())


class Files(MutableMapping[str, bytes]):
    """Files, by name. A text is stored as UTF-8; what is read is bytes."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def __repr__(self) -> str:
        return repr(dict(self))

    def __getitem__(self, name: str) -> bytes:
        return self._store.files[name].content

    def __setitem__(self, name: str, content: bytes | str) -> None:
        data = content.encode() if isinstance(content, str) else bytes(content)
        self._store.files[name] = File(data, self._now(), self._now())

    def __delitem__(self, name: str) -> None:
        del self._store.files[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._store.files))

    def __len__(self) -> int:
        return len(self._store.files)
