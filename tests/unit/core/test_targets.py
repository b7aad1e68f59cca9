from datetime import timedelta
from typing import Any

import pytest

from tests.builders import connector, execution, flow, started
from weir.api.connector import Connector
from weir.api.flow import Flow
from weir.api.reasons import Reason
from weir.core.lookup import Catalog
from weir.core.observed import Obstacle, Plan
from weir.core.targets import PATIENCE, plan_of, plan_of_started

AT_ONCE = timedelta(0)
GET = {"command": "get", "repository_url": "https://example.com/r.git"}


def catalog(*things: Any) -> Catalog[Any]:
    filled: Catalog[Any] = Catalog()
    for one in things:
        filled.put(one)
    return filled


def plan(
    *, flows: list[Flow] | None = None, connectors: list[Connector] | None = None, **spec: Any
) -> Plan:
    return plan_of(execution(**spec), catalog(*(flows or [])), catalog(*(connectors or [])))


def obstacle(**fields: Any) -> Obstacle | None:
    return plan(**fields).obstacle


def test_a_flow_is_run_as_it_is_now() -> None:
    hello = flow(title="Say hello", maxConcurrent=3)

    assert plan(flow="Say hello", flows=[hello]) == Plan(
        title="hello", flow="hello", revision="abc", spec=hello.spec, max_concurrent=3
    )


def test_a_draft_takes_all_but_the_script_from_its_flow() -> None:
    hello = flow(maxConcurrent=3, runner={"serviceAccountName": "robot"})

    assert plan(flow="hello", draft="x", mode="Development", flows=[hello]) == plan(
        flow="hello", flows=[hello]
    )


@pytest.mark.parametrize("word", ["Say hello", "say-hello"])
def test_a_draft_names_its_flow_by_object_name(word: str) -> None:
    found = obstacle(flow=word, draft="x", mode="Development", flows=[flow(title="Say hello")])

    assert found == Obstacle(
        reason=Reason.FLOW_NOT_FOUND,
        message=f"a draft names its Flow by object name: hello, not {word!r}",
        patience=AT_ONCE,
    )


@pytest.mark.parametrize(
    ("flows", "reason", "patience", "silent"),
    [
        pytest.param([], Reason.FLOW_NOT_FOUND, PATIENCE, False, id="no such Flow"),
        pytest.param(
            [flow(ready=False)], Reason.FLOW_NOT_READY, PATIENCE, False, id="a Flow that is wrong"
        ),
        pytest.param(
            [flow(ready=None)], Reason.FLOW_NOT_READY, None, True, id="a Flow not checked yet"
        ),
        pytest.param(
            [flow(metadata={"generation": 2})],
            Reason.FLOW_NOT_READY,
            None,
            True,
            id="a Flow that has just changed",
        ),
        pytest.param(
            [flow(suspend=True)], Reason.FLOW_SUSPENDED, None, False, id="a suspended Flow"
        ),
    ],
)
def test_a_flow_may_stand_in_the_way(
    flows: list[Flow], reason: Reason, patience: timedelta | None, silent: bool
) -> None:
    found = obstacle(flow="hello", flows=flows)

    assert found is not None
    assert (found.reason, found.patience, found.silent) == (reason, patience, silent)


def test_a_flow_that_is_wrong_says_what_is_wrong() -> None:
    found = obstacle(flow="hello", flows=[flow(ready=False)])

    assert found is not None
    assert found.message == (
        "Flow hello is not ready: NoHandler: the script defines no function `handler`"
    )


def test_a_script_stands_for_itself() -> None:
    assert plan(script="x") == Plan(title="script")


def test_a_connection_by_type_is_called_by_it() -> None:
    assert plan(connection={"type": "GIT"}, inputs=GET) == Plan(title="GIT", repeatable=True)


def test_a_connection_takes_what_its_connector_has() -> None:
    repo = connector("repo", inputs={"repository_url": "https://example.com/r.git"})
    asked: dict[str, Any] = {"connection": {"connector": "repo"}, "inputs": {"command": "get"}}

    assert plan(**asked, connectors=[repo]) == Plan(title="GIT", repeatable=True)


