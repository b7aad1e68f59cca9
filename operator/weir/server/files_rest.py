"""The REST API of files: list them, read, write and delete one.

Files are no objects of Kubernetes; the rights to them are those to `files.weir.dev`, which roles
may name all the same.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weir.api.resource import JsonObject, render_time
from weir.server import answers, messages, refusals
from weir.server.access import Access, right_to
from weir.server.raising import Raises
from weir.server.records_files import MAX_CONTENT
from weir.server.records_stores import checked_name
from weir.server.runtime import Runtime
from weir.storage import files
from weir.storage.files import File

PATH = "/api/v1/namespaces/{namespace}/files"
RESOURCE = "files"


class FilesRest:
    """The endpoints by which people get at what scripts keep in files."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._access = Access(runtime.cluster)

    def routes(self) -> list[Route]:
        """Return the routes. A file's name is free text, so it stands in the query."""
        return [
            Route(PATH, answers.guarded(self._list), methods=["GET"]),
            Route(f"{PATH}/content", answers.guarded(self._read), methods=["GET"]),
            Route(f"{PATH}/content", answers.guarded(self._write), methods=["PUT"]),
            Route(f"{PATH}/content", answers.guarded(self._delete), methods=["DELETE"]),
        ]

    async def _list(self, request: Request) -> Response:
        namespace = await self._allowed(request, "list", "")
        found = await self._runtime.database.read(lambda sql: files.listed(sql, namespace))
        return answers.as_json({"items": [_shown(one) for one in found]})

    async def _read(self, request: Request) -> Response:
        name = _name(request)
        namespace = await self._allowed(request, "get", name)
        data = await self._runtime.database.read(lambda sql: files.content(sql, namespace, name))
        if data is None:
            raise _missing(namespace, name)
        # What a script wrote is not for a browser to run.
        headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
        return Response(data, media_type="application/octet-stream", headers=headers)

    async def _write(self, request: Request) -> Response:
        name = _name(request)
        namespace = await self._allowed(request, "update", name)
        data, now = await messages.body(request, MAX_CONTENT), self._runtime.timestamp()

        def work(sql: Connection) -> File:
            return files.put(sql, namespace, name, data, now)

        return answers.as_json(_shown(await self._runtime.database.write(work)))

    async def _delete(self, request: Request) -> Response:
        name = _name(request)
        namespace = await self._allowed(request, "delete", name)
        if not await self._runtime.database.write(lambda sql: files.delete(sql, namespace, name)):
            raise _missing(namespace, name)
        return answers.as_json({})

    async def _allowed(self, request: Request, verb: str, name: str) -> str:
        """Return the namespace that is meant, once it is clear that who asks may do that."""
        if not self._runtime.watches.synced.is_set():
            raise refusals.unavailable("the server is starting")
        namespace: str = request.path_params["namespace"]
        await self._access.require(request, right_to(verb, RESOURCE, namespace, name))
        return namespace


def _name(request: Request) -> str:
    try:
        return checked_name(request.query_params.get("name", ""))
    except Raises as error:
        raise refusals.invalid(error.error.message) from None


def _shown(file: File) -> JsonObject:
    return {
        "name": file.name,
        "bytes": file.bytes,
        "sha256": file.digest,
        "created": render_time(datetime.fromtimestamp(file.created, UTC)),
        "modified": render_time(datetime.fromtimestamp(file.modified, UTC)),
    }


def _missing(namespace: str, name: str) -> refusals.Refused:
    return refusals.not_found(f"there is no file {name!a} in namespace {namespace}")
