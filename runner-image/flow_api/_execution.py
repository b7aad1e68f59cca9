"""`flow_api.Execution`: one run as scripts see it, be it their own (`this`) or one they started."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from flow_api._exceptions import ExecutionError, ExecutionSuccess
from flow_api._lifecycle import Lifecycle
from flow_api._messages import Message, send
from flow_api._once import call_once
from flow_api._values import checked, loggable, text_of
from weir_protocol.arguments import SleepArguments

if TYPE_CHECKING:
    from flow_api._wrappers import Wrapped

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


class Execution(Lifecycle):
    """One run of a flow, script or connection.

    Scripts do not make executions themselves: `this` is their own, and `this.flow(…)`,
    `this.connect(…)` and `this.script(…)` return those that they start. What an execution does to
    itself (starting children, logging, saving, ending) is called on `this`; on another execution it
    raises PermissionDenied.
    """

    __slots__ = ()

    def log(self, *values: Any, **named_values: Any) -> None:
        """Append an entry to the execution's log.

        Parameters:
            values: Anything; texts are logged as they are, JSON values as JSON, others by `repr`.
            named_values: Values that keep their names and their structure in the log.

        Example:
            >>> this.log('read the table', rows=12, header=['name', 'age'])
        """
        self._require_own("log")
        text = " ".join(text_of(value) for value in values)
        self._backend.log(text, loggable(named_values) if named_values else None)

    def message(
        self,
        subject: str,
        message: str | None = None,
        *,
        request: str | None = None,
        body: dict[str, Any] | None = None,
        wait: bool = True,
        timeout: float | None = None,
        message_type: str | None = None,
    ) -> Message:
        """Ask people, wait for their answer, and return the message.

        It is answered by `weir respond`, by REST, or by patching the Message. Waiting survives the
        loss of the Pod and restarts of all else.

        Parameters:
            subject: What it is about, in one line.
            message: The text, in Markdown.
            request: Asks for one text, which is `response['string']`; the name of that field.
            body: A form, instead of request: `{'type': 'object', 'properties': {name: element},
                'required': [name]}`, see docs/messages.md. Without both there is an OK button.
            wait: False returns as soon as the message is sent; `wait()` waits.
            timeout: Seconds to wait; None waits for ever.
            message_type: Of older versions; not used.

        Raises:
            MessageResponseTimeoutError: Nobody answered in time. The message can still be answered.
            SchemaError: The form is none that can be drawn.

        Example:
            >>> form = {'type': 'object', 'properties': {
            ...     'name': {'element': 'string', 'label': 'Your name'},
            ...     'approve': {'element': 'submit'},
            ...     'reject': {'element': 'submit'},
            ... }}
            >>> message = this.message('Release?', '**Version 1.2** is ready.', body=form)
            >>> message.get('response')
            {'name': 'Ada', 'approve': True, 'reject': False}
        """
        self._require_own("message")
        sent = send(
            self._backend, subject, message, request=request, body=body, message_type=message_type
        )
        return sent.wait(timeout) if wait else sent

    def success(self, message: str | None = None) -> NoReturn:
        """End this run here as a success.

        Parameters:
            message: The execution's last message.

        Raises:
            ExecutionSuccess: Always; `except Exception` does not catch it.

        Example:
            >>> this.success('all done')
            Traceback (most recent call last):
            flow_api.ExecutionSuccess: all done
        """
        self._require_own("success")
        raise ExecutionSuccess(None if message is None else str(message))

    def error(self, message: str | None = None) -> NoReturn:
        """End this run here as a failure.

        Parameters:
            message: The execution's last message; it reaches a waiting parent.

        Raises:
            ExecutionError: Always; `except Exception` does not catch it.

        Example:
            >>> this.error('the table is empty')
            Traceback (most recent call last):
            flow_api.ExecutionError: the table is empty
        """
        self._require_own("error")
        raise ExecutionError(None if message is None else str(message))

    def end(self, status: str, message: str | None = None) -> NoReturn:
        """End this run here.

        Parameters:
            status: 'success' or 'error'; the status words ENDED_SUCCESS and ENDED_ERROR do as well.
            message: The execution's last message.

        Raises:
            ExecutionSuccess, ExecutionError: One of them, always.
            ValueError: The status is another one.

        Example:
            >>> this.end('success', 'all done')
            Traceback (most recent call last):
            flow_api.ExecutionSuccess: all done
        """
        if status in ("success", "ENDED_SUCCESS"):
            self.success(message)
        if status in ("error", "ENDED_ERROR"):
            self.error(message)
        raise ValueError(f"a run ends with 'success' or 'error', not with {status!r}")

    def sleep(self, seconds: float) -> None:
        """Pass time. Restarts of Pods, of the operator and of the server do not make it longer.

        Parameters:
            seconds: How long, from 0 on; the run may go on a little later.

        Raises:
            ValueError: It is no such number.

        Example:
            >>> this.sleep(0.5)
        """
        self._require_own("sleep")
        self._perform("sleep", SleepArguments(seconds=_seconds(seconds, "sleep")))

    def sleep_until(self, timestamp: float | datetime) -> None:
        """Pass time up to a moment; one that is over is no sleep.

        Parameters:
            timestamp: Unix time in seconds, or a datetime with a time zone.

        Raises:
            ValueError: It is no such moment.

        Example:
            >>> this.sleep_until(1767225600)
        """
        self._require_own("sleep_until")
        if isinstance(timestamp, datetime):
            if timestamp.tzinfo is None:
                raise ValueError(
                    "sleep_until() needs a datetime with a time zone, such as datetime.now(UTC)"
                )
            timestamp = timestamp.timestamp()
        self._perform("sleep", SleepArguments(until=_seconds(timestamp, "sleep_until")))

    def once(
        self,
        function: Callable[Parameters, Returned],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Returned:
        """Call a function, record what it returns, and return that again when the run is resumed.

        For what must not happen or be looked up twice: the present time, a random number, a file
        outside. If the Pod is lost while the function runs, it is called again: at least once.
        The function may log, and may not call others of `this` and `system`.

        Parameters:
            function: What to call.
            args, kwargs: What to call it with.

        Returns:
            What the function returned: JSON, so that a tuple comes back as a list.

        Raises:
            TypeError: What it returned is nothing that JSON can hold.
            Exception: What it raised; a resumed run gets an exception of the same name and text.

        Example:
            >>> this.once(lambda: 6 * 7)
            42
        """
        self._require_own("once")
        return call_once(self._backend, function, args, kwargs, checked)  # type: ignore[no-any-return]

    def using(self, wrapper: str, **options: Any) -> Wrapped:
        """Return what starts children inside a wrapper; its `flow`, `connect` and `script` take
        what those of `this` take, and `using` puts another wrapper inside this one.

        Parameters:
            wrapper: One of
                'retry' (max_tries=3, delay_sec=10, timeout_sec=0, archive_retries=True): try again
                while the child ends badly, each try at most timeout_sec if that is not 0;
                'timeout' (timeout_sec): cancel the child when it takes longer;
                'cache' (max_age_minutes=1440): take the outputs of a former success with the same
                inputs, where there is one;
                'notify' (on_error=True, on_success=False, subject=None, body=None, to=None): leave
                people a message about the end.
            options: Those of the wrapper.

        Raises:
            ValueError: There is no such wrapper.
            TypeError: The wrapper has no such option.

        Example:
            >>> child = this.using('retry', max_tries=3, delay_sec=1).flow('greet', person='Ada')
            >>> child.get('output_value')
            {'greeting': 'Hello, Ada'}
        """
        self._require_own("using")
        from flow_api._wrappers import Wrapped

        return Wrapped(self, [(wrapper, options)])

    def webhook_html_response(self, html: str) -> NoReturn:
        """End this run as a success, with a page for the caller of the webhook that started it.

        Parameters:
            html: The page.

        Example:
            >>> this.webhook_html_response('<h1>Thank you</h1>')
            Traceback (most recent call last):
            flow_api.ExecutionSuccess: None
        """
        self.webhook_response(200, {"content-type": "text/html; charset=utf-8"}, str(html))

    def webhook_response(
        self, status: int = 200, headers: dict[str, str] | None = None, body: Any = None
    ) -> NoReturn:
        """End this run as a success, with an answer for the caller of the webhook that started it.

        The answer is the output `webhook_response`.

        Parameters:
            status: HTTP status, from 200 to 599.
            headers: HTTP headers.
            body: A text, or JSON.

        Raises:
            ExecutionSuccess: Always; `except Exception` does not catch it.
            ValueError: The status is another one.

        Example:
            >>> this.webhook_response(202, {'x-ticket': '7'}, {'accepted': True})
            Traceback (most recent call last):
            flow_api.ExecutionSuccess: None
        """
        self._require_own("webhook_response")
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise ValueError(f"an HTTP status is a number from 200 to 599, not {status!r}")
        answer = {"status": status, "headers": dict(headers or {}), "body": body}
        self.set_output("webhook_response", answer)
        self.success()


def _seconds(value: float, call: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{call}() needs a number of seconds, not {value!r}")
    if value < 0:
        raise ValueError(f"{call}() needs a number of seconds from 0 on, not {value!r}")
    return float(value)
