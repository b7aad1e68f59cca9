"""The ways to print, one implementation for every verb: tables for people, JSON and YAML for
programs, names for other commands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from weir.cli.errors import CliError

if TYPE_CHECKING:
    from weir.api.resource import JsonObject


class Output(StrEnum):
    """How a verb prints, as kubectl calls it; text is the verb's own way."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"
    TEXT = "text"


LISTS = (Output.TABLE, Output.WIDE, Output.JSON, Output.YAML, Output.NAME)
"""Of verbs that list objects."""
TABLES = (Output.TABLE, Output.WIDE)
VALUES = (Output.JSON, Output.YAML)


def metavar(ways: Sequence[Output]) -> str:
    """Return how help shows the ways of a verb."""
    return "|".join(ways)


def way_of(word: str, ways: Sequence[Output], because: str = "") -> Output:
    """Return the way that `--output` names. Raises CliError for one that the verb has not.

    `because` says why a verb lacks ways that others have, such as "a log has no columns".
    """
    known = word in set(Output)
    if known and (way := Output(word)) in ways:
        return way
    why = f"{because}; there are" if known and because else "there are"
    raise CliError(f"--output {word!r}: {why} {', '.join(ways)}")


def written(value: Any, way: Output) -> str:
    """Return a value as JSON or YAML, with the line break at its end."""
    if way == Output.JSON:
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    import yaml

    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def in_stream(value: Any, way: Output) -> str:
    """Return one of many values: JSON on one line, YAML as a document."""
    if way == Output.JSON:
        return json.dumps(value, ensure_ascii=False) + "\n"
    return f"---\n{written(value, way)}"


def listing(items: Sequence[JsonObject]) -> JsonObject:
    """Return objects as the one object that kubectl prints of several."""
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}
