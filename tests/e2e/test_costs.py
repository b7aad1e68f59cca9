"""What a run costs everybody else: writes of ours, and how often the operator looks at it."""

import re

import pytest

from bench.writes import writes
from tests.e2e.given import Given
from tests.e2e.installation import NAMESPACE
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World

NOTHING = "def handler(system, this): pass"


@pytest.mark.own_node
async def test_a_run_without_children_costs_at_most_five_writes_of_ours(
    world: World, given: Given, when: When, then: Then
) -> None:
    bare = world.installation.bare
    assert bare is not None
    await given.flow("nothing", NOTHING)
    for _ in range(2):  # the first makes the Flow's revision, once
        before = writes(bare.audit_log, world.namespace)
        run = await when.executed("nothing")
        await then(run).succeeds()
        await then(run).has_no_pods()
    made = writes(bare.audit_log, world.namespace) - before
    # Of a Flow at most every five seconds, however many runs it has.
    made.pop("patch flows/status", None)
    assert made["create pods"] == made["delete pods"] == 1
    assert made.total() <= 5, made


async def test_the_operator_looks_at_a_run_only_when_something_happened(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("nothing", NOTHING)
    before = await _looks(world)
    runs = [await when.executed("nothing") for _ in range(5)]
    for run in runs:
        await then(run).succeeds()
        await then(run).has_no_pods()
    assert await _looks(world) - before < 20 * len(runs)


async def _looks(world: World) -> float:
    """Return how often the operator has looked at anything, from its metrics."""
    (pod,) = await world.installation.pods_of(world.cluster, "operator")
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}:8081/proxy/metrics"
    metrics = await world.installation.kubectl("get", f"--raw={path}")
    found = re.search(r"^weir_reconciles_total (\S+)$", metrics, re.MULTILINE)
    assert found is not None, metrics
    return float(found[1])
