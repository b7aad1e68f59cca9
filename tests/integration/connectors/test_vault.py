"""VAULT connections, against a fake of Vault: what is asked, what comes of it, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from flow_api import DependencyFailedError, Execution, System
from tests.cluster.certificates import Authority, write_pair
from tests.integration.connectors.fake_vault import READER, TOKEN, FakeVault
from tests.integration.connectors.rest_server import RestServer
from tests.unit.runner.fakes import run as run_in_pod
from weir_connectors import registry
from weir_connectors.errors import ConnectionCancelled, ConnectionFailed
from weir_local import Connector, Local, RealConnections
from weir_protocol import Connection, encode

DATABASE = {"user": "ada", "password": "corr&ct h0rse", "port": 5432}


@pytest.fixture
def vault() -> Iterator[FakeVault]:
    with FakeVault() as vault:
        vault.holds("app/database", user="ada", password="0ld")
        vault.holds("app/database", **DATABASE)
        yield vault


@pytest.fixture
def vault_tls(authority: Authority) -> Iterator[FakeVault]:
    folder = authority.certificate_file.parent
    pair = write_pair(authority.issue("vault", hosts=["127.0.0.1"]), folder, "vault")
    with FakeVault(pair) as vault:
        vault.holds("app/database", **DATABASE)
        yield vault


def ask(
    vault: FakeVault, path: str = "app/database", log: list[str] | None = None, **inputs: Any
) -> Any:
    """Run a VAULT connection as a runner does, and return its `result`."""
    given = {"url": vault.url, "token": TOKEN, "secret_path": path, **inputs}
    lines: list[str] = [] if log is None else log
    context = registry.Context(log=lines.append, uid="u-1")
    return registry.load("VAULT").run(given, context)["result"]


def test_a_secret_is_read_with_what_is_known_of_its_version(vault: FakeVault) -> None:
    log: list[str] = []
    result = ask(vault, log=log)
    assert result["data"]["data"] == DATABASE
    assert result["data"]["metadata"]["version"] == 2
    assert vault.seen[-1].headers["x-vault-token"] == TOKEN
    assert log == ["read secret/app/database"]


def test_an_older_version_is_read(vault: FakeVault) -> None:
    assert ask(vault, version=1)["data"]["data"] == {"user": "ada", "password": "0ld"}


def test_of_a_secret_one_key_alone_is_returned(vault: FakeVault) -> None:
    assert ask(vault, key="password")["data"]["data"] == {"password": DATABASE["password"]}


def test_a_secret_is_written(vault: FakeVault) -> None:
    result = ask(vault, "team/new one", data={"token": "s3cret", "sizes": [1, None]})
    assert result["data"]["version"] == 1
    assert ask(vault, "team/new one")["data"]["data"] == {"token": "s3cret", "sizes": [1, None]}


def test_the_latest_version_is_deleted_or_the_one_that_is_named(vault: FakeVault) -> None:
    assert ask(vault, mode="delete", version=1) == {}
    assert ask(vault)["data"]["data"] == DATABASE
    assert ask(vault, mode="delete") == {}
    for version in (1, 2):
        with pytest.raises(ConnectionFailed, match=rf"version {version} of .* was deleted at 20"):
            ask(vault, version=version)


def test_all_versions_are_deleted(vault: FakeVault) -> None:
    assert ask(vault, mode="delete_metadata") == {}
    assert vault.secrets == {}


def test_names_are_listed(vault: FakeVault) -> None:
    vault.holds("app/mail/out", user="x")
    assert ask(vault, "app", mode="list")["data"]["keys"] == ["database", "mail/"]
    assert ask(vault, "", mode="list")["data"]["keys"] == ["app/"]


def test_engine_and_namespace_are_what_the_inputs_say() -> None:
    with FakeVault(engine="team/kv") as vault:
        vault.namespace = "sales"
        vault.holds("a%2Fb", x=1)
        result = ask(vault, "a%2Fb", engine_path="team/kv/", namespace="sales")
    assert result["data"]["data"] == {"x": 1}


def test_a_host_may_be_given_as_a_url(vault: FakeVault) -> None:
    given = {"host": vault.url, "token": TOKEN, "secret_path": "app/database"}
    result = registry.load("VAULT").run(given, registry.Context())["result"]
    assert result["data"]["data"] == DATABASE


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "no such secret": (
        {"path": "app/nothing"},
        "VAULT: read secret/app/nothing: there is no such secret; check secret_path and ",
    ),
    "no such version": ({"version": 7}, "there is no version 7 of such secret"),
    "no such key": ({"key": "passwd"}, "read secret/app/database: the secret has no key 'passwd'"),
    "no such engine": ({"engine_path": "kv"}, "there is no engine at kv; give engine_path"),
    "nothing to list": ({"path": "void", "mode": "list"}, "there is nothing there"),
    "a wrong token": (
        {"token": "hvs.wrong"},
        "the token may not read this, or is not valid any more (permission denied)",
    ),
    "a token that may not": (
        {"token": READER, "data": {"password": "n3w-secret"}},
        "the token may not write this, or is not valid any more",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_told_in_plain_words(vault: FakeVault, case: str) -> None:
    inputs, words = REFUSALS[case]
    with pytest.raises(ConnectionFailed) as failure:
        ask(vault, **inputs)
    assert words in str(failure.value)
    for secret in (TOKEN, READER, "n3w-secret"):
        assert secret not in str(failure.value)


def test_a_sealed_vault_is_called_sealed(vault: FakeVault) -> None:
    vault.sealed = True
    with pytest.raises(ConnectionFailed, match="Vault is sealed; somebody has to unseal it"):
        ask(vault)
    assert len(vault.seen) == 1


def test_what_vault_itself_says_is_told(vault: FakeVault) -> None:
    vault.needs_check_and_set = True
    with pytest.raises(ConnectionFailed, match="Vault refused: check-and-set parameter required"):
        ask(vault, data={"a": 1})


def test_a_read_is_tried_again_where_a_write_is_not(vault: FakeVault) -> None:
    vault.unavailable = 1
    log: list[str] = []
    assert ask(vault, log=log)["data"]["data"] == DATABASE
    assert "answered 502 Bad Gateway" in log[-1]
    vault.unavailable = 1
    with pytest.raises(ConnectionFailed, match=r"VAULT: POST .*answered 502"):
        ask(vault, data={"a": 1})
    assert len(vault.secrets["app/database"]) == 2


def test_what_is_not_vault_is_told(rest_server: RestServer) -> None:
    given = {"url": f"{rest_server.url}/echo", "token": TOKEN, "secret_path": "x"}
    with pytest.raises(ConnectionFailed, match=r"what answers there \(200\) is not Vault"):
        registry.load("VAULT").run(given, registry.Context())


def test_an_authority_of_ones_own_is_trusted(vault_tls: FakeVault, authority: Authority) -> None:
    cacert = authority.certificate_file.read_text()
    assert ask(vault_tls, cacert=cacert)["data"]["data"] == DATABASE
    assert ask(vault_tls, verify_ssl=False)["data"]["data"] == DATABASE
    with pytest.raises(ConnectionFailed, match=r"certificate is not trusted .*give its CA"):
        ask(vault_tls)
    assert len(vault_tls.seen) == 2


def test_a_connection_is_given_up_when_its_run_is_cancelled(vault: FakeVault) -> None:
    vault.hangs.set()
    context = registry.Context(cancelled=vault.asked.is_set)
    given = {"url": vault.url, "token": TOKEN, "secret_path": "app/database"}
    with pytest.raises(ConnectionCancelled, match="VAULT: given up"):
        registry.load("VAULT").run(given, context)


def test_in_a_pod_the_values_come_back_and_the_token_stays_hidden(vault: FakeVault) -> None:
    vault.holds("app/echo", token=TOKEN, other="visible")
    inputs = {"url": vault.url, "token": TOKEN, "secret_path": "app/echo"}
    server = run_in_pod(connection=Connection(type="VAULT", inputs=inputs, secret_inputs=["token"]))
    assert server.end.status == "success"
    assert server.end.outputs is not None
    assert server.end.outputs["result"]["data"]["data"] == {"token": "***", "other": "visible"}
    assert TOKEN not in json.dumps([encode(server.end), *server.texts()])


def test_scripts_without_a_cluster_read_and_write_secrets(vault: FakeVault) -> None:
    def main(system: System, this: Execution) -> dict[str, object]:
        ours = system.vault("team vault")
        ours.write_secret("app/mail", {"password": "n3w-secret"})
        password = ours.secret("app/mail", "password")
        this.log("it is", password)
        try:
            ours.secret("app/mail", "user")
        except DependencyFailedError as error:
            this.log(str(error))
        return {"length": len(password), "keys": sorted(ours.secret("app/database"))}

    connector = Connector(
        type="VAULT", inputs={"url": vault.url, "token": TOKEN}, secret_inputs=("token",)
    )
    run = Local(connections=RealConnections({"team vault": connector})).run(main)
    assert run.is_success, run.message
    assert run.outputs == {"length": 10, "keys": ["password", "port", "user"]}
    assert run.log[0] == "it is ***"
    assert "the secret has no key 'user'" in str(run.log[1])
    shown = str([child.log for child in run.children])
    assert TOKEN not in shown
    assert "n3w-secret" not in shown
