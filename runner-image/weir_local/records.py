"""The operations on records: settings, files, flows, schedules, executions, and so on."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from weir_local import triggers
from weir_local.errors import LocalError, Raises, denied, invalid, not_found
from weir_local.execution import at_second, full_view, moment, view
from weir_local.flows import Flow
from weir_local.flows import flow as flow_of
from weir_local.naming import uid_of
from weir_local.store import File, Kept, Things
from weir_protocol import Answer, ExecutionView, filters
from weir_protocol.arguments import JsonObject
from weir_protocol.coercion import coerced
from weir_protocol.records import EXECUTION_FIELDS, FIELDS, MAX_WORD, changes, required
from weir_protocol.writing import Refusal

if TYPE_CHECKING:
    from weir_local.asked import Asked
    from weir_protocol.arguments import (
        DeleteRecordArguments,
        GetRecordArguments,
        ListRecordsArguments,
        RecordKind,
        SaveRecordArguments,
        ValidateArguments,
    )

MAX_CONTENT = 16 * 2**20
_FILE_FIELDS = ("name", "content_size_bytes", "size_bytes", "created_at", "modified_at")
_PERMITTED = ("flow", "connector", "schedule", "webhook")
_KINDS: dict[str, tuple[str, ...]] = {
    **FIELDS,
    "file": _FILE_FIELDS,
    "execution": EXECUTION_FIELDS,
}


def get_record(asked: Asked, arguments: GetRecordArguments) -> Answer:
    """Read a record."""
    _require_kept(arguments.kind)
    checked_name(arguments.name)
    if arguments.kind == "file":
        return _value(_file(asked, arguments.name, content=arguments.content))
    if arguments.kind == "execution":
        return _value(_execution(asked, arguments.name))
    found = _object(asked, arguments.kind, arguments.name)
    if found is None:
        raise _missing(asked, arguments.kind, arguments.name)
    return _value(found)


def list_records(asked: Asked, arguments: ListRecordsArguments) -> Answer:
    """List the names of the records of a kind; of executions their IDs."""
    _require_kept(arguments.kind)
    if arguments.filter is not None:
        try:
            filters.check(arguments.filter, _KINDS[arguments.kind])
        except filters.FilterError as error:
            raise invalid(str(error)) from None
    names = [
        name for name, row in _rows(asked, arguments.kind) if filters.matches(arguments.filter, row)
    ]
    return _value(names if arguments.kind == "execution" else sorted(names))


def save_record(asked: Asked, arguments: SaveRecordArguments) -> Answer:
    """Create a record, or change the given fields of the one of that name."""
    kind, name, fields = arguments.kind, checked_name(arguments.name), arguments.fields
    _require_kept(kind)
    if kind == "execution":
        raise invalid("an execution is changed by the calls of flow_api.Execution, not as a record")
    if kind == "file":
        return _value(_save_file(asked, name, fields))
    try:
        found = {change.key: change.value for change in changes(kind, fields)}
    except Refusal as error:
        raise Raises(error.type, str(error)) from None
    except ImportError:
        raise LocalError(_NEEDS_JSONSCHEMA) from None
    _require_permit(asked, kind)
    if _object(asked, kind, name) is None:
        try:
            required(kind, fields)
        except Refusal as error:
            raise Raises(error.type, str(error)) from None
    _WRITERS[kind](asked, name, found)
    return _value(_object(asked, kind, name))


def delete_record(asked: Asked, arguments: DeleteRecordArguments) -> Answer:
    """Delete a record."""
    kind, name = arguments.kind, checked_name(arguments.name)
    _require_kept(kind)
    if kind == "execution":
        raise invalid("an execution is changed by the calls of flow_api.Execution, not as a record")
    _require_permit(asked, kind)
    if kind == "file":
        if asked.services.store.files.pop(name, None) is None:
            raise _missing(asked, kind, name)
        return Answer(state="done")
    if kind == "flow":
        flow = asked.services.flows.find(name)
        if flow is None:
            raise _missing(asked, kind, name)
        asked.services.flows.remove(flow)
        return Answer(state="done")
    if kind == "connector":
        raise LocalError("connectors are changed on a cluster only")
    thing = _things(asked, kind).find(name)
    if thing is None:
        raise _missing(asked, kind, name)
    holding = thing.held_by
    if holding is not None and holding.root is not asked.execution.root:
        raise denied(f"setting {thing.title!a} is a lock that execution {holding.name} holds")
    _things(asked, kind).remove(thing)
    return Answer(state="done")


def validate(asked: Asked, arguments: ValidateArguments) -> Answer:
    """Check a value against a schema."""
    name = checked_name(arguments.name)
    thing = asked.services.store.schemas.find(name)
    if thing is None:
        raise _missing(asked, "schema", name)
    schemas = schema_checks()
    wrong = schemas.problem_with_schema(thing.value, also_draft_7=True)
    if wrong is not None:
        raise Raises("SchemaError", f"schema {name!a}: {wrong}")
    value = arguments.value
    try:
        value = coerced(thing.value, value) if arguments.coerce else value
        wrong = schemas.problem_with_value(thing.value, value, what="value")
    except RecursionError:
        wrong = "value: it is nested too deeply"
    if wrong is not None:
        raise Raises("SchemaValidationError", f"{wrong} (schema {name!a})")
    return Answer(state="done", value=value if arguments.coerce else None)


_NEEDS_JSONSCHEMA = "schemas are checked by the package jsonschema: pip install jsonschema"


def schema_checks() -> Any:
    """Return the module that checks schemas. Raises LocalError where its package is missing."""
    try:
        from weir_protocol import schemas
    except ImportError:
        raise LocalError(_NEEDS_JSONSCHEMA) from None
    return schemas


def checked_name(name: str) -> str:
    """Return what a script calls a record. Raises Raises."""
    if not name.strip() or len(name) > MAX_WORD or not name.isprintable():
        raise invalid(f"a name has 1 to {MAX_WORD} printable characters: {name[:MAX_WORD]!a}")
    return name


def _require_kept(kind: RecordKind) -> None:
    if kind not in _KINDS:
        raise invalid(f"a {kind} is no record")


def _require_permit(asked: Asked, kind: str) -> None:
    if kind not in _PERMITTED:
        return
    what, flow = f"{kind}s", asked.execution.spec.flow
    if flow is None:
        raise denied(f"only the script of a Flow whose spec.allow names {what} may do that")
    if what not in flow.allow:
        raise denied(f"flow {flow.name} may not change {what}: its spec.allow does not name them")


def _missing(asked: Asked, kind: str, name: str) -> Raises:
    return not_found(f"there is no {kind} {name!a} in namespace {asked.services.namespace}")


def _things(asked: Asked, kind: str) -> Things:
    store = asked.services.store
    kinds = {
        "setting": store.settings,
        "schema": store.schemas,
        "schedule": store.schedules,
        "webhook": store.webhooks,
    }
    return kinds[kind]


def _rows(asked: Asked, kind: str) -> Iterable[tuple[str, JsonObject]]:
    services = asked.services
    match kind:
        case "setting" | "schema" | "schedule" | "webhook":
            for thing in _things(asked, kind):
                yield thing.title, _of_thing(asked, kind, thing)
        case "flow":
            for flow in services.flows:
                yield flow.title, _of_flow(flow)
        case "connector":
            for name, (type_, inputs) in services.connections.known().items():
                yield name, _of_connector(name, type_, inputs)
        case "file":
            for name, file in services.store.files.items():
                yield name, _of_file(name, file)
        case _:
            for one in services.world.executions.values():
                if not one.is_archived:
                    yield one.uid, _of_execution(view(one, asked.now))


def _object(asked: Asked, kind: str, name: str) -> JsonObject | None:
    """Return the fields of anything but a file or an execution."""
    if kind == "flow":
        flow = asked.services.flows.find(name)
        return _of_flow(flow) if flow else None
    if kind == "connector":
        known = asked.services.connections.known()
        return next((_of_connector(one, *known[one]) for one in known if one == name), None)
    thing = _things(asked, kind).find(name)
    return _of_thing(asked, kind, thing) if thing else None


def _of_thing(asked: Asked, kind: str, thing: Kept) -> JsonObject:
    fields = {
        "id": uid_of(kind, thing.name),
        "name": thing.title,
        "object_name": thing.name,
        "description": thing.description,
        "created_at": at_second(thing.created),
    }
    if kind in ("schedule", "webhook"):
        return fields | triggers.fields_of(kind, thing, asked.services.namespace)
    fields["value"] = thing.value
    if kind == "setting":
        fields["locked_by"] = thing.held_by.name if thing.held_by else None
    return fields


def _of_flow(flow: Flow) -> JsonObject:
    return {
        "id": uid_of("flow", flow.name),
        "name": flow.title,
        "object_name": flow.name,
        "description": flow.description,
        "created_at": None,
        "script": flow.source(),
        "input_schema": flow.input_schema,
        "output_schema": flow.output_schema,
        "is_enabled": not flow.suspend,
    }


def _of_connector(name: str, type_: str, inputs: JsonObject) -> JsonObject:
    return {
        "id": uid_of("connector", name),
        "name": name,
        "object_name": name,
        "description": None,
        "created_at": None,
        "connector_type": type_,
        "value": inputs,
    }


def _of_file(name: str, file: File) -> JsonObject:
    size = len(file.content)
    return {
        "name": name,
        "content_size_bytes": size,
        "size_bytes": size,
        "created_at": moment(file.created),
        "modified_at": moment(file.modified),
    }


def _of_execution(shown: ExecutionView) -> JsonObject:
    fields = {field: getattr(shown, field, None) for field in EXECUTION_FIELDS}
    return fields | {"id": shown.uid, "object_name": shown.name, "name": shown.title or shown.name}


def _file(asked: Asked, name: str, *, content: bool) -> JsonObject:
    file = asked.services.store.files.get(name)
    if file is None:
        raise _missing(asked, "file", name)
    fields = _of_file(name, file)
    return fields | {"content": base64.b64encode(file.content).decode()} if content else fields


def _execution(asked: Asked, name: str) -> JsonObject:
    for one in asked.world.executions.values():
        if name in (one.uid, one.name):
            if one.root is not asked.execution.root:
                return _of_execution(view(one, asked.now))
            shown = full_view(one, asked.now)
            values = {"input_value": shown.input_value, "output_value": shown.output_value}
            return _of_execution(shown) | values
    raise _missing(asked, "execution", name)


def _save_file(asked: Asked, name: str, fields: JsonObject) -> JsonObject:
    unknown = sorted(fields.keys() - {"content"})
    if unknown:
        raise invalid(f"a script cannot set {unknown[0][:100]!r} of a file; it can set content")
    files = asked.services.store.files
    if "content" in fields:
        data = _decoded(fields["content"])
        created = files[name].created if name in files else asked.now
        files[name] = File(data, created, asked.now)
    if name not in files:
        raise invalid("there is no such file yet: a new one needs 'content'")
    return _of_file(name, files[name])


def _decoded(content: object) -> bytes:
    if not isinstance(content, str):
        raise invalid("content is a text: base64")
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"content is no base64: {error}") from None
    if len(data) > MAX_CONTENT:
        raise invalid(f"the content has {len(data)} bytes and a file takes {MAX_CONTENT}")
    return data


def _write_thing(asked: Asked, kind: str, name: str, found: JsonObject) -> None:
    thing = _things(asked, kind).made(name, asked.now)
    for key, value in found.items():
        setattr(thing, "value" if key == "schema" else key, value)


def _write_trigger(asked: Asked, kind: str, name: str, found: JsonObject) -> None:
    triggers.write(kind, _things(asked, kind), name, found, asked.now)


def _write_flow(asked: Asked, name: str, found: JsonObject) -> None:
    flow = asked.services.flows.find(name) or flow_of(f"{found['script']}\n", name)
    told: dict[str, Any] = {_FLOW_FIELDS[key]: value for key, value in found.items()}
    if "script" in told:
        told |= {"path": None, "handler": None}
    asked.services.flows.add(replace(flow, **told))


def _write_connector(asked: Asked, name: str, found: JsonObject) -> None:
    raise LocalError("connectors are changed on a cluster only")


_FLOW_FIELDS = {
    "script": "script",
    "description": "description",
    "inputSchema": "input_schema",
    "outputSchema": "output_schema",
    "suspend": "suspend",
}
_WRITERS: dict[str, Callable[[Asked, str, JsonObject], None]] = {
    "setting": lambda asked, name, found: _write_thing(asked, "setting", name, found),
    "schema": lambda asked, name, found: _write_thing(asked, "schema", name, found),
    "flow": _write_flow,
    "connector": _write_connector,
    "schedule": lambda asked, name, found: _write_trigger(asked, "schedule", name, found),
    "webhook": lambda asked, name, found: _write_trigger(asked, "webhook", name, found),
}


def _value(value: Any) -> Answer:
    return Answer(state="done", value=value)
