"""What is known and stored of an execution: the base of `flow_api.Execution`."""

from __future__ import annotations

import dataclasses
from math import inf
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from flow_api._children import return_when as way_to_wait
from flow_api._exceptions import DependencyFailedError, InternalError, PermissionDenied, named
from flow_api._fields import READABLE, VALUES, WRITABLE, read, writable
from flow_api._values import checked, checked_object
from weir_protocol.arguments import (
    ReadArguments,
    SaveArguments,
    WaitArguments,
)

if TYPE_CHECKING:
    from flow_api._backend import Backend
    from flow_api._fields import OptionalField, TextField, ValueField
    from weir_protocol import ErrorInfo, ExecutionView
    from weir_protocol.arguments import (
        ChildArguments,
        OperationKind,
    )

Awaited = TypeVar("Awaited", bound="Record")

_ENDED = frozenset({"ENDED_SUCCESS", "ENDED_ERROR", "ENDED_CANCELLED"})


class Record:
    """An execution's fields, cached and stored."""

    __slots__ = ("_asked", "_backend", "_own", "_unsaved", "_view")

    def __init__(
        self,
        backend: Backend,
        view: ExecutionView,
        *,
        own: bool = False,
        asked: ChildArguments | None = None,
    ) -> None:
        self._backend = backend
        self._view = view
        self._own = own
        self._asked = asked  # what this run asked for when it made the execution
        self._unsaved: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {read(self._view, 'name')!r} {self._view.status}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and other._view.uid == self._view.uid

    def __hash__(self) -> int:
        return hash(self._view.uid)

    @overload
    def get(self, field: ValueField, /) -> dict[str, Any]: ...
    @overload
    def get(self, field: TextField, /) -> str: ...
    @overload
    def get(self, field: OptionalField, /) -> str | None: ...
    @overload
    def get(self, field: Literal["is_productive"], /) -> bool: ...
    @overload
    def get(self, field: Literal["try_number"], /) -> int: ...
    @overload
    def get(self, *fields: str) -> Any: ...

    def get(self, *fields: str) -> Any:
        """Return fields as they were last seen, without asking the server again.

        Parameters:
            fields: Any of id, name, object_name, type, status, phase, reason, message, description,
                input_value, output_value, flow_name, connector_name, connector_type, parent_id,
                is_productive, try_number, created_at, started_at, ended_at, schedule_name,
                scheduled_for, webhook_name. Times are ISO 8601 in UTC.

        Returns:
            The value of one field; of several a tuple. `input_value` and `output_value` are dicts,
            empty where there is nothing.

        Raises:
            ValueError: There is no such field.

        Example:
            >>> this.get('input_value')
            {'person': 'Ada'}
            >>> status, flow = this.get('status', 'flow_name')
        """
        if not fields:
            raise TypeError("get() needs the name of at least one field")
        values = tuple(self._get(field) for field in fields)
        return values[0] if len(fields) == 1 else values

    @overload
    def load(self, field: ValueField, /) -> dict[str, Any]: ...
    @overload
    def load(self, field: TextField, /) -> str: ...
    @overload
    def load(self, field: OptionalField, /) -> str | None: ...
    @overload
    def load(self, field: Literal["is_productive"], /) -> bool: ...
    @overload
    def load(self, field: Literal["try_number"], /) -> int: ...
    @overload
    def load(self) -> None: ...
    @overload
    def load(self, *fields: str) -> Any: ...

    def load(self, *fields: str) -> Any:
        """Return fields fresh from the server; the parameters are those of `get`.

        Without fields it only refreshes what `get` returns.

        Raises:
            ValueError: There is no such field.
            ResourceNotFoundError: The execution was deleted.

        Example:
            >>> child = this.flow('greet', wait=False, person='Ada')
            >>> child.load('status')
            'ENDED_SUCCESS'
        """
        for field in fields:
            read(self._view, field)
        self._read()
        if not fields:
            return None
        values = tuple(read(self._view, field) for field in fields)
        return values[0] if len(fields) == 1 else values

    def set(self, **fields: Any) -> None:
        """Set fields of this execution without storing them yet: `save()` does, and so does the
        end.

        Parameters:
            fields: Any of message, name, description (texts) and output_value (a JSON object).

        Raises:
            ValueError: A field cannot be set.
            TypeError: `output_value` is no JSON object.

        Example:
            >>> this.set(message='half way')
            >>> this.get('message')
            'half way'
        """
        self._require_own("set")
        self._unsaved.update(writable(fields))

    def save(self, **fields: Any) -> None:
        """Store fields of this execution now, together with what was `set` before.

        Parameters:
            fields: Those of `set`.

        Raises:
            ValueError: A field cannot be set, or `output_value` is too large.
            TypeError: `output_value` is no JSON object.

        Example:
            >>> this.save(message='iteration 3/10')
        """
        self._require_own("save")
        self._unsaved.update(writable(fields))
        if not self._unsaved:
            return
        self._perform(
            "save",
            SaveArguments(**{WRITABLE[field]: value for field, value in self._unsaved.items()}),
        )
        self._view = dataclasses.replace(
            self._view, **{READABLE[field]: value for field, value in self._unsaved.items()}
        )
        self._unsaved.clear()

    def set_output(self, *args: Any, **values: Any) -> None:
        """Set entries of `output_value`; the others stay. They are stored when the run ends.

        Parameters:
            args: A key and its value, or a dict of entries.
            values: Further entries, by keyword.

        Raises:
            TypeError: A value is none that JSON can hold; the message says which and where.

        Example:
            >>> this.set_output('rows', 12)
            >>> this.set_output(state='done', errors=[])
            >>> this.get('output_value')
            {'rows': 12, 'state': 'done', 'errors': []}
        """
        self._require_own("set_output")
        if len(args) > 2:
            raise TypeError(f"set_output() takes a key and a value, not {len(args)} arguments")
        entries: dict[str, Any] = {}
        if len(args) == 2:
            key, value = args
            if not isinstance(key, str):
                raise TypeError(f"the key of an output is a text, not {key!r}")
            entries[key] = checked(value, f"output_value[{key!r}]")
        elif args:
            entries.update(checked_object(args[0], "output_value"))
        for key, value in values.items():
            entries[key] = checked(value, f"output_value[{key!r}]")
        self._unsaved["output_value"] = {**self._get("output_value"), **entries}

    def _get(self, field: str) -> Any:
        if field in self._unsaved:
            return self._unsaved[field]
        # 1. The answer to a wait may leave out values, which can be large: they are fetched when
        #    asked for. 2. They are final once the execution has ended, so once is enough.
        view = self._view
        final = not self._own and view.status in _ENDED
        if final and field in VALUES and getattr(view, field) is None:
            self._read()
            values = {name: read(self._view, name) for name in VALUES}
            self._view = dataclasses.replace(self._view, **values)
        return read(self._view, field)

    def _read(self) -> None:
        self._see(self._perform("read", ReadArguments(uid=self._uid())))

    def _see(self, views: list[ExecutionView]) -> None:
        """Remember the newest facts; the inputs stay known when an answer leaves them out."""
        for view in views:
            if view.uid == self._view.uid:
                if view.input_value is None:
                    view = dataclasses.replace(view, input_value=self._view.input_value)
                self._view = view

    def _wait(
        self, awaited: list[Awaited], return_when: bool | str, timeout: float | None
    ) -> list[Awaited]:
        way = way_to_wait(return_when)
        if way is None:
            raise ValueError("a wait needs one of system.return_when")
        if not awaited:
            return []
        if timeout is not None and not 0 <= timeout < inf:
            raise ValueError(
                f"a timeout is a number of seconds from 0 on, or None to wait for ever: {timeout!r}"
            )
        uids = list(dict.fromkeys(one._uid() for one in awaited))
        ended = self._perform(
            "wait",
            WaitArguments(uids=uids, return_when=way.value, timeout=timeout),
            tuple(awaited),
        )
        for one in awaited:
            one._see(ended)
        ended_uids = {view.uid for view in ended}
        return [one for one in awaited if one._view.uid in ended_uids]

    def _perform(
        self, kind: OperationKind, arguments: Any, concerned: tuple[Record, ...] = ()
    ) -> list[ExecutionView]:
        """Do an operation. Raises what the server says the script is to see."""
        answer = self._backend.perform(kind, arguments)
        if answer.error is not None:
            raise self._exception(answer.error, concerned)
        if answer.state != "done":
            raise InternalError(f"the answer to {kind!r} is {answer.state!r}, without an error")
        return answer.executions

    def _exception(self, error: ErrorInfo, concerned: tuple[Record, ...]) -> Exception:
        if error.type != DependencyFailedError.__name__:
            return named(error.type, error.message)
        failed = None
        if error.execution is not None:
            # The script's own handle, where it has one, learns how the child ended.
            known = [one for one in concerned if one._view.uid == error.execution.uid]
            failed = known[0] if known else type(self)(self._backend, error.execution)
            failed._see([error.execution])
        return DependencyFailedError(error.message, failed)

    def _uid(self) -> str:
        """Return the UID. Raises TypeError for a template, which has none."""
        if not self._view.uid:
            raise TypeError("this is a template, made with save=False: clone() makes an execution")
        return self._view.uid

    def _require_own(self, call: str) -> None:
        if not self._own:
            raise PermissionDenied(
                f"{call}() of another execution: only `this` may, in its own script"
            )
