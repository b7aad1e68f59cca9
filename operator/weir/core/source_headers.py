"""What a script says of itself: comments before its first line, docstring, PEP 723 metadata."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from weir.api.reasons import Reason
from weir.core.sources import NotTaken

_LONGEST = 100
_LONGEST_TITLE = 253
_LONGEST_DESCRIPTION = 16384
_HEADER = re.compile(r"#\s*weir:(?P<said>.*)")
_PAIR = re.compile(
    r"""\s*(?P<key>[^=,\s]*)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^,"]*))\s*(?:,|$)"""
)
_BEGIN, _END = "# /// script", "# ///"
_KEYS = {"dependencies", "requires-python", "tool"}
# What a runner may have: any of these is a reason to let the script try.
_PYTHONS = [f"3.{minor}.{patch}" for minor in range(11, 30) for patch in (0, 50)]


class Header(NamedTuple):
    """What a script says of itself; None where it says nothing."""

    name: str | None = None
    title: str | None = None
    description: str | None = None
    requirements: list[str] | None = None


def header_of(script: str, *, own_image: bool) -> Header:
    """Return what a script says of itself.

    `own_image` is whether it runs in an image of its user's, with whatever Python that has. Raises
    NotTaken.
    """
    said = _said(script)
    return Header(
        name=said.get("name"),
        title=said.get("title"),
        description=_description(script),
        requirements=_requirements(script, own_image=own_image),
    )


def _said(script: str) -> dict[str, str]:
    """Return the pairs of `# weir: key=value` comments before the first line of code."""
    said: dict[str, str] = {}
    for number, line in _leading(script):
        found = _HEADER.fullmatch(line)
        if found is None:
            continue
        for key, value in _pairs(found["said"], number):
            if key not in ("name", "title"):
                message = f"line {number}: {key[:_LONGEST]!r} cannot be said there: name and title"
                raise NotTaken(Reason.INVALID_HEADER, f"{message} can, the rest in flow.yaml")
            if key in said:
                raise NotTaken(Reason.INVALID_HEADER, f"line {number}: {key} is said twice")
            if not value or len(value) > _LONGEST_TITLE or not value.isprintable():
                message = f"line {number}: {key} has 1 to {_LONGEST_TITLE} printable characters"
                raise NotTaken(Reason.INVALID_HEADER, message)
            said[key] = value
    return said


def _leading(script: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(script.splitlines(), 1):
        plain = line.strip()
        if plain and not plain.startswith("#"):
            return
        if line.startswith("#"):
            yield number, plain


def _pairs(said: str, number: int) -> Iterator[tuple[str, str]]:
    rest = said.strip()
    if not rest:
        rest = "?"
    while rest:
        found = _PAIR.match(rest)
        if found is None or not found["key"]:
            message = f"line {number}: write `# weir: name=my-flow` or `# weir: title=My flow`"
            raise NotTaken(Reason.INVALID_HEADER, f"{message}; put a title with commas in quotes")
        value = found["quoted"] if found["quoted"] is not None else found["plain"]
        yield found["key"], value.strip()
        rest = rest[found.end() :]


def _description(script: str) -> str | None:
    try:
        text = ast.get_docstring(ast.parse(script))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # the check of the script says so
    return text[:_LONGEST_DESCRIPTION].strip() or None if text else None


def _requirements(script: str, *, own_image: bool) -> list[str] | None:
    block = _block(script)
    if block is None:
        return None
    line, text = block
    try:
        said = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"the metadata that begins on line {line} is no TOML: {str(error)[:_LONGEST]}"
        raise NotTaken(Reason.INVALID_HEADER, message) from None
    for key in said.keys() - _KEYS:
        message = (
            f"the metadata that begins on line {line} has {key[:_LONGEST]!r}, but only "
            f"{', '.join(sorted(_KEYS))} are known (PEP 723)"
        )
        raise NotTaken(Reason.INVALID_HEADER, message)
    _require_python(said.get("requires-python"), own_image=own_image)
    lines: Any = said.get("dependencies", [])
    if not isinstance(lines, list) or not all(isinstance(one, str) for one in lines):
        message = f"dependencies in the metadata that begins on line {line} is no list of strings"
        raise NotTaken(Reason.INVALID_HEADER, message)
    return lines


def _block(script: str) -> tuple[int, str] | None:
    """Return the number of the line after which the metadata begins, and its text."""
    lines = script.splitlines()
    begins = [number for number, line in enumerate(lines) if line.rstrip() == _BEGIN]
    if not begins:
        return None
    inside: list[str] = []
    end = None
    for number, line in enumerate(lines[begins[0] + 1 :], begins[0] + 1):
        if line != "#" and not line.startswith("# "):
            break
        inside.append(line[2:])
        if line.rstrip() == _END:
            end = number
    if end is None:
        message = f"the metadata that begins on line {begins[0] + 1} has no end: write `{_END}`"
        raise NotTaken(Reason.INVALID_HEADER, message)
    if any(number > end for number in begins):
        message = "there are two blocks `# /// script`: put all of it into one (PEP 723)"
        raise NotTaken(Reason.INVALID_HEADER, message)
    return begins[0] + 1, "\n".join(inside[: end - begins[0] - 1])


def _require_python(wanted: Any, *, own_image: bool) -> None:
    if wanted is None:
        return
    try:
        if not isinstance(wanted, str):
            raise InvalidSpecifier
        versions = SpecifierSet(wanted)
    except InvalidSpecifier:
        message = (
            f"requires-python is no range of versions such as '>=3.11': {wanted!r:.{_LONGEST}}"
        )
        raise NotTaken(Reason.INVALID_HEADER, message) from None
    if not own_image and not any(versions.contains(one) for one in _PYTHONS):
        message = f"requires-python {wanted[:_LONGEST]!r} lets no Python run it that runners have"
        raise NotTaken(Reason.INVALID_HEADER, f"{message}: they have 3.11 or later")
