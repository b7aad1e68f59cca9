"""The operations `acquire` and `release`: a Setting's holder, written by its version.

A lock whose holder has ended is free, so nothing has to clean up behind anybody. Nobody waits by
asking: the watch tells of the lock and of its holder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from weir.api import names
from weir.api.execution import Execution
from weir.api.execution_status import Waited
from weir.api.resource import render_time
from weir.api.setting import Holder, Setting
from weir.cluster.errors import AlreadyExists, Conflict, NotFound
from weir.cluster.kinds import SETTINGS
from weir.core import journal, locking
from weir.core.records import spec_of
from weir.server import raising
from weir.server.disturbance import is_disturbed
from weir.server.holders import holder
from weir.server.lines import GRACE, Lines
from weir.server.presence import Presence
from weir.server.records_objects import created, found_in
from weir.server.records_stores import Superseded, checked_name, noted, require_open
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.steps import Plan, Result
from weir.server.watches import lock_topic
from weir.storage.operations import Record
from weir_protocol.arguments import AcquireArguments, ReleaseArguments

# Each loss of the race is a write by somebody else.
_MOST_ROUNDS = 20


class _Locks:
    """What both operations have in common: the Setting, and writes of its holder."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def _known(self, run: Run, name: str) -> Setting | None:
        catalog = self._runtime.catalogs.settings(run.execution.metadata.namespace)
        return found_in(catalog, name)

    async def _read(self, namespace: str, name: str) -> Setting | None:
        """Return a Setting as it is now."""
        try:
            item = await self._runtime.cluster.get(SETTINGS, namespace, name)
        except NotFound:
            self._runtime.catalogs.settings(namespace).remove(name)
            return None
        self._runtime.watches.written(SETTINGS, item)
        return Setting.model_validate(item)

    async def _write(self, setting: Setting, to: Holder | None) -> bool:
        """Make somebody the holder, or nobody. False: somebody else wrote first."""
        namespace, name = setting.key
        since = render_time(self._runtime.now(), exact=True) if to else None
        body = locking.status(to, since, setting.metadata.resource_version)
        try:
            item = await self._runtime.cluster.patch(SETTINGS, namespace, name, body, status=True)
        except (Conflict, NotFound):
            await self._read(namespace, name)
            return False
        self._runtime.watches.written(SETTINGS, item)
        return True


