"""The fields of an execution as scripts name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from flow_api._values import checked_object, printable

if TYPE_CHECKING:
    from weir_protocol import ExecutionView

# Script's name: attribute of the view. `name` is what people call the execution, see `read`.
READABLE = {
    "id": "uid",
    "name": "title",
    "object_name": "name",
    "type": "type",
    "status": "status",
    "phase": "phase",
    "reason": "reason",
    "message": "message",
    "description": "description",
    "flow_name": "flow_name",
    "connector_name": "connector_name",
    "connector_type": "connector_type",
    "parent_id": "parent_id",
    "is_productive": "is_productive",
    "try_number": "try_number",
    "created_at": "created_at",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "schedule_name": "schedule_name",
    "scheduled_for": "scheduled_for",
    "webhook_name": "webhook_name",
    "input_value": "input_value",
    "output_value": "output_value",
}

# What an execution may say about itself, and how SaveArguments calls it.
WRITABLE = {
    "message": "message",
    "name": "title",
    "description": "description",
    "output_value": "outputs",
}

# Objects of any size, which a view may leave out. They read as an empty dict where there is none.
VALUES = frozenset({"input_value", "output_value"})

# What the fields hold, for editors and type checkers.
TextField = Literal["id", "name", "object_name", "type", "status", "phase"]
OptionalField = Literal[
    "reason",
    "message",
    "description",
    "flow_name",
    "connector_name",
    "connector_type",
    "parent_id",
    "created_at",
    "started_at",
    "ended_at",
    "schedule_name",
    "scheduled_for",
    "webhook_name",
]
ValueField = Literal["input_value", "output_value"]


def read(view: ExecutionView, field: str) -> Any:
    """Return one field of a view.

    Raises:
        ValueError: There is no such field.
    """
    attribute = READABLE.get(field)
    if attribute is None:
        raise ValueError(
            f"an execution has no field {field!r}; it has {', '.join(sorted(READABLE))}"
        )
    if field == "name":
        return view.title or view.name
    value = getattr(view, attribute)
    return {} if value is None and field in VALUES else value


def writable(fields: dict[str, Any]) -> dict[str, Any]:
    """Return checked copies of what a script wants to set.

    Raises:
        ValueError: A field cannot be set.
        TypeError: `output_value` is no JSON object.
    """
    checked: dict[str, Any] = {}
    for field, value in fields.items():
        if field not in WRITABLE:
            raise ValueError(
                f"a script cannot set {field!r}; it can set {', '.join(sorted(WRITABLE))}"
            )
        if field == "output_value":
            checked[field] = checked_object(value, "output_value")
        else:
            checked[field] = None if value is None else printable(str(value))
    return checked
