"""What JSON can hold, and how what it cannot is named."""

from typing import Any

import pytest

from flow_api._values import MAX_REPR, NotJsonError, checked, text_of

LOOP: dict[str, Any] = {}
LOOP["loop"] = LOOP


@pytest.mark.parametrize(
    ("value", "trouble"),
    [
        pytest.param({"a": object()}, r"v\['a'\] is an object", id="an object"),
        pytest.param({"a": b"x"}, r"v\['a'\] is a bytes", id="bytes"),
        pytest.param([float("inf")], r"v\[0\] is inf", id="an infinite number"),
        pytest.param({1: 2}, "v has the key 1, an int", id="a key that is no text"),
        pytest.param({"a": ["\udc80"]}, r"v\['a'\]\[0\] holds half a surrogate", id="no Unicode"),
        pytest.param({"\udc80": 1}, "v holds half a surrogate", id="a key that is no Unicode"),
        pytest.param([10**5000], r"v\[0\] is an integer of more than", id="an endless integer"),
        pytest.param(LOOP, "contains itself", id="a value that contains itself"),
    ],
)
def test_the_error_says_what_and_where(value: Any, trouble: str) -> None:
    with pytest.raises(NotJsonError, match=trouble):
        checked(value, "v")


def test_a_checked_value_is_a_copy() -> None:
    value = {"a": [1, "é", None, 1.5, (True,)]}
    copy = checked(value, "v")
    assert copy == {"a": [1, "é", None, 1.5, [True]]}
    assert copy["a"] is not value["a"]


def test_a_long_repr_is_cut_and_says_its_length() -> None:
    text = text_of(b"x" * (2 * MAX_REPR))
    assert text.endswith(f"… ({2 * MAX_REPR + 3} characters)")


def test_a_repr_that_fails_does_not_fail_the_log() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise KeyError("x")

    assert text_of(Broken()) == "<Broken whose repr failed with KeyError>"
