"""Asking people: `this.message`, `system.message`, and connections of type INPUT."""

from __future__ import annotations

import contextlib
import dataclasses
from math import inf
from typing import TYPE_CHECKING, Any

from flow_api._children import return_when as way_to_wait
from flow_api._exceptions import (
    DependencyFailedError,
    DependencyTimeoutError,
    ExtraInputError,
    InternalError,
    InvalidInputError,
    MessageResponseTimeoutError,
    MissingInputError,
    named,
)
from flow_api._fields import read
from flow_api._system import ReturnWhen
from flow_api._values import checked_object, printable, text_of
from weir_protocol import ExecutionView
from weir_protocol.arguments import MessageArguments, ResponseArguments

if TYPE_CHECKING:
    from typing import Self

    from flow_api._backend import Backend
    from weir_protocol.arguments import OperationKind

_FIELDS = ("id", "name", "subject", "message", "request", "body", "response", "is_answered")
_INPUTS = ("request", "reference", "timeout")
_LONGEST_SUBJECT = 1000


class Message:
    """A question to people, or a notice. `this.message(…)` and `system.message(…)` return one."""

    __slots__ = ("_arguments", "_backend", "_name", "_response")

    def __init__(self, backend: Backend, arguments: MessageArguments, name: str) -> None:
        self._backend = backend
        self._arguments = arguments
        self._name = name
        self._response: dict[str, Any] | None = None

    def __repr__(self) -> str:
        state = "answered" if self._response is not None else "waiting"
        return f"<Message {self._arguments.subject!r} {state}>"

    def get(self, *fields: str) -> Any:
        """Return fields as they were last seen, without asking the server again.

        Parameters:
            fields: Any of id and name (what `weir respond` calls it), subject, message, request,
                body, response, is_answered.

        Returns:
            The value of one field; of several a tuple. `response` is a dict, None before it is
            answered: an entry for each field of the form, and True for the button pressed.

        Raises:
            ValueError: There is no such field.

        Example:
            >>> message = this.message('Who are you?', request='Your name')
            >>> message.get('response')
            {'string': 'Ada'}
            >>> message.get('subject', 'is_answered')
            ('Who are you?', True)
        """
        if not fields:
            raise TypeError("get() needs the name of at least one field")
        values = tuple(self._get(field) for field in fields)
        return values[0] if len(fields) == 1 else values

    def load(self, *fields: str) -> Any:
        """Return fields fresh from the server, without waiting; the parameters are those of `get`.

        Without fields it only refreshes what `get` returns.

        Raises:
            ValueError: There is no such field.
            ResourceNotFoundError: The message was deleted.

        Example:
            >>> message = this.message('Go on?', wait=False)
            >>> message.get('is_answered')
            False
            >>> message.load('is_answered')
            True
        """
        for field in fields:
            self._get(field)
        if self._response is None:
            with contextlib.suppress(MessageResponseTimeoutError):
                self.wait(timeout=0)
        return self.get(*fields) if fields else None

    def wait(self, timeout: float | None = None) -> Self:
        """Wait until the message is answered, and return it. Waiting costs nothing and survives
        restarts.

        Parameters:
            timeout: Seconds; None waits for ever.

        Raises:
            MessageResponseTimeoutError: Nobody had answered when the timeout was over.
            ResourceNotFoundError: The message was deleted.

        Example:
            >>> message = this.message('Go on?', wait=False)
            >>> message.wait(timeout=3600).get('response')
            {'ok': True}
        """
        _check_timeout(timeout)
        if self._response is None:
            arguments = ResponseArguments(name=self._name, timeout=timeout)
            response = dict(_performed(self._backend, "response", arguments) or {})
            fields = (self._arguments.body or {}).get("properties", {})
            passwords = [name for name in fields if fields[name].get("element") == "password"]
            if passwords:
                self._backend.hide(*(response.get(name) for name in passwords))
            self._response = response
        return self

    def _get(self, field: str) -> Any:
        match field:
            case "id" | "name":
                return self._name
            case "response":
                return self._response
            case "is_answered":
                return self._response is not None
            case "subject" | "message" | "request" | "body":
                return getattr(self._arguments, field)
        raise ValueError(f"a message has no field {field!r}; it has {', '.join(_FIELDS)}")


