"""Bodies of REST requests: the inputs that hold one, and the bytes that are sent."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from weir_connectors import rest_url
from weir_connectors.inputs import Problem

if TYPE_CHECKING:
    from weir_connectors.rest_inputs import RestInputs

# The inputs of which one may be given.
NAMES = ("json", "text", "multipart", "urlencoded", "data", "body")

_FORM = "application/x-www-form-urlencoded"
_PART = {"name", "value", "content", "filename", "content_type"}
_PART_EXPECTED = (
    "a list of objects, each with name, and value (a text) or content (base64), and perhaps"
    " filename and content_type"
)

# Name of a file or None, content, type or None: as httpx takes parts of a form.
Part = tuple[str, tuple[str | None, bytes, str | None]]


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent: `content` of `type`, or `parts` of a form with files; or nothing."""

    content: bytes | None = None
    type: str | None = None
    parts: list[Part] = field(default_factory=list)


def of(inputs: RestInputs) -> Body:
    """Return the body that the inputs describe; they have no problems."""
    if inputs.json is not None:
        content = json.dumps(inputs.json, ensure_ascii=False, separators=(",", ":"))
        return Body(content.encode(), "application/json")
    if inputs.text is not None:
        return Body(inputs.text.encode(), "text/plain; charset=utf-8")
    if inputs.multipart is not None:
        return Body(parts=[_part(one) for one in inputs.multipart])
    form = inputs.data if isinstance(inputs.data, dict) else inputs.urlencoded
    if form is not None:
        return Body(urlencode(rest_url.pairs(form)).encode(), _FORM)
    raw = inputs.data if isinstance(inputs.data, str) else inputs.body
    if isinstance(raw, str):
        return Body(raw.encode())
    if raw is not None:
        return Body(base64.b64decode(raw["base64"]))
    return Body()


def problems(inputs: RestInputs) -> Iterator[Problem]:
    """Yield what is wrong with the inputs that hold a body."""
    given = [name for name in NAMES if getattr(inputs, name) is not None]
    for name in given[1:]:
        yield Problem(name, f"no {name} beside {given[0]}: a request has one body")
    for name in ("urlencoded", "data"):
        form = getattr(inputs, name)
        if isinstance(form, dict) and not rest_url.is_fields(form):
            yield Problem(name, "texts, numbers, booleans or null, or lists of them")
    if inputs.multipart is not None and not (
        inputs.multipart and all(_is_part(one) for one in inputs.multipart)
    ):
        yield Problem("multipart", _PART_EXPECTED)
    body = inputs.body
    if isinstance(body, dict) and not (body.keys() == {"base64"} and _is_base64(body["base64"])):
        yield Problem("body", 'a text, or {"base64": "…"} for bytes')


def _part(given: Mapping[str, str]) -> Part:
    content = base64.b64decode(given["content"]) if "content" in given else given["value"].encode()
    return given["name"], (given.get("filename"), content, given.get("content_type"))


def _is_part(given: Mapping[str, Any]) -> bool:
    if not given.keys() <= _PART or not all(isinstance(one, str) for one in given.values()):
        return False
    has_one = ("value" in given) != ("content" in given)
    plain = "".join(given.get(name, "") for name in ("name", "filename", "content_type"))
    is_safe = not any(character in plain for character in "\r\n\x00")
    return bool(given.get("name")) and has_one and is_safe and _is_base64(given.get("content", ""))


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
