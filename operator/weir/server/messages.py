"""Bodies of requests: read with a limit, parsed, and checked against the protocol's messages."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from weir.server import refusals
from weir_protocol.arguments import (
    ARGUMENTS,
    OperationKind,
)

Message = TypeVar("Message")


async def body(request: Request, limit: int) -> bytes:
    """Return the body of a request. Raises Refused (413) when it is larger than `limit` bytes."""
    too_large = refusals.too_large(f"a body of {request.url.path} has at most {limit} bytes")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limit:
            raise too_large
    return bytes(received)


def parse(kind: type[Message], text: bytes) -> Message:
    """Return the message in a JSON text. Raises Refused (400)."""
    try:
        data = json.loads(text or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refusals.invalid(f"the body is no JSON: {error}"[:300]) from None
    return _checked(kind, data)


def arguments(kind: OperationKind, data: dict[str, Any]) -> Any:
    """Return the arguments of an operation. Raises Refused (400)."""
    return _checked(ARGUMENTS[kind], data)


def _checked(kind: type[Message], data: Any) -> Message:
    try:
        checked: Message = _adapter(kind).validate_python(data)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise refusals.invalid(f"{kind.__name__}.{where}: {first['msg']}"[:300]) from None
    return checked


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
