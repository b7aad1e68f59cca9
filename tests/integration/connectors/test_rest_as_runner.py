"""REST connections as a runner makes them: what becomes of the run, and of its secrets."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.integration.connectors.conftest import rest
from tests.integration.connectors.rest_server import RestServer
from tests.unit.runner.fakes import FakeServer, run
from weir_connectors.errors import InvalidInputError
from weir_protocol import Connection, encode

SECRET = "s3cret+of/ada"


def connected(inputs: dict[str, Any], secret_inputs: list[str]) -> FakeServer:
    return run(
        connection=Connection(
            type="REST", inputs={"retry_backoff": None, **inputs}, secret_inputs=secret_inputs
        )
    )


SECRETS: dict[str, dict[str, Any]] = {
    "password": {"username": "ada", "password": SECRET},
    "token": {"authentication_method": "bearer", "password": SECRET},
    "headers": {"headers": f"X-Api-Key: {SECRET}\nAuthorization: Token {SECRET}"},
    "cookies": {"cookies": f"session={base64.b32encode(SECRET.encode()).decode()}"},
    "body": {"method": "post", "text": SECRET},
    "url": {},
}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("expected", [200, 418], ids=["in outputs", "in the message"])
def test_what_the_server_sends_back_of_a_secret_is_hidden(
    rest_server: RestServer, kind: str, expected: int
) -> None:
    url = f"{rest_server.url}/echo/{SECRET if kind == 'url' else ''}"
    inputs = {"url": url, "expected_status_code": expected, **SECRETS[kind]}
    given = {"password": "password", "token": "password", "body": "text"}.get(kind, kind)

    server = connected(inputs, [given])

    told = json.dumps([encode(server.end), *server.texts()])
    assert rest_server.last.path == "/echo/" + (SECRET if kind == "url" else "")
    assert (server.end.status == "success") is (expected == 200)
    for form in (SECRET, f"ada:{SECRET}"):
        assert form not in told
        assert base64.b64encode(form.encode()).decode() not in told
        assert base64.b32encode(form.encode()).decode() not in told
    assert "***" in told or kind == "body"  # which the start of the answer does not reach


def test_a_request_carries_the_key_of_its_run(rest_server: RestServer) -> None:
    for _ in range(2):
        connected({"url": f"{rest_server.url}/echo", "method": "post"}, [])
    first, second = (one.headers["idempotency-key"] for one in rest_server.seen)
    assert first == second


def test_a_body_is_kept_as_a_file(rest_server: RestServer) -> None:
    url = f"{rest_server.url}/large?bytes={16 * 2**20}&type=text/csv;charset=utf-8"
    server = connected({"url": url, "dst": "reports/today.csv"}, [])
    (operation,) = server.operations.values()
    assert operation.kind == "save_record"
    assert operation.arguments["kind"] == "file"
    assert operation.arguments["name"] == "reports/today.csv"
    assert base64.b64decode(operation.arguments["fields"]["content"]) == bytes(16 * 2**20)
    assert server.end.outputs is not None
    assert server.end.outputs["size_bytes"] == 16 * 2**20
    assert server.end.outputs["encoding"] == "utf-8"
    assert {"text", "json", "content"} & server.end.outputs.keys() == set()


def test_a_body_that_no_file_can_hold_is_refused(rest_server: RestServer) -> None:
    url = f"{rest_server.url}/large?bytes={16 * 2**20 + 1}"
    server = connected({"url": url, "dst": "x"}, [])
    assert "larger than 16 MiB, which cannot be kept" in (server.end.message or "")
    assert server.operations == {}


def test_an_unexpected_answer_becomes_no_file(rest_server: RestServer) -> None:
    server = connected({"url": f"{rest_server.url}/nowhere", "dst": "x"}, [])
    assert server.end.status == "error"
    assert server.operations == {}


def test_where_there_are_no_files_nothing_is_sent(rest_server: RestServer) -> None:
    with pytest.raises(InvalidInputError, match="dst: expected none, there are no files here"):
        rest(f"{rest_server.url}/echo", dst="x")
    assert rest_server.seen == []


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param(
            {"url": "nowhere"}, "InvalidInputError: REST: invalid input url: ", id="input"
        ),
        pytest.param({"url": "http://127.0.0.1:1/"}, "REST: GET http://127.0.0.1:1/: n", id="port"),
    ],
)
def test_a_failure_ends_the_run_with_its_message(inputs: dict[str, Any], message: str) -> None:
    end = connected(inputs, []).end
    assert (end.status, end.reason) == ("error", "ConnectionFailed")
    assert (end.message or "").startswith(message)
