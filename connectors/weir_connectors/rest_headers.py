"""Headers and cookies of REST connections: their forms, and which of them are credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# What a server elsewhere may see after a redirect; all else could let somebody in.
HARMLESS = frozenset(
    {"accept", "accept-charset", "accept-encoding", "accept-language", "connection", "user-agent"}
)

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_COOKIE_NAME = re.compile(r"[^\s=;,\x00-\x1f\x7f]+")
_COOKIE_VALUE = re.compile(r"[^\s;\x00-\x1f\x7f]*")
_CREDENTIAL = re.compile(r"auth|cookie|token|secret|key|passw|session|signature", re.IGNORECASE)

Pairs = list[tuple[str, str]]


def as_headers(given: Mapping[str, str] | str | None) -> Pairs:
    """Return headers as names and values.

    Raises:
        ValueError: they are none; the text says what was expected.
    """
    if given is None:
        return []
    if isinstance(given, str):
        lines = [line for line in given.splitlines() if line.strip()]
        if not lines or not all(":" in line for line in lines):
            raise ValueError("one `Name: value` in each line")
        split = (line.partition(":") for line in lines)
        found = [(name.strip(), value.strip()) for name, _, value in split]
    else:
        found = [(name, value.strip()) for name, value in given.items()]
    if not all(_NAME.fullmatch(name) for name, _ in found):
        raise ValueError("names of letters, digits and - alone")
    if not all(_VALUE.fullmatch(value) and _is_latin(value) for _, value in found):
        raise ValueError("values without line breaks, of Latin-1 characters")
    return found


def as_cookies(given: Mapping[str, str] | str | None) -> Pairs:
    """Return cookies as names and values.

    Raises:
        ValueError: they are none; the text says what was expected.
    """
    if given is None:
        return []
    if isinstance(given, str):
        parts = [part.strip() for part in given.split(";") if part.strip()]
        if not parts or not all("=" in part for part in parts):
            raise ValueError("name=value; name2=value2")
        split = (part.partition("=") for part in parts)
        found = [(name, value) for name, _, value in split]
    else:
        found = list(given.items())
    for name, value in found:
        if not _COOKIE_NAME.fullmatch(name) or not _COOKIE_VALUE.fullmatch(value):
            raise ValueError("names and values without blanks and semicolons")
        if not (name + value).isascii():
            raise ValueError("names and values of ASCII characters")
    return found


def credentials_in(headers: Iterable[tuple[str, str]], is_secret: bool) -> list[str]:
    """Return the texts of headers that no message may hold.

    `is_secret`: all are but those that only say what is sent or wanted, else those are whose names
    say so.
    """
    found = []
    for name, value in headers:
        is_harmless = name.lower() in HARMLESS or name.lower() == "content-type"
        if not is_harmless and (is_secret or _CREDENTIAL.search(name)):
            found.append(value)
            if name.lower().endswith("authorization"):
                found.append(value.rpartition(" ")[2])  # the credential without its scheme
    return [value for value in found if value]


def _is_latin(value: str) -> bool:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
