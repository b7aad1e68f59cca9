"""The REST API of Messages: read one, answer one."""

from __future__ import annotations

import json
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weir.api.message import Message
from weir.api.resource import JsonObject
from weir.cluster.errors import NotFound
from weir.cluster.kinds import MESSAGES
from weir.core.messages import public
from weir.server import answers, messages, refusals
from weir.server.access import Access, right_to
from weir.server.messages_settling import Settling
from weir.server.runtime import Runtime
from weir_protocol.forms import MAX_RESPONSE

PATH = "/api/v1/namespaces/{namespace}/messages/{name}"

# As JSON that is written with blanks and escapes.
_LARGEST = 8 * MAX_RESPONSE


class MessagesRest:
    """The endpoints by which people answer."""

    def __init__(self, runtime: Runtime, settling: Settling) -> None:
        self._runtime = runtime
        self._settling = settling
        self._access = Access(runtime.cluster)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(PATH, answers.guarded(self._message), methods=["GET"]),
            Route(f"{PATH}/response", answers.guarded(self._respond), methods=["POST"]),
        ]

    async def _message(self, request: Request) -> Response:
        namespace, name, _ = await self._allowed(request, "get")
        try:
            item = await self._runtime.cluster.get(MESSAGES, namespace, name)
        except NotFound:
            raise refusals.not_found(f"there is no message {namespace}/{name}") from None
        return answers.as_json(public(item))

    async def _respond(self, request: Request) -> Response:
        namespace, name, user = await self._allowed(request, "patch")
        # What other sites' pages can send in a visitor's name has another type.
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise refusals.Refused(
                415, "InvalidRequest", "a response is sent with Content-Type: application/json"
            )
        response = _object(await messages.body(request, _LARGEST))
        item = await self._settling.responded(namespace, name, response, by=user)
        return answers.as_json(public(item))

    async def _allowed(self, request: Request, verb: str) -> tuple[str, str, str | None]:
        """Return which Message is meant, and who asks, where that is known."""
        if not self._runtime.watches.synced.is_set():
            raise refusals.unavailable("the server is starting")
        namespace, name = request.path_params["namespace"], request.path_params["name"]
        right = right_to(verb, Message.PLURAL, namespace, name)
        user = await self._access.require(request, right)
        return namespace, name, user.name[:1024] if user else None


def _object(text: bytes) -> JsonObject:
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refusals.invalid(f"the body is no JSON: {error}"[:300]) from None
    if not isinstance(data, dict):
        raise refusals.invalid("the body is the response: an object with the form's fields")
    return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
