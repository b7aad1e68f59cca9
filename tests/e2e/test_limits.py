"""How many run at once, and how deep."""

import pytest

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World

WAITS = WAIT_FOR_GO + "def handler(system, this): wait_for_go()"


async def test_more_runs_than_the_flow_allows_are_queued_and_start_one_by_one(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS, max_concurrent=1)
    first = await when.executed("waits", name="first")
    await then(first).has_a_running_pod()
    second = await when.executed("waits", name="second")
    await then(second).stays("Queued", "FlowLimit")
    assert not second.pods
    await when.told(first)
    await then(first).succeeds()
    await then(second).has_a_running_pod()
    await when.told(second)
    await then(second).succeeds()


async def test_a_higher_priority_leaves_the_queue_first(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS, max_concurrent=1)
    first = await when.executed("waits")
    await then(first).has_a_running_pod()
    ordinary = await when.executed("waits")
    await then(ordinary).stays("Queued", "FlowLimit")
    urgent = await when.executed("waits", priority=10)
    await then(urgent).stays("Queued", "FlowLimit")
    await when.told(first)
    await then(urgent).has_a_running_pod()
    assert ordinary.phase == "Queued"


async def test_a_queued_run_may_be_cancelled(given: Given, when: When, then: Then) -> None:
    await given.flow("waits", WAITS, max_concurrent=1)
    first = await when.executed("waits")
    await then(first).has_a_running_pod()
    second = await when.executed("waits")
    await then(second).stays("Queued", "FlowLimit")
    await when.cancelled(second)
    await then(second).is_cancelled(within=10)
    assert first.phase in ("Starting", "Running")


async def test_a_parent_that_waits_does_not_keep_its_own_children_from_running(
    given: Given, when: When, then: Then
) -> None:
    await given.flow(
        "countdown",
        """
        def handler(system, this, inputs):
            if inputs['left']:
                this.flow('countdown', left=inputs['left'] - 1)
        """,
        max_concurrent=1,
    )
    run = await when.executed("countdown", inputs={"left": 3})
    await then(run).succeeds()


@pytest.mark.slow
async def test_a_flow_that_calls_itself_without_end_is_stopped_at_the_depth_limit(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("endless", "def handler(system, this): this.flow('endless')")
    run = await when.executed("endless")
    await then(run).fails("DependencyFailed", message="32", within=180)
    depth, leaf = 0, run
    while leaf.children:
        (leaf,) = leaf.children
        depth += 1
    assert depth == 33  # 32 stand above the one that is refused
    assert leaf.reason == "TooDeep"


@pytest.mark.slow
async def test_the_limit_of_the_whole_cluster_queues_runs_of_all_flows(
    world: World, given: Given, when: When, then: Then
) -> None:
    deployment = ("deployment/weir-operator", "--namespace=weir-system")

    async def limited(value: str) -> None:
        await world.installation.kubectl("set", "env", *deployment, f"WEIR_MAX_RUNNING={value}")
        await world.installation.kubectl("rollout", "status", *deployment, "--timeout=55s")

    for name in ("one", "two", "three"):
        await given.flow(name, WAITS)
    try:
        await limited("2")
        one, two = await when.executed("one"), await when.executed("two")
        await then(one).has_a_running_pod()
        await then(two).has_a_running_pod()
        three = await when.executed("three")
        await then(three).stays("Queued", "ClusterLimit")
        await when.told(one)
        await then(one).succeeds()
        await then(three).has_a_running_pod()
    finally:
        await limited("0")


async def test_a_pod_that_the_quota_refuses_is_told_and_made_when_there_is_room(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    await given.quota(pods="1")
    first = await when.executed("waits")
    await then(first).has_a_running_pod()
    second = await when.executed("waits")
    await then(second).says("(?i)quota")
    assert second.reason == "PodRefused"
    await when.told(first)
    await then(first).succeeds()
    await then(second).has_a_running_pod()
    await when.told(second)
    await then(second).succeeds()
