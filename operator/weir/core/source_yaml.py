"""YAML and JSON from repositories, read as JSON values: nothing else can be stored."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple, NoReturn

import yaml

from weir.api.reasons import Reason
from weir.core.sources import NotTaken

LARGEST = 1024 * 1024
"""How many bytes a file may have."""

_DEEPEST = 100
# An alias stands for all of what it names: a few lines of them make gigabytes.
_LARGEST_EXPANDED = 4 * LARGEST
_MOST_DOCUMENTS = 500
_LONGEST = 200


class Document(NamedTuple):
    """One document of a YAML file."""

    number: int
    """Counts from 1; empty ones count."""
    value: Any


def documents(text: str) -> list[Document]:
    """Return the documents of a YAML file, without empty ones. Raises NotTaken."""
    try:
        _require_small(text)
        found = list(yaml.load_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise NotTaken(Reason.INVALID_YAML, _told(error)) from None
    except RecursionError:
        _too_deep()
    except (ValueError, LookupError):
        message = "a number has too many digits, or a value does not fit its tag, such as `!!int x`"
        raise NotTaken(Reason.INVALID_YAML, message) from None
    if len(found) > _MOST_DOCUMENTS:
        message = f"the file has {len(found)} documents: put at most {_MOST_DOCUMENTS} into one"
        raise NotTaken(Reason.TOO_LARGE, message)
    for value in found:
        _require_json(value, _DEEPEST)
    return [Document(number, value) for number, value in enumerate(found, 1) if value is not None]


def one_document(text: str, what: str) -> Any:
    """Return the value of a YAML file that has one; None for an empty file. Raises NotTaken."""
    found = documents(text)
    if len(found) > 1:
        message = f"the file has {len(found)} documents, but {what} has one: part them into files"
        raise NotTaken(Reason.INVALID_YAML, message)
    return found[0].value if found else None


def json_value(text: str) -> Any:
    """Return the value of a JSON file. Raises NotTaken."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        message = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise NotTaken(Reason.INVALID_YAML, f"the file is no JSON: {message}") from None
    except RecursionError:
        _too_deep()
    except ValueError:
        _too_many_digits()
    _require_json(value, _DEEPEST)
    return value


class _Loader(yaml.CSafeLoader):
    """Reads JSON's types only, and as kubectl does: `12:30` and `2026-11-24` are strings."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Hashable, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise yaml.constructor.ConstructorError(None, None, "no mapping", node.start_mark)
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == _MERGE:
                continue
            if key.tag != _TEXT:
                problem = f"the key {_shown(key)} is no string: put it into quotes"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            if key.value in seen:
                problem = f"the key {_shown(key)} is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_WORDS = (
    (
        "bool",
        r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
        "yYnNtTfFoO",
    ),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*|0[0-7_]+|0b[01_]+|0x[0-9a-fA-F_]+)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
        r"|[0-9][0-9_]*[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("merge", "<<", "<"),
)
for _name, _pattern, _first in _WORDS:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), [*_first]
    )
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^$"), [""])


def _refuse(loader: _Loader, node: yaml.Node) -> NoReturn:
    problem = f"{node.tag[:_LONGEST]} is no type of JSON: leave the tag out"
    raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


for _unfit in ("timestamp", "binary", "set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_unfit}", _refuse)


def _require_small(text: str) -> None:
    """Raise NotTaken for what would grow, or is nested, beyond measure. Builds nothing."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.ScalarEvent):
            total += len(event.value) + 1
            if event.anchor:
                sizes[event.anchor] = len(event.value) + 1
        elif isinstance(event, yaml.AliasEvent):
            total += sizes.get(event.anchor or "", _LARGEST_EXPANDED) + 1
        elif isinstance(event, yaml.CollectionStartEvent):
            total += 1
            open_.append((event.anchor, total))
            if event.anchor:
                # Until it ends it has no size: an alias of it now would contain itself.
                sizes.pop(event.anchor, None)
            if len(open_) > _DEEPEST:
                _too_deep()
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = total - before + 1
        elif isinstance(event, yaml.DocumentStartEvent):
            sizes.clear()
        if total > _LARGEST_EXPANDED:
            message = "its aliases (*name) stand for too much, or for what is not there: write out"
            raise NotTaken(Reason.INVALID_YAML, message)


def _require_json(value: Any, depth: int) -> None:
    if depth < 0:
        _too_deep()
    if isinstance(value, dict):
        for key, item in value.items():
            _require_json(key, depth)
            _require_json(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _require_json(item, depth - 1)
    elif isinstance(value, str):
        if re.search("[\ud800-\udfff]", value):
            message = f"{value[:20]!a} has half of a surrogate pair, which is no text"
            raise NotTaken(Reason.INVALID_YAML, message)
    elif isinstance(value, float) and not math.isfinite(value):
        raise NotTaken(Reason.INVALID_YAML, f"{value} is no number of JSON: put it into quotes")
    elif isinstance(value, int) and value.bit_length() > 1000:
        _too_many_digits()


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise NotTaken(Reason.INVALID_YAML, f"the key {key[:_LONGEST]!r} is there twice")
        value[key] = item
    return value


def _no_number(word: str) -> NoReturn:
    raise NotTaken(Reason.INVALID_YAML, f"{word} is no number of JSON: put it into quotes")


def _too_many_digits() -> NoReturn:
    message = "a number has too many digits: put it into quotes"
    raise NotTaken(Reason.INVALID_YAML, message) from None


def _too_deep() -> NoReturn:
    message = f"the file is nested more than {_DEEPEST} deep"
    raise NotTaken(Reason.INVALID_YAML, message) from None


def _shown(key: yaml.Node) -> str:
    return repr(str(key.value)[:40]) if isinstance(key, yaml.ScalarNode) else "that is a collection"


def _told(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}{problem[:_LONGEST]}"
