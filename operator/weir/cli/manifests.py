"""The scripts in a manifest, with the places where they stand in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import yaml

_KINDS = ("Flow", "Execution")


class NoYaml(Exception):
    """The text cannot be read as YAML; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class Embedded(NamedTuple):
    """A script in a manifest.

    Parameters:
        name: The object's name.
        source: The script.
        line: Of the file, on which the script's first line stands; counts from 1.
        indent: Columns before each line of the script.
        verbatim: Whether the script's lines are lines of the file. If not, `line` is where it
            begins.
        resumes: Whether a run goes on after the loss of its Pod.
        brings_modules: Whether it has requirements, or an image of its own.
    """

    name: str
    source: str
    line: int
    indent: int
    verbatim: bool
    resumes: bool
    brings_modules: bool


def is_manifest(text: str) -> bool:
    """Whether a text without a file's name is a manifest rather than a script."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", "-"))]
    return any(line.startswith(("apiVersion:", "kind:", "{")) for line in lines[:3])


def scripts_in(text: str) -> Iterator[Embedded]:
    """Yield the scripts of Flows and Executions, also of those in a List.

    Raises NoYaml.
    """
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise NoYaml(reason, line, column) from None
    lines = text.splitlines()
    for document in documents:
        yield from _in_object(document, lines)


def _in_object(node: yaml.Node | None, lines: list[str]) -> Iterator[Embedded]:
    kind = _text(_at(node, "kind"))
    items = _at(node, "items")
    if kind.endswith("List") and isinstance(items, yaml.SequenceNode):
        for item in items.value:
            yield from _in_object(item, lines)
    spec = _at(node, "spec")
    script = _at(spec, "script")
    if kind not in _KINDS or not isinstance(script, yaml.ScalarNode):
        return
    line, indent = _place(script, lines)
    metadata = _at(node, "metadata")
    yield Embedded(
        name=_text(_at(metadata, "name")) or _text(_at(metadata, "generateName")),
        source=script.value,
        line=line,
        indent=indent,
        verbatim=script.style == "|",
        resumes=_text(_at(spec, "onRunnerLost")) != "Fail",
        brings_modules=any(
            _at(owner, key) is not None
            for owner, key in ((spec, "requirements"), (_at(spec, "runner"), "image"))
        )
        or kind == "Execution",
    )


def _place(script: yaml.ScalarNode, lines: list[str]) -> tuple[int, int]:
    """Return the line of the script's first line, and the columns before each."""
    start = script.start_mark
    if script.style != "|":
        return start.line + 1, start.column
    for number, line in enumerate(script.value.splitlines()):
        if line.strip():
            shown = lines[start.line + 1 + number]
            return start.line + 2, len(shown) - len(line)
    return start.line + 2, 0


def _at(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if _text(name) == key:
                found: yaml.Node = value
                return found
    return None


def _text(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""
