"""What the REST type accepts, beyond types, and the addresses and headers that it makes of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from weir_connectors import rest_url
from weir_connectors.errors import ExtraInputError, InvalidInputError, MissingInputError
from weir_connectors.inputs import parse
from weir_connectors.rest_headers import as_cookies, as_headers, credentials_in
from weir_connectors.rest_inputs import RestInputs
from weir_connectors.rest_url import RestUrl

URL = "https://api.example.com/v1/items"


def parsed(**inputs: Any) -> RestInputs:
    return parse("REST", RestInputs, {"url": URL, **inputs})


def at_host(**inputs: Any) -> RestInputs:
    return parse("REST", RestInputs, {"hostname": "api.example.com", **inputs})


def test_everything_has_a_default_but_where_it_goes() -> None:
    inputs = parsed()
    assert inputs == RestInputs(url=URL)
    assert inputs.verb == "GET"
    assert inputs.expected == {200, 201, 202, 204}
    assert inputs.retry_backoff == {"initial": 1, "maximum": 60, "multiplier": 2, "deadline": 600}


def test_where_it_goes_must_be_said() -> None:
    with pytest.raises(
        MissingInputError, match=r"missing input url \(where the request goes, or h"
    ):
        parse("REST", RestInputs, {"method": "post"})


@pytest.mark.parametrize(
    ("url", "understood"),
    [
        pytest.param(URL, RestUrl(URL), id="https"),
        pytest.param("http://[::1]:8080", RestUrl("http://[::1]:8080"), id="IPv6"),
        pytest.param("https://h/a?b=c#d", RestUrl("https://h/a?b=c"), id="a fragment stays here"),
        pytest.param("https://münchen.example/", RestUrl("https://münchen.example/"), id="letters"),
        pytest.param(
            "https://ada:p%40ss@h:8443/", RestUrl("https://h:8443/", "ada", "p@ss"), id="a login"
        ),
        pytest.param("https://t0ken@h/", RestUrl("https://h/", "t0ken"), id="a user alone"),
    ],
)
def test_a_url_is_understood(url: str, understood: RestUrl) -> None:
    assert rest_url.parse(url) == understood


@pytest.mark.parametrize(
    "url",
    [
        "api.example.net/v1",
        "ftp://h/",
        "file:///etc/passwd",
        "https:///x",
        "https://h:port/",
        "https://h:99999/",
        "https://-h/",
        "https://h/a b",
        "https://h/\n",
        "https://[::1/",
        "",
    ],
)
def test_a_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(InvalidInputError, match="invalid input url: expected a URL") as refused:
        parsed(url=url)
    assert not url or url not in str(refused.value)


@pytest.mark.parametrize(
    ("parts", "address"),
    [
        pytest.param({}, "https://api.example.com/", id="the host alone"),
        pytest.param({"scheme": "http", "port": 8080}, "http://api.example.com:8080/", id="a port"),
        pytest.param({"path": "a"}, "https://api.example.com/a", id="a path"),
        pytest.param({"path": "/a/"}, "https://api.example.com/a/", id="a slash at the end"),
        pytest.param({"base_path": "/v1/"}, "https://api.example.com/v1/", id="the base alone"),
        pytest.param(
            {"base_path": "/v1/", "path": "/a"}, "https://api.example.com/v1/a", id="base and path"
        ),
        pytest.param({"path": "//evil.example"}, "https://api.example.com/evil.example", id="//"),
        pytest.param({"path": "@evil.example"}, "https://api.example.com/@evil.example", id="@"),
        pytest.param({"path": "a b/ä%2F"}, "https://api.example.com/a%20b/%C3%A4%2F", id="escapes"),
        pytest.param({"hostname": "::1", "path": "a"}, "https://[::1]/a", id="IPv6"),
        pytest.param({"hostname": "[::1]", "port": 1}, "https://[::1]:1/", id="IPv6 in brackets"),
    ],
)
def test_an_address_is_built_of_parts(parts: dict[str, Any], address: str) -> None:
    assert at_host(**parts).address() == RestUrl(address)


@pytest.mark.parametrize("name", ["base_path", "path"])
@pytest.mark.parametrize(
    "path", ["..", "../admin", "a/../../b", "a/%2e%2E/b", "./a", "a?b=c", "a#b", "a\\b", "a\nb"]
)
def test_a_path_does_not_lead_elsewhere(name: str, path: str) -> None:
    with pytest.raises(InvalidInputError, match=f"invalid input {name}: expected a path without"):
        at_host(**{name: path})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param({"hostname": "h"}, "url: expected no hostname beside it", id="two hosts"),
        pytest.param({"path": "/a"}, "url: expected no path beside it", id="two paths"),
        pytest.param({"scheme": "http"}, "url: expected no scheme beside it", id="two schemes"),
        pytest.param({"scheme": "ftp"}, 'scheme: expected "https" or "http"', id="a scheme"),
        pytest.param({"port": 0}, "port: expected a number between 1 and 65535", id="port 0"),
        pytest.param({"method": "get it"}, "method: expected a method such as", id="no method"),
        pytest.param({"method": "CONNECT"}, "method: expected a method such as", id="a tunnel"),
        pytest.param({"method": "trace"}, "method: expected a method such as", id="an echo"),
        pytest.param({"params": {"a": {"b": 1}}}, "params: expected texts, numbers", id="deep"),
        pytest.param({"headers": {"a b": "c"}}, "headers: expected names of letters", id="a name"),
        pytest.param({"headers": {"a": "b\nc: d"}}, "headers: expected values without", id="lines"),
        pytest.param({"headers": {"a": "€"}}, "headers: .* of Latin-1", id="characters"),
        pytest.param({"headers": "nothing"}, "headers: expected one `Name: value`", id="no header"),
        pytest.param({"headers": ""}, "headers: expected one `Name: value`", id="no headers"),
        pytest.param({"headers": {"HOST": "h"}}, "headers: expected no Host: it", id="a host"),
        pytest.param({"headers": "Content-length: 1"}, "expected no Content-Length", id="a length"),
        pytest.param({"headers": {"cookie": "a=b"}, "cookies": {}}, "no Cookie beside", id="twice"),
        pytest.param(
            {"headers": {"content-type": "x"}, "multipart": [{"name": "a", "value": "b"}]},
            "headers: expected no Content-Type beside multipart",
            id="a boundary",
        ),
        pytest.param(
            {"headers": {"authorization": "x"}, "username": "ada"},
            "headers: expected no Authorization beside username",
            id="two logins",
        ),
        pytest.param({"cookies": {"a": "b; c=d"}}, "cookies: expected names and", id="a semicolon"),
        pytest.param({"cookies": {"a b": "c"}}, "cookies: expected names and", id="a blank"),
        pytest.param({"cookies": {"a": "ä"}}, "cookies: .* of ASCII characters", id="a letter"),
        pytest.param({"cookies": "nothing"}, "cookies: expected name=value", id="no cookie"),
        pytest.param(
            {"json": 0, "text": ""}, "text: expected no text beside json: a request", id="bodies"
        ),
        pytest.param({"urlencoded": {"a": [[1]]}}, "urlencoded: expected texts", id="a deep form"),
        pytest.param({"data": {"a": {}}}, "data: expected texts", id="deep data"),
        pytest.param({"body": {"base64": "?"}}, "body: expected a text, or", id="no base64"),
        pytest.param({"body": {"hex": "00"}}, "body: expected a text, or", id="another form"),
        pytest.param({"multipart": []}, "multipart: expected a list of objects", id="no parts"),
        pytest.param({"multipart": [{"value": "a"}]}, "multipart: expected", id="no name"),
        pytest.param({"multipart": [{"name": "a"}]}, "multipart: expected", id="no content"),
        pytest.param(
            {"multipart": [{"name": "a", "value": "b", "content": "Yg=="}]},
            "multipart: expected",
            id="two contents",
        ),
        pytest.param(
            {"multipart": [{"name": "a", "content": "?"}]}, "multipart: expected", id="no base64 "
        ),
        pytest.param(
            {"multipart": [{"name": "a", "value": 1}]}, "multipart: expected", id="a number"
        ),
        pytest.param(
            {"multipart": [{"name": "a", "value": "b", "filename": 'x"\r\nc'}]},
            "multipart: expected",
            id="a file name of two lines",
        ),
        pytest.param(
            {"multipart": [{"name": "a", "value": "b", "type": "x"}]},
            "multipart: expected",
            id="an unknown key",
        ),
        pytest.param({"username": ""}, "username: expected a string that is not", id="nobody"),
        pytest.param({"username": "a:b"}, "username: expected no colon", id="a colon"),
        pytest.param(
            {"username": "a", "password": "b\nc"}, "password: expected a string", id="two lines"
        ),
        pytest.param(
            {"authentication_method": "bearer", "username": "a", "password": "t"},
            "username: expected none with authentication_method bearer",
            id="a user with a token",
        ),
        pytest.param(
            {"authentication_method": "bearer", "password": "ä"},
            "password: expected a token of ASCII",
            id="a token with letters",
        ),
        pytest.param({"expected_status_code": []}, "expected_status_code: expected", id="none"),
        pytest.param({"expected_status_code": 99}, "expected_status_code: expected", id="99"),
        pytest.param({"expected_status_code": [200, 700]}, "between 200 and 599", id="700"),
        pytest.param({"max_redirects": -1}, "max_redirects: expected a number", id="redirects"),
        pytest.param({"connect_timeout": 0}, "connect_timeout: expected seconds", id="no time"),
        pytest.param({"read_timeout": float("nan")}, "read_timeout: expected", id="not a number"),
        pytest.param({"read_timeout": 86401}, "at most 86400", id="too much time"),
        pytest.param({"retry_backoff": {"first": 1}}, "retry_backoff: expected", id="a wrong key"),
        pytest.param({"retry_backoff": {"initial": -1}}, "retry_backoff: expected", id="negative"),
        pytest.param({"retry_backoff": {"maximum": "1"}}, "retry_backoff: expected", id="a text"),
        pytest.param({"retry_backoff": {"multiplier": 0.5}}, "retry_backoff: ", id="shrinking"),
        pytest.param({"dst": ""}, "dst: expected the name of a file", id="no name of a file"),
        pytest.param({"cacert": "/etc/ca.pem"}, "cacert: expected certificates", id="a CA's path"),
        pytest.param({"proxy": "proxy:3128"}, "proxy: expected a URL", id="no URL of a proxy"),
    ],
)
def test_a_value_is_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        parsed(**inputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param(
            {"password": "x"}, "username (who logs in with the password)", id="nobody's password"
        ),
        pytest.param(
            {"authentication_method": "bearer"}, "password (the token for bearer)", id="no token"
        ),
    ],
)
def test_a_login_is_whole(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(MissingInputError) as refused:
        parsed(**inputs)
    assert str(refused.value) == f"REST: missing input {message}"


@pytest.mark.parametrize("name", ["grant", "pass_user_token"])
def test_what_cannot_be_done_here_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(ExtraInputError, match=rf"^REST does not take {name} \(.+\)$"):
        parsed(**{name: "x"})


@pytest.mark.parametrize("name", [one.name for one in dataclasses.fields(RestInputs)])
def test_any_input_may_come_from_a_secret_that_is_not_at_hand(name: str) -> None:
    where = "hostname" if name in ("hostname", "base_path", "path") else "url"
    inputs = {where: "api.example.com" if where == "hostname" else URL, "username": "ada"}
    inputs.pop(name, None)
    parse("REST", RestInputs, inputs, {name})


@pytest.mark.parametrize("name", ["get", "GET", "Head"])
def test_reads_are_repeatable(name: str) -> None:
    assert parsed(method=name).repeatable()


@pytest.mark.parametrize("name", ["post", "put", "delete", "patch", "options", "PURGE"])
def test_all_else_is_not_repeatable(name: str) -> None:
    assert not parsed(method=name).repeatable()


@pytest.mark.parametrize(
    ("fields", "pairs"),
    [
        pytest.param({"a": "b"}, [("a", "b")], id="a text"),
        pytest.param({"a": 1, "b": 0.5}, [("a", "1"), ("b", "0.5")], id="numbers"),
        pytest.param({"a": True, "b": False}, [("a", "true"), ("b", "false")], id="booleans"),
        pytest.param({"a": [1, "x", None]}, [("a", "1"), ("a", "x")], id="a list"),
        pytest.param({"a": None, "b": []}, [], id="nothing"),
    ],
)
def test_fields_are_written(fields: dict[str, Any], pairs: list[tuple[str, str]]) -> None:
    assert rest_url.pairs(fields) == pairs


def test_headers_of_text_are_read_line_by_line() -> None:
    assert as_headers("A: b: c\r\n\n  D:e  \n") == [("A", "b: c"), ("D", "e")]


def test_cookies_of_text_are_read() -> None:
    assert as_cookies(" a=b=c;d=; ") == [("a", "b=c"), ("d", "")]


@pytest.mark.parametrize(
    ("name", "value", "is_secret", "found"),
    [
        pytest.param("Authorization", "Bearer x", False, ["Bearer x", "x"], id="authorization"),
        pytest.param("X-Api-Key", "a b", False, ["a b"], id="a key"),
        pytest.param("X-Region", "north", False, [], id="a region"),
        pytest.param("X-Region", "north", True, ["north"], id="a region from a Secret"),
        pytest.param("Accept", "text/csv", True, [], id="what only says what is wanted"),
        pytest.param("Content-Type", "text/csv", True, [], id="what only says what is sent"),
    ],
)
def test_credentials_are_known_by_their_header(
    name: str, value: str, is_secret: bool, found: list[str]
) -> None:
    assert credentials_in([(name, value)], is_secret) == found
