"""Which runs Schedules have: those that live, and when one last succeeded."""

from datetime import datetime

from weir.api import names
from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.api.resource import Key
from weir.core.schedules import ScheduledRun, scheduled_time


class ScheduledRuns:
    """The runs of Schedules by their label. Children never count, whatever their labels are."""

    def __init__(self) -> None:
        self._live: dict[Key, dict[str, ScheduledRun]] = {}  # Schedule -> UID -> run
        self._schedules: dict[str, Key] = {}  # UID -> Schedule
        self._asked: set[str] = set()  # UIDs of those that are asked to end
        self._succeeded: dict[Key, datetime] = {}

    def see(self, execution: Execution) -> None:
        """Take in a live Execution."""
        schedule = schedule_of(execution)
        if schedule is None:
            return
        run = ScheduledRun(execution.metadata.name, scheduled_time(execution))
        self._live.setdefault(schedule, {})[execution.uid] = run
        self._schedules[execution.uid] = schedule
        if execution.spec.desired_state == DesiredState.CANCELLED:
            self._asked.add(execution.uid)

    def drop(self, uid: str) -> None:
        """Take out an Execution that ended, or is gone."""
        schedule = self._schedules.pop(uid, None)
        if schedule is None:
            return
        self._asked.discard(uid)
        live = self._live[schedule]
        del live[uid]
        if not live:
            del self._live[schedule]

    def note_end(self, execution: Execution) -> None:
        """Take in an Execution that ended."""
        schedule, ended = schedule_of(execution), execution.status.completion_time
        if schedule is None or ended is None or execution.phase != Phase.SUCCEEDED:
            return
        if schedule not in self._succeeded or ended > self._succeeded[schedule]:
            self._succeeded[schedule] = ended

    def forget(self, schedule: Key) -> None:
        """Drop what is remembered of a Schedule that is gone."""
        self._succeeded.pop(schedule, None)

    def has(self, uid: str) -> bool:
        """Whether this is a live run of a Schedule."""
        return uid in self._schedules

    def live(self, schedule: Key) -> list[ScheduledRun]:
        """Return the runs of a Schedule that have not ended."""
        return list(self._live.get(schedule, {}).values())

    def to_cancel(self, schedule: Key) -> list[tuple[str, str]]:
        """Return name and UID of the live runs that nobody has asked to end."""
        live = self._live.get(schedule, {})
        return [(run.name, uid) for uid, run in live.items() if uid not in self._asked]

    def succeeded(self, schedule: Key) -> datetime | None:
        """Return when a run of a Schedule last succeeded, of those that are known."""
        return self._succeeded.get(schedule)


def schedule_of(execution: Execution) -> Key | None:
    """Return the Schedule that started an Execution, if one did."""
    name = execution.metadata.labels.get(names.SCHEDULE_LABEL)
    if name is None or execution.spec.parent is not None:
        return None
    return (execution.metadata.namespace, name)
