"""The runner API: what `weir_protocol` says, over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weir.server import answers, messages
from weir.server.assignments import Assignments
from weir.server.control import Controls
from weir.server.flows import Revisions
from weir.server.hibernation import Hibernation
from weir.server.identity import Caller, Identity
from weir.server.operations import Operations
from weir.server.presence import Presence
from weir.server.refusals import unavailable
from weir.server.reports import Reports
from weir.server.runs import Runs
from weir.server.runtime import Runtime
from weir.server.statuses import Statuses
from weir.server.values import Values
from weir.server.waking import Waking
from weir_protocol import (
    PATH,
    Ask,
    End,
    LogBatch,
    Operation,
    encode,
)

# Inputs and outputs of 16 MiB, escaped and with logs beside them.
_LARGE = 24 * 2**20
_LOGS = 4 * 2**20
_SMALL = 64 * 1024


class RunnerApi:
    """The endpoints that runners use."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._identity = Identity(runtime.cluster)
        statuses = Statuses(runtime)
        revisions = Revisions(runtime.cluster)
        values = Values(runtime)
        runs = Runs(runtime, statuses)
        self.presence = Presence(runtime, statuses, revisions)
        self._assignments = Assignments(
            runtime, self._identity, statuses, values, self.presence, revisions
        )
        hibernation = Hibernation(runtime, statuses, revisions, self.presence)
        self._operations = Operations(runtime, runs, statuses, values, self.presence, hibernation)
        self.waking = Waking(runtime, statuses, self._operations)
        self._reports = Reports(runtime, runs, statuses, values, self.presence, revisions)
        self._controls = Controls(runtime, runs, self.presence)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self._route("assignment", Ask, _SMALL, self._assignment),
            self._route("operations", Operation, _LARGE, self._operation),
            self._route("logs", LogBatch, _LOGS, self._logs),
            self._route("control", Ask, _SMALL, self._control),
            self._route("end", End, _LARGE, self._end),
        ]

    def _route(
        self,
        name: str,
        kind: type[Any],
        limit: int,
        answer: Callable[[Caller, Any], Awaitable[Any]],
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            # Before the body is read: strangers do not get to fill memory.
            if not self._runtime.watches.synced.is_set() or self._runtime.stopping.is_set():
                raise unavailable("the server is starting or stopping")
            caller = await self._identity.caller(request)
            message = messages.parse(kind, await messages.body(request, limit))
            result = await answer(caller, message)
            if result is None:
                return Response(status_code=204)
            return answers.as_json(result)

        return Route(f"{PATH}/{name}", answers.guarded(endpoint), methods=["POST"])

    async def _assignment(self, caller: Caller, ask: Ask) -> Any:
        assignment = await self._assignments.poll(caller)
        return None if assignment is None else encode(assignment)

    async def _operation(self, caller: Caller, operation: Operation) -> Any:
        return encode(await self._operations.perform(caller, operation))

    async def _logs(self, caller: Caller, batch: LogBatch) -> Any:
        await self._reports.logs(caller, batch)
        return {}

    async def _control(self, caller: Caller, ask: Ask) -> Any:
        return encode(await self._controls.poll(caller, ask))

    async def _end(self, caller: Caller, end: End) -> Any:
        await self._reports.end(caller, end)
        return {}
