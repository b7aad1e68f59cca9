"""What is said when a REST connection fails, what never shows, and what is tried again."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.cluster.certificates import Authority, write_pair
from tests.integration.connectors.conftest import rest
from tests.integration.connectors.rest_server import RestServer
from tests.integration.connectors.test_rest import base64_of
from tests.ports import free_port
from weir_connectors import registry
from weir_connectors.errors import ConnectionFailed, InvalidInputError

SECRET = "s3cret-of-ada"
SOON = {"initial": 0.01, "maximum": 0.02, "multiplier": 2, "deadline": 30}


def refused(url: str, match: str = ".", **inputs: Any) -> str:
    """Return what is said about a connection that must fail."""
    with pytest.raises(ConnectionFailed, match=match) as failed:
        rest(url, **inputs)
    return str(failed.value)


# Status codes


def test_an_unexpected_status_is_told_with_the_start_of_the_answer(rest_server: RestServer) -> None:
    params = {"status": 422, "body": base64_of(b'{"error":\n "no such\x07 color"}')}
    said = refused(f"{rest_server.url}/answer", method="put", params=params)
    assert said == (
        f"REST: PUT {rest_server.url}/answer?***: answered 422 Unprocessable Entity, expected 200,"
        ' 201, 202 or 204: {"error": "no such color"}'
    )


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        pytest.param({"body": base64_of(b"x" * 9999)}, "204: " + "x" * 300 + "…", id="long"),
        pytest.param({"body": "", "status": 599}, "answered 599, expected", id="nothing"),
        pytest.param({"type": "image/png", "body": "AAAA"}, "3 bytes or more", id="no text"),
        pytest.param(
            {"encoding": "gzip", "body": "AAAA"}, "500 Internal Server Error", id="broken"
        ),
        pytest.param({"body": base64_of(b"\xc3\xa4" * 5000)}, "204: ää", id="cut in a letter"),
    ],
)
def test_the_start_of_an_answer_is_told(
    rest_server: RestServer, inputs: dict[str, Any], said: str
) -> None:
    params = {"status": 500, **inputs}
    assert said in refused(f"{rest_server.url}/answer", params=params)


@pytest.mark.parametrize("expected", [404, [404], [200, 404]])
def test_any_status_may_be_expected(rest_server: RestServer, expected: Any) -> None:
    outputs = rest(f"{rest_server.url}/nowhere", expected_status_code=expected).outputs
    assert (outputs["status_code"], outputs["text"]) == (404, "nothing here")


def test_a_success_may_be_unexpected(rest_server: RestServer) -> None:
    assert "answered 200 OK, expected 404" in refused(
        f"{rest_server.url}/echo", expected_status_code=404
    )


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param({"username": "ada", "password": SECRET}, id="a login"),
        pytest.param({"authentication_method": "bearer", "password": SECRET}, id="a token"),
        pytest.param({"headers": {"X-Api-Key": SECRET}}, id="a header"),
        pytest.param({"headers": f"X-Whatever: {SECRET}"}, id="a header from a Secret"),
        pytest.param({"headers": f"Authorization: Token {SECRET}"}, id="a header with a scheme"),
        pytest.param({"cookies": {"session": SECRET}}, id="a cookie"),
    ],
)
def test_what_lets_in_never_shows(rest_server: RestServer, inputs: dict[str, Any]) -> None:
    # The server sends back all that it has got, and the start of its answer is told.
    said = refused(f"{rest_server.url}/echo", expected_status_code=418, **inputs)
    assert "echo" in said
    assert SECRET not in said
    assert base64_of(f"ada:{SECRET}".encode()) not in said


def test_what_stands_in_the_address_never_shows(rest_server: RestServer) -> None:
    url = f"{rest_server.url}/nowhere?token={SECRET}".replace("://", f"://ada:{SECRET}@")
    run_log: list[str] = []
    with pytest.raises(ConnectionFailed) as failed:
        registry.load("REST").run(
            {"url": url, "params": {"key": SECRET}}, registry.Context(log=run_log.append)
        )
    assert SECRET not in str(failed.value)
    assert SECRET not in "".join(run_log)


@pytest.mark.parametrize(
    ("inputs", "hidden"),
    [
        pytest.param({"headers": f"X-Key: {SECRET}"}, [SECRET], id="a header"),
        pytest.param(
            {"headers": f"Authorization: Token {SECRET}\nAccept: text/csv"},
            [f"Token {SECRET}", SECRET],
            id="with a scheme",
        ),
        pytest.param({"cookies": f"session={SECRET}"}, [SECRET], id="a cookie"),
        pytest.param({"headers": {"X-Key": SECRET}}, [], id="what a script gives it knows"),
    ],
)
def test_the_text_that_a_secret_holds_is_hidden_in_outputs_too(
    rest_server: RestServer, inputs: dict[str, Any], hidden: list[str]
) -> None:
    assert rest(f"{rest_server.url}/echo", **inputs).hidden == hidden


# The way there


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param(
            "http://127.0.0.1:1/x", "nobody listens there .* check host and port", id="port"
        ),
        pytest.param("http://host.invalid/", "there is no host of this name", id="name"),
    ],
)
def test_an_unreachable_host_is_named(url: str, said: str) -> None:
    assert refused(url, said).startswith(f"REST: GET {url}: ")


def test_a_host_name_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="invalid input url: expected an address whose"):
        rest("http://xn--a/")


def test_a_server_with_its_own_authority_is_trusted_by_cacert(
    rest_tls_server: RestServer, authority: Authority
) -> None:
    cacert = authority.certificate_file.read_text()
    assert rest(f"{rest_tls_server.url}/echo", cacert=cacert).outputs["status_code"] == 200


def test_a_server_with_its_own_authority_is_not_trusted_without(
    rest_tls_server: RestServer,
) -> None:
    said = (
        r"the server's certificate is not trusted \(unable to get local issuer.*give its CA as cac"
    )
    refused(f"{rest_tls_server.url}/echo", said)
    assert rest_tls_server.seen == []


def test_the_check_can_be_turned_off(rest_tls_server: RestServer) -> None:
    url = f"{rest_tls_server.url}/echo"
    assert rest(url, verify_ssl=False).outputs["status_code"] == 200


def test_a_certificate_for_another_host_is_not_trusted(authority: Authority) -> None:
    folder = authority.certificate_file.parent
    pair = write_pair(authority.issue("other", hosts=["api.example.com"]), folder, "other")
    with RestServer(certificate=pair) as server:
        cacert = authority.certificate_file.read_text()
        refused(f"{server.url}/echo", "take the name that it is for", cacert=cacert)


def test_a_cacert_that_is_none_is_refused() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    with pytest.raises(InvalidInputError, match="cacert: expected certificates as PEM text"):
        rest("https://127.0.0.1:1/", cacert=broken)


def test_http_where_https_was_asked_for_is_named(rest_server: RestServer) -> None:
    url = rest_server.url.replace("http:", "https:")
    refused(url, r"no TLS with this server .* check scheme, port")


def test_a_proxy_that_refuses_is_named(rest_server: RestServer) -> None:
    said = refused("https://api.invalid/", "the proxy refused", proxy=rest_server.url)
    assert "404" in said


@pytest.mark.parametrize(
    ("door", "said"),
    [
        pytest.param(
            "silence", "the connection was lost before the answer was there", id="silence"
        ),
        pytest.param("cut", "the connection was lost before the answer was there", id="cut"),
        pytest.param("nonsense", "does not answer as HTTP has it", id="nonsense"),
        pytest.param(
            "answer?encoding=gzip&body=AAAA", "not what its header Content-Encoding says", id="gzip"
        ),
        pytest.param("moved?to=ftp://host/x", "no address of http or https", id="another protocol"),
        pytest.param("moved?to=http://xn--a/", "redirects to what is no address", id="no address"),
        pytest.param("moved?to=http://h:x/", "redirects to what is no address", id="no port"),
    ],
)
def test_an_answer_that_is_none_is_named(rest_server: RestServer, door: str, said: str) -> None:
    refused(f"{rest_server.url}/{door}", said)


def test_a_silent_server_is_given_up_after_read_timeout(rest_server: RestServer) -> None:
    for door in ("hanging", "endless"):
        said = r"the server was silent for 0\.1 s; raise read_timeout"
        refused(f"{rest_server.url}/{door}", said, read_timeout=0.1)


def test_a_host_that_lets_nobody_in_is_given_up_after_connect_timeout() -> None:
    with socket.socket() as full, socket.socket() as first:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())  # the one place in the queue
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        said = r"no connection within 0\.2 s; check that Pods of this namespace may"
        refused(url, said, connect_timeout=0.2)


# Redirects


def test_a_redirect_is_followed(rest_server: RestServer) -> None:
    run = rest(f"{rest_server.url}/moved?to=/echo", username="ada", password=SECRET)
    assert run.outputs["json"]["path"] == "/echo"
    assert "authorization" in rest_server.last.headers


def test_a_redirect_need_not_be_followed(rest_server: RestServer) -> None:
    url = f"{rest_server.url}/moved?to=/echo"
    run = rest(url, allow_redirects=False, expected_status_code=302)
    assert run.outputs["headers"]["Location"] == "/echo"
    assert "answered 302 Found, expected 200" in refused(url, allow_redirects=False)


@pytest.mark.parametrize("most", [0, 3])
def test_redirects_are_counted(rest_server: RestServer, most: int) -> None:
    refused(
        f"{rest_server.url}/loop",
        f"redirects once more after {most} redirects; raise max_redirects",
        max_redirects=most,
    )
    assert len(rest_server.seen) == most + 1


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param({"username": "ada", "password": SECRET}, id="a login"),
        pytest.param({"authentication_method": "bearer", "password": SECRET}, id="a token"),
        pytest.param({"headers": {"X-Api-Key": SECRET, "Accept": "text/csv"}}, id="a header"),
        pytest.param({"cookies": {"session": SECRET}}, id="a cookie"),
        pytest.param({"method": "post", "json": {"password": SECRET}}, id="a body"),
    ],
)
def test_credentials_do_not_follow_to_another_host(
    rest_server: RestServer, elsewhere: RestServer, inputs: dict[str, Any]
) -> None:
    rest(f"{rest_server.url}/moved?to={elsewhere.url}/echo", **inputs)
    assert elsewhere.last.method == "GET"
    assert SECRET not in repr(elsewhere.seen)
    assert base64_of(f"ada:{SECRET}".encode()) not in repr(elsewhere.seen)
    assert {"idempotency-key", "content-type"} & elsewhere.last.headers.keys() == set()
    assert elsewhere.last.headers["host"] == elsewhere.url.removeprefix("http://")
    if "headers" in inputs:
        assert elsewhere.last.headers["accept"] == "text/csv"


def test_a_body_is_not_sent_on_to_another_host(
    rest_server: RestServer, elsewhere: RestServer
) -> None:
    url = f"{rest_server.url}/moved?code=307&to={elsewhere.url}/echo?token={SECRET}"
    expected = rf"redirects the body to another host: {elsewhere.url}/echo\?\*\*\*; if you trust"
    said = refused(url, expected, method="post", text=SECRET)
    assert elsewhere.seen == []
    assert SECRET not in said


def test_a_body_is_sent_on_within_the_host(rest_server: RestServer) -> None:
    form = [{"name": "file", "content": "AAAA", "filename": "x"}]
    for inputs in ({"text": "again"}, {"multipart": form}):
        rest(f"{rest_server.url}/moved?code=308&to=/echo", method="put", **inputs)
        first, second = rest_server.seen[-2:]
        assert second.method == "PUT"
        assert second.body == first.body
        assert second.headers["idempotency-key"] == first.headers["idempotency-key"]


def test_a_redirect_from_https_to_http_is_not_followed(
    rest_tls_server: RestServer, rest_server: RestServer
) -> None:
    url = f"{rest_tls_server.url}/moved?to={rest_server.url}/echo"
    said = f"redirects to {rest_server.url}/echo, which is not encrypted; it is not followed"
    refused(url, said, verify_ssl=False)
    assert rest_server.seen == []


# Retries


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_read_is_tried_again_until_it_works(rest_server: RestServer, status: int) -> None:
    url = f"{rest_server.url}/flaky?times=2&status={status}"
    run = rest(url, retry_backoff=SOON)
    assert run.outputs["status_code"] == 200
    assert len(rest_server.seen) == 3
    assert [line.rpartition("; ")[2] for line in run.log] == [
        "next try in 0.01 s",
        "next try in 0.02 s",
    ]
    assert run.log[0].startswith(f"GET {rest_server.url}/flaky?***: answered {status} ")


@pytest.mark.parametrize(
    ("inputs", "status"),
    [
        pytest.param({"method": "post"}, 503, id="another method"),
        pytest.param({}, 404, id="a lasting status"),
        pytest.param({"expected_status_code": [200, 503]}, 503, id="an expected one"),
        pytest.param({"retry_backoff": None}, 503, id="not wanted"),
        pytest.param({"retry_backoff": {**SOON, "deadline": 0}}, 503, id="no time"),
    ],
)
def test_it_is_tried_once(rest_server: RestServer, inputs: dict[str, Any], status: int) -> None:
    url = f"{rest_server.url}/flaky?times=1&status={status}"
    if inputs.get("expected_status_code"):
        rest(url, **{"retry_backoff": SOON, **inputs})
    else:
        refused(url, **{"retry_backoff": SOON, **inputs})
    assert len(rest_server.seen) == 1


def test_the_server_says_when_to_come_again(rest_server: RestServer) -> None:
    run = rest(f"{rest_server.url}/flaky?times=1&after=1", retry_backoff=SOON)
    assert run.log[0].endswith("next try in 1 s")
    first, second = (one.at for one in rest_server.seen)
    assert second - first >= 1


@pytest.mark.parametrize(
    "after",
    ["31", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)],
    ids=["seconds", "a date"],
)
def test_a_server_that_asks_for_too_much_time_is_given_up(
    rest_server: RestServer, after: str
) -> None:
    params = {"times": 1, "after": after}
    said = refused(f"{rest_server.url}/flaky", "503", params=params, retry_backoff=SOON)
    assert len(rest_server.seen) == 1
    assert re.search(r"it wants to be left alone for \d+ s", said)


@pytest.mark.parametrize("after", ["soon", "-1", ""])
def test_a_time_that_is_none_is_passed_over(rest_server: RestServer, after: str) -> None:
    params = {"times": 1, "after": after}
    run = rest(f"{rest_server.url}/flaky", params=params, retry_backoff=SOON)
    assert run.log[0].endswith("next try in 0.01 s")


@pytest.mark.parametrize("way", ["silence", "cut", "hanging"])
def test_a_lost_answer_is_tried_again_for_reads_only(rest_server: RestServer, way: str) -> None:
    url = f"{rest_server.url}/lost?times=2&way={way}"
    refused(url, method="post", retry_backoff=SOON, read_timeout=0.5)
    assert len(rest_server.seen) == 1
    run = rest(url, retry_backoff=SOON, read_timeout=0.5)
    assert run.outputs["status_code"] == 200
    assert len(run.log) == 1  # the first loss was the other's


def test_how_often_it_was_tried_is_told(rest_server: RestServer) -> None:
    url = f"{rest_server.url}/flaky?times=999"
    backoff = {"initial": 0.2, "maximum": 0.2, "multiplier": 1, "deadline": 1}
    said = refused(url, retry_backoff=backoff)
    assert re.search(rf" \(tried {len(rest_server.seen)} times in \d s\)$", said)


def test_what_was_never_sent_is_tried_again_by_any_method() -> None:
    port = free_port()
    with ExitStack() as stack:
        log: list[str] = []

        def come_home(line: str) -> None:
            log.append(line)
            stack.enter_context(RestServer(port=port))

        inputs = {"url": f"http://127.0.0.1:{port}/echo", "method": "post", "retry_backoff": SOON}
        outputs = registry.load("REST").run(inputs, registry.Context(log=come_home))
    assert outputs["status_code"] == 200
    assert len(log) == 1
    assert "nobody listens there" in log[0]


@pytest.mark.parametrize("url", ["http://host.invalid/", "https://127.0.0.1:{port}/"])
def test_what_no_time_heals_is_not_tried_again(rest_server: RestServer, url: str) -> None:
    said = refused(url.format(port=rest_server.port), retry_backoff=SOON)
    assert "tried" not in said
