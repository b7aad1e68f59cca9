"""What scripts may write to the objects of their namespace, and what they read of them."""

from __future__ import annotations

from typing import Any

from weir_protocol import triggers
from weir_protocol.arguments import JsonObject
from weir_protocol.scripts import MAX_SCRIPT, problem_with
from weir_protocol.writing import MAX_VALUE as MAX_VALUE
from weir_protocol.writing import (
    Change,
    Refusal,
    Writer,
    description,
    flag,
    inputs,
    require_storable,
)

MAX_WORD = 253

_COMMON = ("id", "name", "object_name", "description", "created_at")
FIELDS: dict[str, tuple[str, ...]] = {
    "setting": (*_COMMON, "value", "locked_by"),
    "schema": (*_COMMON, "value"),
    "flow": (*_COMMON, "script", "input_schema", "output_schema", "is_enabled"),
    "connector": (*_COMMON, "connector_type", "value"),
    "schedule": (*_COMMON, *triggers.SCHEDULE_FIELDS),
    "webhook": (*_COMMON, *triggers.WEBHOOK_FIELDS),
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
    return triggers.completed(found) if kind == "schedule" else found


def required(kind: str, fields: JsonObject) -> None:
    """Raise Refusal unless the fields suffice for a new object."""
    needed = _NEEDED.get(kind)
    if needed is not None and fields.get(needed) is None:
        raise Refusal(f"there is no such {kind} yet: a new one needs {needed!r}")
    if kind == "schedule" and fields.get("cron") is None and fields.get("interval") is None:
        raise Refusal(f"there is no such {kind} yet: a new one needs 'cron' or 'interval'")


def _setting_value(value: Any) -> Change:
    require_storable(value)
    return Change("value", value)


def _schema_value(value: Any) -> Change:
    if not isinstance(value, dict):
        raise Refusal("a schema is an object", "SchemaError")
    require_storable(value)
    from weir_protocol import schemas  # not everybody has jsonschema

    wrong = schemas.problem_with_schema(value, also_draft_7=True)
    if wrong is not None:
        raise Refusal(wrong, "SchemaError")
    return Change("schema", value)


def _flow_schema(key: str) -> Writer:
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


def _connector_type(value: Any) -> Change:
    if not isinstance(value, str) or not 0 < len(value) <= 63:
        raise Refusal("connector_type is a text, such as GIT")
    return Change("type", value)


_NEEDED = {
    "schema": "value",
    "flow": "script",
    "connector": "connector_type",
    "schedule": "flow_name",
    "webhook": "flow_name",
}
_WRITERS: dict[str, dict[str, Writer]] = {
    "setting": {"value": _setting_value, "description": description},
    "schema": {"value": _schema_value, "description": description},
    "flow": {
        "script": _script,
        "description": description,
        "input_schema": _flow_schema("inputSchema"),
        "output_schema": _flow_schema("outputSchema"),
        "is_enabled": flag("is_enabled", "suspend", inverted=True),
    },
    "connector": {
        "connector_type": _connector_type,
        "value": inputs("value", "the connector's inputs"),
        "description": description,
    },
    "schedule": triggers.SCHEDULE_WRITERS,
    "webhook": triggers.WEBHOOK_WRITERS,
}
