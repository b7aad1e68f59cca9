"""What can be done with executions once they are made: waiting, pausing, copying, deleting, …"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flow_api._children import return_when as way_to_wait
from flow_api._exceptions import ExecutionCancel, ResourceNotFoundError
from flow_api._parent import Parent
from flow_api._system import ReturnWhen
from weir_protocol.arguments import (
    ArchiveArguments,
    CancelArguments,
    ChildrenArguments,
    DeleteArguments,
    PauseArguments,
    ReadArguments,
    RunArguments,
)

if TYPE_CHECKING:
    from typing import Self


class Lifecycle(Parent):
    """An execution that can be started, held, ended, copied and put away."""

    __slots__ = ()

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
        *executions: Self | list[Self] | tuple[Self, ...],
        return_when: ReturnWhen = ReturnWhen.ALL_SUCCEEDED,
        timeout: float | None = None,
    ) -> list[Self]:
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
        awaited: list[Self] = []
        for one in executions:
            awaited.extend(one if isinstance(one, list | tuple) else [one])
        for one in awaited:
            if not isinstance(one, Lifecycle):
                raise TypeError(f"wait_for() waits for executions, not for {one!r}")
        return self._wait(awaited, return_when, timeout)

    def run(self, wait: bool | ReturnWhen = True) -> Self:
        """Start a child that was made with `run=False`, wait for its end, and return it.

        One that has ended already is left as it is.

        Parameters:
            wait: True raises if it ends badly; one of `system.return_when` waits so; False does not
                wait, as `run_async()` does not.

        Raises:
            DependencyFailedError: It ended badly.

        Example:
            >>> child = this.flow('greet', run=False, person='Ada')
            >>> child.run().get('status')
            'ENDED_SUCCESS'
        """
        way = way_to_wait(wait)
        self.run_async()
        return self if way is None else self.wait(way)

    def run_async(self) -> Self:
        """Start a child that was made with `run=False`, or resume a paused one, and return it
        without waiting.

        Example:
            >>> child = this.flow('greet', run=False, person='Ada').run_async()
        """
        self._see(self._perform("run", RunArguments(uid=self._uid())))
        return self

    def pause(self) -> None:
        """Pause this execution: its script is held at its next call, until somebody resumes it.

        Called on `this` it returns when a person has resumed the run: with `weir resume`, or by
        setting `spec.desiredState` to Running. Called on a child it returns at once.

        Raises:
            PermissionDenied: The execution is of another tree.

        Example:
            >>> child = this.flow('greet', wait=False, person='Ada')
            >>> child.pause()
        """
        self._see(self._perform("pause", PauseArguments(uid=self._uid())))

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
        self._perform("cancel", CancelArguments(uid=self._uid()))

    def delete(self) -> None:
        """Delete an execution below this run, with all that stands below it; a running one is
        stopped.

        Raises:
            PermissionDenied: It does not stand below this run.

        Example:
            >>> this.flow('greet', person='Ada').delete()
        """
        self._perform("delete", DeleteArguments(uid=self._uid()))

    def exists(self) -> bool:
        """Return whether the execution is still there: it was not deleted.

        Example:
            >>> this.flow('greet', person='Ada').exists()
            True
        """
        if not self._view.uid:
            return False
        try:
            self._perform("read", ReadArguments(uid=self._view.uid))
        except ResourceNotFoundError:
            return False
        return True

    def archive(self) -> None:
        """Hide an ended execution from lists, such as a try that failed before one that did not.

        Raises:
            InvalidInputError: It has not ended.

        Example:
            >>> this.flow('greet', person='Ada').archive()
        """
        self._perform("archive", ArchiveArguments(uid=self._uid()))

    def clone(
        self,
        inputs: dict[str, Any] | None = None,
        *,
        name: str | None = None,
        wait: bool | ReturnWhen = True,
        run: bool = True,
        **more_inputs: Any,
    ) -> Self:
        """Make a new child that runs the same thing, wait for its end, and return it.

        Parameters:
            inputs: Inputs that replace those of the same name.
            name: What people call the new child; default: as the copied one is called.
            wait, run: As for `flow`.
            more_inputs: Single inputs that replace those of the same name.

        Raises:
            DependencyFailedError: The new child ended badly.
            InvalidInputError: What this execution ran is not known: a script that another run made.

        Example:
            >>> template = this.flow('greet', save=False, person='nobody')
            >>> template.clone(person='Ada').get('output_value')
            {'greeting': 'Hello, Ada'}
        """
        message = self._copied({**(inputs or {}), **more_inputs}, name=name, run=run)
        return self._made(message, way_to_wait(wait))

    def children(self) -> list[Self]:
        """Return the children of this execution, the oldest first, as they are now.

        Example:
            >>> child = this.flow('greet', person='Ada')
            >>> [one.get('flow_name') for one in this.children()]
            ['greet']
        """
        views = self._perform("children", ChildrenArguments(uid=self._uid()))
        return [type(self)(self._backend, view) for view in views]

    def parent(self) -> Self | None:
        """Return the execution that started this one; None for a root.

        Example:
            >>> this.parent() is None
            True
        """
        if self._view.parent_id is None:
            return None
        (view,) = self._perform("read", ReadArguments(uid=self._view.parent_id))
        return type(self)(self._backend, view)
