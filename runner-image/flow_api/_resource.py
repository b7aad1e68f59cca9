"""What all records that scripts read and save by name have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flow_api._exceptions import InternalError, ResourceNotFoundError, named
from flow_api._values import checked
from weir_protocol.arguments import (
    DeleteRecordArguments,
    GetRecordArguments,
    SaveRecordArguments,
)

if TYPE_CHECKING:
    from typing import Self

    from flow_api._backend import Backend
    from weir_protocol import Answer
    from weir_protocol.arguments import OperationKind, RecordKind

_WRITABLE: dict[str, tuple[str, ...]] = {
    "setting": ("value", "description"),
    "file": ("content",),
    "schema": ("value", "description"),
    "flow": ("script", "description", "input_schema", "output_schema", "is_enabled"),
    "connector": ("connector_type", "value", "description"),
    "schedule": (
        "flow_name",
        "cron",
        "interval",
        "time_zone",
        "input_value",
        "is_productive",
        "is_enabled",
        "concurrency_policy",
        "starting_deadline",
        "description",
    ),
    "webhook": (
        "flow_name",
        "input_value",
        "is_productive",
        "is_enabled",
        "is_async",
        "methods",
        "timeout",
        "max_bytes",
        "protect_inputs",
        "protect_outputs",
        "description",
    ),
}

# What a copy of a webhook does not have: scripts cannot write it.
_GUARDS = ("is_key_required", "is_signed")


class Resource:
    """A record of the namespace, by its name: a setting, a file, a flow, a schedule, and so on.

    `system.setting(name)` and its relatives return one, whether or not there is such a record:
    `exists()` tells, and `save()` creates it. What is read is recorded: a run that goes on in
    another Pod reads the same again.
    """

    __slots__ = ("_backend", "_fields", "_kind", "_name", "_unsaved")

    def __init__(self, backend: Backend, kind: RecordKind, name: str) -> None:
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"a {kind} has a name, a text that is not empty: {name!r}")
        self._backend = backend
        self._kind: RecordKind = kind
        self._name = name
        self._fields: dict[str, Any] | None = None
        self._unsaved: dict[str, Any] = {}

    def __repr__(self) -> str:
        kind = f"Resource {self._kind}" if type(self) is Resource else type(self).__name__
        return f"<{kind} {self._name!r}>"

    def get(self, *fields: str) -> Any:
        """Return fields as they were last read; the first time they are read from the server.

        Parameters:
            fields: All records have name and created_at (ISO 8601, UTC), all but files id,
                object_name and description. Settings have value and locked_by; schemas value;
                files content (base64), content_size_bytes and modified_at; flows script,
                input_schema, output_schema and is_enabled; connectors connector_type and value,
                without what is secret. Schedules and webhooks have flow_name, input_value,
                is_enabled, is_productive and last_execution; schedules cron, interval, time_zone,
                concurrency_policy, starting_deadline, last_scheduled_for and next_scheduled_for;
                webhooks methods, timeout, max_bytes, protect_inputs, protect_outputs, is_async,
                is_key_required, is_signed, path and last_called_at.

        Returns:
            The value of one field; of several a tuple.

        Raises:
            ResourceNotFoundError: There is no such record.
            ValueError: There is no such field.

        Example:
            >>> system.setting('limits').get('value')
            {'rows': 100}
            >>> name, size = system.file('report.txt').get('name', 'content_size_bytes')
        """
        if not fields:
            raise TypeError("get() needs the name of at least one field")
        known = {**(self._fields or {}), **self._unsaved}
        if any(field not in known for field in fields):
            known = {**self._read(content="content" in fields), **self._unsaved}
        return self._chosen(known, fields)

    def load(self, *fields: str) -> Any:
        """Return fields fresh from the server; the parameters are those of `get`.

        Without fields it only refreshes what `get` returns.

        Raises:
            ResourceNotFoundError: There is no such record.
            ValueError: There is no such field.

        Example:
            >>> system.setting('limits').load('value')
            {'rows': 100}
        """
        known = self._read(content="content" in fields)
        return self._chosen(known, fields) if fields else None

    def set(self, **fields: Any) -> None:
        """Set fields without storing them yet: `save()` does.

        Parameters:
            fields: Those of `save`.

        Raises:
            ValueError: A script cannot set such a field.
            TypeError: A value is none that JSON can hold.

        Example:
            >>> setting = system.setting('limits')
            >>> setting.set(value={'rows': 200})
            >>> setting.get('value')
            {'rows': 200}
        """
        self._unsaved.update(self._writable(fields))

    def save(self, **fields: Any) -> Self:
        """Store fields now, together with what was `set` before; create the record if there is
        none.

        Parameters:
            fields: Of settings value (any JSON value of up to 256 KiB) and description; of schemas
                value (a JSON Schema) and description; of files content (base64, up to 16 MiB); of
                flows script, description, input_schema, output_schema and is_enabled; of
                connectors connector_type, value and description. Of schedules and webhooks
                flow_name, input_value, is_enabled, is_productive and description; of schedules
                cron or interval, time_zone, concurrency_policy and starting_deadline; of webhooks
                methods, timeout, max_bytes, protect_inputs, protect_outputs and is_async.
                Durations are texts such as `90s`. Fields that are not given stay as they are; None
                sets a default.

        Raises:
            PermissionDenied: It is a flow, connector, schedule or webhook, and the `spec.allow` of
                the flow that runs does not name those.
            InvalidInputError: A field cannot have that value, or is too large.
            SchemaError: What is to be a JSON Schema is none.
            ValueError: A script cannot set such a field.
            TypeError: A value is none that JSON can hold.

        Example:
            >>> system.setting('limits').save(value={'rows': 300}).get('value')
            {'rows': 300}
        """
        self._unsaved.update(self._writable(fields))
        arguments = SaveRecordArguments(
            kind=self._kind, name=self._name, fields=dict(self._unsaved)
        )
        answer = self._perform("save_record", arguments)
        self._fields = {**self._unsaved, **answer} if isinstance(answer, dict) else None
        self._unsaved.clear()
        return self

    def delete(self) -> None:
        """Delete the record.

        Raises:
            ResourceNotFoundError: There is no such record.
            PermissionDenied: It is a flow, connector, schedule or webhook, and the `spec.allow` of
                the flow that runs does not name those; or a setting that a run of another tree
                holds as a lock.

        Example:
            >>> system.setting('limits').delete()
        """
        self._perform("delete_record", DeleteRecordArguments(kind=self._kind, name=self._name))
        self._fields = None

    def exists(self) -> bool:
        """Return whether there is such a record.

        Example:
            >>> system.setting('limits').exists(), system.setting('missing').exists()
            (True, False)
        """
        try:
            self._read(content=False)
        except ResourceNotFoundError:
            return False
        return True

    def clone(self, name: str, **overrides: Any) -> Self:
        """Save a copy under another name, and return it.

        The copy of a webhook that asks for a key or a signature asks for none, and is not enabled.

        Parameters:
            name: What the copy is called; a record of that name is overwritten.
            overrides: Fields in which the copy differs.

        Raises:
            ResourceNotFoundError: There is nothing to copy.

        All else is raised that `save` raises.

        Example:
            >>> system.setting('limits').clone('limits of tests', description='small').get('value')
            {'rows': 100}
        """
        known = {**self._read(content=True), **self._unsaved}
        fields = {field: known[field] for field in _WRITABLE.get(self._kind, ()) if field in known}
        if any(known.get(guard) for guard in _GUARDS):
            fields["is_enabled"] = False
        copy = type(self)(self._backend, self._kind, name)
        return copy.save(**{**fields, **overrides})

    def _read(self, *, content: bool) -> dict[str, Any]:
        arguments = GetRecordArguments(kind=self._kind, name=self._name, content=content)
        found = self._perform("get_record", arguments)
        if not isinstance(found, dict):
            raise InternalError(f"the answer to 'get_record' is no record: {found!r}"[:200])
        self._fields = found
        return found

    def _chosen(self, known: dict[str, Any], fields: tuple[str, ...]) -> Any:
        for field in fields:
            if field not in known:
                raise ValueError(
                    f"a {self._kind} has no field {field!r}; it has {', '.join(sorted(known))}"
                )
        values = tuple(known[field] for field in fields)
        return values[0] if len(fields) == 1 else values

    def _writable(self, fields: dict[str, Any]) -> dict[str, Any]:
        writable = _WRITABLE.get(self._kind, ())
        for field in fields:
            if field not in writable:
                can = f"it can set {', '.join(writable)}" if writable else "it can set none"
                raise ValueError(f"a script cannot set {field!r} of a {self._kind}; {can}")
        return {field: checked(value, field) for field, value in fields.items()}

    def _perform(self, kind: OperationKind, arguments: Any) -> Any:
        return perform(self._backend, kind, arguments)


def perform(backend: Backend, kind: OperationKind, arguments: Any) -> Any:
    """Do an operation and return its value. Raises what the server says the script is to see."""
    return answered(backend, kind, arguments).value


def answered(backend: Backend, kind: OperationKind, arguments: Any) -> Answer:
    """Do an operation and return its answer. Raises what the server says the script is to see."""
    answer = backend.perform(kind, arguments)
    if answer.error is not None:
        raise named(answer.error.type, answer.error.message)
    if answer.state != "done":
        raise InternalError(f"the answer to {kind!r} is {answer.state!r}, without an error")
    return answer
