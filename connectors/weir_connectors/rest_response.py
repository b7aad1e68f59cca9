"""Reads the answers of REST connections: bodies within a limit, and outputs."""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import httpx

from weir_connectors.rest_failures import Failure, Where

# Bytes of a body that is kept. Outputs are at most 16 MiB, headers and all; base64 makes four bytes
# of three.
BODY_LIMIT = 15 * 2**20
BINARY_LIMIT = 11 * 2**20

# Bytes of a body that becomes a file.
FILE_LIMIT = 16 * 2**20

# Bytes of an unexpected answer that are looked at.
START = 4096

_BINARY = re.compile(r"(image/(?!svg)|audio/|video/|font/|application/octet-stream)", re.IGNORECASE)
_TEXT = re.compile(r"text/|.*[/+](json|xml)\b", re.IGNORECASE)
_SURROGATE = re.compile(r"\\ud[89a-f]", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


async def body_of(response: httpx.Response, where: Where, limit: int) -> bytes:
    """Return the whole body.

    Raises:
        Failure: it has more bytes than the limit.
    """
    # What is packed says nothing of its size, and a HEAD sends nothing.
    if response.request.method != "HEAD" and "Content-Encoding" not in response.headers:
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > limit:
            _too_large(where, limit)
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            _too_large(where, limit)
    return bytes(body)


async def start_of(response: httpx.Response) -> str:
    """Return the first START bytes of an answer's body as text, as far as they come."""
    body = b""
    try:
        async for chunk in response.aiter_bytes():
            body += chunk[:START]
            if len(body) >= START:
                break
    except httpx.HTTPError:  # the status says enough
        pass
    found = decoded(body[:START], response.headers.get("Content-Type", ""), is_cut=True)
    return found[0] if found else f"({len(body)} bytes or more, which are no text)"


@dataclass(frozen=True, slots=True)
class Received:
    """An answer that was expected. `cookies` are all that servers have set."""

    response: httpx.Response
    body: bytes
    cookies: httpx.Cookies
    where: Where

    def outputs(self) -> dict[str, Any]:
        """Return what scripts get.

        Raises:
            Failure: base64 makes the body larger than outputs may be.
        """
        found = decoded(self.body, self.response.headers.get("Content-Type", ""))
        described = self._described(found[1] if found else None)
        if found is None:
            if len(self.body) > BINARY_LIMIT:
                _too_large(self.where, BINARY_LIMIT)
            return described | {"content": base64.b64encode(self.body).decode()}
        text, _ = found
        try:
            return described | {"json": _json(text)}
        except ValueError:
            return described | {"text": text}

    def outputs_without_body(self) -> dict[str, Any]:
        """Return what scripts get where the body became a file."""
        charset = _declared(self.response.headers.get("Content-Type", ""))
        return self._described(charset) | {"size_bytes": len(self.body)}

    def _described(self, encoding: str | None) -> dict[str, Any]:
        return {
            "status_code": self.response.status_code,
            "headers": _headers(self.response.headers),
            "cookies": {cookie.name: cookie.value or "" for cookie in self.cookies.jar},
            "encoding": encoding,
        }


def decoded(body: bytes, content_type: str, is_cut: bool = False) -> tuple[str, str] | None:
    """Return a body as text, and the encoding that it had; None: it is no text.

    `is_cut`: the last character may be incomplete.
    """
    if _BINARY.match(content_type):
        return None
    is_text = _TEXT.match(content_type) is not None
    for encoding, errors in _encodings(body, content_type, is_text):
        decoder = codecs.getincrementaldecoder(encoding)(errors)
        try:
            text = decoder.decode(body, final=not is_cut)
        except UnicodeError:
            continue
        if is_text or "\x00" not in text:
            return text.removeprefix("\ufeff"), encoding
    return None


def _encodings(body: bytes, content_type: str, is_text: bool) -> list[tuple[str, str]]:
    """Return the encodings to try, and what to do about what does not fit."""
    found = [(encoding, "strict") for mark, encoding in _MARKS if body.startswith(mark)]
    declared = _declared(content_type)
    if declared is not None:
        found.append((declared, "replace" if is_text else "strict"))
    found.append(("utf-8", "strict"))
    if is_text:
        # What HTTP meant before it had charsets; every byte is a character of it.
        found.append(("iso-8859-1", "strict"))
    return found


def _declared(content_type: str) -> str | None:
    match = re.search(r"charset\s*=\s*[\"']?([\w.:+-]+)", content_type, re.IGNORECASE)
    if match is None:
        return None
    try:
        "".encode(match[1])  # refuses codecs that are no encodings of text as well
        return codecs.lookup(match[1]).name
    except (LookupError, UnicodeError):
        return None


def _json(text: str) -> Any:
    """Return the value of a JSON text; raises ValueError for what outputs cannot hold."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if _SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()  # half a pair is a UnicodeError
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _headers(headers: httpx.Headers) -> dict[str, str]:
    """Return headers under one spelling of their names, as `Content-Type`."""
    found: dict[str, str] = {}
    for name, value in headers.multi_items():
        name = "-".join(word.capitalize() for word in name.split("-"))
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def retry_after(response: httpx.Response, now: Callable[[], datetime]) -> float | None:
    """Return the seconds that the server wants to be left alone, if it says so."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until - now()).total_seconds())
    except (TypeError, ValueError):
        return None


def _too_large(where: Where, limit: int) -> NoReturn:
    raise Failure(
        where,
        f"the answer is larger than {limit // 2**20} MiB, which cannot be kept; ask for less (a"
        " page, a range)",
    )
