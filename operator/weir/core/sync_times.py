"""When a FlowRepository is to be synced next: what was asked for at once, the rest in its time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from weir.api import durations, names
from weir.api.repository import FlowRepository

_LEAST_INTERVAL = timedelta(seconds=1)
_FIRST_AGAIN = timedelta(seconds=5)
_FIRST_UNDOING = timedelta(seconds=1)
_MOST_DOUBLINGS = 16


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What is remembered of the last sync of a FlowRepository."""

    at: datetime
    """When it ended."""
    uid: str
    generation: int
    request: str | None = None
    """The value of the annotation weir.dev/sync-requested that it answered."""
    failures: int = 0
    """How many in a row have failed of what time alone may mend."""
    undoings: int = 0
    """How many in a row have undone changes by hand."""


def due(
    repository: FlowRepository, last: Synced | None, *, adrift: bool, now: datetime
) -> datetime:
    """Return when the next sync is due; it is at once where that is not after `now`.

    `adrift` is whether an object that it brought was changed or deleted by hand.
    """
    if last is None or last.uid != repository.metadata.uid:
        return now
    if last.generation != repository.metadata.generation:
        return now
    if requested(repository) not in (None, last.request):
        return now
    interval = max(durations.parse(repository.spec.interval), _LEAST_INTERVAL)
    if last.failures:
        return last.at + _doubled(_FIRST_AGAIN, last.failures - 1, interval)
    if adrift:
        # Whoever writes it again each time would be written against without end.
        if last.undoings == 0:
            return now
        return last.at + _doubled(_FIRST_UNDOING, last.undoings - 1, interval)
    return last.at + interval


def requested(repository: FlowRepository) -> str | None:
    """Return the value that asks for a sync; None when nobody asked."""
    value = repository.metadata.annotations.get(names.SYNC_REQUESTED)
    return value[:253] if value else None


def _doubled(first: timedelta, times: int, most: timedelta) -> timedelta:
    return min(first * (1 << min(times, _MOST_DOUBLINGS)), most)
