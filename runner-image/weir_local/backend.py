"""The backend of `flow_api` without a cluster: operations are done at once, in this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flow_api import ExecutionCancel, InternalError
from weir_local import children, lifecycle, locks, people, records
from weir_local.asked import Asked
from weir_local.errors import LeftBehind, LocalError, Raises
from weir_local.interrupting import MESSAGE
from weir_protocol import Answer
from weir_protocol.arguments import OperationKind
from weir_runner.speaking import RunBackend, exit_code

if TYPE_CHECKING:
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


class LocalBackend(RunBackend):
    """Speaks for one execution."""

    def __init__(
        self,
        services: Services,
        execution: Execution,
        journal: Journal,
        book: LogBook,
        scrubber: Scrubber,
    ) -> None:
        super().__init__(journal, book, scrubber, OUTPUT_LIMIT)
        self._services = services
        self._execution = execution

    def perform(self, kind: OperationKind, arguments: Any) -> Answer:
        """Do one operation; see `flow_api._backend.Backend`."""
        try:
            return super().perform(kind, arguments)
        except LeftBehind:
            while True:  # in a Pod, its process would be gone
                threading.Event().wait()

    def leave_if_forked(self, error: BaseException | None) -> None:
        """End the process if the script forked it: the run's end is its parent's to tell."""
        if self._is_forked:
            os._exit(exit_code(error))

    def _perform(self, kind: OperationKind, arguments: Any) -> Answer:
        sequence = self._begun(kind, arguments)
        step = STEPS.get(kind)
        if step is None:
            raise InternalError(f"{kind!r} is known on a cluster only; run this flow there")
        with self._services.world.lock:
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
            self._answered_once(sequence, answer)
        return answer
