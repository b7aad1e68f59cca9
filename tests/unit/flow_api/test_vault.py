"""`system.vault`: connections to Vault, and what of them is hidden."""

from collections.abc import Callable
from typing import Any

import pytest

import flow_api
from flow_api import System
from tests.unit.flow_api.fake_backend import FakeBackend
from weir_protocol import Answer, ErrorInfo


@pytest.fixture(params=[False, True], ids=["full", "lean"])
def backend(request: pytest.FixtureRequest) -> FakeBackend:
    return FakeBackend(lean=request.param)


@pytest.fixture
def vault(backend: FakeBackend) -> flow_api.Vault:
    return System(backend).vault("team vault")


def test_a_secret_is_read_whole_or_by_its_key(vault: flow_api.Vault) -> None:
    assert vault.secret("app/database") == {"user": "ada", "password": "s3cret"}
    assert vault.secret("app/database", "password") == "s3cret"


def test_a_secret_is_a_connection_whose_outputs_are_protected(
    vault: flow_api.Vault, backend: FakeBackend
) -> None:
    vault.secret("app/database", key="user")
    (asked,) = backend.of_kind("child")
    assert (asked.connector, asked.connector_type) == ("team vault", "VAULT")
    assert asked.inputs == {"mode": "read", "secret_path": "app/database", "key": "user"}
    assert asked.protect_outputs == ["result"]
    (waited,) = backend.of_kind("wait")
    assert waited.return_when == "ALL_SUCCEEDED"


def test_what_was_read_is_hidden_in_the_log(vault: flow_api.Vault, backend: FakeBackend) -> None:
    vault.secret("app/database")
    assert backend.hidden == [{"user": "ada", "password": "s3cret"}]


def test_a_secret_is_written_by_a_connection_whose_inputs_are_protected(
    vault: flow_api.Vault, backend: FakeBackend
) -> None:
    vault.write_secret("app/database", {"password": "n3w"})
    (asked,) = backend.of_kind("child")
    assert asked.inputs == {
        "mode": "write", "secret_path": "app/database", "data": {"password": "n3w"},
    }  # fmt: skip
    assert asked.protect_inputs == ["data"]
    assert backend.hidden == [{"password": "n3w"}]


@pytest.mark.parametrize(
    "kind", [flow_api.ResourceNotFoundError, flow_api.InvalidInputError, flow_api.PermissionDenied]
)
def test_a_refused_connection_raises(
    vault: flow_api.Vault, backend: FakeBackend, kind: type[Exception]
) -> None:
    backend.answer = Answer(state="failed", error=ErrorInfo(type=kind.__name__, message="no"))
    with pytest.raises(kind, match="no"):
        vault.secret("app/database")


def test_a_failed_connection_raises_with_the_connection(
    vault: flow_api.Vault, backend: FakeBackend
) -> None:
    backend.fails_until = 1
    with pytest.raises(flow_api.DependencyFailedError) as failure:
        vault.secret("app/database")
    assert failure.value.execution is not None
    assert failure.value.execution.get("status") == "ENDED_ERROR"


WRONG: dict[str, Callable[[Any], Any]] = {
    "no name": lambda system: system.vault(""),
    "no path": lambda system: system.vault("v").secret(None),
    "no key": lambda system: system.vault("v").secret("a", ""),
    "no object": lambda system: system.vault("v").write_secret("a", ["b"]),
    "no JSON": lambda system: system.vault("v").write_secret("a", {"b": object()}),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_a_type_error(backend: FakeBackend, case: str) -> None:
    with pytest.raises(TypeError):
        WRONG[case](System(backend))
    assert backend.operations == []
