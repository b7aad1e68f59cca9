from typing import Any

import pytest

from weir_protocol.schemas import problem_with_schema, problem_with_value


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({}, id="anything goes"),
        pytest.param({"type": "object", "required": ["a"]}, id="a plain schema"),
        pytest.param(
            {"$schema": "https://json-schema.org/draft/2020-12/schema"}, id="the dialect is named"
        ),
        pytest.param(
            {"$defs": {"a": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a"}}},
            id="a reference within the document",
        ),
        pytest.param({"properties": {"$ref": {"type": "string"}}}, id="a property called $ref"),
    ],
)
def test_a_schema_may_be_used(schema: dict[str, Any]) -> None:
    assert problem_with_schema(schema) is None


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        pytest.param({"type": "strin"}, "schema.type: ", id="an unknown type"),
        pytest.param(
            {"properties": {"a": {"minimum": "x"}}},
            "schema.properties.a.minimum: ",
            id="the path says where",
        ),
        pytest.param(
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            "only https://json-schema.org/draft/2020-12/schema",
            id="another dialect",
        ),
        pytest.param(
            {"allOf": [{"$ref": "https://example.com/schema.json"}]},
            "points to another document",
            id="a remote reference is never fetched",
        ),
        pytest.param({"$ref": "#/$defs/gone"}, "leads nowhere", id="a reference to nothing"),
        pytest.param({"$ref": "#"}, "leads nowhere", id="a reference to itself"),
        pytest.param(deep(2000), "nested too deeply", id="a schema that is nested too deeply"),
    ],
)
def test_a_schema_that_cannot_be_used_says_why(schema: dict[str, Any], message: str) -> None:
    assert message in (problem_with_schema(schema) or "")


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        pytest.param({"type": "object"}, {}, None, id="a value that fits"),
        pytest.param(
            {"properties": {"count": {"type": "integer"}}},
            {"count": "geheim"},
            "inputs.count: must be integer, not string",
            id="the path and the type, never the value",
        ),
        pytest.param(
            {"properties": {"a": {"items": {"properties": {"b": {"type": ["null", "string"]}}}}}},
            {"a": [{}, {"b": 1}]},
            "inputs.a[1].b: must be null or string, not number",
            id="paths lead through lists",
        ),
        pytest.param(
            {"required": ["name", "age"]}, {"age": 1}, "inputs: lacks name", id="what is missing"
        ),
        pytest.param(
            {"properties": {"a": {}}, "additionalProperties": False},
            {"b": "geheim"},
            "inputs: Additional properties are not allowed ('b' was unexpected)",
            id="what is too much",
        ),
        pytest.param(
            {"properties": {"a": {"enum": ["x", "y"]}}},
            {"a": "geheim"},
            'inputs.a: must be one of ["x", "y"]',
            id="what may be chosen",
        ),
        pytest.param(
            {"properties": {"a": {"minimum": 3}}},
            {"a": 1},
            "inputs.a: does not satisfy minimum: 3",
            id="any other rule",
        ),
        pytest.param(
            {"$ref": "#/$defs/gone"},
            {},
            "the schema of inputs has a $ref that leads nowhere",
            id="a schema that was never checked",
        ),
        pytest.param(
            {"$ref": "#"}, {}, "inputs: the value or its schema is nested too deeply", id="a circle"
        ),
    ],
)
def test_a_value_is_checked(schema: dict[str, Any], value: Any, problem: str | None) -> None:
    found = problem_with_value(schema, value, what="inputs")

    assert found == problem if problem is None else (found or "").startswith(problem)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "null"), (True, "boolean"), (1.5, "number"), ("", "string"), ([], "array")],
)
def test_kinds_are_called_as_json_calls_them(value: Any, kind: str) -> None:
    assert problem_with_value({"type": "object"}, value, what="x") == (
        f"x: must be object, not {kind}"
    )


def test_an_object_is_called_object() -> None:
    assert problem_with_value({"type": "null"}, {}, what="x") == "x: must be null, not object"
