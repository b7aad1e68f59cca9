"""Forms: what a message asks of people, and whether a response fits.

Server, command and local backend draw and check the same forms, so this knows nothing but the
standard library. Texts of errors name fields and what is expected of them, never what was given:
it may be secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from math import inf, isfinite
from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

MAX_FORM = 64 * 1024  # bytes of JSON
MAX_RESPONSE = 64 * 1024  # bytes of JSON
_MAX_FIELDS = 100
_MAX_NAME = 253
_LONGEST = 300

# Each element, with the JSON types that its value may have; the first is the default.
ELEMENTS: dict[str, tuple[str, ...]] = {
    "string": ("string",),
    "number": ("number", "integer"),
    "toggle": ("boolean",),
    "password": ("string",),
    "time": ("string",),
    "markdown": ("string", "null"),  # a text between the fields: it has no value
    "submit": ("boolean",),  # a button: true if it is the one that was pressed
}
_ELEMENT_OF = {"string": "string", "number": "number", "integer": "number", "boolean": "toggle"}
_FORMATS: dict[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "date-time": datetime.fromisoformat,
}
_EXAMPLES = {"date": "2026-01-31", "time": "13:30", "date-time": "2026-01-31T13:30:00+01:00"}
_YES, _NO = frozenset({"true", "yes", "y", "on", "1"}), frozenset({"false", "no", "n", "off", "0"})

# What a message without form and request is answered with.
ACKNOWLEDGED: JsonObject = {"ok": True}


class FormError(ValueError):
    """A form that cannot be drawn; says which part of it, and why."""


class ResponseError(ValueError):
    """A response that does not fit the form; says which fields, and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One element of a form."""

    name: str
    element: str
    type: str
    label: str
    description: str = ""
    example: Any = None
    default: Any = None
    format: str = ""
    required: bool = False
    choices: tuple[Any, ...] = ()  # `enum`: the values that there are; empty: any
    minimum: float = -inf
    maximum: float = inf
    min_length: int = 0
    max_length: float = inf

    @property
    def takes_value(self) -> bool:
        """Whether people fill it in."""
        return self.element not in ("markdown", "submit")

    @property
    def is_secret(self) -> bool:
        """Whether its value is not to be shown."""
        return self.element == "password"

    def problem(self, value: Any) -> str | None:
        """Return what is expected of a value that does not fit, or None."""
        if not _is_of_type(value, self.type):
            return f"must be {_article(self.type)}"
        if self.choices and value not in self.choices:
            shown = json.dumps(list(self.choices), ensure_ascii=False)
            return f"must be one of {shown}"[:_LONGEST]
        if self.type == "string":
            return self._problem_of_text(value)
        if self.type != "boolean":
            if value < self.minimum:
                return f"must be at least {self.minimum:g}"
            if value > self.maximum:
                return f"must be at most {self.maximum:g}"
        return None

    def value_of(self, text: str) -> Any:
        """Return the value that a text on a command line means. Raises ResponseError."""
        if self.type == "boolean":
            word = text.strip().lower()
            if word not in _YES | _NO:
                raise ResponseError(f"{self.name}: must be true or false")
            return word in _YES
        if self.type == "string":
            return text
        try:
            number = float(text)
            if not isfinite(number):
                raise ValueError(text)
            return int(text) if text.strip().lstrip("+-").isdecimal() else number
        except ValueError:
            raise ResponseError(f"{self.name}: must be {_article(self.type)}") from None

    def _problem_of_text(self, text: str) -> str | None:
        if len(text) < self.min_length:
            return f"must have at least {self.min_length} characters"
        if len(text) > self.max_length:
            return f"must have at most {self.max_length:g} characters"
        if self.format in _FORMATS and text:
            try:
                _FORMATS[self.format](text)
            except ValueError:
                return f"must be a {self.format} such as {_EXAMPLES[self.format]}"
        return None


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked, in the order in which it is shown."""

    fields: tuple[Field, ...]

    @property
    def buttons(self) -> tuple[Field, ...]:
        """The submit buttons. Where there are none, an OK button is meant."""
        return tuple(field for field in self.fields if field.element == "submit")

    @property
    def is_notice(self) -> bool:
        """Whether there is nothing to say but OK."""
        return all(field.element == "markdown" for field in self.fields)

    @property
    def secrets(self) -> frozenset[str]:
        """The names of fields whose values are not to be shown."""
        return frozenset(field.name for field in self.fields if field.is_secret)

    def field(self, name: str) -> Field | None:
        """Return the field or button of that name."""
        named = (field for field in self.fields if field.element != "markdown")
        return next((field for field in named if field.name == name), None)

    def completed(self, response: Mapping[str, Any]) -> JsonObject:
        """Return a response with all fields of the form: defaults where nothing was given, else
        None; a toggle is False; of the buttons one is True.

        Raises ResponseError that names everything that does not fit.
        """
        if _size(response) > MAX_RESPONSE:
            raise ResponseError(f"a response has at most {MAX_RESPONSE} bytes as JSON")
        if self.is_notice:
            if dict(response) not in ({}, ACKNOWLEDGED):
                raise ResponseError('this message has no fields: it is answered by {"ok": true}')
            return dict(ACKNOWLEDGED)
        known = [field.name for field in self.fields if field.element != "markdown"]
        problems = [
            f"{name[:_MAX_NAME]}: there is no such field; there are {', '.join(known)}"
            for name in response
            if name not in known
        ]
        values: JsonObject = {}
        for field in self.fields:
            if field.takes_value:
                values[field.name], problem = _taken(field, response.get(field.name))
                if problem:
                    problems.append(f"{field.name}: {problem}")
        pressed, problem = self._pressed(response)
        if problem:
            problems.append(problem)
        if problems:
            raise ResponseError("; ".join(problems))
        return values | {button.name: button.name == pressed for button in self.buttons}

    def _pressed(self, response: Mapping[str, Any]) -> tuple[str | None, str | None]:
        """Return the button that was pressed, and what is wrong with that."""
        buttons = [button.name for button in self.buttons]
        given = {name: response[name] for name in buttons if response.get(name) is not None}
        wrong = [name for name, value in given.items() if not isinstance(value, bool)]
        if wrong:
            return None, f"{wrong[0]}: must be a boolean"
        pressed = [name for name, value in given.items() if value]
        if len(pressed) == 1:
            return pressed[0], None
        if len(buttons) <= 1 and not given:
            return next(iter(buttons), None), None
        return None, f"one button is to be pressed: {', '.join(f'{name}=true' for name in buttons)}"


