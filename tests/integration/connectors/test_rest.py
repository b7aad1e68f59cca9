"""REST connections: what a real server sees of the inputs, and what comes of its answer."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from email.parser import BytesParser
from typing import Any

import pytest

from tests.integration.connectors.conftest import rest
from tests.integration.connectors.rest_server import PASSWORD, USER, RestServer
from weir_connectors import registry
from weir_connectors.errors import ConnectionFailed


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


# The request


def test_without_more_it_is_a_get(rest_server: RestServer) -> None:
    run = rest(f"{rest_server.url}/echo?a=1")
    assert rest_server.last.method == "GET"
    assert run.outputs["status_code"] == 200
    assert run.outputs["json"]["path"] == "/echo"
    assert run.log == []


def test_an_address_is_built_of_its_parts(rest_server: RestServer) -> None:
    rest(
        hostname="127.0.0.1",
        scheme="http",
        port=rest_server.port,
        base_path="/echo/v1/",
        path="/with blank/ä%2F",
    )
    assert rest_server.last.target == "/echo/v1/with%20blank/%C3%A4%2F"


def test_params_are_added_to_the_query(rest_server: RestServer) -> None:
    params = {"q": "a b&c", "n": 1.5, "yes": True, "many": ["x", 2], "left out": None, "none": []}
    rest(f"{rest_server.url}/echo?first=%2F", params=params)
    assert rest_server.last.query == [
        ("first", "/"), ("q", "a b&c"), ("n", "1.5"), ("yes", "true"), ("many", "x"), ("many", "2"),
    ]  # fmt: skip
    assert "first=%2F&q=a%20b%26c" in rest_server.last.target


@pytest.mark.parametrize("method", ["get", "POST", "put", "patch", "DELETE", "options", "head"])
def test_a_method_is_sent_in_upper_case(rest_server: RestServer, method: str) -> None:
    rest(f"{rest_server.url}/echo", method=method)
    assert rest_server.last.method == method.upper()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-Api-Key": "k3y-öf-ada", "Accept": "text/csv"}, id="an object"),
        pytest.param("X-Api-Key: k3y-öf-ada\n\nAccept: text/csv\n", id="text"),
    ],
)
def test_headers_are_sent(rest_server: RestServer, headers: Any) -> None:
    rest(f"{rest_server.url}/echo", headers=headers)
    assert rest_server.last.headers["x-api-key"] == "k3y-öf-ada"
    assert rest_server.last.headers["accept"] == "text/csv"
    assert rest_server.last.headers["user-agent"] == "Weir"


@pytest.mark.parametrize(
    "cookies",
    [{"session": "s1", "color": "blue"}, "session=s1; color=blue;"],
    ids=["object", "text"],
)
def test_cookies_are_sent(rest_server: RestServer, cookies: Any) -> None:
    rest(f"{rest_server.url}/echo", cookies=cookies)
    assert rest_server.last.headers["cookie"] == "session=s1; color=blue"


@pytest.mark.parametrize(
    ("inputs", "body", "content_type"),
    [
        pytest.param({"json": {"ä": [1, None]}}, '{"ä":[1,null]}', "application/json", id="json"),
        pytest.param({"json": False}, "false", "application/json", id="a JSON value"),
        pytest.param({"text": "grüß"}, "grüß", "text/plain; charset=utf-8", id="text"),
        pytest.param(
            {"urlencoded": {"a": "b c", "n": [1, True], "x": None}},
            "a=b+c&n=1&n=true",
            "application/x-www-form-urlencoded",
            id="urlencoded",
        ),
        pytest.param(
            {"data": {"a": "b"}}, "a=b", "application/x-www-form-urlencoded", id="data, an object"
        ),
        pytest.param({"data": "raw"}, "raw", None, id="data, a text"),
        pytest.param({"body": "<a/>"}, "<a/>", None, id="body"),
        pytest.param({"body": {"base64": "AAE="}}, "\x00\x01", None, id="body, bytes"),
        pytest.param(
            {"body": "<a/>", "headers": {"content-type": "text/xml"}}, "<a/>", "text/xml", id="XML"
        ),
        pytest.param(
            {"json": {}, "headers": {"Content-Type": "application/merge-patch+json"}},
            "{}",
            "application/merge-patch+json",
            id="json of another type",
        ),
    ],
)
def test_a_body_is_sent(
    rest_server: RestServer, inputs: dict[str, Any], body: str, content_type: str | None
) -> None:
    rest(f"{rest_server.url}/echo", method="post", **inputs)
    assert rest_server.last.body == body.encode()
    assert rest_server.last.headers.get("content-type") == content_type


def test_a_form_with_a_file_is_sent(rest_server: RestServer) -> None:
    parts = [
        {"name": "note", "value": "grüß"},
        {"name": "file", "content": base64_of(b"\x00\xff"), "filename": "a b.bin"},
        {"name": "data", "value": "{}", "content_type": "application/json", "filename": "x.json"},
    ]
    rest(f"{rest_server.url}/echo", method="post", multipart=parts)
    head = f"Content-Type: {rest_server.last.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser().parsebytes(head + rest_server.last.body)
    seen = [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get("Content-Type"),
            part.get_payload(decode=True),
        )
        for part in form.walk()
        if not part.is_multipart()
    ]
    assert seen == [
        ("note", None, None, "grüß".encode()),
        ("file", "a b.bin", "application/octet-stream", b"\x00\xff"),
        ("data", "x.json", "application/json", b"{}"),
    ]


def test_data_is_said_to_be_deprecated(rest_server: RestServer) -> None:
    run = rest(f"{rest_server.url}/echo", method="post", data="x")
    assert run.log == ["the input data is deprecated: give urlencoded for a form, body for a text"]


def test_a_login_is_sent(rest_server: RestServer) -> None:
    run = rest(f"{rest_server.url}/private", username=USER, password=PASSWORD)
    assert run.outputs["status_code"] == 200
    assert run.hidden == [f"{USER}:{PASSWORD}"]


def test_a_token_is_sent(rest_server: RestServer) -> None:
    rest(f"{rest_server.url}/echo", authentication_method="bearer", password="t0ken")
    assert rest_server.last.headers["authorization"] == "Bearer t0ken"


def test_a_login_in_the_url_works_and_is_warned_of(rest_server: RestServer) -> None:
    run = rest(f"{rest_server.url.replace('://', '://ada:p%40ss@')}/echo")
    login = base64_of(b"ada:p@ss")
    assert rest_server.last.headers["authorization"] == f"Basic {login}"
    assert run.log[0].startswith("url holds a password")


def test_a_request_that_changes_something_has_a_key_of_its_run(rest_server: RestServer) -> None:
    url = f"{rest_server.url}/echo"
    for _ in range(2):
        rest(url, method="post")
    keys = [one.headers["idempotency-key"] for one in rest_server.seen]
    assert keys[0] == keys[1]

    again = registry.Context(uid="u-1", try_number=2)
    other = registry.Context(uid="u-2")
    for context in (again, other, registry.Context(), registry.Context()):
        registry.load("REST").run({"url": url, "method": "delete"}, context)
    assert len({one.headers["idempotency-key"] for one in rest_server.seen}) == 5


def test_a_request_that_only_reads_has_no_key(rest_server: RestServer) -> None:
    rest(f"{rest_server.url}/echo")
    assert "idempotency-key" not in rest_server.last.headers


def test_a_key_that_is_given_is_kept(rest_server: RestServer) -> None:
    rest(f"{rest_server.url}/echo", method="post", headers={"idempotency-key": "mine"})
    assert rest_server.last.headers["idempotency-key"] == "mine"


def test_a_proxy_is_used_and_logged_into(rest_server: RestServer) -> None:
    proxy = rest_server.url.replace("://", "://ada:pr0xy@")
    rest("http://api.invalid/echo", proxy=proxy)
    assert rest_server.last.target == "http://api.invalid/echo"
    assert rest_server.last.headers["proxy-authorization"] == f"Basic {base64_of(b'ada:pr0xy')}"


def test_the_proxy_of_the_environment_is_used(
    rest_server: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", rest_server.url)
    rest("http://api.invalid/echo")
    assert rest_server.last.target == "http://api.invalid/echo"


# The answer


@pytest.mark.parametrize(
    ("content_type", "body", "found"),
    [
        pytest.param("application/json", b'{"a": [1]}', {"json": {"a": [1]}}, id="JSON"),
        pytest.param("text/plain", b"[1]", {"json": [1]}, id="JSON by another name"),
        pytest.param("application/json", b"\xef\xbb\xbf{}", {"json": {}}, id="JSON with a mark"),
        pytest.param("application/json", b"{nope", {"text": "{nope"}, id="no JSON after all"),
        pytest.param("application/json", b"[NaN]", {"text": "[NaN]"}, id="not quite JSON"),
        pytest.param(
            "application/json", b'"\\ud800"', {"text": '"\\ud800"'}, id="half a character"
        ),
        pytest.param("application/json", b"[" * 9999, {"text": "[" * 9999}, id="deep"),
        pytest.param("text/html", b"<p>", {"text": "<p>"}, id="text"),
        pytest.param("text/plain", b"", {"text": ""}, id="nothing"),
        pytest.param(
            "text/plain; charset=iso-8859-15",
            "10 €".encode("iso-8859-15"),
            {"text": "10 €", "encoding": "iso8859-15"},
            id="a charset",
        ),
        pytest.param(
            'text/plain; charset="UTF-16"', "ä".encode("utf-16"), {"text": "ä"}, id="UTF-16"
        ),
        pytest.param(
            "text/plain", b"gr\xfc\xdf", {"text": "grüß", "encoding": "iso-8859-1"}, id="no charset"
        ),
        pytest.param("text/plain; charset=wat", "ä".encode(), {"text": "ä"}, id="unknown charset"),
        pytest.param(
            "text/plain; charset=base64", b"YQ==", {"text": "YQ=="}, id="no charset at all"
        ),
        pytest.param(
            "application/pdf",
            b"%PDF\xff\x00",
            {"content": base64_of(b"%PDF\xff\x00"), "encoding": None},
            id="bytes",
        ),
        pytest.param("image/png", b"abc", {"content": base64_of(b"abc")}, id="bytes by name"),
        pytest.param("", b"plain", {"text": "plain"}, id="no type"),
        pytest.param("image/svg+xml", b"<svg/>", {"text": "<svg/>"}, id="a picture of text"),
    ],
)
def test_a_body_is_read(
    rest_server: RestServer, content_type: str, body: bytes, found: dict[str, Any]
) -> None:
    params = {"body": base64_of(body), "type": content_type or None}
    outputs = rest(f"{rest_server.url}/answer", params=params).outputs
    assert {name: outputs[name] for name in found} == found
    assert len({"json", "text", "content"} & outputs.keys()) == 1


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(b'{"a": 1}')), ("deflate", zlib.compress(b'{"a": 1}'))],
)
def test_a_packed_body_is_unpacked(rest_server: RestServer, encoding: str, packed: bytes) -> None:
    params = {"body": base64_of(packed), "encoding": encoding, "type": "application/json"}
    assert rest(f"{rest_server.url}/answer", params=params).outputs["json"] == {"a": 1}


def test_headers_have_one_spelling(rest_server: RestServer) -> None:
    params = {"header": ["x-REQUEST-id:1", "X-Request-ID:2", "etag:a"]}
    headers = rest(f"{rest_server.url}/answer", params=params).outputs["headers"]
    assert headers["X-Request-Id"] == "1, 2"
    assert headers["Etag"] == "a"


def test_cookies_that_the_server_sets_are_kept_and_sent_after_a_redirect(
    rest_server: RestServer,
) -> None:
    run = rest(f"{rest_server.url}/login", method="post", cookies={"color": "red", "own": "1"})
    assert run.outputs["cookies"] == {"session": "s1", "color": "blue"}
    cookies = dict(one.split("=") for one in rest_server.last.headers["cookie"].split("; "))
    assert cookies == {"session": "s1", "color": "blue", "own": "1"}


def test_a_head_has_no_body(rest_server: RestServer) -> None:
    outputs = rest(f"{rest_server.url}/large?bytes=100000000", method="head").outputs
    assert outputs["headers"]["Content-Length"] == "100000000"
    assert outputs.get("content", outputs.get("text")) == ""


@pytest.mark.parametrize("query", ["", "&hidden=1", "&packed=1", "&packed=1&hidden=1"])
@pytest.mark.parametrize(
    ("size", "kind", "limit"),
    [
        pytest.param(16 * 2**20, "text/plain", 15, id="text"),
        pytest.param(12 * 2**20, "image/png", 11, id="bytes"),
    ],
)
def test_an_answer_that_outputs_cannot_hold_is_refused(
    rest_server: RestServer, size: int, kind: str, limit: int, query: str
) -> None:
    with pytest.raises(ConnectionFailed, match=f"the answer is larger than {limit} MiB"):
        rest(f"{rest_server.url}/large?bytes={size}&type={kind}{query}")


def test_a_large_answer_is_kept_if_outputs_can_hold_it(rest_server: RestServer) -> None:
    outputs = rest(f"{rest_server.url}/large?bytes={11 * 2**20}").outputs
    assert len(json.dumps(outputs)) < 16 * 2**20
