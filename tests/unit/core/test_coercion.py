"""Values that are bent towards a schema."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_protocol.coercion import coerced

OBJECT = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "unit": {"type": "string", "default": "kg"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "again": {"$ref": "#"},
    },
    "additionalProperties": {"type": "number"},
}


@pytest.mark.parametrize(
    ("schema", "value", "bent"),
    [
        ({"type": "integer"}, " 12 ", 12),
        ({"type": "integer"}, "1.5", "1.5"),
        ({"type": "integer"}, "9" * 30, "9" * 30),
        ({"type": "integer"}, 2.0, 2.0),
        ({"type": "integer"}, 10**400, 10**400),
        ({"type": "integer"}, True, True),
        ({"type": "number"}, "1.5e3", 1500.0),
        ({"type": "number"}, "1e999", "1e999"),
        ({"type": "number"}, "nan", "nan"),
        ({"type": "number"}, "1-2", "1-2"),
        ({"type": "boolean"}, "True", True),
        ({"type": "boolean"}, "yes", "yes"),
        ({"type": "boolean"}, 1, 1),
        ({"type": ["null", "integer"]}, "", None),
        ({"type": "string"}, 12, "12"),
        ({"type": "string"}, True, "true"),
        ({"type": "string"}, None, None),
        ({"type": ["integer", "string"]}, "12", "12"),
        ({"type": "array"}, "x", "x"),
        ({"type": "odd"}, "1", "1"),
        ({}, "12", "12"),
        (True, "12", "12"),
        (OBJECT, {"count": "3"}, {"count": 3, "unit": "kg"}),
        (OBJECT, {"unit": 7, "tags": [1], "x": "2"}, {"unit": "7", "tags": ["1"], "x": 2.0}),
        (OBJECT, {"unit": "", "again": {"unit": 1}}, {"unit": "", "again": {"unit": "1"}}),
        ({"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}, ["1", 2], [1, "2"]),
        ({"allOf": [{"type": "integer"}]}, "1", 1),
        ({"anyOf": [{"type": "integer"}]}, "1", "1"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "integer"}}}, "1", 1),
        ({"$ref": "https://example.com/x"}, "1", "1"),
        ({"$ref": "#/missing/here"}, "1", "1"),
    ],
)
def test_a_value_is_bent_where_that_is_plain(schema: Any, value: Any, bent: Any) -> None:
    found = coerced(schema, value)
    assert found == bent
    assert type(found) is type(bent)


def test_the_value_itself_and_the_schema_stay_as_they_are() -> None:
    value: dict[str, Any] = {"tags": [1]}
    schema = {"properties": {"tags": {"items": {"type": "string"}}, "x": {"default": []}}}
    found = coerced(schema, value)
    found["x"].append(1)
    assert value == {"tags": [1]}
    assert schema["properties"]["x"] == {"default": []}


def test_a_schema_that_contains_itself_ends() -> None:
    assert coerced({"$ref": "#"}, "1") == "1"
    deep: Any = "1"
    for _ in range(200):
        deep = {"again": deep}
    coerced(OBJECT, deep)
    coerced({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, "1")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_what_fits_is_left_alone(value: Any) -> None:
    assert coerced({}, value) == value
