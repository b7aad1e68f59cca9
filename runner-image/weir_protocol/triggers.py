"""What scripts read of Schedules and Webhooks, and what they may write to them.

Secrets are for people: no field here says which key or signature a Webhook asks for.
"""

from __future__ import annotations

import re
from typing import Any

from weir_protocol.arguments import JsonObject
from weir_protocol.writing import Change, Refusal, Writer, description, flag, inputs

MAX_NAME = 253
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
POLICIES = ("Allow", "Forbid", "Replace")
MAX_BODY = 10 * 2**20
DURATION = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
ONE_OF_BOTH = "spec has exactly one of cron and interval"

SCHEDULE_FIELDS = (
    "flow_name",
    "is_enabled",
    "is_productive",
    "input_value",
    "cron",
    "interval",
    "time_zone",
    "concurrency_policy",
    "starting_deadline",
    "last_scheduled_for",
    "next_scheduled_for",
    "last_execution",
)
WEBHOOK_FIELDS = (
    "flow_name",
    "is_enabled",
    "is_productive",
    "input_value",
    "is_async",
    "is_key_required",
    "is_signed",
    "methods",
    "timeout",
    "max_bytes",
    "protect_inputs",
    "protect_outputs",
    "path",
    "last_called_at",
    "last_execution",
)

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TEN_YEARS = 87600 * 3600.0
_MOST_KEYS = 100
_MACROS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")


def of_schedule(spec: JsonObject, status: JsonObject) -> JsonObject:
    """Return a Schedule's fields, but for those that all records have."""
    return _of_both(spec) | {
        "is_enabled": not spec.get("suspend", False),
        "cron": spec.get("cron"),
        "interval": spec.get("interval"),
        "time_zone": spec.get("timeZone", "UTC"),
        "concurrency_policy": spec.get("concurrencyPolicy", "Allow"),
        "starting_deadline": spec.get("startingDeadline"),
        "last_scheduled_for": status.get("lastScheduleTime"),
        "next_scheduled_for": next(iter(status.get("next") or []), None),
        "last_execution": status.get("lastExecution"),
    }


def of_webhook(spec: JsonObject, status: JsonObject, namespace: str, name: str) -> JsonObject:
    """Return a Webhook's fields, but for those that all records have."""
    return _of_both(spec) | {
        "is_enabled": spec.get("enabled", False),
        "is_async": spec.get("async", False),
        "is_key_required": "keySecretRef" in spec,
        "is_signed": "hmac" in spec,
        "methods": spec.get("methods", ["GET", "POST"]),
        "timeout": spec.get("timeout", "60s"),
        "max_bytes": spec.get("maxBytes", 2**20),
        "protect_inputs": spec.get("protectInputs", []),
        "protect_outputs": spec.get("protectOutputs", []),
        "path": f"/hooks/{namespace}/{name}",
        "last_called_at": status.get("lastCallTime"),
        "last_execution": status.get("lastExecution"),
    }


def _of_both(spec: JsonObject) -> JsonObject:
    return {
        "flow_name": spec.get("flow"),
        "is_productive": spec.get("mode", "Productive") == "Productive",
        "input_value": spec.get("inputs") or {},
    }


def completed(found: list[Change]) -> list[Change]:
    """Add to the changes of a Schedule that of cron and interval the one takes the other's place.

    Raises Refusal where both are given.
    """
    given = {change.key for change in found if change.value is not None}
    if {"cron", "interval"} <= given:
        raise Refusal("a schedule has either a cron or an interval: the other one is None")
    told = {change.key for change in found}
    for key, other in (("cron", "interval"), ("interval", "cron")):
        if key in given and other not in told:
            return [*found, Change(other, None)]
    return found


def _flow_name(value: Any) -> Change:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise Refusal(f"flow_name is a text of 1 to {MAX_NAME} characters")
    return Change("flow", value)


def _mode(value: Any) -> Change:
    return Change(
        "mode", "Productive" if flag("is_productive", "mode")(value).value else "Development"
    )


