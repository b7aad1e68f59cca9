"""What becomes of text from outside."""

from __future__ import annotations

import base64

import pytest

from weir_connectors.scrubbing import scrub

SECRET = "p@ss/word 1"
KEY = "-----BEGIN KEY-----\nAAAABBBBCCCC\nDDDDEEEEFFFF\n-----END KEY-----"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        pytest.param("plain words", "plain words", id="harmless text stays"),
        pytest.param(f"it was {SECRET}!", "it was ***!", id="a secret"),
        pytest.param("it was p%40ss%2Fword%201", "it was ***", id="a secret in a URL's form"),
        pytest.param(
            f"Basic {base64.b64encode(SECRET.encode()).decode()}", "Basic ***", id="in base64"
        ),
        pytest.param("bad line: DDDDEEEEFFFF", "bad line: ***", id="a line of a key"),
        pytest.param("at https://ada:x@host/y", "at https://***@host/y", id="a login in a URL"),
        pytest.param("at https://h/y?token=1 now", "at https://h/y?*** now", id="a URL's query"),
        pytest.param("red \x1b[31mtext\r\nnext", "red  [31mtext \nnext", id="control characters"),
        pytest.param("a" * 700, "…" + "a" * 599, id="too much"),
    ],
)
def test_text_is_scrubbed(text: str, scrubbed: str) -> None:
    assert scrub(text, [SECRET, KEY]) == scrubbed


def test_a_very_short_secret_does_not_make_holes_into_words() -> None:
    assert scrub("a bad day", ["a"]) == "a bad day"