def form(body: JsonObject | None = None, request: str | None = None) -> Form:
    """Return the form of a message. Raises FormError.

    Parameters:
        body: `{"type": "object", "properties": {name: element, …}, "required": [name, …]}`.
        request: Asks for one text, the field `string`; instead of a body.
    """
    if request is not None:
        if body is not None:
            raise FormError("a message has either request or body")
        label = "Your answer" if request in ("", "text") else request
        return Form(
            (Field(name="string", element="string", type="string", label=label, required=True),)
        )
    if body is None:
        return Form(())
    if not isinstance(body, dict) or not isinstance(body.get("properties"), dict):
        raise FormError("body must be an object with `properties`: an element for each field")
    if body.get("type", "object") != "object":
        raise FormError("body.type must be 'object'")
    properties = body["properties"]
    if not 0 < len(properties) <= _MAX_FIELDS:
        raise FormError(f"body.properties must have 1 to {_MAX_FIELDS} elements")
    if _size(body) > MAX_FORM:
        raise FormError(f"body has at most {MAX_FORM} bytes as JSON")
    required = body.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise FormError("body.required must be a list of names")
    for name in required:
        if name not in properties:
            raise FormError(f"body.required names {name[:_MAX_NAME]!r}, which is no field")
    ranked = sorted(
        enumerate(properties.items()), key=lambda one: (_rank(one[1][1], one[0]), one[0])
    )
    return Form(tuple(_field(name, about, name in required) for _, (name, about) in ranked))


