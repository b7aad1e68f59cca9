"""What a Webhook's caller is answered: from the outputs of the run."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from weir.api.resource import JsonObject
from weir.core.views import masked

OUTPUT = "webhook_response"

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_MAX_HEADERS = 100
_MAX_VALUE = 8192
# Those of the connection are the server's; cookies and the like would count for all that is served
# under the same host.
_DROPPED = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "date",
        "server",
        "alt-svc",
        "clear-site-data",
        "public-key-pins",
        "service-worker-allowed",
        "set-cookie",
        "set-cookie2",
        "strict-transport-security",
    }
)
_WITHOUT_BODY = frozenset({204, 205, 304})
# A page of a script's is not to act as the one that it stands beside.
GUARDS = (
    ("content-security-policy", "sandbox allow-downloads allow-forms allow-popups allow-scripts"),
    ("x-content-type-options", "nosniff"),
)


class BadAnswer(ValueError):
    """The output `webhook_response` is nothing that can be sent."""


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """An HTTP answer. Names of headers are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def answer_of(outputs: JsonObject, protected: Collection[str]) -> HookAnswer:
    """Return the answer of a run that succeeded. Raises BadAnswer."""
    if OUTPUT in outputs and OUTPUT not in protected:
        return _told(outputs[OUTPUT])
    body = _as_json(masked(outputs, protected))
    return HookAnswer(200, (("content-type", "application/json"), *GUARDS), body)


def _told(answer: Any) -> HookAnswer:
    if not isinstance(answer, dict):
        raise BadAnswer(f"{OUTPUT} is an object with status, headers and body")
    status = answer.get("status", 200)
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise BadAnswer("a status is a number from 200 to 599")
    headers = _headers(answer.get("headers") or {})
    body = answer.get("body")
    content = b"" if body is None else _encoded(body)
    if status in _WITHOUT_BODY:
        content, headers = b"", [one for one in headers if one[0] != "content-type"]
    elif content and not any(name == "content-type" for name, _ in headers):
        kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
        headers.append(("content-type", kind))
    # Two policies hold both: a script's own can only be stricter.
    return HookAnswer(status, (*headers, *GUARDS), content)


def _headers(given: Any) -> list[tuple[str, str]]:
    if not isinstance(given, dict):
        raise BadAnswer("headers are an object")
    found = []
    for name, values in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BadAnswer(f"{str(name)[:60]!r} is no name of a header")
        for value in values if isinstance(values, list) else [values]:
            text = _value(name, value)
            if name.lower() not in _DROPPED:
                found.append((name.lower(), text))
    if len(found) > _MAX_HEADERS:
        raise BadAnswer(f"more than {_MAX_HEADERS} headers")
    return found


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadAnswer(f"the header {name} is no text")
    text = str(value).strip()
    if len(text) > _MAX_VALUE or not text.isprintable():
        raise BadAnswer(f"the header {name} is too long, or has a line break in it")
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        raise BadAnswer(f"the header {name} has characters that headers cannot have") from None
    return text


def _encoded(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="replace")
    return _as_json(body)


def _as_json(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
