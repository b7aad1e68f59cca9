"""`weir backfill`: makes the runs of due times that have passed, under the names that the operator
would give them, so that none is made twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from weir.api.execution import Execution
from weir.api.names import CREATED_BY, SCHEDULE_LABEL
from weir.api.resource import JsonObject, render_time
from weir.api.schedule import ConcurrencyPolicy, Schedule
from weir.cli import finding
from weir.cli.errors import CliError, ExitCode, Interrupted
from weir.cli.run import own_name
from weir.cli.session import Session
from weir.cli.terminal import say
from weir.cluster.errors import AlreadyExists
from weir.cluster.kinds import EXECUTIONS
from weir.cluster.watching import ChangeType
from weir.core import schedules
from weir.core.timings import InvalidTiming, Timing, local, timing_of

# More than that is asked for by mistake as often as not.
_MANY = 100
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Request:
    """What is to be run, as the command line says it."""

    schedule: str
    begin: str
    end: str
    dry_run: bool = False
    max_active: int | None = None
    reverse: bool = False
    output: str | None = None
    yes: bool = False


class _Run(NamedTuple):
    """What became of one due time."""

    name: str
    due: datetime
    state: str  # created, exists, planned
    phase: str | None = None  # of one that exists


async def backfill(session: Session, request: Request) -> ExitCode:
    """Make the runs of a range of due times, in order, and tell of each.

    Raises CliError, ClusterError, Interrupted.
    """
    if request.output not in (None, "name", "json"):
        raise CliError(f"--output {request.output!r}: name or json")
    schedule = await finding.schedule(session, request.schedule)
    try:
        timing = timing_of(schedule)
    except InvalidTiming as error:
        raise CliError(
            f"schedule {schedule.metadata.name}: {error.message}", ExitCode.UNABLE
        ) from None
    limit = _limit(schedule, request)
    dues = _due_times(timing, request, session.now())
    told: list[_Run] = []

    def tell(run: _Run) -> None:
        told.append(run)
        _print(run, timing.zone, request.output)

    try:
        if request.dry_run:
            await _plan(session, schedule, dues, tell)
        else:
            await _make(session, schedule, dues, limit, tell)
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise Interrupted(
            f"{len(told)} of {len(dues)} are done. What was started goes on; the same command goes "
            "on with the others."
        ) from None
    finally:
        if request.output == "json":
            print(json.dumps([_json(run) for run in told], indent=2), flush=True)
    _sum_up(told, request)
    return ExitCode.SUCCEEDED


def moment(text: str, zone: ZoneInfo, *, option: str, end_of_day: bool = False) -> datetime:
    """Return the moment that a date or a time means, in `zone` unless it says another.

    Raises CliError.
    """
    try:
        day = date.fromisoformat(text) if len(text) <= len("2026-11-01") else None
        time = datetime.fromisoformat(text)
        if day is not None and end_of_day:
            time += timedelta(days=1)
        found = (time if time.tzinfo is not None else time.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CliError(
            f"{option} {text!r}: write a day or a time, such as 2026-11-01, 2026-11-01T03:00 or "
            "2026-11-01T03:00+01:00"
        ) from None
    return found - _TICK if day is not None and end_of_day else found


def _due_times(timing: Timing, request: Request, now: datetime) -> list[datetime]:
    begin = moment(request.begin, timing.zone, option="--from")
    end = moment(request.end, timing.zone, option="--to", end_of_day=True)
    if begin > end:
        raise CliError(f"--from {request.begin} is later than --to {request.end}")
    if begin < _EARLIEST:
        raise CliError(f"--from {request.begin}: that is before 1970")
    if begin > now:
        raise CliError(f"--from {request.begin} has not come yet: the Schedule will run then")
    end = min(end, now)
    count = timing.times.count(begin - _TICK, end)
    if count == 0:
        following = next(timing.times.after(begin), None)
        hint = f"; the next time is {local(following, timing.zone)}" if following else ""
        raise CliError(f"nothing is due from {request.begin} to {request.end}{hint}")
    if count > _MANY and not (request.yes or request.dry_run):
        raise CliError(
            f"from {request.begin} to {request.end} there are {count} due times: narrow the range, "
            "or say --yes; --dry-run shows them"
        )
    found = list(islice(timing.times.after(begin - _TICK), count))
    return found[::-1] if request.reverse else found


def _limit(schedule: Schedule, request: Request) -> int | None:
    """Return how many runs there may be at once; None: any number."""
    policy = schedule.spec.concurrency_policy
    if policy is ConcurrencyPolicy.ALLOW:
        return request.max_active
    if request.max_active is not None and request.max_active > 1:
        raise CliError(
            f"--max-active {request.max_active}: schedule {schedule.metadata.name} has "
            f"concurrencyPolicy {policy}, so its runs come one by one"
        )
    if policy is ConcurrencyPolicy.REPLACE and not (schedule.spec.suspend or request.dry_run):
        say(
            f"schedule {schedule.metadata.name} has concurrencyPolicy Replace: what it starts next "
            "cancels the run that is under way; suspend it meanwhile to be sure"
        )
    return 1


async def _plan(
    session: Session, schedule: Schedule, dues: list[datetime], tell: Callable[[_Run], None]
) -> None:
    labels = f"{SCHEDULE_LABEL}={schedule.metadata.name}"
    listing = await session.cluster.list(EXECUTIONS, session.namespace, labels=labels)
    there = {item["metadata"]["name"]: _phase(item) for item in listing.items}
    for due in dues:
        name = schedules.run_name(schedule, due)
        state = "exists" if name in there else "planned"
        tell(_Run(name, due, state, there.get(name)))


async def _make(
    session: Session,
    schedule: Schedule,
    dues: list[datetime],
    limit: int | None,
    tell: Callable[[_Run], None],
) -> None:
    by = await own_name(session)
    if limit is None:
        for due in dues:
            tell(await _make_one(session, schedule, due, by))
        return
    async with _watched(session, schedule) as running:
        for number, due in enumerate(dues, 1):
            await running.wait_for_room(limit, f"{number} of {len(dues)}")
            run = await _make_one(session, schedule, due, by)
            if run.state == "created":
                running.add(run.name)
            tell(run)


async def _make_one(session: Session, schedule: Schedule, due: datetime, by: str | None) -> _Run:
    body = schedules.manifest(schedule, due)
    if by is not None:
        body["metadata"]["annotations"][CREATED_BY] = by
    name = body["metadata"]["name"]
    try:
        await session.cluster.create(EXECUTIONS, session.namespace, body)
    except AlreadyExists:
        found = await session.cluster.get(EXECUTIONS, session.namespace, name)
        return _Run(name, due, "exists", _phase(found))
    return _Run(name, due, "created")


class _Running:
    """The runs of a Schedule that have not ended, as a watch tells them."""

    def __init__(self, listening: Callable[[], bool]) -> None:
        self._names: set[str] = set()
        self._ended: set[str] = set()
        self._changed = asyncio.Event()
        self._may_change = listening

    def add(self, name: str) -> None:
        """Take in a run that was made."""
        if name not in self._ended:
            self._names.add(name)

    def drop(self, name: str) -> None:
        """Take out a run that has ended, or is gone."""
        self._ended.add(name)
        self._names.discard(name)

    def notify(self) -> None:
        """Let whoever waits look again."""
        self._changed.set()

    async def wait_for_room(self, limit: int, progress: str) -> None:
        """Return when fewer than `limit` run, or when the watch has failed."""
        told = False
        while len(self._names) >= limit and self._may_change():
            if not told:
                say(f"{progress} waits for {', '.join(sorted(self._names))[:200]}")
                told = True
            self._changed.clear()
            await self._changed.wait()


@asynccontextmanager
async def _watched(session: Session, schedule: Schedule) -> AsyncIterator[_Running]:
    """Watch the runs of a Schedule; those that there are already are known at the beginning."""
    labels = f"{SCHEDULE_LABEL}={schedule.metadata.name}"
    synced = asyncio.Event()

    async def listen() -> None:
        try:
            async for change in session.cluster.watch(EXECUTIONS, session.namespace, labels=labels):
                if change.type == ChangeType.SYNCED:
                    synced.set()
                elif change.object:
                    execution = Execution.model_validate(change.object)
                    ended = change.type == ChangeType.DELETED or execution.phase.is_final
                    if execution.spec.parent is None:
                        (running.drop if ended else running.add)(execution.metadata.name)
                    running.notify()
        finally:
            synced.set()
            running.notify()

    listening = asyncio.create_task(listen())
    running = _Running(lambda: not listening.done())
    try:
        await synced.wait()
        yield running
        if listening.done():
            await listening
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def _phase(item: JsonObject) -> str:
    return str((item.get("status") or {}).get("phase") or "Pending")


def _print(run: _Run, zone: ZoneInfo, output: str | None) -> None:
    if output == "name":
        if run.state != "exists":
            print(run.name, flush=True)
    elif output is None:
        words = {
            "created": "created",
            "planned": "would be created",
            "exists": f"is there already ({run.phase})",
        }[run.state]
        print(f"{local(run.due, zone)}  execution/{run.name} {words}", flush=True)


def _json(run: _Run) -> JsonObject:
    phase = {"phase": run.phase} if run.phase is not None else {}
    time = render_time(run.due, exact=bool(run.due.microsecond))
    return {"execution": run.name, "scheduledTime": time, "state": run.state} | phase


def _sum_up(told: list[_Run], request: Request) -> None:
    new = sum(run.state != "exists" for run in told)
    old = len(told) - new
    done = "would be started" if request.dry_run else "started"
    say(f"{new} {done}" + (f", {old} there already" if old else ""))
