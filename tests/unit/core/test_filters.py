"""Filters of lists: each operation, their combinations, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_protocol.filters import FilterError, check, matches

ROW = {
    "name": "nightly 50%",
    "message": None,
    "size": 12,
    "is_enabled": True,
    "value": {"a": [1, 2.0]},
    "created_at": "2026-11-24T11:00:00.500000Z",
}


def condition(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("field", "op", "value", "passes"),
    [
        ("name", "eq", "nightly 50%", True),
        ("name", "eq", "Nightly 50%", False),
        ("name", "ne", "other", True),
        ("size", "eq", 12.0, True),
        ("is_enabled", "eq", True, True),
        ("is_enabled", "eq", 1, False),
        ("size", "eq", None, False),
        ("message", "eq", None, True),
        ("message", "ne", "x", True),
        ("value", "eq", {"a": [1, 2]}, True),
        ("value", "eq", {"a": [True, 2]}, False),
        ("value", "eq", {"a": [1, 2, 3]}, False),
        ("name", "like", "nightly%", True),
        ("name", "like", "%50%", True),
        ("name", "like", "nightl_ 50_", True),
        ("name", "like", "nightly", False),
        ("name", "like", r"%\%", True),
        ("name", "like", r"%5\%", False),
        ("name", "like", r"nightl\_%", False),
        ("name", "like", "", False),
        ("message", "like", "%", False),
        ("size", "like", "12", False),
        ("name", "in", ["a", "nightly 50%"], True),
        ("name", "in", [], False),
        ("size", "gt", 11, True),
        ("size", "gt", 12, False),
        ("size", "ge", 12, True),
        ("size", "lt", 12, False),
        ("size", "le", 12.5, True),
        ("size", "gt", "1", False),
        ("is_enabled", "gt", 0, False),
        ("message", "lt", "x", False),
        ("name", "ge", "night", True),
        ("message", "isnull", None, True),
        ("message", "isnull", True, True),
        ("message", "isnull", False, False),
        ("name", "isnull", False, True),
        ("created_at", "gt", "2026-11-24", True),
        ("created_at", "gt", "2026-11-24T12:00:00+01:00", True),
        ("created_at", "eq", "2026-11-24T11:00:00.5Z", True),
        ("created_at", "lt", 1_800_000_000, True),
    ],
)
def test_a_condition(field: str, op: str, value: Any, passes: bool) -> None:
    wanted = condition(field, op, value)
    check(wanted, ROW)
    assert matches(wanted, ROW) is passes


TRUE, FALSE = condition("size", "eq", 12), condition("size", "eq", 13)


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (None, True),
        ({"and": [TRUE, TRUE]}, True),
        ({"and": [TRUE, FALSE]}, False),
        ({"and": []}, True),
        ({"or": [FALSE, TRUE]}, True),
        ({"or": [FALSE]}, False),
        ({"or": []}, False),
        ({"not": FALSE}, True),
        ({"not": {"or": [FALSE, {"and": [TRUE, {"not": TRUE}]}]}}, True),
    ],
)
def test_a_combination(wanted: Any, passes: bool) -> None:
    if wanted is not None:
        check(wanted, ROW)
    assert matches(wanted, ROW) is passes


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ([], "a filter is an object, not []"),
        ({}, "there is no field None; there are created_at, is_enabled, message, name, size"),
        (condition("colour", "eq"), "there is no field 'colour'"),
        (condition("name", "is"), "there is no op 'is'; there are eq, ne, like, in, gt"),
        ({**TRUE, "values": 1}, "it has no 'values'"),
        ({"and": [TRUE], "or": [TRUE]}, "'and' stands alone"),
        ({"and": TRUE}, "'and' takes a list of filters"),
        ({"not": [TRUE]}, "a filter is an object"),
        (condition("name", "in", "abc"), "'in' takes a list, not 'abc'"),
        (condition("name", "like", 3), "'like' takes a text"),
        (condition("name", "isnull", "yes"), "'isnull' takes true or false"),
        (condition("size", "gt", None), "'gt' takes a number or a text, not None"),
        (condition("created_at", "gt", "yesterday"), "created_at is a time"),
        ({"or": [TRUE] * 200}, "at most 200 conditions"),
    ],
)
def test_what_cannot_be_asked_for_is_named(wanted: Any, says: str) -> None:
    with pytest.raises(FilterError) as raised:
        check(wanted, ROW)
    assert says in str(raised.value)


def test_a_filter_nested_without_end_is_refused() -> None:
    deep: Any = TRUE
    for _ in range(10_000):
        deep = {"not": deep}
    with pytest.raises(FilterError, match="20 deep"):
        check(deep, ROW)


@given(st.text("ab%", max_size=6), st.text("ab", max_size=8))
def test_like_agrees_with_trying_every_split(pattern: str, text: str) -> None:
    def like(wanted: str, found: str) -> bool:
        if not wanted:
            return not found
        if wanted[0] == "%":
            return any(like(wanted[1:], found[at:]) for at in range(len(found) + 1))
        return bool(found) and wanted[0] == found[0] and like(wanted[1:], found[1:])

    assert matches(condition("name", "like", pattern), {"name": text}) is like(pattern, text)


def test_a_pattern_of_many_wildcards_takes_no_time() -> None:
    wanted = condition("message", "like", "%a" * 50 + "%b")
    assert not matches(wanted, {"message": "a" * 4096})
