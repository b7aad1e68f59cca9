"""Connections without a cluster: said by the test, made for real, or refused."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import flow_api
from flow_api import Execution, System
from weir_local import Connector, Local, RealConnections, ScriptedConnections


def local(otherwise: Any = None, **answers: Any) -> Local:
    connections = ScriptedConnections(answers, otherwise=otherwise)
    return Local(connections=connections, skip_time=True)


def test_a_connection_comes_to_what_is_said() -> None:
    def main(system: System, this: Execution) -> None:
        this.log(this.connect("my database", query="q").get("output_value"))
        this.log(this.connect(connector_type="REST", url="u").get("output_value", "connector_type"))
        this.log(this.connect("two", a=1, b=2).get("output_value"))
        this.log([this.connect("turns").get("output_value")["n"] for _ in range(2)])

    run = local(
        my_database={"rows": 2},
        REST=lambda inputs: {"asked": inputs["url"]},
        two=lambda a, b: {"sum": a + b},
        turns=[{"n": 1}, {"n": 2}],
    ).run(main)
    assert run.is_success, run.message
    assert run.log == ['{"rows": 2}', '[{"asked": "u"}, "REST"]', '{"sum": 3}', "[1, 2]"]
    assert {child.type for child in run.children} == {"CONNECTION"}


@pytest.mark.parametrize(
    ("answer", "raised", "said"),
    [
        (OSError("down"), flow_api.DependencyFailedError, "failed: down"),
        (OSError, flow_api.DependencyFailedError, "failed: OSError"),
        ({"a": object()}, flow_api.DependencyFailedError, "returned what is no JSON"),
        (flow_api.MissingInputError("no url"), flow_api.MissingInputError, "no url"),
        ([], flow_api.InternalError, "connection 'it' has no answer left"),
    ],
)
def test_a_connection_fails_as_is_said(answer: Any, raised: type[Exception], said: str) -> None:
    def main(system: System, this: Execution) -> None:
        this.connect("it")

    run = local(it=answer).run(main)
    assert isinstance(run.error, raised)
    assert said in str(run.error)


def test_what_is_not_known_is_not_found() -> None:
    def main(system: System, this: Execution) -> None:
        for connector, connector_type in (("it", None), (None, "IT")):
            try:
                this.connect(connector, connector_type=connector_type)
            except flow_api.ResourceNotFoundError as error:
                this.log(str(error))

    assert local().run(main).log == [
        'there is no connector "it" in this namespace',
        'no connection type is called "IT"',
    ]


def test_secrets_of_a_vault_come_to_what_is_said() -> None:
    def main(system: System, this: Execution) -> dict[str, object]:
        return {"user": system.vault("team vault").secret("app/database", "user")}

    secret = {"user": "ada", "password": "s3cret"}
    run = local(team_vault={"result": {"data": {"data": secret}}}).run(main)
    assert run.is_success, run.message
    assert run.outputs == {"user": "ada"}


def test_a_real_connection_is_checked_before_it_is_made() -> None:
    def main(system: System, this: Execution) -> None:
        for arguments in (
            {"connector_type": "GIT"},
            {"connector_type": "NONE"},
            {"connector_type": "GIT", "command": "get", "repository_url": "x", "colour": 1},
        ):
            try:
                this.connect(**arguments)
            except flow_api.EngineException as error:
                this.log(type(error).__name__)
        try:
            this.connect("repository", connector_type="REST")
        except flow_api.InvalidInputError as error:
            this.log(str(error))

    connectors = {"repository": Connector(type="GIT", inputs={"password": "hunter22"})}
    run = local(RealConnections(connectors)).run(main)
    assert run.is_success, run.message
    assert run.log == [
        "MissingInputError",
        "ResourceNotFoundError",
        "ExtraInputError",
        "connector repository is of type GIT, not of type REST",
    ]


def test_a_connector_says_what_a_call_may_set() -> None:
    def main(system: System, this: Execution) -> None:
        for connector, inputs in (("secret", "repository_url"), ("strict", "ref"), ("open", "ref")):
            try:
                this.connect(connector, inputs={inputs: "x"}, run=False)
            except flow_api.PermissionDenied as error:
                this.log(str(error))

    inputs = {"command": "get", "repository_url": "https://example.com/r.git", "password": "p"}
    connectors = {
        "secret": Connector(type="GIT", inputs=inputs, secret_inputs=("password",)),
        "strict": Connector(type="GIT", inputs=inputs, overridable=("paths",)),
        "open": Connector(type="GIT", inputs=inputs),
    }
    run = local(RealConnections(connectors)).run(main)
    assert run.is_success, run.message
    assert run.log == [
        f"connector {name} does not let a call set {refused}: its spec.overridable says what may "
        "be set"
        for name, refused in (("secret", "repository_url"), ("strict", "ref"))
    ]


def test_a_real_connection_hides_its_secrets(tmp_path: Any) -> None:
    def main(system: System, this: Execution) -> None:
        this.connect("repository", command="metadata")

    inputs = {"repository_url": f"file://{tmp_path}/hunter22", "password": "hunter22"}
    connectors = {"repository": Connector(type="GIT", inputs=inputs)}
    run = local(RealConnections(connectors)).run(main)
    child = run.children[0]
    assert child.reason == "ConnectionFailed"
    assert "hunter22" not in f"{child.message} {child.log} {run.message}"


def test_without_its_package_a_connection_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "weir_connectors", None)

    def main(system: System, this: Execution) -> None:
        this.connect(connector_type="GIT", command="get")

    run = local(RealConnections()).run(main)
    assert "pip install 'weir-connectors[git]'" in str(run.error)
