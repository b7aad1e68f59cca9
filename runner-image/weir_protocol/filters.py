"""Filters of lists of records: `{"field": …, "op": …, "value": …}`, joined by and, or, not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

_MAX_DEPTH = 20
_MAX_CONDITIONS = 200
_JOINS = ("and", "or", "not")
_ANY = object()


class FilterError(ValueError):
    """A filter that says nothing, or asks for what there is not."""


def _compared(op: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(found: Any, wanted: Any) -> bool:
        numbers = _is_number(found) and _is_number(wanted)
        return (numbers or (isinstance(found, str) and isinstance(wanted, str))) and op(
            found, wanted
        )

    return compare


_OPS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, wanted: _same(found, wanted),
    "ne": lambda found, wanted: not _same(found, wanted),
    "like": lambda found, wanted: isinstance(found, str) and _like(found, wanted),
    "in": lambda found, wanted: any(_same(found, one) for one in wanted),
    "gt": _compared(lambda found, wanted: found > wanted),
    "lt": _compared(lambda found, wanted: found < wanted),
    "ge": _compared(lambda found, wanted: found >= wanted),
    "le": _compared(lambda found, wanted: found <= wanted),
    "isnull": lambda found, wanted: (found is None) == (wanted is not False),
}
_TIME_OPS = ("eq", "ne", "gt", "lt", "ge", "le")


def check(wanted: Any, fields: Collection[str]) -> None:
    """Raise FilterError, which says what there is, unless the filter asks for these fields only."""
    left = _MAX_CONDITIONS
    pending: list[tuple[Any, int]] = [(wanted, 0)]
    while pending:
        one, depth = pending.pop()
        left -= 1
        if left < 0 or depth > _MAX_DEPTH:
            raise FilterError(
                f"a filter has at most {_MAX_CONDITIONS} conditions, {_MAX_DEPTH} deep"
            )
        if not isinstance(one, dict):
            raise FilterError(f"a filter is an object, not {_shown(one)}")
        join = next((word for word in _JOINS if word in one), None)
        if join is None:
            _check_condition(one, fields)
            continue
        if len(one) != 1:
            raise FilterError(f"{join!r} stands alone in its object, not beside other keys")
        parts = [one[join]] if join == "not" else one[join]
        if not isinstance(parts, list):
            raise FilterError(f"{join!r} takes a list of filters, not {_shown(parts)}")
        pending += [(part, depth + 1) for part in parts]


def matches(wanted: Any, row: Mapping[str, Any]) -> bool:
    """Whether a record passes a filter that was checked; None lets all pass."""
    if wanted is None:
        return True
    if "and" in wanted:
        return all(matches(part, row) for part in wanted["and"])
    if "or" in wanted:
        return any(matches(part, row) for part in wanted["or"])
    if "not" in wanted:
        return not matches(wanted["not"], row)
    field, op, value = wanted["field"], wanted["op"], wanted.get("value")
    found = row.get(field)
    if _is_time(field) and op in _TIME_OPS:
        found, value = _moment(found), _moment(value)
    return _OPS[op](found, value)


def _check_condition(condition: dict[str, Any], fields: Collection[str]) -> None:
    unknown = sorted(condition.keys() - {"field", "op", "value"})
    if unknown:
        raise FilterError(
            f"a filter has field, op and value, or one of and, or, not; it has no {unknown[0]!r}"
        )
    field, op, value = condition.get("field"), condition.get("op"), condition.get("value")
    if not isinstance(field, str) or field not in fields:
        raise FilterError(f"there is no field {_shown(field)}; there are {_listed(fields)}")
    if not isinstance(op, str) or op not in _OPS:
        raise FilterError(f"there is no op {_shown(op)}; there are {', '.join(_OPS)}")
    if op == "in" and not isinstance(value, list):
        raise FilterError(f"'in' takes a list, not {_shown(value)}")
    if op == "like" and not isinstance(value, str):
        raise FilterError(f"'like' takes a text with % and _, not {_shown(value)}")
    if op == "isnull" and not (value is None or isinstance(value, bool)):
        raise FilterError(f"'isnull' takes true or false, not {_shown(value)}")
    if op in ("gt", "lt", "ge", "le") and not (_is_number(value) or isinstance(value, str)):
        raise FilterError(f"{op!r} takes a number or a text, not {_shown(value)}")
    if _is_time(field) and op in _TIME_OPS and value is not None and _moment(value) is None:
        raise FilterError(f"{field} is a time: give ISO 8601 or Unix seconds, not {_shown(value)}")


def _is_time(field: str) -> bool:
    return field.endswith("_at")


def _moment(value: Any) -> float | None:
    """Return a time as Unix seconds; one without a zone is UTC."""
    if _is_number(value):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; to Python, true is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _like(text: str, pattern: str) -> bool:
    r"""Whether SQL's LIKE matches: % is any text, _ one character, a backslash escapes.

    Not by a regular expression: one with many % takes for ever on some texts.
    """
    wanted = _parts(pattern)
    at = part = 0
    again: tuple[int, int] | None = None  # the last %, and where in the text it is tried to end
    while at < len(text):
        if part < len(wanted) and wanted[part] is _ANY:
            again = (part, at)
            part += 1
        elif part < len(wanted) and wanted[part] in (None, text[at]):
            at, part = at + 1, part + 1
        elif again is not None:
            again = (again[0], again[1] + 1)
            part, at = again[0] + 1, again[1]
        else:
            return False
    return all(one is _ANY for one in wanted[part:])


def _parts(pattern: str) -> list[Any]:
    """Return what is to follow each other: _ANY, None for any character, or a character."""
    parts: list[Any] = []
    escaped = False
    for one in pattern:
        if escaped or one not in "%_\\":
            parts.append(one)
            escaped = False
        elif one == "\\":
            escaped = True
        else:
            parts.append(_ANY if one == "%" else None)
    return parts


def _shown(value: Any) -> str:
    return repr(value)[:100]


def _listed(fields: Collection[str]) -> str:
    return ", ".join(sorted(fields))
