"""Which connection types there are, and what the server may ask of them without their libraries."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

import jsonschema
import pytest

from weir_connectors import registry
from weir_connectors.errors import ExtraInputError, MissingInputError, UnknownTypeError
from weir_connectors.git_inputs import GitInputs
from weir_connectors.rest_inputs import RestInputs
from weir_connectors.vault_inputs import VaultInputs

WHERE = {"command": "get", "repository_url": "https://example.com/x.git"}


@dataclass(frozen=True, kw_only=True)
class EchoInputs:
    text: str


class Echo:
    name = "ECHO"
    Inputs: type[Any] = EchoInputs
    transport_inputs: frozenset[str] = frozenset({"text"})

    def repeatable(self, inputs: dict[str, Any]) -> bool:
        return bool(inputs["text"] == "again")

    def run(self, inputs: dict[str, Any], context: registry.Context) -> dict[str, Any]:
        context.log("echoing")
        return {"text": inputs["text"]}


ECHO = Echo()


@pytest.fixture
def echo_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another distribution brings ECHO, and a GIT of its own."""
    points = [EntryPoint(name, f"{__name__}:ECHO", registry.GROUP) for name in ("ECHO", "GIT")]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    registry._others.cache_clear()
    yield
    registry._others.cache_clear()


@pytest.mark.parametrize(
    ("name", "model"), [("GIT", GitInputs), ("REST", RestInputs), ("VAULT", VaultInputs)]
)
def test_a_type_of_weirs_own_is_there(name: str, model: type[Any]) -> None:
    assert name in registry.names()
    assert registry.input_model(name) is model
    assert registry.load(name).name == name
    assert registry.load(name).transport_inputs == registry.transport_inputs(name)


def test_an_unknown_type_is_named_with_those_there_are() -> None:
    with pytest.raises(
        UnknownTypeError, match=r'no connection type is called "GTI"; there are .*GIT'
    ):
        registry.input_model("GTI")


@pytest.mark.usefixtures("echo_installed")
def test_another_distribution_adds_a_type_but_replaces_none() -> None:
    log: list[str] = []
    assert registry.names() == sorted({*registry._OWN, "ECHO"})
    registry.check("ECHO", {"text": "hello"})
    outputs = registry.load("ECHO").run({"text": "hello"}, registry.Context(log=log.append))
    assert outputs == {"text": "hello"}
    assert log == ["echoing"]
    assert not registry.repeatable("ECHO", {"text": "once"})
    assert registry.repeatable("ECHO", {"text": "again"})
    assert registry.transport_inputs("ECHO") == {"text"}
    assert registry.load("GIT").name == "GIT"


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("GIT", WHERE),
        ("REST", {"url": "https://example.com"}),
        ("VAULT", {"host": "vault", "token": "t0ken", "secret_path": "a"}),
    ],
)
def test_inputs_are_checked_without_any_protocol_library(name: str, inputs: Any) -> None:
    code = (
        "import sys; from weir_connectors import registry;"
        f"registry.check({name!r}, {inputs!r}); registry.repeatable({name!r}, {inputs!r});"
        f"registry.describe({name!r}); registry.transport_inputs({name!r});"
        "print(*sys.modules)"
    )
    run = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    libraries = {"git", "gitdb", "httpx", "pydantic", "asyncio", "ssl"}
    running = {f"weir_connectors.{one}" for one in ("git", "rest", "vault")}
    assert not {*libraries, *running} & set(run.stdout.split())


def test_a_secret_that_the_server_does_not_see_counts_as_given() -> None:
    ssh = {"command": "get", "repository_url": "ssh://host/x.git", "ssh_hostkey": False}
    with pytest.raises(MissingInputError, match="ssh_key"):
        registry.check("GIT", ssh)
    registry.check("GIT", ssh, secret_inputs=["ssh_key"])


TRANSPORT = {
    "GIT": {"repository_url", "ssh_hostkey", "cacert", "verify_ssl"},
    "REST": {
        "url",
        "hostname",
        "scheme",
        "port",
        "base_path",
        "allow_redirects",
        "max_redirects",
        "cacert",
        "verify_ssl",
        "proxy",
    },
}


@pytest.mark.parametrize("name", TRANSPORT)
def test_what_decides_where_secrets_go_is_marked(name: str) -> None:
    assert registry.transport_inputs(name) == TRANSPORT[name]


@pytest.mark.parametrize(
    ("name", "secrets"), [("GIT", {"password", "ssh_key", "httpCookie"}), ("REST", {"password"})]
)
def test_secrets_are_marked(name: str, secrets: set[str]) -> None:
    assert registry.secret_inputs(name) == secrets


@pytest.mark.parametrize("command", ["get", "metadata"])
def test_git_may_be_run_again(command: str) -> None:
    inputs = {**WHERE, "command": command, "ssh_hostkey": False}
    assert registry.repeatable("GIT", inputs)
    assert registry.load("GIT").repeatable(inputs)


@pytest.mark.parametrize(
    ("inputs", "again"),
    [({}, True), ({"method": "HEAD"}, True), ({"method": "post"}, False), ({"method": 1}, False)],
)
def test_a_rest_connection_that_only_reads_may_be_run_again(
    inputs: dict[str, Any], again: bool
) -> None:
    given = {"url": "https://example.com", **inputs}
    assert registry.repeatable("REST", given) is again
    assert registry.load("REST").repeatable(given) is again


def test_what_a_secret_holds_does_not_stand_in_the_way_of_running_again() -> None:
    assert registry.repeatable("REST", {"path": "/items", "authentication_method": "bearer"})


def test_what_is_wrong_may_not_be_run_again() -> None:
    assert not registry.repeatable("GIT", {"command": "push"})


def test_files_path_is_refused_and_not_ignored() -> None:
    with pytest.raises(ExtraInputError, match="GIT: unknown input files_path; GIT takes command, "):
        registry.check("GIT", {**WHERE, "files_path": "x"})


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        pytest.param(
            "GIT",
            {**WHERE, "timeout": 5, "ssh_hostkey": False},
            [{}, {**WHERE, "extra": 1}, {**WHERE, "timeout": 0}, {**WHERE, "command": "x"}],
            id="GIT",
        ),
        pytest.param(
            "REST",
            {"url": "https://h", "json": [1], "headers": "A: b", "expected_status_code": 200},
            [{"grant": "x"}, {"port": 0}, {"json": 1, "headers": [1]}, {"scheme": "ftp"}],
            id="REST",
        ),
    ],
)
def test_the_description_of_a_type_is_a_json_schema(
    name: str, right: dict[str, Any], wrong: list[dict[str, Any]]
) -> None:
    described = json.loads(json.dumps(registry.describe(name)))
    jsonschema.Draft202012Validator.check_schema(described)
    jsonschema.validate(right, described)
    for one in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(one, described)
    assert all(one["description"] for one in described["properties"].values())
    defaults = {name: one.get("default") for name, one in described["properties"].items()}
    for known in dataclasses.fields(registry.input_model(name)):
        default = getattr(registry.input_model(name)(**right), known.name)
        assert known.name in right or default is None or defaults[known.name] == default