def ordered(body: JsonObject) -> JsonObject:
    """Return a form whose elements all have an `order`: Kubernetes does not keep that of keys."""
    properties = body["properties"]
    last = max((_rank(about, -1) for about in properties.values()), default=0.0)
    following = int(max(last, 0)) + 1
    ranked = {
        name: about if "order" in about else {**about, "order": following + place}
        for place, (name, about) in enumerate(properties.items())
    }
    return {**body, "properties": ranked}


def _rank(about: Any, place: int) -> float:
    """Return where an element stands: by its `order`, else after all that have one."""
    order = about.get("order") if isinstance(about, dict) else None
    if isinstance(order, int | float) and _is_of_type(order, "number"):
        return order
    return 1e9 if place >= 0 else 0.0


def _field(name: str, about: Any, required: bool) -> Field:
    where = f"body.properties.{name[:_MAX_NAME]}"
    if not 0 < len(name) <= _MAX_NAME:
        raise FormError(f"{where}: a field's name has 1 to {_MAX_NAME} characters")
    if not isinstance(about, dict):
        raise FormError(f"{where} must be an object such as {{'element': 'string'}}")
    element = about.get("element", _ELEMENT_OF.get(str(about.get("type", "string"))))
    if element not in ELEMENTS:
        raise FormError(f"{where}.element must be one of {', '.join(ELEMENTS)}")
    type_ = about.get("type", ELEMENTS[element][0])
    if type_ not in ELEMENTS[element]:
        allowed = " or ".join(repr(one) for one in ELEMENTS[element])
        raise FormError(f"{where}.type must be {allowed} for the element {element}")
    for key in ("label", "description", "format"):
        if not isinstance(about.get(key, ""), str):
            raise FormError(f"{where}.{key} must be a string")
    for key, kind in (
        ("order", "number"),
        ("minimum", "number"),
        ("maximum", "number"),
        ("minLength", "integer"),
        ("maxLength", "integer"),
    ):
        if key in about and not _is_of_type(about[key], kind):
            raise FormError(f"{where}.{key} must be {_article(kind)}")
    choices = about.get("enum", [])
    if not isinstance(choices, list):
        raise FormError(f"{where}.enum must be a list of values")
    shape = about.get("format", "")
    if element == "time":
        shape = shape or "date-time"
        if shape not in _FORMATS:
            raise FormError(f"{where}.format must be one of {', '.join(_FORMATS)}")
    field = Field(
        name=name,
        element=element,
        type=type_,
        label=about.get("label", name),
        description=about.get("description", ""),
        example=about.get("example"),
        default=about.get("default"),
        format=shape,
        required=required,
        choices=tuple(choices),
        minimum=about.get("minimum", -inf),
        maximum=about.get("maximum", inf),
        min_length=about.get("minLength", 0),
        max_length=about.get("maxLength", inf),
    )
    if field.takes_value and field.default is not None and (why := field.problem(field.default)):
        raise FormError(f"{where}.default {why}")
    return field


def _taken(field: Field, given: Any) -> tuple[Any, str | None]:
    """Return a field's value, and what is wrong with it."""
    value = field.default if given is None else given
    if value is None:
        value = False if field.type == "boolean" and not field.required else None
    if field.required and value in (None, ""):
        return None, "is required"
    if value is None:
        return None, None
    if value == "" and given == "" and field.element == "time":
        return None, None  # left empty
    if why := field.problem(value):
        return None, why
    if field.type == "integer":
        return int(value), None
    return value, None


def _is_of_type(value: Any, type_: str) -> bool:
    match type_:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case _:
            if isinstance(value, float):
                return isfinite(value) and (type_ == "number" or value.is_integer())
            return isinstance(value, int) and not isinstance(value, bool)


def _article(type_: str) -> str:
    return f"{'an' if type_[0] in 'aeiou' else 'a'} {type_}"


def _size(value: Any) -> int:
    try:
        return len(json.dumps(value).encode())
    except (TypeError, ValueError, RecursionError):
        return MAX_FORM + 1
