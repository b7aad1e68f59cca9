"""What a Flow gets to see of the request that started it: its `input_value`."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from weir.api.resource import JsonObject
from weir.api.webhook import WebhookSpec
from weir.core.signatures import is_secret
from weir.core.webhooks import HookRequest

# Credentials of whoever calls are not the script's business.
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "x-weir-key"})
# Weir's own, beside `key`.
_ASYNC = "async"
_MAX_DEPTH = 64
# A body of brackets takes fifty times its length in memory.
_MAX_VALUES = 500_000
_MAX_FIELDS = 1000
_STRUCTURE = re.compile(rb"[\[{,:]")
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json")
_TEXT = re.compile(r"text/.+|application/(?:[\w.+-]+\+)?xml|application/(?:javascript|yaml)")
_FORM = "application/x-www-form-urlencoded"


class BadContent(ValueError):
    """The body is not what its Content-Type says."""


def content_of(request: HookRequest) -> JsonObject:
    """Return the body as an input: `json`, `form`, `text`, or `body` in base64; none: nothing.

    Raises BadContent.
    """
    if not request.body:
        return {}
    given = request.header("content-type") or ""
    kind = given.partition(";")[0].strip().lower()
    if _JSON.fullmatch(kind):
        return {"json": _json(request.body)}
    if kind == _FORM:
        return {"form": _form(request.body)}
    if _TEXT.fullmatch(kind):
        return {"text": _text(request.body, given)}
    if not kind:
        return _unnamed(request.body)
    return _binary(request.body)


def input_value(
    request: HookRequest, spec: WebhookSpec, content: Mapping[str, Any], key: bytes | None
) -> JsonObject:
    """Return what the script gets: spec.inputs and the request, which goes before.

    Credentials are left out. `key` is the Webhook's, where it has one.
    """
    hidden = set(_CREDENTIALS)
    if spec.key_secret_ref is not None:
        hidden.add(spec.key_header.lower())
    if spec.hmac is not None:
        hidden.add(spec.hmac.header.lower())
    query = [
        (name, value)
        for name, value in request.query
        if name != _ASYNC and not (name == "key" and key is not None)
    ]
    return {
        **(spec.inputs or {}),
        "method": request.method,
        "path": request.path,
        "query": _by_name(query),
        "headers": _headers(request, hidden),
        **_without_key(content, key),
    }


def is_async(request: HookRequest, spec: WebhookSpec) -> bool:
    """Whether the caller is answered at once."""
    asked = request.asked(_ASYNC)
    return spec.async_ or any(value.lower() in ("1", "true") for value in asked)


def is_plain_path(path: str) -> bool:
    """Whether a path has nothing in it that another program may read as another path."""
    steps = path.split("/")
    return (
        len(path) <= 2048
        and path.isprintable()
        and "\\" not in path
        and not {".", ".."}.intersection(steps)
    )


def _headers(request: HookRequest, hidden: set[str]) -> JsonObject:
    names = dict.fromkeys(name for name, _ in request.headers if name not in hidden)
    return {name: request.header(name) for name in names}


def _without_key(content: Mapping[str, Any], key: bytes | None) -> JsonObject:
    data = content.get("json")
    if key is None or not isinstance(data, dict) or not isinstance(data.get("key"), str):
        return dict(content)
    if not is_secret(data["key"], key):  # a word of the sender's own
        return dict(content)
    return {**content, "json": {name: one for name, one in data.items() if name != "key"}}


def _by_name(pairs: Iterable[tuple[str, str]]) -> JsonObject:
    """Return values by their names; those of a name that is there more than once as a list."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _json(body: bytes) -> Any:
    if sum(1 for _ in _STRUCTURE.finditer(body)) > _MAX_VALUES:
        raise BadContent(f"the JSON has more than {_MAX_VALUES} values")
    try:
        text = body.decode("utf-8-sig")
        data = json.loads(text, parse_constant=_no_constant, parse_float=_number)
    except RecursionError:
        raise BadContent("the JSON is too deep") from None
    except ValueError as error:
        raise BadContent(f"the body is no JSON: {error}"[:200]) from None
    _check(data)
    return data


def _check(data: Any) -> None:
    """Refuse what others could not read: too deep, or text that is none."""
    level = [data]
    for _ in range(_MAX_DEPTH):
        below: list[Any] = []
        for one in level:
            if isinstance(one, str):
                _check_text(one)
            elif isinstance(one, dict):
                for name in one:
                    _check_text(name)
                below += one.values()
            elif isinstance(one, list):
                below += one
        if not below:
            return
        level = below
    raise BadContent(f"the JSON is more than {_MAX_DEPTH} levels deep")


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadContent("the JSON has half of a surrogate pair in it") from None


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _form(body: bytes) -> JsonObject:
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise BadContent(f"the body is no form: {error}"[:200]) from None
    return _by_name(pairs)


def _text(body: bytes, content_type: str) -> str:
    found = re.search(r"charset\s*=\s*\"?([\w.:-]+)", content_type, re.IGNORECASE)
    charset = found[1].lower() if found else "utf-8"
    if charset not in ("utf-8", "utf8", "us-ascii", "iso-8859-1", "latin-1", "windows-1252"):
        raise BadContent(f"the charset {charset[:40]} is not taken: send UTF-8")
    try:
        return body.decode(charset)
    except ValueError:
        raise BadContent(f"the body is no text in {charset}") from None


def _unnamed(body: bytes) -> JsonObject:
    """Return a body whose kind nobody says."""
    try:
        return {"json": _json(body)}
    except BadContent:
        pass
    try:
        return {"text": body.decode()}
    except ValueError:
        return _binary(body)


def _binary(body: bytes) -> JsonObject:
    return {"body": base64.b64encode(body).decode(), "is_base64": True}
