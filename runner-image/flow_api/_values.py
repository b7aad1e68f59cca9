"""JSON values between a script and the server: checked when stored, bent to fit when logged."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

# Deeper than data that people make; shallower than where a value that contains itself overflows the
# stack.
MAX_DEPTH = 100

# Python refuses to write integers of more than 4300 decimal digits; this many bits are fewer.
MAX_INTEGER_BITS = 14_000

# A log is for reading: the repr of one foreign object is cut to this many characters.
MAX_REPR = 10_000


class NotJsonError(TypeError):
    """A value that is to be stored cannot be held by JSON.

    Parameters:
        where: Which part of what, such as `output_value['rows'][3]`.
        trouble: What is wrong with it.
    """

    def __init__(self, where: str, trouble: str) -> None:
        super().__init__(f"{where} {trouble}")
        self.where = where


def checked(value: Any, where: str) -> Any:
    """Return a copy of a JSON value that shares nothing with it. Tuples become lists.

    Parameters:
        value: What is to be stored.
        where: How errors name the value, such as `output_value`.

    Raises:
        NotJsonError: Something in it cannot be held by JSON; the message says what and where.
    """
    return _checked(value, where, MAX_DEPTH)


def checked_object(value: Any, where: str) -> dict[str, Any]:
    """Return a copy of a JSON object; None is an empty one.

    Raises:
        NotJsonError: It is no object, or something in it cannot be held by JSON.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotJsonError(where, f"must be a dict with text keys, not {_kind(value)}")
    copy: dict[str, Any] = _checked(value, where, MAX_DEPTH)
    return copy


def _checked(value: Any, where: str, depth: int) -> Any:
    if value is None:
        return value
    if isinstance(value, int):
        if value.bit_length() > MAX_INTEGER_BITS:
            raise NotJsonError(where, "is an integer of more than 4,000 digits; store it as a text")
        return value
    if isinstance(value, str):
        return _checked_text(value, where)
    if isinstance(value, float):
        if not isfinite(value):
            raise NotJsonError(where, f"is {value}, which JSON cannot hold; use None or a text")
        return value
    if depth == 0:
        raise NotJsonError(where, f"is nested more than {MAX_DEPTH} deep, or contains itself")
    if isinstance(value, dict):
        copy = {}
        for key, item in value.items():
            if not isinstance(key, str):
                trouble = f"has the key {key!r}, {_kind(key)}; keys in JSON are text"
                raise NotJsonError(where, trouble)
            copy[_checked_text(key, where)] = _checked(item, f"{where}[{key!r}]", depth - 1)
        return copy
    if isinstance(value, list | tuple):
        return [_checked(item, f"{where}[{i}]", depth - 1) for i, item in enumerate(value)]
    trouble = f"is {_kind(value)}, which JSON cannot hold; convert it first, such as to a text"
    raise NotJsonError(where, trouble)


def _checked_text(text: str, where: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise NotJsonError(
                where,
                "holds half a surrogate pair, which is no Unicode text; "
                "decode bytes with errors='replace'",
            ) from None
    return text


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


def loggable(value: Any) -> Any:
    """Return a JSON value as near to `value` as can be; what JSON cannot hold becomes its repr."""
    return _loggable(value, MAX_DEPTH)


def _loggable(value: Any, depth: int) -> Any:
    if value is None or (isinstance(value, int) and value.bit_length() <= MAX_INTEGER_BITS):
        return value
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, float) and isfinite(value):
        return value
    if depth > 0 and isinstance(value, dict):
        return {
            printable(key if isinstance(key, str) else _repr(key)): _loggable(item, depth - 1)
            for key, item in value.items()
        }
    if depth > 0 and isinstance(value, list | tuple):
        return [_loggable(item, depth - 1) for item in value]
    return _repr(value)


def text_of(value: Any) -> str:
    """Return how a log shows a value: text as it is, JSON values as JSON, others by their repr."""
    plain = loggable(value)
    if isinstance(plain, str):
        return plain
    return json.dumps(plain, ensure_ascii=False)


def printable(text: str) -> str:
    """Return the text with what is no Unicode replaced by question marks."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


def _repr(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose repr failed with {type(error).__name__}>"
    if len(text) > MAX_REPR:
        text = f"{text[:MAX_REPR]}… ({len(text)} characters)"
    return printable(text)
