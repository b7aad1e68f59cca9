"""Runs that are ended from outside: cancelled, timed out, or taken along by their parent."""

import pytest

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.then import Then
from tests.e2e.when import When

WAITS = WAIT_FOR_GO + "def handler(system, this): wait_for_go()"


async def test_a_cancelled_run_ends_cancelled_and_its_pod_goes(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    run = await when.executed("waits")
    await then(run).reaches("Running")
    await when.cancelled(run)
    await then(run).is_cancelled(within=12)
    await then(run).has_no_pods()


async def test_finally_runs_on_cancellation_and_except_exception_does_not_hold_it_up(
    given: Given, when: When, then: Then
) -> None:
    await given.flow(
        "cleans",
        WAIT_FOR_GO
        + """
def handler(system, this):
    try:
        wait_for_go()
    except Exception:
        this.set_output('caught', True)
    finally:
        this.set_output('cleaned', True)
""",
    )
    run = await when.executed("cleans")
    await then(run).reaches("Running")
    await when.cancelled(run)
    await then(run).is_cancelled(within=12)
    assert run.status["outputs"] == {"cleaned": True}


async def test_a_run_that_has_not_started_is_cancelled_at_once(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("short", "def handler(system, this): pass")
    run = await when.executed("short", desired_state="Paused")
    await then(run).stays("Pending", "NotStarted")
    await when.cancelled(run)
    await then(run).is_cancelled(within=10)
    assert "attempt" not in run.status


async def test_cancelling_the_root_cancels_the_whole_tree(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("leaf", WAITS)
    await given.flow("branch", "def handler(system, this): this.flow('leaf')")
    await given.flow("trunk", "def handler(system, this): this.flow('branch')")
    run = await when.executed("trunk")
    (branch,) = await then(run).has_children(1)
    (leaf,) = await then(branch).has_children(1)
    await then(leaf).reaches("Running")
    await when.cancelled(run)
    for one in (run, branch, leaf):
        await then(one).is_cancelled(within=30)
        await then(one).has_no_pods()


async def test_an_orphan_outlives_the_cancellation_of_its_parent(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    run = await when.executed(script="def handler(system, this): this.flow('waits', orphan=True)")
    (child,) = await then(run).has_children(1)
    await then(child).has_a_running_pod()
    await then(run).reaches("Waiting")
    await when.cancelled(run)
    await then(run).is_cancelled()
    await when.told(child)
    await then(child).succeeds()


async def test_a_parent_that_fails_takes_its_running_children_along(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    run = await when.executed(
        script="""
        def handler(system, this):
            this.flow('waits', wait=False)
            raise ValueError('boom')
        """
    )
    await then(run).fails("ScriptError")
    (child,) = await then(run).has_children(1)
    await then(child).is_cancelled()


async def test_a_parent_that_succeeds_cancels_only_children_that_never_started(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    run = await when.executed(
        script="""
        def handler(system, this):
            this.flow('waits', wait=False)
            this.flow('waits', run=False)
        """
    )
    await then(run).succeeds()
    started, created = await then(run).has_children(2)
    await then(created).is_cancelled()
    await then(started).has_a_running_pod()
    await when.told(started)
    await then(started).succeeds()


async def test_a_parent_cancelled_while_it_makes_children_leaves_none_running(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    run = await when.executed(
        script="""
        def handler(system, this):
            for _ in range(30):
                this.flow('waits', wait=False)
        """
    )
    await then(run).until(lambda: len(run.children) >= 3, "three children")
    await when.cancelled(run)
    await then(run).reaches("Cancelled", "Succeeded")
    if run.phase == "Cancelled":
        for child in run.children:
            await then(child).is_cancelled()
    else:  # it was done making them before it heard of it
        assert len(run.children) == 30


async def test_an_endless_loop_ends_at_its_timeout(given: Given, when: When, then: Then) -> None:
    await given.flow("loops", "def handler(system, this):\n    while True: pass\n", timeout="3s")
    run = await when.executed("loops")
    await then(run).fails("TimedOut", message="3s", within=30)
    await then(run).has_no_pods()


async def test_the_execution_s_timeout_holds_instead_of_the_flow_s(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS, timeout="1h")
    run = await when.executed("waits", timeout="2s")
    await then(run).fails("TimedOut", within=30)


async def test_a_run_that_times_out_takes_its_children_along(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    await given.flow("parent", "def handler(system, this): this.flow('waits')", timeout="3s")
    run = await when.executed("parent")
    (child,) = await then(run).has_children(1)
    await then(run).fails("TimedOut", within=30)
    await then(child).is_cancelled()


@pytest.mark.slow
async def test_a_script_that_will_not_stop_is_stopped_after_its_grace(
    given: Given, when: When, then: Then
) -> None:
    await given.flow(
        "stubborn",
        """
        import time

        def handler(system, this):
            while True:
                try:
                    time.sleep(0.1)
                except BaseException:
                    pass
        """,
    )
    run = await when.executed("stubborn")
    await then(run).reaches("Running")
    await when.cancelled(run)
    await then(run).is_cancelled(within=40)
    await then(run).has_no_pods(within=40)
