"""Which connection types there are, and what the server may ask of them without their libraries."""

from __future__ import annotations

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


def test_git_is_there() -> None:
    assert "GIT" in registry.names()
    assert registry.input_model("GIT") is GitInputs
    assert registry.load("GIT").name == "GIT"


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


def test_inputs_are_checked_without_any_protocol_library() -> None:
    code = (
        "import sys; from weir_connectors import registry;"
        f"registry.check('GIT', {WHERE!r}); registry.repeatable('GIT', {WHERE!r});"
        "registry.describe('GIT'); registry.transport_inputs('GIT');"
        "print(*sys.modules)"
    )
    run = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert not {"git", "gitdb", "weir_connectors.git", "pydantic"} & set(run.stdout.split())


def test_a_secret_that_the_server_does_not_see_counts_as_given() -> None:
    ssh = {"command": "get", "repository_url": "ssh://host/x.git", "ssh_hostkey": False}
    with pytest.raises(MissingInputError, match="ssh_key"):
        registry.check("GIT", ssh)
    registry.check("GIT", ssh, secret_inputs=["ssh_key"])


def test_what_decides_where_secrets_go_is_marked() -> None:
    assert registry.transport_inputs("GIT") == {
        "repository_url",
        "ssh_hostkey",
        "cacert",
        "verify_ssl",
    }
    assert registry.load("GIT").transport_inputs == registry.transport_inputs("GIT")


def test_secrets_are_marked() -> None:
    assert registry.secret_inputs("GIT") == {"password", "ssh_key", "httpCookie"}


@pytest.mark.parametrize("command", ["get", "metadata"])
def test_git_may_be_run_again(command: str) -> None:
    inputs = {**WHERE, "command": command, "ssh_hostkey": False}
    assert registry.repeatable("GIT", inputs)
    assert registry.load("GIT").repeatable(inputs)


def test_what_is_wrong_may_not_be_run_again() -> None:
    assert not registry.repeatable("GIT", {"command": "push"})


def test_files_path_is_refused_and_not_ignored() -> None:
    with pytest.raises(ExtraInputError, match="GIT: unknown input files_path; GIT takes command, "):
        registry.check("GIT", {**WHERE, "files_path": "x"})


def test_the_description_of_git_is_a_json_schema() -> None:
    described = json.loads(json.dumps(registry.describe("GIT")))
    jsonschema.Draft202012Validator.check_schema(described)
    jsonschema.validate({**WHERE, "timeout": 5, "ssh_hostkey": False}, described)
    for wrong in ({}, {**WHERE, "extra": 1}, {**WHERE, "timeout": 0}, {**WHERE, "command": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, described)
    assert all(one["description"] for one in described["properties"].values())
