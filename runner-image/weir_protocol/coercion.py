"""Bends a value towards a JSON Schema where that is plain: texts to numbers, defaults filled in.

What cannot be bent is left as it is, for the validation that follows to name. Of alternatives
(anyOf, oneOf, if) none is chosen.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any

_MAX_DEPTH = 100
# A schema that refers to itself twice doubles the work at each level.
_MAX_STEPS = 100_000
# What Kubernetes and SQL keep of a whole number; longer texts of digits are no numbers, but names.
_LONGEST_NUMBER = 18


def coerced(schema: Any, value: Any) -> Any:
    """Return a copy of a value, bent towards a schema. Raises RecursionError."""
    return _Coercion(schema).of(schema, copy.deepcopy(value), _MAX_DEPTH)


class _Coercion:
    """One value's way through a schema."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._steps = _MAX_STEPS

    def of(self, schema: Any, value: Any, depth: int) -> Any:
        """Return a value, bent towards a part of the schema."""
        self._steps -= 1
        if not isinstance(schema, dict) or depth == 0 or self._steps < 0:
            return value
        reference = schema.get("$ref")
        if isinstance(reference, str):
            value = self.of(_resolved(reference, self._root), value, depth - 1)
        for part in schema.get("allOf") or []:
            value = self.of(part, value, depth - 1)
        wanted = schema.get("type")
        types = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
        if types and not any(_is_of(value, one) for one in types):
            value = _converted(value, types)
        if isinstance(value, dict):
            self._into_object(schema, value, depth)
        elif isinstance(value, list):
            self._into_array(schema, value, depth)
        return value

    def _into_object(self, schema: dict[str, Any], value: dict[str, Any], depth: int) -> None:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        for key, part in properties.items():
            if key not in value and isinstance(part, dict) and "default" in part:
                value[key] = copy.deepcopy(part["default"])
        others = schema.get("additionalProperties")
        for key in value:
            value[key] = self.of(properties.get(key, others), value[key], depth - 1)

    def _into_array(self, schema: dict[str, Any], value: list[Any], depth: int) -> None:
        first = schema.get("prefixItems")
        first = first if isinstance(first, list) else []
        for at, item in enumerate(value):
            part = first[at] if at < len(first) else schema.get("items")
            value[at] = self.of(part, item, depth - 1)


def _converted(value: Any, types: list[Any]) -> Any:
    for name in ("integer", "number", "boolean", "null", "string"):
        if name in types:
            found = _CONVERTERS[name](value)
            if found is not _NONE:
                return found
    return value


_NONE = object()


def _to_integer(value: Any) -> Any:
    text = value.strip() if isinstance(value, str) else ""
    short = re.fullmatch(r"[+-]?[0-9]+", text) and len(text) <= _LONGEST_NUMBER
    return int(text) if short else _NONE


def _to_number(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"\s*[+-]?[0-9][0-9.eE+-]*\s*", value):
        return _NONE
    try:
        number = float(value)
    except ValueError:
        return _NONE
    return number if isfinite(number) else _NONE


def _to_boolean(value: Any) -> Any:
    words = {"true": True, "false": False}
    return words.get(value.strip().lower(), _NONE) if isinstance(value, str) else _NONE


def _to_null(value: Any) -> Any:
    return None if value == "" else _NONE


def _to_string(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, int | float) else _NONE


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "null": _to_null,
    "string": _to_string,
}


def _is_of(value: Any, name: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match name:
        case "integer":
            return number and (isinstance(value, int) or value.is_integer())
        case "number":
            return number
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case _:
            return False


def _resolved(reference: str, root: Any) -> Any:
    """Return the part of the schema that a reference within it points to, or None."""
    if not reference.startswith("#"):
        return None
    found = root
    for step in reference[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, dict) else None
    return found
