"""The REST API for people and programs: logs, and Executions that may be archived.

Who has no right to read an Execution is not told whether there is one.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.cluster.errors import NotFound
from weir.cluster.kinds import EXECUTIONS
from weir.core import views
from weir.server import answers, logbook, refusals
from weir.server.access import Access
from weir.server.runtime import Runtime
from weir.server.values import ValueMissing, Values
from weir.storage import archive, logs
from weir.storage.logs import Line

PATH = "/api/v1/namespaces/{namespace}/executions/{name}"

_LINES = 1000
# Another server may be the one that takes a run's logs: then nothing wakes us.
_LOOK_AGAIN = 2.0


class Rest:
    """The endpoints that people use."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._access = Access(runtime.cluster)
        self._values = Values(runtime)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{PATH}/logs", answers.guarded(self._logs), methods=["GET"]),
            Route(f"{PATH}/outputs", answers.guarded(self._outputs), methods=["GET"]),
            Route(PATH, answers.guarded(self._execution), methods=["GET"]),
        ]

    async def _execution(self, request: Request) -> Response:
        item = await self._found(request)
        return answers.as_json(views.public(item))

    async def _outputs(self, request: Request) -> Response:
        execution = Execution.model_validate(await self._found(request))
        try:
            outputs = await self._values.outputs(execution)
        except ValueMissing as error:
            raise refusals.not_found(str(error)) from None
        return answers.as_json(views.masked(outputs, execution.spec.protect_outputs))

    async def _logs(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdigit():
            raise refusals.invalid("after is the cursor of a line: a number")
        follow = request.query_params.get("follow", "") in ("1", "true")
        execution = Execution.model_validate(await self._found(request))
        if not execution.phase.is_final:
            # One that was made a moment ago may not have been seen by the watch yet.
            self._runtime.executions.feed(execution)
        lines = self._followed(execution.uid, int(after), follow)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def _found(self, request: Request) -> JsonObject:
        """Return the Execution that is asked for, live or archived, as the API has it."""
        if not self._runtime.watches.synced.is_set():
            raise refusals.unavailable("the server is starting")
        namespace, name = request.path_params["namespace"], request.path_params["name"]
        await self._access.require_reader(request, namespace, name)
        try:
            return await self._runtime.cluster.get(EXECUTIONS, namespace, name)
        except NotFound:
            row = await self._runtime.database.read(
                lambda sql: archive.newest(sql, namespace, name)
            )
        if row is None:
            raise refusals.not_found(f"there is no execution {namespace}/{name}, nor was one kept")
        item: JsonObject = json.loads(row.object)
        return item

    async def _followed(self, uid: str, cursor: int, follow: bool) -> AsyncIterator[str]:
        """Yield lines as JSON, one a line; when following, until the run has ended."""
        with self._runtime.executions.topics.subscribed([uid, logbook.topic(uid)]) as news:
            while True:
                # Looked at before reading: what an ended run wrote is there by now.
                execution = self._runtime.executions.get(uid)
                over = execution is None or execution.phase.is_final
                while lines := await self._read(uid, cursor):
                    cursor = lines[-1].cursor
                    yield "".join(map(_rendered, lines))
                if not follow or over or self._runtime.stopping.is_set():
                    return
                await news.wait(_LOOK_AGAIN)

    async def _read(self, uid: str, after: int) -> list[Line]:
        return await self._runtime.database.read(
            lambda sql: logs.read(sql, uid, after=after, limit=_LINES)
        )


def _rendered(line: Line) -> str:
    shown = {
        "cursor": line.cursor,
        "try": line.try_number,
        "time": line.time,
        "stream": line.stream,
        "text": line.text,
    }
    if line.data is not None:
        shown["data"] = _parsed(line.data)
    return json.dumps(shown, separators=(",", ":")) + "\n"


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:  # cut
        return text
