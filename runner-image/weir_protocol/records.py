"""What scripts may write to Settings, Schemas, Flows and Connectors, and what they read of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from weir_protocol.arguments import JsonObject
from weir_protocol.scripts import MAX_SCRIPT, problem_with

MAX_WORD = 253
# What etcd takes in one object is 1.5 MiB; a watch of all Settings is to stay small.
MAX_VALUE = 256 * 1024
_MAX_DESCRIPTION = 16384
# What Kubernetes keeps of an integer; larger ones would come back as another number.
_INTEGERS = range(-(2**63), 2**63)


class Refusal(ValueError):
    """A field that scripts cannot write, or a value that it cannot have; `type` is the exception
    that the script is to see.
    """

    def __init__(self, message: str, type_: str = "InvalidInputError") -> None:
        super().__init__(message)
        self.type = type_


class Change(NamedTuple):
    """What is to be written to a key of an object's `spec`; None takes it out."""

    key: str
    value: Any


_COMMON = ("id", "name", "object_name", "description", "created_at")
FIELDS: dict[str, tuple[str, ...]] = {
    "setting": (*_COMMON, "value", "locked_by"),
    "schema": (*_COMMON, "value"),
    "flow": (*_COMMON, "script", "input_schema", "output_schema", "is_enabled"),
    "connector": (*_COMMON, "connector_type", "value"),
}

# What is seen of any execution; its values are for its own tree.
EXECUTION_FIELDS = (
    "id",
    "name",
    "object_name",
    "type",
    "status",
    "phase",
    "reason",
    "message",
    "description",
    "flow_name",
    "connector_name",
    "connector_type",
    "parent_id",
    "is_productive",
    "try_number",
    "created_at",
    "started_at",
    "ended_at",
    "schedule_name",
    "scheduled_for",
    "webhook_name",
)


def changes(kind: str, fields: JsonObject) -> list[Change]:
    """Return what fields that a script saves change. Raises Refusal."""
    writers = _WRITERS[kind]
    found = []
    for field, value in fields.items():
        if field not in writers:
            raise Refusal(
                f"a script cannot set {field[:100]!r} of a {kind}; "
                f"it can set {', '.join(sorted(writers))}"
            )
        found.append(writers[field](value))
    return found


def required(kind: str, fields: JsonObject) -> None:
    """Raise Refusal unless the fields suffice for a new object."""
    needed = {"schema": "value", "flow": "script", "connector": "connector_type"}.get(kind)
    if needed is not None and fields.get(needed) is None:
        raise Refusal(f"there is no such {kind} yet: a new one needs {needed!r}")


def _description(value: Any) -> Change:
    if value is not None and not isinstance(value, str):
        raise Refusal("description is a text")
    if value is not None and len(value) > _MAX_DESCRIPTION:
        raise Refusal(f"description has at most {_MAX_DESCRIPTION} characters")
    return Change("description", value or None)


def _setting_value(value: Any) -> Change:
    size = len(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    if size > MAX_VALUE:
        raise Refusal(
            f"the value has {size} bytes as JSON and a Setting takes {MAX_VALUE}: save a file"
        )
    _require_integers(value)
    return Change("value", value)


def _schema_value(value: Any) -> Change:
    if not isinstance(value, dict):
        raise Refusal("a schema is an object", "SchemaError")
    _setting_value(value)
    from weir_protocol import schemas  # not everybody has jsonschema

    wrong = schemas.problem_with_schema(value, also_draft_7=True)
    if wrong is not None:
        raise Refusal(wrong, "SchemaError")
    return Change("schema", value)


def _flow_schema(key: str) -> Callable[[Any], Change]:
    def write(value: Any) -> Change:
        if value is None:
            return Change(key, None)
        if not isinstance(value, dict):
            raise Refusal("a schema is an object", "SchemaError")
        from weir_protocol import schemas

        wrong = schemas.problem_with_schema(value)
        if wrong is not None:
            raise Refusal(wrong, "SchemaError")
        return Change(key, value)

    return write


def _script(value: Any) -> Change:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_SCRIPT:
        raise Refusal(f"script is a text of 1 to {MAX_SCRIPT} characters")
    problem = problem_with(value)
    if problem is not None:
        raise Refusal(f"the script cannot be run: {problem.message}")
    return Change("script", value)


def _is_enabled(value: Any) -> Change:
    if not isinstance(value, bool):
        raise Refusal("is_enabled is True or False")
    return Change("suspend", not value)


def _connector_type(value: Any) -> Change:
    if not isinstance(value, str) or not 0 < len(value) <= 63:
        raise Refusal("connector_type is a text, such as GIT")
    return Change("type", value)


def _inputs(value: Any) -> Change:
    if not isinstance(value, dict):
        raise Refusal("value is an object: the connector's inputs")
    _setting_value(value)
    return Change("inputs", value)


_WRITERS: dict[str, dict[str, Callable[[Any], Change]]] = {
    "setting": {"value": _setting_value, "description": _description},
    "schema": {"value": _schema_value, "description": _description},
    "flow": {
        "script": _script,
        "description": _description,
        "input_schema": _flow_schema("inputSchema"),
        "output_schema": _flow_schema("outputSchema"),
        "is_enabled": _is_enabled,
    },
    "connector": {
        "connector_type": _connector_type,
        "value": _inputs,
        "description": _description,
    },
}


def _require_integers(value: Any) -> None:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, int) and not isinstance(one, bool) and one not in _INTEGERS:
            raise Refusal("the value has an integer of more than 64 bits: make it a text")
        if isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, list):
            pending += one
