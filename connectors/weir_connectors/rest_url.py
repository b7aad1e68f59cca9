"""Reads and builds the addresses of REST connections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

FORM = "a URL such as https://api.example.com/v1/items"

_HOST = re.compile(r"\w[\w.-]*|\[?[0-9A-Fa-f:.]+\]?")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
_SCALARS = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class RestUrl:
    """Where a request goes. `address` holds no user and no password."""

    address: str
    user: str | None = None
    password: str | None = None


def parse(text: str) -> RestUrl:
    """Read a URL.

    Raises:
        ValueError: it is no URL of http or https; the text says what was expected and holds no
            part of the URL.
    """
    if _UNPRINTABLE.search(text):
        raise ValueError("a URL without blanks and control characters (write a blank as %20)")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(FORM) from None
    if parts.scheme not in ("https", "http") or not is_host(parts.hostname or ""):
        raise ValueError(FORM)
    address = parts._replace(netloc=_netloc(parts.hostname or "", port), fragment="").geturl()
    user = unquote(parts.username) if parts.username is not None else None
    password = unquote(parts.password) if parts.password is not None else None
    return RestUrl(address, user, password)


def compose(scheme: str, hostname: str, port: int | None, base_path: str, path: str) -> RestUrl:
    """Build a URL of its parts; the paths are joined by one slash."""
    joined = "/".join(part for part in (base_path.strip("/"), path.lstrip("/")) if part)
    if not path and base_path.endswith("/") and joined:
        joined += "/"
    return RestUrl(f"{scheme}://{_netloc(hostname.strip('[]'), port)}/{quote(joined, safe=_SAFE)}")


# What may stand in a path as it is; `%` too, since what is escaped already stays as it is.
_SAFE = "/%:@!$&'()*+,;=~-._"


def is_host(text: str) -> bool:
    """Whether a text can be a host's name or address."""
    return _HOST.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Whether a text is a path alone, and one that leads to nothing above it."""
    if re.search(r"[?#\\\x00-\x1f\x7f]", text):
        return False
    return not any(unquote(segment) in (".", "..") for segment in text.split("/"))


def is_fields(fields: Mapping[str, Any]) -> bool:
    """Whether all values are texts, numbers, booleans or null, or lists of them."""
    return all(
        one is None or isinstance(one, _SCALARS)
        for value in fields.values()
        for one in (value if isinstance(value, list) else [value])
    )


def pairs(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values as a query or a form has them.

    A list gives one pair for each of its items, null gives none, booleans are `true` and `false`.
    """
    return [
        (name, str(one).lower() if isinstance(one, bool) else str(one))
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]


def with_query(address: str, fields: Mapping[str, Any]) -> str:
    """Return the address with more query parameters behind those that it has."""
    more = urlencode(pairs(fields), quote_via=quote)
    if not more:
        return address
    parts = urlsplit(address)
    return parts._replace(query=f"{parts.query}&{more}" if parts.query else more).geturl()


def parts(address: str) -> list[str]:
    """Return what a server may show of an address that is secret: its path, its query's values."""
    split = urlsplit(address)
    values = [value for _, value in parse_qsl(split.query)]
    return [text for text in (split.path.strip("/"), split.query, *values) if text]


def _netloc(host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"
