"""`flow_api.Execution`: one run as scripts see it, be it their own (`this`) or one they started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flow_api._exceptions import ExecutionCancel, ExecutionError, ExecutionSuccess
from flow_api._parent import Parent
from flow_api._system import ReturnWhen
from flow_api._values import loggable, text_of
from weir_protocol.arguments import (
    CancelArguments,
    RunArguments,
)

if TYPE_CHECKING:
    from typing import Self


class Execution(Parent):
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

    def wait(
        self,
        return_when: ReturnWhen = ReturnWhen.ALL_SUCCEEDED,
        timeout: float | None = None,
    ) -> Self:
        """Wait until this child has ended, and return it.

        Parameters:
            return_when: ALL_SUCCEEDED raises if it ends badly; the others do not.
            timeout: Seconds; None waits for ever.

        Raises:
            DependencyFailedError: It ended badly.
            DependencyTimeoutError: It had not ended when the timeout was over.

        Example:
            >>> this.flow('greet', wait=False, person='Ada').wait().get('output_value')
            {'greeting': 'Hello, Ada'}
        """
        self._wait([self], return_when, timeout)
        return self

    def wait_for(
        self,
        *executions: Execution | list[Execution] | tuple[Execution, ...],
        return_when: ReturnWhen = ReturnWhen.ALL_SUCCEEDED,
        timeout: float | None = None,
    ) -> list[Execution]:
        """Wait for several executions at once.

        Parameters:
            executions: What to wait for, one by one or as lists.
            return_when: ALL_SUCCEEDED raises as soon as one of them ends badly; ALL_ENDED waits for
                all, however they end; FIRST_ENDED waits for the first.
            timeout: Seconds; None waits for ever.

        Returns:
            Those that have ended, in the order given: all of them, or with FIRST_ENDED at least
            one.

        Raises:
            DependencyFailedError: One ended badly, with ALL_SUCCEEDED.
            DependencyTimeoutError: The timeout was over before.

        Example:
            >>> children = [this.flow('greet', wait=False, person=p) for p in ('Ada', 'Alan')]
            >>> [child.get('status') for child in this.wait_for(*children)]
            ['ENDED_SUCCESS', 'ENDED_SUCCESS']
        """
        awaited: list[Execution] = []
        for one in executions:
            awaited.extend(one if isinstance(one, list | tuple) else [one])
        for one in awaited:
            if not isinstance(one, Execution):
                raise TypeError(f"wait_for() waits for executions, not for {one!r}")
        return self._wait(awaited, return_when, timeout)

    def run(self) -> Self:
        """Start a child that was made with `run=False`, wait for its end, and return it.

        Raises:
            DependencyFailedError: It ended badly.

        Example:
            >>> child = this.flow('greet', run=False, person='Ada')
            >>> child.run().get('status')
            'ENDED_SUCCESS'
        """
        return self.run_async().wait()

    def run_async(self) -> Self:
        """Start a child that was made with `run=False`, and return it without waiting.

        Example:
            >>> child = this.flow('greet', run=False, person='Ada').run_async()
        """
        self._perform("run", RunArguments(uid=self._view.uid))
        return self

    def cancel(self) -> None:
        """Cancel an execution of this run's own tree, with all that it started.

        It is on its way out when this returns; `wait(system.return_when.ALL_ENDED)` sees the end.

        Raises:
            ExecutionCancel: When called on `this`: the run ends here, as cancelled.
            PermissionDenied: The execution is of another tree.

        Example:
            >>> child = this.flow('greet', wait=False, person='Ada')
            >>> child.cancel()
        """
        if self._own:
            raise ExecutionCancel("cancelled by its own script")
        self._perform("cancel", CancelArguments(uid=self._view.uid))
