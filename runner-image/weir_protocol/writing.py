"""What is written to the `spec` of an object for a script, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

# What etcd takes in one object is 1.5 MiB; a watch of all Settings is to stay small.
MAX_VALUE = 256 * 1024
_MAX_DESCRIPTION = 16384
# What Kubernetes keeps of an integer; larger ones would come back as another number.
_INTEGERS = range(-(2**63), 2**63)


class Refusal(ValueError):
    """A field that scripts cannot write, or a value that it cannot have; `type` is the exception
    that the script is to see.
    """

    def __init__(self, message: str, type_: str = "InvalidInputError") -> None:
        super().__init__(message)
        self.type = type_


class Change(NamedTuple):
    """What is to be written to a key of an object's `spec`; None takes it out."""

    key: str
    value: Any


Writer: TypeAlias = Callable[[Any], Change]
"""Makes a change of the value of a field. Raises Refusal."""


def description(value: Any) -> Change:
    """Change what a thing is for. Raises Refusal."""
    if value is not None and not isinstance(value, str):
        raise Refusal("description is a text")
    if value is not None and len(value) > _MAX_DESCRIPTION:
        raise Refusal(f"description has at most {_MAX_DESCRIPTION} characters")
    return Change("description", value or None)


def flag(field: str, key: str, *, inverted: bool = False) -> Writer:
    """Return what writes a field that is True or False."""

    def write(value: Any) -> Change:
        if not isinstance(value, bool):
            raise Refusal(f"{field} is True or False")
        return Change(key, value is not inverted)

    return write


def inputs(field: str, what: str) -> Writer:
    """Return what writes the inputs of something."""

    def write(value: Any) -> Change:
        if not isinstance(value, dict):
            raise Refusal(f"{field} is an object: {what}")
        require_storable(value)
        return Change("inputs", value)

    return write


def require_storable(value: Any) -> None:
    """Raise Refusal for a value that is too large for an object, or would come back changed."""
    size = len(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    if size > MAX_VALUE:
        raise Refusal(
            f"the value has {size} bytes as JSON and a Setting takes {MAX_VALUE}: save a file"
        )
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, int) and not isinstance(one, bool) and one not in _INTEGERS:
            raise Refusal("the value has an integer of more than 64 bits: make it a text")
        if isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, list):
            pending += one
