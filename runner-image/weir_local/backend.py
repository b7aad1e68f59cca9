"""The backend of `flow_api` without a cluster: operations are done at once, in this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flow_api import ExecutionCancel, InternalError
from flow_api._once import called
from weir_local import children, lifecycle, locks, people, records
from weir_local.errors import LeftBehind, LocalError, Raises
from weir_local.interrupting import INSIST, MESSAGE
from weir_protocol import Answer
from weir_protocol.arguments import JsonObject, OperationKind
from weir_runner.backend import check_size
from weir_runner.interrupts import interruptible

if TYPE_CHECKING:
    from weir_local.asked import Asked
    from weir_local.execution import Execution
    from weir_local.services import Services
    from weir_runner.journal import Journal
    from weir_runner.logbook import LogBook
    from weir_runner.scrubbing import Scrubber

OUTPUT_LIMIT = 16 * 2**20

STEPS: dict[OperationKind, Callable[[Asked, Any], Answer]] = {
    "child": children.child,
    "children": children.children,
    "cached": children.cached,
    "run": lifecycle.run,
    "wait": lifecycle.wait,
    "read": lifecycle.read,
    "save": lifecycle.save,
    "cancel": lifecycle.cancel,
    "pause": lifecycle.pause,
    "delete": lifecycle.delete,
    "archive": lifecycle.archive,
    "sleep": lifecycle.sleep,
    "once": lifecycle.once,
    "message": people.message,
    "response": people.response,
    "acquire": locks.acquire,
    "release": locks.release,
    "get_record": records.get_record,
    "list_records": records.list_records,
    "save_record": records.save_record,
    "delete_record": records.delete_record,
    "validate": records.validate,
}


class LocalBackend:
    """Speaks for one execution. Operations of several threads are done one after the other."""

    def __init__(
        self,
        services: Services,
        execution: Execution,
        journal: Journal,
        book: LogBook,
        scrubber: Scrubber,
    ) -> None:
        self._services = services
        self._execution = execution
        self._journal = journal
        self._book = book
        self._scrubber = scrubber
        self._process = os.getpid()
        self._turn = threading.RLock()
        self._performing = 0  # the thread that performs just now
        self._ended = False
        self._open: int | None = None  # number of a `once` whose function is being called

    def perform(self, kind: OperationKind, arguments: Any) -> Answer:
        """Do one operation; see `flow_api._backend.Backend`."""
        self._require_run()
        if kind == "save" and arguments.outputs is not None:
            check_size(arguments.outputs, OUTPUT_LIMIT)
        if self._performing == threading.get_ident():
            raise InternalError(f"{kind!r} was asked for in the midst of another call to `this`")
        if not self._turn.acquire(blocking=False):
            _wait_for(self._turn)
        try:
            self._performing = threading.get_ident()
            return self._perform(kind, arguments)
        except LeftBehind:
            pass
        finally:
            self._performing = 0
            self._turn.release()
        while True:  # in a Pod, its process would be gone
            threading.Event().wait()

    def log(self, text: str, data: JsonObject | None) -> None:
        """Append an entry to the log."""
        self._require_run()
        self._book.add("log", text, self._scrubber.value(data))

    def hide(self, *secrets: Any) -> None:
        """Show these values as `***` in the log and in the message of the end."""
        self._scrubber.add(*secrets)

    def close(self) -> None:
        """Refuse what threads that the script left behind still ask for."""
        self._ended = True

    def leave_if_forked(self, error: BaseException | None) -> None:
        """End the process if the script forked it: the run's end is its parent's to tell."""
        if os.getpid() != self._process:
            code = error.code if isinstance(error, SystemExit) else int(error is not None)
            os._exit(code if isinstance(code, int) else int(code is not None))

    def _require_run(self) -> None:
        if os.getpid() != self._process:
            raise InternalError(
                "a process forked by the script cannot speak for its run; pass results to the "
                "parent process, or use this.flow(…) to do things side by side"
            )
        if self._ended:
            raise InternalError("the run has ended; its threads can do nothing more")

    def _perform(self, kind: OperationKind, arguments: Any) -> Answer:
        from weir_local.asked import Asked

        closes = kind == "once" and arguments.step != "ask"
        if self._open is not None and not closes:
            raise InternalError(
                "a function that is called once may not call `this` or `system`: do that before or "
                "after, with what it returned"
            )
        sequence = self._open if closes and self._open else self._journal.next_operation()
        step = STEPS.get(kind)
        if step is None:
            raise InternalError(f"{kind!r} is known on a cluster only; run this flow there")
        with self._services.world.changed:
            if self._execution.is_final:  # it took too long: nothing of it counts any more
                raise ExecutionCancel(MESSAGE)
            self._services.world.heed(self._execution)
            try:
                answer = step(Asked(self._services, self._execution, sequence), arguments)
            except Raises as failure:
                answer = Answer(state="failed", error=failure.error)
            except LocalError as error:
                raise InternalError(str(error)) from None
        if kind == "once":
            self._open = sequence if answer.state == "open" else None
        return answer


# The script's own function runs in it.
interruptible(called)


@interruptible
def _wait_for(turn: threading.RLock) -> None:
    # An exception sent to a thread comes between two lines of Python, not within a call of C.
    while not turn.acquire(timeout=INSIST):
        pass
