"""New tries of whole runs: what is tried again, what a try finds, what is to be seen of it."""

import pytest

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.test_cli import Command
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api.phases import Phase

RETRY = {"limit": 2, "delay": "1s", "factor": 1}
FLAKY = """
    def handler(system, this):
        number = this.get('try_number')
        this.log(f'this is try {number}')
        this.flow('child', n=number)
        if number == 1:
            this.save(output_value={'left': 'behind'})
            raise ValueError('not yet')
        return {'tries': number}
"""


async def test_a_flaky_flow_succeeds_at_its_second_try_and_shows_both(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("child", "def handler(system, this): pass")
    await given.flow("flaky", FLAKY, retry=RETRY)
    run = await when.executed("flaky")
    await then(run).stays("Queued", "TryFailed")
    assert run.message.startswith("try 1 failed (ScriptError: ValueError: not yet (line 7)); try 2")
    assert "outputs" not in run.status
    await then(run).succeeds(outputs={"tries": 2})

    assert run.status["try"] == run.status["attempt"] == 2
    assert [(one["try"], one["reason"]) for one in run.status["tries"]] == [(1, "ScriptError")]
    first, second = run.children
    assert [one.object["spec"]["parent"]["try"] for one in (first, second)] == [1, 2]
    weir = Command(world)
    wide = (await weir("get", "execution", run.name, "-o", "wide")).out
    assert "TRY   ATTEMPT" in wide
    assert "ValueError: not yet (line 7)" in wide
    log = (await weir("logs", run.name)).out.splitlines()
    assert log[0] == "this is try 1"
    assert log[-1] == "try 2  this is try 2"
    tree = (await weir("tree", run.name)).out
    assert "(try 2)" in tree.splitlines()[0]
    assert f"{first.name}  child  (of try 1)" in tree
    assert f"{second.name}  child  " in tree


async def test_after_the_last_try_it_has_failed(given: Given, when: When, then: Then) -> None:
    script = "def handler(system, this): this.error(f\"no {this.get('try_number')}\")"
    await given.flow("hopeless", script, retry=RETRY)
    run = await when.executed("hopeless")
    await then(run).fails("ScriptEnded", message="^no 3$")
    assert [one["message"] for one in run.status["tries"]] == ["no 1", "no 2"]
    assert run.phases.count(Phase.FAILED) == 1


async def test_a_process_that_falls_over_is_tried_again(
    given: Given, when: When, then: Then
) -> None:
    script = """
        import os

        def handler(system, this):
            if this.get('try_number') == 1:
                os._exit(3)
            return {'survived': True}
    """
    await given.flow("crashes", script, retry=RETRY)
    run = await when.executed("crashes")
    await then(run).succeeds(outputs={"survived": True})
    assert [one["reason"] for one in run.status["tries"]] == ["RunnerExited"]


async def test_children_of_a_failed_try_end_before_the_next_begins(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAIT_FOR_GO + "def handler(system, this): wait_for_go()")
    script = """
        def handler(system, this):
            if this.get('try_number') == 1:
                this.flow('waits', wait=False)
                raise ValueError('not yet')
            return {'done': True}
    """
    await given.flow("hasty", script, retry=RETRY)
    run = await when.executed("hasty")
    (child,) = await then(run).has_children(1)
    await then(child).is_cancelled()
    await then(run).succeeds(outputs={"done": True})
    assert child.status["completionTime"] < run.status["startingTime"]


async def test_a_pod_lost_in_the_second_try_is_resumed_in_it(
    given: Given, when: When, then: Then
) -> None:
    script = (
        WAIT_FOR_GO
        + """
def handler(system, this):
    number = this.get('try_number')
    this.flow('child')
    if number == 1:
        raise ValueError('not yet')
    wait_for_go()
    return {'try': number}
"""
    )
    await given.flow("child", "def handler(system, this): pass")
    await given.flow("flaky", script, retry=RETRY)
    run = await when.executed("flaky")
    await then(run).has_a_running_pod(attempt=2)
    await then(run).has_children(2)
    await when.pod_deleted(run, at_once=True)
    await then(run).has_a_running_pod(attempt=3)
    await when.told(run)
    await then(run).succeeds(outputs={"try": 2})
    assert run.status["losses"] == 1
    assert len(run.children) == 2


async def test_a_parent_waits_for_all_tries_of_its_child(
    given: Given, when: When, then: Then
) -> None:
    script = """
        def handler(system, this):
            if this.get('try_number') == 1:
                raise ValueError('not yet')
            return {'n': 1}
    """
    await given.flow("flaky", script, retry=RETRY)
    parent = await when.executed(
        script="def handler(system, this): return this.flow('flaky').get('output_value')"
    )
    await then(parent).succeeds(outputs={"n": 1})
    (child,) = parent.children
    assert child.status["try"] == 2


async def test_a_run_is_cancelled_between_two_tries(given: Given, when: When, then: Then) -> None:
    retry = {"limit": 1, "delay": "10m", "maxDelay": "10m"}
    await given.flow("hopeless", "def handler(system, this): this.error('no')", retry=retry)
    run = await when.executed("hopeless")
    await then(run).stays("Queued", "TryFailed")
    await when.cancelled(run)
    await then(run).is_cancelled(within=10)
    await then(run).has_no_pods()


@pytest.mark.slow
async def test_an_operator_killed_between_two_tries_makes_the_next_all_the_same(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("child", "def handler(system, this): pass")
    await given.flow("flaky", FLAKY, retry=RETRY | {"delay": "8s"})
    run = await when.executed("flaky")
    await then(run).stays("Queued", "TryFailed")
    await world.installation.kill(world.cluster, "operator")
    await then(run).succeeds(outputs={"tries": 2})
    assert run.status["attempt"] == 2
