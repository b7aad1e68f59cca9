"""Durations as Kubernetes users write them: Go-style strings such as `90s`, `1h30m`, `250ms`."""

import re
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")

# What the CRDs accept, as an OpenAPI pattern.
PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"


def parse(text: str) -> timedelta:
    """Return the length of a duration.

    Raises ValueError for anything but numbers with units ms, s, m, h.
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is no duration: write for example 90s, 5m or 1h30m")
    return timedelta(
        seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    )


def render(length: timedelta) -> str:
    """Return a duration for people:

    tenths below a minute, whole seconds above (`0.4s`, `2m5s`, `3h0m10s`).
    """
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 59.95:
        return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, seconds_left = divmod(rest, 60)
    return f"{hours}h{minutes}m{seconds_left}s" if hours else f"{minutes}m{seconds_left}s"
