from typing import Any

import pytest

from tests.builders import after, connector, flow
from weir.api.reasons import Reason
from weir.api.resource import render_time
from weir.core.lookup import Catalog
from weir.core.readiness import READY, Verdict, check_connector, check_flow

OLDER = {"creationTimestamp": render_time(after(-9))}


def catalog(*things: Any) -> Catalog[Any]:
    filled: Catalog[Any] = Catalog()
    for one in things:
        filled.put(one)
    return filled


def env(name: str) -> dict[str, Any]:
    return {"runner": {"env": [{"name": name, "value": "1"}]}}


@pytest.mark.parametrize(
    ("spec", "others", "verdict"),
    [
        pytest.param({}, [], READY, id="a Flow may be run"),
        pytest.param(env("MINE"), [], READY, id="a Flow may set variables"),
        pytest.param({"inputSchema": {"type": "object"}}, [], READY, id="a Flow may have a schema"),
        pytest.param(
            {"script": "def handler(:"},
            [],
            Verdict(False, Reason.SYNTAX_ERROR, "line 1, column 13: invalid syntax"),
            id="a script that is no Python",
        ),
        pytest.param(
            {"outputSchema": {"type": "x"}},
            [],
            Verdict(False, Reason.INVALID_SCHEMA, "spec.outputSchema: schema.type: "),
            id="a schema that is none",
        ),
        pytest.param(
            env("WEIR_SERVER"),
            [],
            Verdict(False, Reason.INVALID_SPEC, "spec.runner.env: WEIR_SERVER is set by Weir"),
            id="a variable of ours",
        ),
        pytest.param(
            {"title": "x"},
            [flow("older", title="x", metadata=OLDER)],
            Verdict(False, Reason.TITLE_TAKEN, "Flow older has the title 'x' already"),
            id="a title that another has",
        ),
        pytest.param(
            {"title": "older"},
            [flow("older", metadata=OLDER)],
            Verdict(False, Reason.TITLE_TAKEN, "the title 'older' is the name of Flow older"),
            id="a title that is another's name",
        ),
        pytest.param(
            {},
            [flow("older", title="hello", metadata=OLDER)],
            Verdict(False, Reason.TITLE_TAKEN, "Flow older has the title 'hello' already"),
            id="a name that is another's title",
        ),
        pytest.param(
            {"title": "mine"},
            [flow("older", title="hello", metadata=OLDER)],
            Verdict(False, Reason.TITLE_TAKEN, "its name is the title of Flow older"),
            id="a name, beside its own title, that is another's title",
        ),
    ],
)
def test_a_flow_is_ready_or_says_why_not(
    spec: dict[str, Any], others: list[Any], verdict: Verdict
) -> None:
    hello = flow(**spec)
    found = check_flow(hello, catalog(hello, *others))

    assert found[:2] == verdict[:2]
    assert found.message.startswith(verdict.message)


@pytest.mark.parametrize(
    ("spec", "missing", "verdict"),
    [
        pytest.param({}, [], READY, id="a Connector that leaves all to the call"),
        pytest.param({"inputs": {"command": "get"}}, [], READY, id="one that gives a part"),
        pytest.param(
            {"type": "FAX"},
            [],
            Verdict(False, Reason.UNKNOWN_TYPE, 'no connection type is called "FAX"'),
            id="no such type",
        ),
        pytest.param(
            {"inputs": {"command": "dance"}},
            [],
            Verdict(False, Reason.INVALID_SPEC, "spec.inputs: GIT: invalid input command"),
            id="a wrong input",
        ),
        pytest.param(
            {"inputs": {"colour": "red"}},
            [],
            Verdict(False, Reason.INVALID_SPEC, "spec.inputs: GIT: "),
            id="an unknown input",
        ),
        pytest.param(
            {},
            ["Secret git", "key a of Secret b"],
            Verdict(False, Reason.SECRET_NOT_FOUND, "not found: Secret git, key a of Secret b"),
            id="Secrets that are not there",
        ),
    ],
)
def test_a_connector_is_ready_or_says_why_not(
    spec: dict[str, Any], missing: list[str], verdict: Verdict
) -> None:
    repo = connector(**spec)
    found = check_connector(repo, catalog(repo), missing)

    assert found[:2] == verdict[:2]
    assert found.message.startswith(verdict.message)


def test_a_connectors_title_may_be_taken() -> None:
    mine, older = connector("mine", title="x"), connector("older", title="x", metadata=OLDER)

    assert check_connector(mine, catalog(mine, older), []).reason == Reason.TITLE_TAKEN


def test_what_depends_on_an_input_that_the_call_may_give_is_no_fault() -> None:
    inputs = {"repository_url": "ssh://git@example.com/r.git"}  # ssh needs a key, from the call

    assert check_connector(connector(inputs=inputs), catalog(), []) == READY
