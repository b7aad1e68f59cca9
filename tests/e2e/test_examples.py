"""Every example, run as its user would, ends as examples/expected.yaml says."""

import itertools
import json

import pytest
import yaml

from demo.examples import Expectation, asks, expectations, manifest, services_of
from demo.services import served
from tests.e2e.run import Run
from tests.e2e.test_cli import Command
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.cluster.kinds import (
    CONNECTORS,
    EXECUTIONS,
    FLOW_REPOSITORIES,
    FLOWS,
    SCHEDULES,
    SECRETS,
    WEBHOOKS,
)

KINDS = {
    "Flow": FLOWS,
    "Execution": EXECUTIONS,
    "Connector": CONNECTORS,
    "Secret": SECRETS,
    "Schedule": SCHEDULES,
    "Webhook": WEBHOOKS,
    "FlowRepository": FLOW_REPOSITORIES,
}
FILES = list(dict.fromkeys(one.file for one in expectations()))


async def applied(world: World, when: When, file: str) -> dict[str, Run]:
    """Create what an example holds, and return its runs by name."""
    addresses = {
        service.public: await served(world.cluster, world.namespace, service)
        for service in services_of(file)
    }
    runs = {}
    for item in yaml.safe_load_all(manifest(file, addresses)):
        created = await world.cluster.create(KINDS[item["kind"]], world.namespace, item)
        if item["kind"] == "Execution":
            runs[item["metadata"]["name"]] = when.run(created)
    return runs


async def answered(world: World, then: Then, run: Run, response: JsonObject) -> None:
    """Answer what a run asks, as its user would."""
    await then(run).until(
        lambda: run.exists and asks(Execution.model_validate(run.object)), "its question"
    )
    call = await Command(world)("respond", run.name, "--response", json.dumps(response))
    assert call.code == 0, call.err


async def ended(then: Then, run: Run, expected: Expectation) -> Execution:
    await then(run).until(lambda: run.phase.is_final, "its end", within=90)
    execution = Execution.model_validate(run.object)
    assert list(expected.problems(execution, len(run.children))) == []
    return execution


@pytest.mark.parametrize("file", FILES)
async def test_an_example_ends_as_expected(world: World, when: When, then: Then, file: str) -> None:
    runs = await applied(world, when, file)
    for expected in expectations():
        if expected.file == file:
            if expected.response is not None:
                await answered(world, then, runs[expected.execution], expected.response)
            await ended(then, runs[expected.execution], expected)


async def test_runs_of_the_limited_flow_do_not_overlap(
    world: World, when: When, then: Then
) -> None:
    runs = await applied(world, when, "limits.yaml")
    limited = [run for name, run in runs.items() if name != "limits-timeout"]
    spans = []
    for run in limited:
        await then(run).succeeds(within=90)
        outputs = run.status["outputs"]
        spans.append((outputs["began"], outputs["ended"], run.describe()))
    spans.sort()
    for before, after in itertools.pairwise(spans):
        assert before[1] <= after[0], f"two ran at once: {spans}"


async def test_every_level_of_a_failure_names_the_leaf(
    world: World, when: When, then: Then
) -> None:
    run = (await applied(world, when, "three-levels.yaml"))["three-levels"]
    await then(run).fails("DependencyFailed")
    (branch,) = run.children
    (leaf,) = branch.children
    assert leaf.message == "ZeroDivisionError: division by zero (line 3)"
    assert (
        run.message
        == branch.message
        == f"execution {leaf.name} (the division) failed: {leaf.message}"
    )
