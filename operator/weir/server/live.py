"""The Executions there are, by the server's own watch, and wake-ups for who waits for a change.

What the server writes is entered at once, so it never waits for its own watch. An older version of
an object never replaces a newer one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from weir.api.execution import Execution
from weir.api.resource import Key, Resource

# Ended Executions are kept whole, values included, up to this many bytes of values; the oldest lose
# theirs first. What was dropped is read again when a script asks for it.
_VALUE_BUDGET = 8 * 2**20
# An answer of our own that comes after the deletion it overlapped with must not bring the object
# back.
_REMEMBERED_DELETIONS = 4096


class Listener(Protocol):
    """Who is told when a topic changes."""

    def notify(self) -> None:
        """A topic has changed. Called often: it only notes so."""
        ...


class Subscription:
    """Wakes one waiter when any of its topics changes."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake the waiter."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a change since the last wait. False: there was none."""
        if seconds <= 0 and not self._event.is_set():
            return False
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Topics:
    """Who waits for what. A topic is any text: an Execution's or a Pod's UID."""

    def __init__(self) -> None:
        # Of most topics there is one listener: a tuple takes a fifth of the memory of a set.
        self._waiting: dict[str, tuple[Listener, ...]] = {}

    def subscribe(self, listener: Listener, topics: Iterable[str]) -> None:
        """Tell a listener of changes, until it is unsubscribed from the same topics."""
        for topic in topics:
            self._waiting[topic] = (*self._waiting.get(topic, ()), listener)

    def unsubscribe(self, listener: Listener, topics: Iterable[str]) -> None:
        """Tell a listener no more."""
        for topic in topics:
            left = tuple(one for one in self._waiting.get(topic, ()) if one is not listener)
            if left:
                self._waiting[topic] = left
            else:
                self._waiting.pop(topic, None)

    @contextmanager
    def subscribed(self, topics: Iterable[str]) -> Iterator[Subscription]:
        """Subscribe for the duration of a block; changes from its begin on are not missed."""
        subscription = Subscription()
        named = set(topics)
        self.subscribe(subscription, named)
        try:
            yield subscription
        finally:
            self.unsubscribe(subscription, named)

    def notify(self, topic: str) -> None:
        """Wake all who wait for a topic."""
        for listener in self._waiting.get(topic, ()):
            listener.notify()

    def notify_all(self) -> None:
        """Wake everyone."""
        for topic in list(self._waiting):
            self.notify(topic)


class Executions:
    """All Executions, by UID, Pod, name and parent."""

    def __init__(self) -> None:
        self.topics = Topics()
        self.on_news: Callable[[Execution], None] | None = None
        """Is called with each newer version of any Execution."""
        self.on_gone: Callable[[str], None] | None = None
        """Is called with the UID of each that is gone."""
        self._by_uid: dict[str, Execution] = {}
        self._by_key: dict[Key, str] = {}
        self._by_pod: dict[str, str] = {}
        self._children: dict[str, set[str]] = {}
        self._whole_ended: OrderedDict[str, int] = OrderedDict()  # UID -> bytes of values
        self._whole_bytes = 0
        self._reduced: set[str] = set()
        self._deleted: set[str] = set()
        self._deletions: deque[str] = deque()

    def __len__(self) -> int:
        return len(self._by_uid)

    def __iter__(self) -> Iterator[Execution]:
        return iter(list(self._by_uid.values()))

    def get(self, uid: str) -> Execution | None:
        """Return an Execution. Of one that ended, or has no Pod, the values may have been dropped:
        see `is_whole`.
        """
        return self._by_uid.get(uid)

    def is_whole(self, uid: str) -> bool:
        """Whether an Execution is held with its script, inputs and outputs."""
        return uid in self._by_uid and uid not in self._reduced

    def by_key(self, key: Key) -> Execution | None:
        """Return the Execution of a name."""
        uid = self._by_key.get(key)
        return self._by_uid.get(uid) if uid else None

    def by_pod(self, pod_uid: str) -> Execution | None:
        """Return the Execution whose current attempt runs in a Pod."""
        uid = self._by_pod.get(pod_uid)
        return self._by_uid.get(uid) if uid else None

    def children(self, uid: str) -> list[Execution]:
        """Return the Executions that an Execution has created."""
        return [self._by_uid[child] for child in self._children.get(uid, ())]

    def feed(self, execution: Execution) -> Execution:
        """Enter an Execution as it was read or written; return the newest that is known."""
        uid = execution.uid
        if uid in self._deleted:
            return execution
        known = self._by_uid.get(uid)
        if known is not None and not is_newer(execution, known):
            return known
        before = known.status.runner.pod_uid if known and known.status.runner else None
        after = execution.status.runner.pod_uid if execution.status.runner else None
        if before and before != after:
            self._by_pod.pop(before, None)
        if after:
            self._by_pod[after] = uid
        self._by_key[execution.key] = uid
        if execution.spec.parent is not None:
            self._children.setdefault(execution.spec.parent.uid, set()).add(uid)
        self._reduced.discard(uid)
        self._by_uid[uid] = execution
        if execution.phase.is_final:
            self._hold_ended(execution)
        elif execution.is_hibernated:
            self._by_uid[uid] = _reduced(execution).compacted()
            self._reduced.add(uid)
        for topic in {uid, before, after} - {None}:
            self.topics.notify(str(topic))
        if self.on_news is not None:
            self.on_news(execution)
        return execution

    def drop(self, uid: str) -> None:
        """Forget an Execution that is gone."""
        if uid not in self._deleted:
            self._deleted.add(uid)
            self._deletions.append(uid)
            if len(self._deletions) > _REMEMBERED_DELETIONS:
                self._deleted.discard(self._deletions.popleft())
        gone = self._by_uid.pop(uid, None)
        if gone is None:
            return
        self._reduced.discard(uid)
        self._whole_bytes -= self._whole_ended.pop(uid, 0)
        if self._by_key.get(gone.key) == uid:
            del self._by_key[gone.key]
        pod = gone.status.runner.pod_uid if gone.status.runner else None
        if pod and self._by_pod.get(pod) == uid:
            del self._by_pod[pod]
        if gone.spec.parent is not None:
            siblings = self._children.get(gone.spec.parent.uid, set())
            siblings.discard(uid)
            if not siblings:
                self._children.pop(gone.spec.parent.uid, None)
        self.topics.notify(uid)
        if pod:
            self.topics.notify(pod)
        if self.on_gone is not None:
            self.on_gone(uid)

    def _hold_ended(self, execution: Execution) -> None:
        uid = execution.uid
        self._whole_bytes -= self._whole_ended.pop(uid, 0)
        self._whole_ended[uid] = size = _value_bytes(execution)
        self._whole_bytes += size
        while self._whole_bytes > _VALUE_BUDGET and self._whole_ended:
            oldest, size = self._whole_ended.popitem(last=False)
            self._whole_bytes -= size
            self._by_uid[oldest] = _reduced(self._by_uid[oldest])
            self._reduced.add(oldest)


def is_newer(one: Resource, known: Resource) -> bool:
    """Whether to take this one. Versions of one object are numbers that grow."""
    new, old = one.metadata.resource_version, known.metadata.resource_version
    if new.isdigit() and old.isdigit():
        return int(new) > int(old)
    return new != old


def _value_bytes(execution: Execution) -> int:
    """Return roughly what an Execution's values and its script take in memory."""
    spec, status = execution.spec, execution.status
    values = [spec.inputs, status.outputs]
    return 512 + len(spec.script or "") + sum(len(str(value)) for value in values if value)


def _reduced(execution: Execution) -> Execution:
    spec = execution.spec.model_copy(update={"inputs": None, "script": _left_out(execution)})
    status = execution.status.model_copy(update={"outputs": None})
    return execution.model_copy(update={"spec": spec, "status": status})


def _left_out(execution: Execution) -> str | None:
    # Still of the type SCRIPT: what it is does not change by what is remembered of it.
    return None if execution.spec.script is None else "# left out"
