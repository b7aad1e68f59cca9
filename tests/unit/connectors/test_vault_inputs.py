"""What the VAULT type accepts, and the requests that it makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from weir_connectors import registry
from weir_connectors.errors import ExtraInputError, InvalidInputError, MissingInputError
from weir_connectors.inputs import parse
from weir_connectors.vault import request_of
from weir_connectors.vault_inputs import VaultInputs

URL = "https://vault.example.com:8200"


def parsed(**inputs: Any) -> VaultInputs:
    return parse("VAULT", VaultInputs, {"url": URL, "token": "t0ken", "secret_path": "a", **inputs})


@pytest.mark.parametrize(
    ("where", "address"),
    [
        ({"url": f"{URL}/"}, URL),
        ({"url": "https://example.com/vault"}, "https://example.com/vault"),
        ({"host": "vault.example.com"}, URL),
        ({"host": "http://vault:8200"}, "http://vault:8200"),
        ({"host": "::1"}, "https://[::1]:8200"),
    ],
)
def test_where_vault_is_has_several_forms(where: dict[str, str], address: str) -> None:
    inputs = parse("VAULT", VaultInputs, {"token": "t", "secret_path": "a", **where})
    assert inputs.address == address


@pytest.mark.parametrize(
    ("given", "method", "path", "body"),
    [
        ({}, "get", "secret/data/a", None),
        ({"data": {"x": 1}}, "post", "secret/data/a", {"data": {"x": 1}}),
        ({"data": {}}, "post", "secret/data/a", {"data": {}}),
        ({"mode": "delete"}, "delete", "secret/data/a", None),
        ({"mode": "delete", "version": 3}, "post", "secret/delete/a", {"versions": [3]}),
        ({"mode": "delete_metadata"}, "delete", "secret/metadata/a", None),
        (
            {"engine_path": "/team/kv/", "secret_path": "/a b/c"},
            "get",
            "team/kv/data/a%20b/c",
            None,
        ),
    ],
)
def test_a_mode_is_a_request(given: dict[str, Any], method: str, path: str, body: Any) -> None:
    request = request_of(parsed(**given))
    assert (request.method, request.url, request.json) == (method, f"{URL}/v1/{path}", body)
    assert list(request.problems()) == []


def test_a_list_needs_no_path() -> None:
    request = request_of(parsed(mode="list", secret_path=""))
    assert (request.url, request.params) == (f"{URL}/v1/secret/metadata/", {"list": True})


@pytest.mark.parametrize("name", ["url", "token", "secret_path"])
def test_what_is_needed_must_be_given(name: str) -> None:
    given = {"url": URL, "token": "t", "secret_path": "a"}
    del given[name]
    with pytest.raises(MissingInputError, match=f"missing input {name}"):
        parse("VAULT", VaultInputs, given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "vault.example.com"}, "url: expected a URL such as"),
        ({"url": "https://ada:pw@vault"}, "url: expected a URL without login and query"),
        ({"host": "vault"}, "url: expected no host beside it"),
        ({"url": None, "host": "no host"}, "host: expected a host's name or address"),
        ({"token": "two words"}, "token: expected a token"),
        ({"token": "t\r\nX: y"}, "token: expected a token"),
        ({"namespace": "a\nb"}, "namespace: expected a namespace's path"),
        ({"secret_path": "app/../../sys"}, "secret_path: expected a path"),
        ({"secret_path": "a?version=1"}, "secret_path: expected a path"),
        ({"engine_path": "/"}, "engine_path: expected a path"),
        ({"mode": "destroy"}, 'mode: expected "read" or "write"'),
        ({"mode": "read", "data": {"a": 1}}, "data: expected none with mode read"),
        ({"mode": "list", "version": 1}, "version: expected none with mode list"),
        ({"version": 0}, "version: expected a number from 1 on"),
        ({"data": {"a": 1}, "key": "a"}, "key: expected none with mode write"),
        ({"read_timeout": 0}, "read_timeout: expected seconds"),
        ({"cacert": "none"}, "cacert: expected certificates"),
    ],
)
def test_what_cannot_be_used_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        parsed(**given)
    assert said in str(refusal.value)


def test_a_write_needs_data() -> None:
    with pytest.raises(MissingInputError, match="missing input data"):
        parsed(mode="write")


def test_a_login_is_refused_with_the_reason() -> None:
    with pytest.raises(ExtraInputError, match=r"role_id .*give the token"):
        parsed(role_id="x")


def test_token_and_data_are_secret_and_where_they_go_is_for_the_connector_to_say() -> None:
    assert registry.secret_inputs("VAULT") == {"token", "data"}
    assert registry.transport_inputs("VAULT") == {"url", "host", "cacert", "verify_ssl"}


def test_what_only_reads_may_be_run_again_when_the_token_is_not_at_hand() -> None:
    where = {"url": URL, "secret_path": "a"}
    assert registry.repeatable("VAULT", where)
    assert registry.repeatable("VAULT", {**where, "mode": "list"})
    for changing in (
        {"mode": "delete"},
        {"mode": "delete_metadata"},
        {"data": "***"},
        {"mode": "write"},
    ):
        assert not registry.repeatable("VAULT", {**where, **changing})