class Acquires(_Locks):
    """Takes locks."""

    def __init__(self, runtime: Runtime, presence: Presence) -> None:
        super().__init__(runtime)
        self._presence = presence
        self._lines = Lines()

    def plan(self, run: Run, sequence: int, arguments: AcquireArguments) -> Plan[None]:
        """Nothing to decide. Raises Raises."""
        checked_name(arguments.name)
        timeout = arguments.timeout
        if timeout is not None and not 0 <= timeout < float("inf"):
            raise raising.Raises("InvalidInputError", "a timeout is a number of seconds from 0 on")
        return Plan(None, digest=journal.digest(arguments), timeout=timeout)

    def topics(self, run: Run, arguments: AcquireArguments) -> list[str]:
        """News of the lock, and of the run that holds it now."""
        setting = self._known(run, arguments.name)
        return [] if setting is None else _topics(setting)

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: AcquireArguments, until: datetime
    ) -> Result | None:
        """Take the lock when it is free and those have had it who came before. Raises Raises."""
        name = await self._ensured(run, arguments.name)
        topic = lock_topic(run.execution.metadata.namespace, name)
        with self._in_line(topic, run, record) as settled:
            try:
                result = await self._waited(run, record, arguments, topic, name, until)
            except (raising.Raises, Superseded) as over:
                settled.append(over)
                if isinstance(over, Superseded):
                    return Result()
                raise
            if result is not None:
                settled.append(result)
                self._presence.works(run.uid)
        return result

    @contextmanager
    def _in_line(self, topic: str, run: Run, record: Record) -> Iterator[list[object]]:
        """Stand in line for the duration of a block, and longer unless it says how it went."""
        settled: list[object] = []
        self._lines.join(topic, run.uid, record.created)
        try:
            yield settled
        finally:
            notify = self._runtime.executions.topics.notify
            if settled:
                self._lines.leave(topic, run.uid)
                notify(topic)  # the next one's turn
            else:
                self._lines.pause(topic, run.uid, self._runtime.timestamp())
                # It may not come back, and those behind it may have no Pod to look again.
                asyncio.get_running_loop().call_later(GRACE, notify, topic)

    async def _waited(
        self,
        run: Run,
        record: Record,
        arguments: AcquireArguments,
        topic: str,
        name: str,
        until: datetime,
    ) -> Result | None:
        deadline = record.deadline
        while True:
            setting = self._runtime.catalogs.settings(run.execution.metadata.namespace).get(name)
            topics = _topics(setting) if setting else [topic]
            with self._runtime.executions.topics.subscribed([*topics, run.uid]) as subscription:
                if setting is None:
                    await self._ensured(run, arguments.name)
                    continue
                holding = await holder(self._runtime, setting)
                turn = self._lines.ahead(topic, run.uid, self._runtime.timestamp())
                if await self._took(run, record, setting, holding, turn):
                    return Result()
                now = self._runtime.now()
                if deadline is not None and now.timestamp() >= deadline:
                    raise raising.Raises("LockTimeoutError", _timed_out(setting, holding))
                if is_disturbed(self._runtime, run) or now >= until:
                    return None
                waited = [Waited(kind="Lock", name=setting.title)]
                self._presence.waits(run.uid, partial(list, waited))
                left = (until - now).total_seconds()
                if deadline is not None:
                    left = min(left, deadline - now.timestamp())
                if holding is None:
                    left = min(left, turn or 0.0)
                await subscription.wait(max(left, 0.001))

    async def _took(
        self,
        run: Run,
        record: Record,
        setting: Setting,
        holding: Execution | None,
        turn: float | None,
    ) -> bool:
        """Whether the run has the lock now."""
        if locking.is_held_by(setting, run.uid, run.attempt.try_number):
            return True
        if holding is not None or turn is not None:
            return False
        await require_open(self._runtime, run, record)
        me = Holder(
            execution=run.execution.metadata.name, uid=run.uid, try_number=run.attempt.try_number
        )
        return await self._write(setting, me)

    async def _ensured(self, run: Run, word: str) -> str:
        """Return the name of the Setting's object, which is made where there is none."""
        known = self._known(run, word)
        if known is not None:
            return known.metadata.name
        namespace, name = run.execution.metadata.namespace, names.record_name(word)
        if await self._read(namespace, name) is None:
            try:
                await created(
                    self._runtime, SETTINGS, Setting, namespace, name, spec_of([], word, name)
                )
            except AlreadyExists:
                await self._read(namespace, name)
        return name


class Releases(_Locks):
    """Frees locks."""

    def plan(self, run: Run, sequence: int, arguments: ReleaseArguments) -> Plan[None]:
        """Nothing to decide. Raises Raises."""
        checked_name(arguments.name)
        return Plan(None, digest=journal.digest(arguments))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: ReleaseArguments, until: datetime
    ) -> Result:
        """Free the lock. Raises Raises."""
        namespace = run.execution.metadata.namespace
        known = self._known(run, arguments.name)
        name = known.metadata.name if known else names.record_name(arguments.name)
        for _ in range(_MOST_ROUNDS):
            setting = await self._read(namespace, name)
            if setting is None:
                raise raising.not_found(
                    f"there is no setting {arguments.name!a} in namespace {namespace}"
                )
            if setting.status.holder is None:
                return Result()
            await self._require_own(run, setting)
            # A repetition must not free what was taken anew after the first time.
            mine = locking.signature(setting)
            try:
                meant = await noted(self._runtime, run, record, mine)
            except Superseded:
                return Result()
            if meant != mine or await self._write(setting, None):
                return Result()
        raise raising.internal(f"lock {arguments.name!a} is written by others all the time")

    async def _require_own(self, run: Run, setting: Setting) -> None:
        holding = await holder(self._runtime, setting)
        if holding is not None and holding.root != run.execution.root:
            raise raising.denied(
                f"lock {setting.title!a} is held by {_who(holding)}, which is of another tree"
            )


def _topics(setting: Setting) -> list[str]:
    holding = setting.status.holder
    return [lock_topic(*setting.key), *([holding.uid] if holding else [])]


def _timed_out(setting: Setting, holding: Execution | None) -> str:
    if holding is None:
        return f"lock {setting.title!a} is free, but others waited before"
    since = setting.status.since
    when = f" since {render_time(since)}" if since else ""
    return f"lock {setting.title!a} is held by {_who(holding)}{when}"


def _who(execution: Execution) -> str:
    return f"execution {execution.metadata.name} ({execution.title})"
