"""When a wait for executions is over, and what a run that waits or works shows of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from weir.api.phases import Phase
from weir_protocol.arguments import (
    ReturnWhen,
)

# A wait or a run that is over sooner is not worth a write.
SHOWN_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """One execution that is waited for."""

    uid: str
    phase: Phase | None  # None: it is gone, and nobody knows how it ended
    ended: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.phase is None or self.phase.is_final


@dataclass(frozen=True, slots=True)
class Pending:
    """The wait goes on."""


@dataclass(frozen=True, slots=True)
class Over:
    """The wait is over; `ended` are the executions that have ended, in the order asked for."""

    ended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """One of them did not succeed."""

    uid: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The deadline passed first; `running` had not ended then."""

    running: tuple[str, ...]


Verdict: TypeAlias = Pending | Over | Failed | TimedOut


def verdict(return_when: ReturnWhen, seen: Sequence[Seen], *, expired: bool) -> Verdict:
    """Return how a wait stands. What has ended counts, even when the deadline passed meanwhile."""
    over = tuple(one.uid for one in seen if one.is_over)
    if return_when == "ALL_SUCCEEDED":
        failed = [one for one in seen if one.is_over and one.phase != Phase.SUCCEEDED]
        if failed:
            return Failed(min(failed, key=_end_of).uid)
    if len(over) == len(seen) or (return_when == "FIRST_ENDED" and over):
        return Over(over)
    if expired:
        return TimedOut(tuple(one.uid for one in seen if not one.is_over))
    return Pending()


def _end_of(one: Seen) -> tuple[bool, float]:
    """Sort the first to end first, and those that are gone last."""
    return (one.ended is None, one.ended.timestamp() if one.ended else 0.0)


@dataclass(frozen=True, slots=True)
class Activity:
    """What a run does, as its runner's requests tell."""

    began: datetime  # when it was assigned
    waits_since: datetime | None = None  # None: it works
    is_listed: bool = False  # whether what it waits for has been written


@dataclass(frozen=True, slots=True)
class Show:
    """What to write now (None: nothing), and when to look again (None: at the next news)."""

    phase: Phase | None
    again: datetime | None = None


def shown(phase: Phase, activity: Activity, works_since: datetime, now: datetime) -> Show:
    """Return which of Running and Waiting is to be written.

    `works_since` is when the last wait was over, or the run began. Only what has lasted for
    SHOWN_AFTER is shown; other phases than Starting, Running and Waiting are left alone.
    """
    if phase not in (Phase.STARTING, Phase.RUNNING, Phase.WAITING):
        return Show(None)
    waits = activity.waits_since
    if waits is not None:
        due = waits + SHOWN_AFTER
        if now >= due:
            written = phase == Phase.WAITING and activity.is_listed
            return Show(None if written else Phase.WAITING)
        if phase == Phase.STARTING and now >= activity.began + SHOWN_AFTER:
            return Show(Phase.RUNNING, again=due)
        return Show(None, again=due)
    if phase == Phase.RUNNING:
        return Show(None)
    due = (activity.began if phase == Phase.STARTING else works_since) + SHOWN_AFTER
    return Show(Phase.RUNNING) if now >= due else Show(None, again=due)
