"""A connection's secrets leave the runner in no form."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tests.unit.runner.fakes import FakeServer, run
from weir_connectors import errors, registry
from weir_protocol import Connection
from weir_runner.scrubbing import Scrubber

SECRET = "s3cr3t+pass/word"
KEY = "-----BEGIN KEY-----\nMIIabc  def\nx\n-----END KEY-----\n"

HIDDEN: dict[str, tuple[Any, str, str]] = {
    "as it is": (SECRET, f"login with {SECRET}!", "login with ***!"),
    "in an address": (SECRET, f"https://ada:{quote(SECRET, safe='')}@host", "https://ada:***@host"),
    "in a path of an address": (SECRET, f"GET /{quote(SECRET)}", "GET /***"),
    "in a form": ("two words+", f"p={quote_plus('two words+')}", "p=***"),
    "in JSON": ('say "ä"', json.dumps({"p": 'say "ä"'}), '{"p": "***"}'),
    "in JSON with its letters": ('"ä"ö', json.dumps('"ä"ö', ensure_ascii=False), '"***"'),
    "in base 64": (SECRET, base64.b64encode(SECRET.encode()).decode(), "***"),
    "in a repr": ("a\nb\nc\td", repr("a\nb\nc\td"), "'***'"),
    "a key as a whole": (KEY, f"<{KEY}>", "<***>"),
    "a line of a key": (KEY, "bad line: MIIabc  def", "bad line: ***"),
    "a short one only alone": ("abc", "abcdef abc", "abcdef abc"),
    "a short one alone": ("abc", "abc", "***"),
    "the longer one first": (["word", "password"], "password word", "*** ***"),
    "deep in a value": ({"a": [{"b": SECRET}]}, SECRET, "***"),
    "a number": (12345, "pin 12345", "pin ***"),
    "nothing for nothing": ([None, "", True], "None True", "None True"),
}


@pytest.mark.parametrize(("secret", "text", "shown"), HIDDEN.values(), ids=HIDDEN.keys())
def test_a_secret_is_hidden(secret: Any, text: str, shown: str) -> None:
    assert Scrubber([secret]).text(text) == shown


def test_secrets_are_hidden_in_values_and_their_keys() -> None:
    value = {f"k-{SECRET}": [1, {"v": SECRET}], "n": None}
    assert Scrubber([SECRET]).value(value) == {"k-***": [1, {"v": "***"}], "n": None}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(12345, "***"), (1234.5, "***"), (123456, 123456), (7, 7), (True, True), (None, None)],
)
def test_a_number_is_hidden_if_it_is_a_secret_of_some_length(value: Any, shown: Any) -> None:
    assert Scrubber([12345, "1234.5", 7, True]).value([value]) == [shown]


class FakeConnector:
    """A connection type that does what a test wants."""

    def __init__(self, act: Callable[[dict[str, Any], Any], Any]) -> None:
        self._act = act

    def run(self, inputs: dict[str, Any], context: Any) -> Any:
        return self._act(inputs, context)


def connected(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[dict[str, Any], Any], Any]
) -> FakeServer:
    monkeypatch.setattr(registry, "load", lambda _name: FakeConnector(act))
    inputs = {"host": "example.com", "password": SECRET, "key": KEY}
    connection = Connection(type="FAKE", inputs=inputs, secret_inputs=["password", "key", "none"])
    return run(connection=connection)


def _fail(error: BaseException) -> Any:
    def act(_inputs: dict[str, Any], _context: Any) -> Any:
        raise error

    return act


ENDS: dict[str, tuple[BaseException, tuple[str, str, str]]] = {
    "a failure": (
        errors.ConnectionFailed(f"denied: {SECRET}"),
        ("error", "ConnectionFailed", "denied: ***"),
    ),
    "a cancellation": (
        errors.ConnectionCancelled("given up"),
        ("cancelled", "Cancelled", "given up"),
    ),
    "a wrong input": (
        errors.MissingInputError("FAKE needs url"),
        ("error", "ConnectionFailed", "MissingInputError: FAKE needs url"),
    ),
    "a missing library": (
        ImportError("no git"),
        (
            "error",
            "ConnectionFailed",
            "the FAKE connection's library is not in the runner image: no git",
        ),
    ),
    "a fault of the type": (
        ValueError(f"boom {SECRET}"),
        ("error", "ConnectionFailed", "the FAKE connection broke: ValueError: boom ***"),
    ),
    "a failure that quotes a key of many lines": (
        errors.ConnectionFailed(f"bad key {KEY}"),
        ("error", "ConnectionFailed", "bad key ***"),
    ),
}


@pytest.mark.parametrize(("error", "end"), ENDS.values(), ids=ENDS.keys())
def test_a_connection_ends_by(
    error: BaseException, end: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = connected(monkeypatch, _fail(error))
    assert (server.end.status, server.end.reason, server.end.message) == end
    assert SECRET not in repr(server.logs)


def test_a_secret_that_the_cut_of_a_message_would_hit_is_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = errors.ConnectionFailed("x" * 995 + SECRET)
    message = connected(monkeypatch, _fail(error)).end.message
    assert message == "x" * 995 + "***"


def test_a_connections_outputs_log_and_prints_are_free_of_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act(inputs: dict[str, Any], context: Any) -> Any:
        context.log(f"using {inputs['password']}")
        print(inputs["password"][:5], end="")
        print(inputs["password"][5:])
        print(inputs["key"])
        return {"echo": inputs["password"], "rows": (1, 2)}

    server = connected(monkeypatch, act)
    assert server.end.outputs == {"echo": "***", "rows": [1, 2]}
    assert server.texts("log") == ["using ***"]
    # A line of fewer than four characters would hide itself in too much else.
    assert server.texts("stdout") == ["***", "***", "***", "x", "***", ""]


def test_what_a_connection_makes_of_its_secrets_can_be_hidden_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act(_inputs: dict[str, Any], context: Any) -> Any:
        context.hide("made-of-it")
        context.log("sent made-of-it")
        return {"echo": ["made-of-it"]}

    server = connected(monkeypatch, act)
    assert server.texts("log") == ["sent ***"]
    assert server.end.outputs == {"echo": ["***"]}


def test_a_connection_knows_whose_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = connected(monkeypatch, lambda _inputs, run: {"uid": run.uid, "try": run.try_number})
    assert seen.end.outputs == {"uid": "own", "try": 1}


def test_what_a_connection_returns_must_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    end = connected(monkeypatch, lambda _inputs, _context: {"at": object()}).end
    assert (end.reason, end.message) == (
        "InvalidOutputs",
        "the FAKE connection returned what is no JSON: output_value['at'] is an object, which JSON "
        "cannot hold; convert it first, such as to a text",
    )
