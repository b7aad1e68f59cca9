"""Moments and ages for people: local time with its zone, ages as kubectl prints them."""

from datetime import datetime, timedelta, tzinfo

from weir.api import durations
from weir.api.execution import Execution


def clock(moment: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """Return a moment in local time, or in `zone`; with its date unless that is today's."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    form = "%H:%M:%S %Z" if local.date() == today else "%Y-%m-%d %H:%M:%S %Z"
    return local.strftime(form)


def age(length: timedelta) -> str:
    """Return an age in its one or two largest units: `42s`, `5m10s`, `3h`, `12d`."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds}s"
    if seconds < 600:
        return _two(seconds // 60, "m", seconds % 60, "s")
    if seconds < 3 * 3600:
        return f"{seconds // 60}m"
    if seconds < 8 * 3600:
        return _two(seconds // 3600, "h", seconds % 3600 // 60, "m")
    if seconds < 48 * 3600:
        return f"{seconds // 3600}h"
    if seconds < 8 * 86400:
        return _two(seconds // 86400, "d", seconds % 86400 // 3600, "h")
    return f"{seconds // 86400}d"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def duration(execution: Execution, now: datetime) -> str:
    """Return how long a run took, or has run so far; empty before its start."""
    status = execution.status
    if status.duration is not None:
        return status.duration
    if status.start_time is None:
        return ""
    return durations.render((status.completion_time or now) - status.start_time)