def _cron(value: Any) -> Change:
    if value is not None and (not isinstance(value, str) or not 0 < len(value) <= MAX_NAME):
        raise Refusal(f"cron is a text of 1 to {MAX_NAME} characters, such as '30 6 * * 1-5'")
    if value is None or value.strip().lower() in _MACROS:
        return Change("cron", value)
    words = value.split()
    if len(words) != 5:
        raise Refusal(
            f"cron has five fields (minute, hour, day of month, month, day of week), or is one of "
            f"{', '.join(_MACROS)}: {value[:100]!a}"
        )
    try:
        from cronsim import CronSim, CronSimError  # not everybody has it
    except ImportError:
        return Change("cron", value)
    from datetime import UTC, datetime

    try:
        first = next(CronSim(" ".join(words), datetime(2000, 1, 1, tzinfo=UTC)), None)
    except CronSimError as error:
        raise Refusal(f"cron cannot be read: {error}: {value[:100]!a}") from None
    if first is None:
        raise Refusal(f"cron is never due: no day fits: {value[:100]!a}")
    return Change("cron", value)


def _time_zone(value: Any) -> Change:
    if value is None or value == "UTC":
        return Change("timeZone", value)
    from zoneinfo import ZoneInfo, available_timezones

    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise Refusal("time_zone is the name of a time zone, such as 'Europe/Vienna'")
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        if available_timezones():  # else this machine knows of none
            raise Refusal(f"there is no time zone {value!a}") from None
    return Change("timeZone", value)


def _duration(field: str, key: str, *, least: float = 0, most: float = float("inf")) -> Writer:
    def write(value: Any) -> Change:
        if value is None:
            return Change(key, None)
        if not isinstance(value, str) or len(value) > 32 or not re.fullmatch(DURATION, value):
            raise Refusal(f"{field} is a duration, a text such as '90s', '5m' or '1h30m'")
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
        if not least <= seconds <= most:
            raise Refusal(f"{field} is too short or too long: {value}")
        return Change(key, value)

    return write


def _policy(value: Any) -> Change:
    if value is not None and value not in POLICIES:
        raise Refusal(f"concurrency_policy is one of {', '.join(POLICIES)}")
    return Change("concurrencyPolicy", value)


def _methods(value: Any) -> Change:
    fits = isinstance(value, list) and value and all(one in METHODS for one in value)
    if value is not None and (not fits or len(set(value)) < len(value)):
        raise Refusal(f"methods is a list of some of {', '.join(METHODS)}, each once")
    return Change("methods", value)


def _protected(field: str, key: str) -> Writer:
    def write(value: Any) -> Change:
        fits = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if value is not None and (not fits or len(value) > _MOST_KEYS):
            raise Refusal(f"{field} is a list of at most {_MOST_KEYS} keys, which are texts")
        return Change(key, value)

    return write


def _max_bytes(value: Any) -> Change:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_BODY
    if value is not None and not fits:
        raise Refusal(f"max_bytes is a whole number from 1 to {MAX_BODY}")
    return Change("maxBytes", value)


_BOTH: dict[str, Writer] = {
    "flow_name": _flow_name,
    "is_productive": _mode,
    "input_value": inputs("input_value", "the inputs of its runs"),
    "description": description,
}
SCHEDULE_WRITERS: dict[str, Writer] = {
    **_BOTH,
    "is_enabled": flag("is_enabled", "suspend", inverted=True),
    "cron": _cron,
    "interval": _duration("interval", "interval", least=1, most=_TEN_YEARS),
    "time_zone": _time_zone,
    "concurrency_policy": _policy,
    "starting_deadline": _duration("starting_deadline", "startingDeadline", least=1),
}
WEBHOOK_WRITERS: dict[str, Writer] = {
    **_BOTH,
    "is_enabled": flag("is_enabled", "enabled"),
    "is_async": flag("is_async", "async"),
    "methods": _methods,
    "timeout": _duration("timeout", "timeout"),
    "max_bytes": _max_bytes,
    "protect_inputs": _protected("protect_inputs", "protectInputs"),
    "protect_outputs": _protected("protect_outputs", "protectOutputs"),
}
