"""What scripts keep outside of their runs: settings and locks, files, schemas."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from flow_api._exceptions import EngineException, ResourceNotFoundError
from flow_api._resource import Resource, answered, perform
from flow_api._values import checked
from weir_protocol.arguments import (
    AcquireArguments,
    ListRecordsArguments,
    ReadArguments,
    ReleaseArguments,
    ValidateArguments,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from flow_api._backend import Backend
    from weir_protocol import ExecutionView
    from weir_protocol.arguments import RecordKind


class Setting(Resource):
    """A value that the scripts of a namespace share, and a lock: `system.setting(name)`.

    Example:
        >>> with system.setting('counter') as counter:
        ...     counter.save(value=(counter.load('value') or 0) + 1)
        <Setting 'counter'>
    """

    __slots__ = ("_held",)

    def __init__(self, backend: Backend, kind: RecordKind, name: str) -> None:
        super().__init__(backend, kind, name)
        self._held = False

    def acquire(self, timeout: float | None = None) -> Self:
        """Take the setting as a lock, when no other run has it, and return it.

        A setting of that name is made where there is none. The lock is freed by `release()`, and
        by the end of the run that took it, however it ends. Who has it may take it again: that
        changes nothing, and one `release()` frees it. Waiting costs nothing and survives restarts.

        Parameters:
            timeout: Seconds to wait; None waits for ever, 0 not at all.

        Raises:
            LockTimeoutError: The lock was not free in time; the text names who has it.
            ValueError: The timeout is none.

        Example:
            >>> lock = system.setting('the printer').acquire(timeout=60)
            >>> lock.release()
            >>> with system.setting('the printer').acquire(timeout=60):
            ...     this.log('only one run at a time does this')
        """
        if timeout is not None and not 0 <= timeout < inf:
            raise ValueError(
                f"a timeout is a number of seconds from 0 on, or None to wait for ever: {timeout!r}"
            )
        self._perform("acquire", AcquireArguments(name=self._name, timeout=timeout))
        self._held = True
        return self

    def release(self) -> None:
        """Free the lock, whichever run of this tree has it. One that is free stays free.

        Raises:
            PermissionDenied: A run of another tree has it.
            ResourceNotFoundError: There is no such setting.

        Example:
            >>> system.setting('the printer').acquire().release()
        """
        self._perform("release", ReleaseArguments(name=self._name))
        self._held = False

    def __enter__(self) -> Self:
        return self if self._held else self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        try:
            self.release()
        except ResourceNotFoundError:
            pass  # somebody deleted the setting meanwhile, and the lock with it
        except EngineException:
            # Why the block ended counts more; and with the run the lock ends anyway.
            if error is None:
                raise


class File(Resource):
    """A file that the scripts of a namespace share: `system.file(name)`.

    Names are free text of up to 253 characters, slashes included; contents have up to 16 MiB.
    """

    __slots__ = ()

    def save_text_content(self, text: str) -> Self:
        """Store a text, as UTF-8.

        Parameters:
            text: The whole content.

        Raises:
            InvalidInputError: It is larger than 16 MiB.

        Example:
            >>> system.file('notes/today.txt').save_text_content('sunny').get('size_bytes')
            5
        """
        return self.save_bytes_content(text.encode())

    def save_bytes_content(self, content: bytes) -> Self:
        """Store bytes.

        Parameters:
            content: The whole content.

        Raises:
            InvalidInputError: It is larger than 16 MiB.

        Example:
            >>> system.file('pixel').save_bytes_content(b'\\x00').get('content_size_bytes')
            1
        """
        from base64 import b64encode

        return self.save(content=b64encode(bytes(content)).decode())

    def save_base64_content(self, content: str) -> Self:
        """Store what a base64 text stands for.

        Parameters:
            content: The whole content, as base64.

        Raises:
            InvalidInputError: It is no base64, or stands for more than 16 MiB.

        Example:
            >>> system.file('greeting').save_base64_content('aGVsbG8=').get_text_content()
            'hello'
        """
        return self.save(content=content)

    def get_text_content(self) -> str:
        """Return the content as a text.

        Raises:
            ResourceNotFoundError: There is no such file.
            UnicodeDecodeError: The content is no UTF-8.

        Example:
            >>> system.file('report.txt').get_text_content()
            'all well'
        """
        return self.get_bytes_content().decode()

    def get_bytes_content(self) -> bytes:
        """Return the content.

        Raises:
            ResourceNotFoundError: There is no such file.

        Example:
            >>> system.file('report.txt').get_bytes_content()
            b'all well'
        """
        from base64 import b64decode

        return b64decode(self.get_base64_content())

    def get_base64_content(self) -> str:
        """Return the content as base64.

        Raises:
            ResourceNotFoundError: There is no such file.

        Example:
            >>> system.file('report.txt').get_base64_content()
            'YWxsIHdlbGw='
        """
        return str(self.get("content"))


class Schema(Resource):
    """A JSON Schema under a name: `system.schema(name)`."""

    __slots__ = ()

    def validate(self, value: Any) -> None:
        """Raise unless a value fits the schema, as it is stored now.

        Parameters:
            value: Any JSON value.

        Raises:
            SchemaValidationError: It does not fit; the text says what and where.
            SchemaError: The schema itself is not valid.
            ResourceNotFoundError: There is no such schema.
            TypeError: It is no value that JSON can hold.

        Example:
            >>> order = system.schema('order').save(value={'type': 'object', 'required': ['id']})
            >>> order.validate({'id': 7})
            >>> order.validate({})
            Traceback (most recent call last):
            flow_api.SchemaValidationError: value: lacks id (schema 'order')
        """
        self._perform("validate", ValidateArguments(name=self._name, value=checked(value, "value")))

    def coerce(self, value: Any) -> Any:
        """Return a copy of a value, bent towards the schema where that is plain.

        Texts that are whole numbers, numbers, `true` or `false` become these where the schema wants
        them, numbers and booleans become texts, and properties that are missing get their
        `default`. Of alternatives (`anyOf`, `oneOf`, `if`) none is chosen.

        Parameters:
            value: Any JSON value.

        Raises:
            SchemaValidationError: What came of it does not fit; the text says what and where.

        All else is raised that `validate` raises.

        Example:
            >>> order = system.schema('order').save(value={'type': 'object', 'required': ['id']})
            >>> order.coerce({'id': 7})
            {'id': 7}
        """
        asked = ValidateArguments(name=self._name, value=checked(value, "value"), coerce=True)
        return self._perform("validate", asked)


KINDS: dict[RecordKind, type[Resource]] = {"setting": Setting, "file": File, "schema": Schema}


def record(backend: Backend, kind: RecordKind, name: str) -> Any:
    """Return the record of a name, be it there or not."""
    return KINDS.get(kind, Resource)(backend, kind, name)


def listed(
    backend: Backend,
    kind: RecordKind,
    wanted: dict[str, Any] | None,
    wanted_: dict[str, Any] | None,
) -> list[Any]:
    """Return the records that pass a filter, given under either spelling. Raises TypeError."""
    if wanted is not None and wanted_ is not None:
        raise TypeError("filter and filter_ are the same: give one of them")
    chosen = wanted if wanted_ is None else wanted_
    if chosen is not None and not isinstance(chosen, dict):
        raise TypeError(f"a filter is a dict, not {chosen!r}")
    arguments = ListRecordsArguments(kind=kind, filter=checked(chosen, "filter"))
    names = perform(backend, "list_records", arguments) or []
    return [record(backend, kind, name) for name in names]


def read_execution(backend: Backend, id: str) -> ExecutionView:
    """Return an execution of the own tree, by its ID or its object's name."""
    if not isinstance(id, str) or not id.strip():
        raise TypeError(f"an execution has an id, a text that is not empty: {id!r}")
    try:
        answer = answered(backend, "read", ReadArguments(uid=id))
    except ResourceNotFoundError:
        uid = record(backend, "execution", id).get("id")
        answer = answered(backend, "read", ReadArguments(uid=uid))
    return answer.executions[0]
