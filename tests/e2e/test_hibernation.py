"""Runs that give their Pods back while they wait, for real: kubelet, restarts, quotas."""

import asyncio

import pytest

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.run import Run
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api.phases import Phase

WAITS = WAIT_FOR_GO + "def handler(system, this):\n    wait_for_go()\n    return {'done': True}"


async def gives_its_pod_back(run: Run, then: Then) -> None:
    """Wait until a run waits without a Pod."""
    await then(run).until(
        lambda: run.status.get("hibernations", 0) > 0 and run.pod is None, "it to give its Pod back"
    )
    assert run.phase == Phase.WAITING, run.describe()
    await then(run).has_no_pods(within=10)


async def test_a_run_that_sleeps_gives_its_pod_back_and_goes_on_in_another(
    given: Given, when: When, then: Then
) -> None:
    await given.flow(
        "sleeps",
        """
        def handler(system, this):
            this.save(message='going to sleep')
            try:
                this.sleep(8)
            finally:  # not when the Pod is given back
                this.save(message='woke up')
            return {'slept': True}
        """,
        hibernate_after="2s",
    )
    run = await when.executed("sleeps")
    await gives_its_pod_back(run, then)
    assert [one["kind"] for one in run.status["waitingFor"]] == ["Time"]
    assert run.message == "going to sleep"
    await then(run).succeeds(outputs={"slept": True})
    assert run.status["attempt"] == 2
    assert run.message == "woke up"
    assert "losses" not in run.status
    assert Phase.QUEUED in run.phases
    await then(run).has_no_pods()


async def test_a_parent_gives_its_pod_back_while_its_child_runs(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    await given.flow(
        "parent",
        "def handler(system, this): return this.flow('waits').get('output_value')",
        hibernate_after="2s",
    )
    run = await when.executed("parent")
    await gives_its_pod_back(run, then)
    (child,) = run.children
    await when.told(child)
    await then(run).succeeds(outputs={"done": True})
    await then(run).has_children(1)


@pytest.mark.slow
async def test_operator_and_server_are_restarted_while_runs_have_no_pods(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    await given.flow(
        "parent",
        "def handler(system, this): return this.flow('waits').get('output_value')",
        hibernate_after="2s",
    )
    await given.flow(
        "sleeps",
        "def handler(system, this):\n    this.sleep(30)\n    return {'slept': True}",
        hibernate_after="2s",
    )
    parent, sleeper, cancelled = (
        await when.executed("parent"),
        await when.executed("sleeps"),
        await when.executed("sleeps", inputs={"n": 2}),
    )
    for run in (parent, sleeper, cancelled):
        await gives_its_pod_back(run, then)
    (child,) = parent.children
    await asyncio.gather(
        world.installation.kill(world.cluster, "operator"),
        world.installation.kill(world.cluster, "server"),
    )
    await when.told(child)
    await when.cancelled(cancelled)
    await then(parent).succeeds(outputs={"done": True}, within=90)
    await then(cancelled).is_cancelled()
    await then(sleeper).succeeds(outputs={"slept": True}, within=90)
    for run in (parent, sleeper):
        assert run.status["attempt"] == 2
        assert "losses" not in run.status


async def test_a_run_without_a_pod_is_paused_and_resumed(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    await given.flow(
        "parent",
        "def handler(system, this): return this.flow('waits').get('output_value')",
        hibernate_after="2s",
    )
    run = await when.executed("parent")
    await gives_its_pod_back(run, then)
    (child,) = run.children
    await when.paused(run)
    await then(run).reaches("Paused")
    await when.told(child)
    await then(child).succeeds()
    assert run.phase == Phase.PAUSED
    await when.resumed(run)
    await then(run).succeeds(outputs={"done": True})


async def test_three_generations_get_by_with_two_pods(given: Given, when: When, then: Then) -> None:
    """None of them says so: who waits longest makes room for who needs it."""
    await given.flow("leaf", "def handler(system, this): return {'n': 1}")
    for name, below in (("middle", "leaf"), ("top", "middle")):
        await given.flow(
            name,
            f"""
            def handler(system, this):
                return {{'n': 1 + this.flow('{below}').get('output_value')['n']}}
            """,
        )
    await given.quota(pods="2")
    run = await when.executed("top")
    await then(run).succeeds(outputs={"n": 3}, within=120)
    (middle,) = run.children
    assert run.status["hibernations"] == 1
    assert run.status["attempt"] == 2
    assert middle.status["attempt"] == 1


async def test_a_script_with_threads_is_not_taken_up_by_another_pod(
    given: Given, when: When, then: Then
) -> None:
    await given.flow(
        "threads",
        WAIT_FOR_GO
        + """
def handler(system, this):
    import threading
    other = threading.Thread(target=lambda: this.save(message='from a thread'))
    other.start()
    other.join()
    wait_for_go()
""",
    )
    run = await when.executed("threads")
    await then(run).says("from a thread")
    assert run.status["resumable"] is False
    await when.pod_deleted(run, at_once=True)
    await then(run).fails("RunnerLost", message="second thread")
    assert run.status["attempt"] == 1
