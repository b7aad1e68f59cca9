"""Which JSON objects fit a model, and what is said about those that do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from weir_connectors.errors import ExtraInputError, InvalidInputError, MissingInputError
from weir_connectors.inputs import Problem, about, marked, parse, schema


@dataclass(frozen=True, kw_only=True)
class Inputs:
    url: str = field(metadata=about("Where.", transport=True))
    mode: Literal["read", "write"] = "read"
    tries: int = 3
    delay: float = 0.5
    check: bool = True
    names: list[str] = field(default_factory=list)
    headers: dict[str, str] | None = None
    body: dict = field(default_factory=dict)  # type: ignore[type-arg]
    key: str | Literal[False] | None = field(default=None, metadata=about("Who.", secret=True))
    anything: Any = None

    def problems(self) -> Iterator[Problem]:
        if self.tries < 1:
            yield Problem("tries", "at least 1")
        if self.mode == "write" and self.key is None:
            yield Problem("key", "a string, to write", "missing")
        if self.key == "":
            yield Problem("key", "not empty")


def parsed(unseen: tuple[str, ...] = (), **inputs: Any) -> Inputs:
    return parse("TEST", Inputs, {"url": "x", **inputs}, unseen)


def test_what_is_not_given_has_its_default() -> None:
    assert parsed() == Inputs(url="x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("mode", "read", id="a literal"),
        pytest.param("tries", 5, id="a whole number"),
        pytest.param("delay", 5, id="a whole number for a number"),
        pytest.param("delay", 0.25, id="a number"),
        pytest.param("check", False, id="a boolean"),
        pytest.param("names", ["a", "b"], id="a list of strings"),
        pytest.param("names", [], id="an empty list"),
        pytest.param("headers", {"a": "b"}, id="an object of strings"),
        pytest.param("headers", None, id="null where it may be null"),
        pytest.param("body", {"a": [1, {"b": None}]}, id="any object"),
        pytest.param("key", "secret", id="the first of two types"),
        pytest.param("key", False, id="the second of two types"),
        pytest.param("anything", [1], id="anything"),
    ],
)
def test_a_value_fits(name: str, value: Any) -> None:
    result = getattr(parsed(**{name: value}), name)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param("url", 1, "url: expected a string, not a whole number", id="a number as text"),
        pytest.param("url", None, "url: expected a string, not null", id="null as text"),
        pytest.param(
            "mode", "append", 'mode: expected "read" or "write", not a string', id="literal"
        ),
        pytest.param("tries", "3", "tries: expected a whole number, not a string", id="text"),
        pytest.param("tries", 3.0, "tries: expected a whole number, not a number", id="a number"),
        pytest.param("tries", True, "tries: expected a whole number, not true or false", id="bool"),
        pytest.param("delay", "1", "delay: expected a number, not a string", id="text as number"),
        pytest.param(
            "delay", True, "delay: expected a number, not true or false", id="bool as number"
        ),
        pytest.param(
            "check", 1, "check: expected true or false, not a whole number", id="1 as true"
        ),
        pytest.param(
            "names",
            "a",
            "names: expected a list of which each item is a string, not a string",
            id="text",
        ),
        pytest.param(
            "names",
            ["a", 1],
            "names: expected a list of which each item is a string, not a list",
            id="item",
        ),
        pytest.param(
            "headers",
            {"a": 1},
            "headers: expected an object of which each value is a string, not an object",
            id="a value of an object",
        ),
        pytest.param("key", True, "key: expected a string or false, not true or false", id="true"),
        pytest.param(
            "key", 0, "key: expected a string or false, not a whole number", id="0 as false"
        ),
        pytest.param("tries", 0, "tries: expected at least 1", id="a value that the model refuses"),
    ],
)
def test_a_value_does_not_fit(name: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parsed(**{name: value})
    assert str(refused.value) == f"TEST: invalid input {message}"


def test_all_invalid_inputs_are_named_at_once() -> None:
    with pytest.raises(InvalidInputError) as refused:
        parsed(url=1, tries="x")
    assert str(refused.value) == (
        "TEST: invalid inputs url: expected a string, not a whole number;"
        " tries: expected a whole number, not a string"
    )


def test_a_missing_input_is_named_with_what_was_expected() -> None:
    with pytest.raises(MissingInputError) as refused:
        parse("TEST", Inputs, {"tries": "wrong too"})
    assert str(refused.value) == "TEST: missing input url (a string)"


def test_an_input_that_others_make_necessary_is_missing() -> None:
    with pytest.raises(MissingInputError, match=r"TEST: missing input key \(a string, to write\)"):
        parsed(mode="write")


def test_an_unknown_input_is_named_before_a_missing_one_with_a_guess() -> None:
    with pytest.raises(ExtraInputError) as refused:
        parse("TEST", Inputs, {"ulr": "x", "zzz": 1})
    assert str(refused.value) == (
        "TEST: unknown inputs ulr (did you mean url?), zzz;"
        " TEST takes url, mode, tries, delay, check, names, headers, body, key, anything"
    )


@pytest.mark.parametrize("inputs", [[], "text", None, 1])
def test_inputs_must_be_an_object(inputs: Any) -> None:
    with pytest.raises(InvalidInputError, match="TEST: the inputs must be an object, not"):
        parse("TEST", Inputs, inputs)


def test_no_value_is_ever_repeated() -> None:
    for inputs in ({"url": ["s3cret"]}, {"mode": "s3cret"}, {"names": {"s3cret": 1}}):
        with pytest.raises(InvalidInputError) as refused:
            parsed(**inputs)
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("unseen", "inputs"),
    [
        pytest.param(("url",), {}, id="counts as given"),
        pytest.param(("key",), {"url": "x", "mode": "write"}, id="counts as given beside others"),
        pytest.param(("names",), {"url": "x"}, id="counts as right whatever its type"),
        pytest.param(("key",), {"url": "x", "key": ""}, id="is not judged by a value at hand"),
    ],
)
def test_an_input_that_is_not_seen(unseen: tuple[str, ...], inputs: dict[str, Any]) -> None:
    parse("TEST", Inputs, inputs, unseen)


def test_an_unknown_input_that_is_not_seen_is_refused() -> None:
    with pytest.raises(ExtraInputError, match="unknown input token"):
        parsed(unseen=("token",))


def test_marks_are_found() -> None:
    assert marked(Inputs, "secret") == {"key"}
    assert marked(Inputs, "transport") == {"url"}


def test_a_schema_describes_the_model() -> None:
    described = schema(Inputs)
    assert described["required"] == ["url"]
    assert described["additionalProperties"] is False
    assert described["properties"]["url"] == {"type": "string", "description": "Where."}
    assert described["properties"]["mode"] == {"enum": ["read", "write"], "default": "read"}
    assert described["properties"]["names"] == {"type": "array", "items": {"type": "string"}}
    assert described["properties"]["anything"] == {}
    assert described["properties"]["body"] == {"type": "object"}
    assert described["properties"]["key"] == {
        "anyOf": [{"type": "string"}, {"enum": [False]}, {"type": "null"}],
        "description": "Who.",
        "writeOnly": True,
    }
