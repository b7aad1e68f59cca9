"""The Messages there are, by the server's own watch, and which of them are to be looked at.

Of each only what decides whether something is to be done is kept: thousands of runs may wait for
people. The rest is read when it is done.
"""

from __future__ import annotations

import asyncio

from weir.api.message import Message
from weir.api.resource import JsonObject, Key
from weir.core.messages import is_open
from weir.server.live import Topics


def topic(key: Key) -> str:
    """Return the topic that fires when the Message of that namespace and name changes."""
    return f"message/{key[0]}/{key[1]}"


class Messages:
    """All Messages, by name and by the run that asks."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._by_key: dict[Key, Message] = {}
        self._open: dict[str, set[Key]] = {}  # by the UID of the Execution
        self._news: set[Key] = set()
        self._fresh = asyncio.Event()

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: Key) -> Message | None:
        """Return a Message without text, form and answers; an empty answer stands for any."""
        return self._by_key.get(key)

    def feed(self, message: Message) -> Message:
        """Enter a Message as it was read or written; return the newest that is known."""
        key = message.key
        known = self._by_key.get(key)
        if known is not None and not _is_newer(message, known):
            return known
        asking = message.spec.execution.uid
        if is_open(message):
            self._open.setdefault(asking, set()).add(key)
            self.look_again(key)
        else:
            self._no_longer_open(asking, key)
        self._by_key[key] = kept = _reduced(message)
        self._topics.notify(topic(key))
        return kept

    def drop(self, key: Key) -> None:
        """Forget a Message that is gone."""
        gone = self._by_key.pop(key, None)
        if gone is not None:
            self._no_longer_open(gone.spec.execution.uid, key)
            self._topics.notify(topic(key))

    def execution_changed(self, uid: str) -> None:
        """Have the open Messages of an Execution looked at: it may be over."""
        for key in self._open.get(uid, ()):
            self.look_again(key)

    def look_again(self, key: Key) -> None:
        """Have a Message looked at."""
        self._news.add(key)
        self._fresh.set()

    async def news(self) -> set[Key]:
        """Wait until there are Messages to be looked at, and return them."""
        await self._fresh.wait()
        self._fresh.clear()
        news, self._news = self._news, set()
        return news

    def _no_longer_open(self, uid: str, key: Key) -> None:
        of_execution = self._open.get(uid, set())
        of_execution.discard(key)
        if not of_execution:
            self._open.pop(uid, None)


def _reduced(message: Message) -> Message:
    given: JsonObject | None = None if message.spec.response is None else {}
    spec = message.spec.model_copy(
        update={"message": None, "body": None, "request": None, "response": given}
    )
    status = message.status.model_copy(update={"response": None, "error": None})
    metadata = message.metadata.model_copy(
        update={"labels": {}, "annotations": {}, "owner_references": []}
    )
    return message.model_copy(update={"metadata": metadata, "spec": spec, "status": status})


def _is_newer(message: Message, known: Message) -> bool:
    """Whether to take this one. Versions are numbers that grow; another UID is another object."""
    new, old = message.metadata.resource_version, known.metadata.resource_version
    if message.metadata.uid == known.metadata.uid and new.isdigit() and old.isdigit():
        return int(new) > int(old)
    return new != old