def test_a_secret_input_counts_without_its_value() -> None:
    key = {"input": "repository_url", "secretKeyRef": {"name": "git", "key": "url"}}
    asked: dict[str, Any] = {"connection": {"connector": "repo"}, "inputs": {"command": "get"}}

    assert obstacle(**asked, connectors=[connector("repo", secretInputs=[key])]) is None


@pytest.mark.parametrize(
    ("spec", "reason", "patience", "message"),
    [
        pytest.param(
            {"connection": {"connector": "gone"}},
            Reason.CONNECTOR_NOT_FOUND,
            PATIENCE,
            "there is no Connector called 'gone'",
            id="no such Connector",
        ),
        pytest.param(
            {"connection": {"connector": "wrong"}},
            Reason.CONNECTOR_NOT_READY,
            PATIENCE,
            "Connector wrong is not ready",
            id="a Connector that is not ready",
        ),
        pytest.param(
            {"connection": {"connector": "repo", "type": "SSH"}},
            Reason.INVALID_INPUTS,
            AT_ONCE,
            "Connector repo is of type GIT, not SSH",
            id="a Connector of another type",
        ),
        pytest.param(
            {"connection": {"connector": "repo"}, "mode": "Development"},
            Reason.CONNECTOR_NOT_READY,
            AT_ONCE,
            "does not allow Development runs",
            id="a Connector for productive runs",
        ),
        pytest.param(
            {"connection": {"type": "FAX"}},
            Reason.UNKNOWN_TYPE,
            AT_ONCE,
            "FAX",
            id="no such type",
        ),
        pytest.param(
            {"connection": {"type": "GIT"}, "inputs": {"command": "get"}},
            Reason.INVALID_INPUTS,
            AT_ONCE,
            "MissingInputError: GIT: missing input repository_url",
            id="a missing input",
        ),
        pytest.param(
            {"connection": {"type": "GIT"}, "inputs": GET | {"command": 1}},
            Reason.INVALID_INPUTS,
            AT_ONCE,
            "InvalidInputError: GIT: invalid input command",
            id="a wrong input",
        ),
        pytest.param(
            {"connection": {"type": "GIT"}, "inputs": GET | {"colour": 1}},
            Reason.INVALID_INPUTS,
            AT_ONCE,
            "ExtraInputError: GIT: ",
            id="an unknown input",
        ),
    ],
)
def test_a_connection_may_be_impossible(
    spec: dict[str, Any], reason: Reason, patience: timedelta, message: str
) -> None:
    connectors = [
        connector("repo", allowedModes=["Productive"]),
        connector("wrong", ready=False),
    ]
    found = obstacle(**spec, connectors=connectors)

    assert found is not None
    assert (found.reason, found.patience) == (reason, patience)
    assert message in found.message


def test_large_inputs_are_the_servers_to_check() -> None:
    stored = {"digest": "x", "bytes": 100_000}

    assert obstacle(connection={"type": "GIT"}, inputsRef=stored) is None


def test_a_started_run_keeps_its_revision() -> None:
    spec = flow().spec

    assert plan_of_started(started(), spec, catalog()) == Plan(
        title="hello", flow="hello", revision="abc", spec=spec
    )


def test_a_started_run_without_its_revision_cannot_go_on() -> None:
    found = plan_of_started(started(), None, catalog()).obstacle

    assert found is not None
    assert found.message == "revision abc of Flow hello is gone, so the run cannot go on"


@pytest.mark.parametrize(
    ("spec", "repeatable"),
    [
        pytest.param({"connection": {"type": "GIT"}, "inputs": GET}, True, id="reading is"),
        pytest.param({"connection": {"type": "FAX"}}, False, id="what nobody knows is not"),
        pytest.param({"connection": {"type": "GIT"}}, False, id="what is wrong is not"),
        pytest.param({"script": "x"}, True, id="a script is: its journal remembers"),
    ],
)
def test_a_started_run_may_be_repeatable(spec: dict[str, Any], repeatable: bool) -> None:
    run = started(**spec, status={"flow": "x"})

    assert plan_of_started(run, None, catalog()).repeatable is repeatable
