"""Derived names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.api import names

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        pytest.param("my_other_flow_name", "my-other-flow-name", id="underscores become dashes"),
        pytest.param("acs.sign", "acs-sign", id="dots become dashes"),
        pytest.param("Scheduled monthly", "scheduled-monthly", id="capitals become small"),
        pytest.param("Über Café", "uber-cafe", id="accents are dropped"),
        pytest.param("名前", "x", id="nothing left becomes x"),
        pytest.param("-- a --", "a", id="dashes at the ends are dropped"),
    ],
)
def test_slugs(title: str, expected: str) -> None:
    assert names.slug(title) == expected


@given(st.text(), st.text(), st.integers(1, 9), st.integers(1, 10**6))
def test_child_names_are_dns_labels(target: str, uid: str, try_number: int, sequence: int) -> None:
    name = names.child_name(target, uid, try_number, sequence)
    assert DNS_LABEL.fullmatch(name)
    assert len(name) <= names.MAX_NAME


@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True), st.integers(0, 99))
def test_pod_names_are_dns_labels_and_differ_by_attempt(execution: str, attempt: int) -> None:
    name = names.pod_name(execution, "uid", attempt)
    assert DNS_LABEL.fullmatch(name)
    assert len(name) <= names.MAX_NAME
    assert name == names.pod_name(execution, "uid", attempt)
    assert name != names.pod_name(execution, "uid", attempt + 1)


def test_parts_of_a_digest_cannot_run_into_each_other() -> None:
    assert names.digest("a", "bc") != names.digest("ab", "c")


@pytest.mark.parametrize(
    ("word", "stem", "is_plain"),
    [
        ("acs.sign Key", "acs-sign-key", True),
        ("limits", "limits", True),
        ("ключ", "x", False),
        ("Schlüssel", "schlussel", False),
        ("...", "x", False),
        ("a" * 64, "a" * 54, False),
    ],
)
def test_a_record_is_named_by_its_slug_with_a_hash_where_that_says_too_little(
    word: str, stem: str, is_plain: bool
) -> None:
    made = names.record_name(word)
    assert names.is_plain(word) is is_plain
    assert made == stem if is_plain else re.fullmatch(rf"{stem}-[a-z0-9]{{8}}", made)
    assert names.is_object_name(made)


@pytest.mark.parametrize("word", ["", "A", "a_b", "-a", "a-", "a" * 64, "a/b", "a b"])
def test_what_no_object_is_called(word: str) -> None:
    assert not names.is_object_name(word)
