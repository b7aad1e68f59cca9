from typing import Any

from tests.builders import connector_object, execution_object
from tests.unit.controllers.harness import Harness
from weir.api.resource import JsonObject
from weir.cluster.errors import Refused
from weir.cluster.kinds import CONNECTORS, EXECUTIONS, SECRETS

KEY = {"input": "password", "secretKeyRef": {"name": "git", "key": "token"}}
INPUTS = {"command": "get", "repository_url": "https://example.com/r.git"}


def operator_with(**fields: Any) -> Harness:
    made = Harness()
    made.cluster.put(CONNECTORS, connector_object(ready=None, **fields))
    return made


def condition(operator: Harness) -> JsonObject:
    (found,) = operator.cluster.find(CONNECTORS, "repo")["status"]["conditions"]
    result: JsonObject = found
    return result


def secret(**data: str) -> JsonObject:
    return {"metadata": {"name": "git", "namespace": "demo", "uid": "s"}, "data": data}


async def test_a_connector_that_is_right_is_ready_with_one_write() -> None:
    operator = operator_with(inputs={"command": "get"})
    await operator.settle(60)

    assert condition(operator)["status"] == "True"
    assert operator.cluster.writes == ["patch connectors/status"]


async def test_a_secret_that_comes_later_makes_it_ready() -> None:
    operator = operator_with(secretInputs=[KEY])
    await operator.settle()
    assert condition(operator)["reason"] == "SecretNotFound"
    assert condition(operator)["message"] == "not found: Secret git"

    operator.cluster.put(SECRETS, secret(other="x"))
    await operator.settle(11)
    assert condition(operator)["message"] == "not found: key token of Secret git"

    operator.cluster.put(SECRETS, secret(token="x"))
    await operator.settle(11)
    assert condition(operator)["status"] == "True"


async def test_secrets_that_may_not_be_read_are_left_to_the_server() -> None:
    operator = operator_with(secretInputs=[KEY])
    operator.cluster.refusals["get secrets"] = Refused("forbidden", status=403)
    await operator.settle()

    assert condition(operator)["status"] == "True"


async def test_a_run_waits_for_its_connector() -> None:
    operator = operator_with(secretInputs=[KEY])
    operator.cluster.put(
        EXECUTIONS, execution_object(connection={"connector": "repo"}, inputs=INPUTS)
    )
    await operator.settle(5)
    assert operator.status()["reason"] == "ConnectorNotReady"
    operator.cluster.put(SECRETS, secret(token="x"))
    await operator.settle(11)

    assert operator.status()["phase"] == "Starting"
    assert operator.status()["flow"] == "GIT"
    assert "revision" not in operator.status()


async def test_a_connector_that_is_gone_frees_its_title() -> None:
    operator = operator_with(title="git")
    metadata = {"uid": "second", "creationTimestamp": "2026-12-01T00:00:00Z"}
    operator.cluster.put(
        CONNECTORS, connector_object("second", ready=None, title="git", metadata=metadata)
    )
    await operator.settle()
    (found,) = operator.cluster.find(CONNECTORS, "second")["status"]["conditions"]
    assert found["reason"] == "TitleTaken"
    operator.cluster.take(CONNECTORS, "repo")
    await operator.settle()

    (found,) = operator.cluster.find(CONNECTORS, "second")["status"]["conditions"]
    assert found["status"] == "True"
