"""JSON Schema (2020-12, and draft 7): whether a schema is one, and whether a value satisfies it.

The only module here that needs more than the standard library; no runner imports it.

Used for inputs before a Pod is made, and for outputs when a run ends. Nothing is ever fetched: a
reference to another document is refused. Texts name paths and expectations, never values, since
these may be secret.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from weir_protocol.arguments import JsonObject

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What older collections of schemas are written in: for Schemas that say so, not for Flows.
DRAFT_7 = "http://json-schema.org/draft-07/schema"
_LONGEST = 300


def problem_with_schema(schema: JsonObject, *, also_draft_7: bool = False) -> str | None:
    """Return why a schema cannot be used, or None."""
    known = [DIALECT, DRAFT_7] if also_draft_7 else [DIALECT]
    dialect = _dialect(schema)
    if dialect not in known:
        return f"$schema is {dialect[:_LONGEST]}, but only {' and '.join(known)} is understood"
    try:
        _kind_of_validator(schema).check_schema(schema)
    except jsonschema.SchemaError as error:
        return f"{_path('schema', error.absolute_path)}: {error.message[:_LONGEST]}"
    except RecursionError:
        return "the schema is nested too deeply"
    for reference in _references(schema):
        if not reference.startswith("#"):
            return f"$ref {reference[:_LONGEST]!r} points to another document: copy it into $defs"
    try:
        # A reference within the document may still lead nowhere; only a use finds out.
        _validator(schema).is_valid(None)
    except (Unresolvable, RecursionError) as error:
        return f"a $ref leads nowhere: {str(error)[:_LONGEST]}"
    return None


def problem_with_value(schema: JsonObject, value: Any, *, what: str) -> str | None:
    """Return what of a value breaks a schema, or None.

    `what` begins the path, for example `inputs`. The schema is one that `problem_with_schema`
    passes; one that is not usable after all is named as the problem.
    """
    try:
        error = best_match(_validator(schema).iter_errors(value))
    except Unresolvable as unresolvable:
        return f"the schema of {what} has a $ref that leads nowhere: {str(unresolvable)[:_LONGEST]}"
    except RecursionError:
        return f"{what}: the value or its schema is nested too deeply"
    if error is None:
        return None
    return f"{_path(what, error.absolute_path)}: {_expected(error)}"


def _dialect(schema: JsonObject) -> str:
    return str(schema.get("$schema", DIALECT)).rstrip("#")


def _kind_of_validator(schema: JsonObject) -> Any:
    draft_7 = _dialect(schema) == DRAFT_7
    return jsonschema.Draft7Validator if draft_7 else jsonschema.Draft202012Validator


def _validator(schema: JsonObject) -> Any:
    return _kind_of_validator(schema)(schema, registry=Registry())


def _path(what: str, steps: Iterable[str | int]) -> str:
    path = what
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path[:_LONGEST]


def _expected(error: ValidationError) -> str:
    """Say what was expected, without the value that was found."""
    # Both are typed as perhaps unset, which only a hand-made error is.
    wanted: Any = error.validator_value
    found: Any = error.instance
    match error.validator:
        case "type":
            types = wanted if isinstance(wanted, list) else [wanted]
            return f"must be {' or '.join(map(str, types))}, not {_kind(found)}"
        case "required":
            missing = [name for name in wanted if name not in found]
            return f"lacks {', '.join(missing)}"[:_LONGEST]
        case "additionalProperties" | "unevaluatedProperties":
            # Names of keys are no secrets.
            return error.message[:_LONGEST]
        case "enum":
            return f"must be one of {json.dumps(wanted, ensure_ascii=False)}"[:_LONGEST]
        case _:
            shown = json.dumps(wanted, ensure_ascii=False, default=str)
            return f"does not satisfy {error.validator}: {shown}"[:_LONGEST]


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _references(schema: Any) -> Iterator[str]:
    """Yield the targets of all references. A property that is called `$ref` has an object there."""
    pending = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            for key in ("$ref", "$dynamicRef"):
                if isinstance(part.get(key), str):
                    yield part[key]
            pending += part.values()
        elif isinstance(part, list):
            pending += part
