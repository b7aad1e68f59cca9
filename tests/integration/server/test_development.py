"""Development runs: drafts, what their children are, what is closed to them, how long they stay."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.test_retention import ENDED, at, settled
from tests.integration.server.worlds import SCRIPT, World, until
from weir.api import names
from weir.cluster.kinds import EXECUTIONS

# Whichever the database is, the code that is tried here is the same.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

DRAFT = "def handler(system, this):\n    return this.success('better')\n"


async def test_a_draft_runs_in_place_of_the_flows_script_to_its_end(
    world: World, runner_for: RunnerFor
) -> None:
    await world.flow("hello", outputSchema={"required": ["n"]})
    execution = await world.execution(flow="hello", draft=DRAFT, mode="Development")
    first = await runner_for(execution)
    second = await runner_for(execution, attempt=2)

    for runner in (first, second):
        assert runner.assignment is not None
        assert runner.assignment.script == DRAFT
        assert not runner.assignment.execution.is_productive
    await second.end(outputs={"m": 1})
    # All else is the Flow's.
    assert (await world.get(execution.metadata.name)).status.reason == "InvalidOutputs"


async def test_children_are_of_the_mode_and_the_priority_that_their_parent_has_then(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    root = await world.execution(script=SCRIPT, mode="Development", priority=7)
    runner = await runner_for(root)
    first = (await runner.child(script=SCRIPT)).executions[0]
    await world.cluster.patch(
        EXECUTIONS, world.namespace, root.metadata.name, {"spec": {"mode": "Productive"}}
    )

    async def seen() -> bool:
        known = server.runtime.executions.get(root.uid)
        return known is not None and known.spec.mode == "Productive"

    await until(seen)
    second = (await runner.child(script=SCRIPT)).executions[0]
    for made, mode in ((first, "Development"), (second, "Productive")):
        child = await world.get(made.name)
        assert (child.spec.mode, child.spec.priority) == (mode, 7)
        assert child.metadata.labels[names.MODE_LABEL] == mode


async def test_a_connector_may_refuse_development_runs(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    url = {"repository_url": "https://example.com/r.git"}
    await world.connector("production", type="GIT", inputs=url, allowedModes=["Productive"])

    async def seen() -> bool:
        return len(server.runtime.catalogs.connectors(world.namespace)) == 1

    await until(seen)
    runner = await runner_for(await world.execution(script=SCRIPT, mode="Development"))
    answer = await runner.child(connector="production", inputs={"command": "get"})
    assert answer.error is not None
    assert answer.error.type == "PermissionDenied"
    assert answer.error.message == "connector production does not allow Development runs"


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        pytest.param({}, timedelta(hours=1), id="an hour"),
        pytest.param({"ttlAfterFinished": "3h"}, timedelta(hours=3), id="as the run itself says"),
    ],
)
@pytest.mark.parametrize("flow_ttl", ["24h", "50m"])
async def test_ended_development_runs_stay_for_a_shorter_time(
    world: World, server: Served, spec: dict[str, Any], kept: timedelta, flow_ttl: str
) -> None:
    await world.flow("hello", ttlAfterFinished=flow_ttl)
    if not spec and flow_ttl == "50m":
        kept = timedelta(minutes=50)
    execution = await world.execution(flow="hello", mode="Development", **spec)
    await world.end(execution.metadata.name)
    await settled(server, world, 1)

    async def seen() -> bool:
        return len(server.runtime.catalogs.flows(world.namespace)) == 1

    await until(seen)
    minute = timedelta(minutes=1)
    assert await at(server, ENDED + kept - minute).sweep() == 0
    assert await at(server, ENDED + kept + minute).sweep() == 1
