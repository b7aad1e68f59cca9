from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.core.versions import Version, parse_range, version_of

TAGS = (
    "v0.2.1", "0.2.9", "0.3.0", "v1.0.0", "1.2.3", "v1.3.0-rc.1", "v1.3.0", "v1.4.0", "1.4.7",
    "v1.5.0", "2.0.0-beta.2", "v2.0.0", "nightly", "01.2.3", "1.2.3.4", "v", "release-9.0.0",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "highest"),
    [
        (">=1.2 <2", "v1.5.0"),
        (">=1.2, <2", "v1.5.0"),
        (">= 1.2 < 1.4.7", "v1.4.0"),
        ("1.4.x", "1.4.7"),
        ("1.4.*", "1.4.7"),
        ("1.4", "1.4.7"),
        ("1", "v1.5.0"),
        ("=1.4.0", "v1.4.0"),
        ("v1.4.0", "v1.4.0"),
        ("^1.2", "v1.5.0"),
        ("^0.2.1", "0.2.9"),
        ("^0", "0.3.0"),
        ("~1.2", "1.2.3"),
        ("~1.4.0", "1.4.7"),
        ("~1", "v1.5.0"),
        ("1.2 - 1.4", "1.4.7"),
        ("*", "v2.0.0"),
        ("<1 || >=2", "v2.0.0"),
        ("<0.3 || 0.2.x", "0.2.9"),
        ("!=2.0.0 >1", None),  # `>1` is above all of 1
        ("!=2.0.0", "v1.5.0"),
        ("<=1.4", "1.4.7"),
        (">1.4 <2", "v1.5.0"),
        ("<2", "v1.5.0"),
        (">=2.0.0-0 <2.0.0", "2.0.0-beta.2"),
        ("~1.3.0-rc.0", "v1.3.0"),
        ("=1.3.0-rc.1", "v1.3.0-rc.1"),
        (">2", None),
        ("<*", None),
        (">*", None),
        ("<=x", "v2.0.0"),
        ("^*", "v2.0.0"),
        ("~>1.2", "1.2.3"),
        ("<=2.0.0-beta.2", "2.0.0-beta.2"),
        ("^3", None),
    ],
)
def test_the_highest_version_of_a_range_is_taken(text: str, highest: str | None) -> None:
    assert parse_range(text).highest(TAGS) == highest


@pytest.mark.parametrize(
    "text", ["", " ", "new", "1.2.", "||", "1 ||", ">=", "1.2.3.4", ">=1<2", "=> 1", "1,,2", "01"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a range of versions, such as"):
        parse_range(text)


def test_versions_are_ordered_as_semver_says() -> None:
    ordered = (
        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
        "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.10", "1.2.0", "10.0.0",
    )  # fmt: skip
    versions = [version_of(text) for text in ordered]
    assert None not in versions
    assert sorted(one for one in reversed(versions) if one) == versions


def test_of_two_tags_of_one_version_the_longer_is_taken() -> None:
    assert parse_range("*").highest(["v1", "v1.2", "v1.2.0"]) == "v1.2.0"


numbers = st.integers(min_value=0, max_value=5)


@given(numbers, numbers, numbers, numbers, numbers, numbers)
def test_a_caret_keeps_the_first_number_that_is_not_zero(
    a: int, b: int, c: int, x: int, y: int, z: int
) -> None:
    inside = Version((x, y, z)) in parse_range(f"^{a}.{b}.{c}")
    kept = {True: (a,), False: {True: (0, b), False: (0, 0, c)}[b > 0]}[a > 0]
    assert inside == ((x, y, z) >= (a, b, c) and (x, y, z)[: len(kept)] == kept)
