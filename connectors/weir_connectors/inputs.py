"""Checks a JSON object against a dataclass, by the dataclass's annotations. Values are never
converted.

Understood annotations: `str`, `int`, `float` (takes whole numbers too), `bool`, `Any`,
`Literal[…]`, `list[…]`, `dict` and `dict[str, …]`, `X | Y`, `None`. The texts of the errors name
inputs and what was expected, never a value: it could be a secret.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from weir_connectors.errors import (
    ExtraInputError,
    InputError,
    InvalidInputError,
    MissingInputError,
)

Model = TypeVar("Model")

# Stands for the value of a secret that is not at hand. Whatever is said about it is dropped.
_UNSEEN = "***"

_SIMPLE: dict[Any, tuple[str, str]] = {  # annotation: (what people call it, JSON Schema's type)
    str: ("a string", "string"),
    int: ("a whole number", "integer"),
    float: ("a number", "number"),
    bool: ("true or false", "boolean"),
    dict: ("an object", "object"),
    list: ("a list", "array"),
    type(None): ("null", "null"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An input that cannot be used, or that is missing beside others; see a model's `problems`."""

    field: str
    expected: str
    kind: Literal["invalid", "missing"] = "invalid"


def about(
    description: str,
    *,
    secret: bool = False,
    transport: bool = False,
    schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the metadata of a model's field.

    `secret`: the value is hidden wherever it could be shown. `transport`: the value decides where
    secrets are sent, or how safely. `schema`: further JSON Schema keywords, for forms and
    documentation.
    """
    return {
        "description": description,
        "secret": secret,
        "transport": transport,
        "schema": dict(schema or {}),
    }


def marked(model: type[Any], mark: Literal["secret", "transport"]) -> frozenset[str]:
    """Return the names of the model's fields that carry the mark."""
    return frozenset(known.name for known in dataclasses.fields(model) if known.metadata.get(mark))


def parse(
    type_name: str, model: type[Model], inputs: Mapping[str, Any], unseen: Collection[str] = ()
) -> Model:
    """Return an instance of the model made of the inputs.

    `unseen` names inputs that are given but whose values are not at hand; they count as present
    and right.

    Raises:
        ExtraInputError, MissingInputError, InvalidInputError: in this order, since a misspelt
            name makes an input both unknown and missing. One error names all problems of its
            kind.

    A model may have `REFUSED`: names of inputs that it could be thought to take, and why it does
    not.
    """
    instance = fitting(type_name, model, inputs, unseen)
    said = [problem for problem in _own_problems(instance) if problem.field not in unseen]
    missing = [problem for problem in said if problem.kind == "missing"]
    invalid = [problem for problem in said if problem.kind == "invalid"]
    if said:
        raise _error_for(type_name, missing, invalid)
    return instance


def fitting(
    type_name: str, model: type[Model], inputs: Mapping[str, Any], unseen: Collection[str] = ()
) -> Model:
    """Return an instance of the model made of inputs whose names and types are right.

    Forms of values, and what inputs have to do with each other, are not looked at.

    Raises:
        ExtraInputError, MissingInputError, InvalidInputError: as parse() does.
    """
    if not isinstance(inputs, Mapping):
        raise InvalidInputError(
            f"{type_name}: the inputs must be an object, not {_kind_of(inputs)}"
        )
    fields = {known.name: known for known in dataclasses.fields(model)}  # type: ignore[arg-type]
    _refuse_unknown(type_name, model, fields, {*inputs, *unseen})
    hints = get_type_hints(model)
    values: dict[str, Any] = {name: value for name, value in inputs.items() if name not in unseen}
    missing = [
        Problem(name, expected(hints[name]), "missing")
        for name, known in fields.items()
        if name not in values and name not in unseen and _is_required(known)
    ]
    invalid = [
        Problem(name, f"{expected(hints[name])}, not {_kind_of(value)}")
        for name, value in values.items()
        if not _fits(value, hints[name])
    ]
    if missing or invalid:
        raise _error_for(type_name, missing, invalid)
    return model(**values, **_stand_ins(fields, hints, unseen))


def _stand_ins(
    fields: Mapping[str, dataclasses.Field[Any]], hints: Mapping[str, Any], unseen: Collection[str]
) -> dict[str, Any]:
    """Return values of inputs that are not at hand, for a model that looks at all of its inputs.

    An input that takes no text keeps its default if it has one.
    """
    return {
        name: _UNSEEN
        for name in unseen
        if _is_required(fields[name]) or _fits(_UNSEEN, hints[name])
    }


def _error_for(type_name: str, missing: list[Problem], invalid: list[Problem]) -> InputError:
    """Return the error that names all missing inputs or, when none is missing, all invalid ones."""
    if missing:
        named = ", ".join(f"{problem.field} ({problem.expected})" for problem in missing)
        return MissingInputError(f"{type_name}: missing {_noun(missing)} {named}")
    named = "; ".join(f"{problem.field}: expected {problem.expected}" for problem in invalid)
    return InvalidInputError(f"{type_name}: invalid {_noun(invalid)} {named}")


def _refuse_unknown(
    type_name: str,
    model: type[Any],
    fields: Mapping[str, dataclasses.Field[Any]],
    given: Collection[Any],
) -> None:
    unknown = sorted(str(name)[:100] for name in given if name not in fields)
    if not unknown:
        return
    refused: Mapping[str, str] = getattr(model, "REFUSED", {})
    reasons = [f"{name} ({refused[name]})" for name in unknown if name in refused]
    if reasons:
        raise ExtraInputError(f"{type_name} does not take {'; '.join(reasons)}")
    guesses = [
        f"{name} (did you mean {close[0]}?)" if close else name
        for name in unknown
        for close in [difflib.get_close_matches(name, fields, n=1)]
    ]
    raise ExtraInputError(
        f"{type_name}: unknown {_noun(unknown)} {', '.join(guesses)};"
        f" {type_name} takes {', '.join(fields)}"
    )


def _own_problems(instance: Any) -> Iterator[Problem]:
    problems = getattr(instance, "problems", None)
    return iter(problems() if problems is not None else ())


def _is_required(known: dataclasses.Field[Any]) -> bool:
    return known.default is dataclasses.MISSING and known.default_factory is dataclasses.MISSING


def _noun(several: Collection[Any]) -> str:
    return "input" if len(several) == 1 else "inputs"


def _kind_of(value: Any) -> str:
    """Return what people call the type of a JSON value."""
    return _SIMPLE[type(value)][0] if type(value) in _SIMPLE else f"a {type(value).__name__}"


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a JSON value is one that the annotation allows."""
    if annotation is Any:
        return True
    if _is_union(annotation):
        return any(_fits(value, one) for one in get_args(annotation))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        # By type as well: 1 == True, and 0 == False.
        return any(value == one and type(value) is type(one) for one in arguments)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            isinstance(key, str) and _fits(item, arguments[1]) for key, item in value.items()
        )
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, annotation)


def expected(annotation: Any) -> str:
    """Return what people call the values that the annotation allows."""
    if annotation is Any:
        return "any value"
    if _is_union(annotation):
        # An input that may be null may also be left out, which nobody needs to be told.
        return " or ".join(expected(one) for one in get_args(annotation) if one is not type(None))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(_as_json(one) for one in arguments)
    if origin is list:
        return f"a list of which each item is {expected(arguments[0])}"
    if origin is dict:
        return f"an object of which each value is {expected(arguments[1])}"
    return _SIMPLE[annotation][0]


def _as_json(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else f'"{value}"'


def schema(model: type[Any]) -> dict[str, Any]:
    """Return a JSON Schema (2020-12) of the model's inputs."""
    hints = get_type_hints(model)
    properties: dict[str, Any] = {}
    for known in dataclasses.fields(model):
        properties[known.name] = {
            **_schema_of(hints[known.name]),
            **(
                {"description": known.metadata["description"]}
                if "description" in known.metadata
                else {}
            ),
            **(
                {"default": known.default}
                if known.default not in (dataclasses.MISSING, None)
                else {}
            ),
            **({"writeOnly": True} if known.metadata.get("secret") else {}),
            **known.metadata.get("schema", {}),
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": [known.name for known in dataclasses.fields(model) if _is_required(known)],
        "additionalProperties": False,
    }


def _schema_of(annotation: Any) -> dict[str, Any]:
    if annotation is Any:
        return {}
    if _is_union(annotation):
        return {"anyOf": [_schema_of(one) for one in get_args(annotation)]}
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _schema_of(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema_of(arguments[1])}
    return {"type": _SIMPLE[annotation][1]}