def send(
    backend: Backend,
    subject: Any,
    message: Any = None,
    *,
    request: str | None = None,
    body: dict[str, Any] | None = None,
    message_type: str | None = None,
) -> Message:
    """Send a message, and return it without waiting for the answer.

    Raises:
        SchemaError: The form is none that can be drawn.
        TypeError, InvalidInputError: Another argument is not fit.
    """
    if not isinstance(subject, str) or not subject.strip():
        raise TypeError(f"subject must be a text that is not empty: {subject!r}")
    if request is not None and not isinstance(request, str):
        raise TypeError(f"request must be a text: {request!r}")
    if message_type is not None:
        backend.log(f"message_type={message_type!r} is not used any more", None)
    arguments = MessageArguments(
        subject=printable(subject),
        message=None if message is None else text_of(message),
        request=None if request is None else printable(request),
        body=None if body is None else checked_object(body, "body"),
    )
    value = _performed(backend, "message", arguments)
    return Message(backend, arguments, str(value["name"]))


class Input:
    """A question in the older spelling: `this.connect(connector_type='INPUT', request=…)`.

    It is read and waited for like an execution; the answer is `output_value['response']`. It needs
    no Pod, and is no child: `this.wait_for` does not take it, `wait()` does.
    """

    __slots__ = ("_backend", "_message", "_timeout", "_view")

    def __init__(self, backend: Backend, inputs: dict[str, Any], name: str | None) -> None:
        inputs = checked_object(inputs, "inputs")
        for key in inputs:
            if key not in _INPUTS:
                raise ExtraInputError(f"INPUT has no input {key!r}; it has {', '.join(_INPUTS)}")
        request, minutes = inputs.get("request"), inputs.get("timeout")
        if request is None:
            raise MissingInputError("INPUT needs the input 'request': what to ask")
        if not isinstance(request, str) or not request.strip():
            raise InvalidInputError("input 'request' of INPUT must be a text that is not empty")
        if minutes is not None and (
            isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes < 0
        ):
            raise InvalidInputError("input 'timeout' of INPUT must be a number of minutes")
        self._backend = backend
        self._message: Message | None = None
        self._timeout = None if minutes is None else 60.0 * minutes
        self._view = ExecutionView(
            uid="",
            name="",
            title=name or " ".join(request.split())[:_LONGEST_SUBJECT],
            type="CONNECTION",
            status="NEW",
            phase="Pending",
            connector_type="INPUT",
            input_value=inputs,
        )

    def __repr__(self) -> str:
        return f"<Input {self._view.title!r} {self._view.status}>"

    def get(self, *fields: str) -> Any:
        """Return fields as they were last seen; those of an execution.

        Example:
            >>> asked = this.connect(connector_type='INPUT', request='Your name', timeout=5)
            >>> asked.get('status', 'output_value')
            ('ENDED_SUCCESS', {'response': 'Ada'})
        """
        if not fields:
            raise TypeError("get() needs the name of at least one field")
        values = tuple(read(self._view, field) for field in fields)
        return values[0] if len(fields) == 1 else values

    def load(self, *fields: str) -> Any:
        """Return fields fresh from the server, without waiting.

        Example:
            >>> asked = this.task('INPUT', request='Your name', wait=False)
            >>> asked.get('status')
            'WAITING'
            >>> asked.load('status')
            'ENDED_SUCCESS'
        """
        for field in fields:
            read(self._view, field)
        if self._message is not None and self._message.load("is_answered"):
            self._answered(self._message)
        return self.get(*fields) if fields else None

    def exists(self) -> bool:
        """Whether there is such a thing: there is.

        Example:
            >>> this.task('INPUT', request='Your name').exists()
            True
        """
        return True

    def run_async(self) -> Self:
        """Ask, if it was made with `run=False`, without waiting for the answer.

        Example:
            >>> asked = this.task('INPUT', request='Your name', run=False).run_async()
        """
        if self._message is None:
            inputs = self._view.input_value or {}
            self._message = send(self._backend, self._view.title, request=inputs["request"])
            name = self._message.get("name")
            self._see(uid=name, name=name, status="WAITING", phase="Waiting")
        return self

    def run(self, wait: bool | ReturnWhen = True) -> Self:
        """Ask, if it was made with `run=False`, and wait for the answer.

        Example:
            >>> asked = this.task('INPUT', request='Your name', run=False)
            >>> asked.run().get('output_value')['response']
            'Ada'
        """
        way = way_to_wait(wait)
        self.run_async()
        return self if way is None else self.wait(way)

    def wait(
        self,
        return_when: ReturnWhen = ReturnWhen.ALL_SUCCEEDED,
        timeout: float | None = None,
    ) -> Self:
        """Wait for the answer.

        Parameters:
            return_when: ALL_SUCCEEDED raises if nobody answers in time; the others do not.
            timeout: Seconds; None waits for as long as the input `timeout` says, else for ever.

        Raises:
            DependencyFailedError: Nobody answered within the minutes of the input `timeout`.
            DependencyTimeoutError: Nobody answered within `timeout`.

        Example:
            >>> asked = this.task('INPUT', request='Your name', wait=False)
            >>> asked.wait().get('output_value')['response']
            'Ada'
        """
        _check_timeout(timeout)
        way = way_to_wait(return_when)
        if self._message is None:
            raise TypeError("this was made with run=False: run() asks")
        if not self._view.status.startswith("ENDED"):
            limits = [limit for limit in (self._timeout, timeout) if limit is not None]
            try:
                self._answered(self._message.wait(min(limits, default=None)))
            except MessageResponseTimeoutError as error:
                if self._timeout is None or (timeout is not None and timeout < self._timeout):
                    raise DependencyTimeoutError(str(error)) from None
                self._see(status="ENDED_ERROR", phase="Failed", message=str(error))
        if self._view.status == "ENDED_ERROR" and way == ReturnWhen.ALL_SUCCEEDED:
            raise DependencyFailedError(self._view.message or "", self)
        return self

    def _answered(self, message: Message) -> None:
        output: dict[str, Any] = {"response": message.get("response")["string"]}
        inputs = self._view.input_value or {}
        if "reference" in inputs:
            output["reference"] = inputs["reference"]
        self._see(status="ENDED_SUCCESS", phase="Succeeded", output_value=output)

    def _see(self, **fields: Any) -> None:
        self._view = dataclasses.replace(self._view, **fields)


def ask(
    backend: Backend,
    inputs: dict[str, Any],
    *,
    name: str | None,
    wait: bool | ReturnWhen,
    run: bool,
) -> Input:
    """Do what a connection of type INPUT does; see `Input`."""
    way = way_to_wait(wait)
    asked = Input(backend, inputs, name)
    if not run:
        return asked
    asked.run_async()
    return asked if way is None else asked.wait(way)


def _performed(backend: Backend, kind: OperationKind, arguments: Any) -> Any:
    answer = backend.perform(kind, arguments)
    if answer.error is not None:
        raise named(answer.error.type, answer.error.message)
    if answer.state != "done":
        raise InternalError(f"the answer to {kind!r} is {answer.state!r}, without an error")
    return answer.value


def _check_timeout(timeout: float | None) -> None:
    if timeout is not None and not 0 <= timeout < inf:
        raise ValueError(
            f"a timeout is a number of seconds from 0 on, or None to wait for ever: {timeout!r}"
        )
