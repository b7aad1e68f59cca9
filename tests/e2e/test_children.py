"""Runs that start runs: results, failures and their causes."""

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.then import Then
from tests.e2e.when import When

DOUBLE = "def handler(system, this, inputs): return {'twice': 2 * inputs['number']}"
FAILS = "def handler(system, this):\n    raise ValueError('boom')\n"


async def test_a_parent_waits_for_its_child_and_reads_what_it_put_out(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("double", DOUBLE)
    run = await when.executed(
        script="""
        def handler(system, this):
            child = this.flow('double', name='step 1', number=21)
            return {'answer': child.get('output_value')['twice'], 'status': child.get('status')}
        """
    )
    await then(run).succeeds(outputs={"answer": 42, "status": "ENDED_SUCCESS"})
    (child,) = await then(run).has_children(1)
    assert child.status["title"] == "step 1"
    assert child.object["metadata"]["ownerReferences"][0]["uid"] == run.uid


async def test_a_child_is_found_by_the_title_of_its_flow(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("double", DOUBLE, title="Double a number")
    run = await when.executed(
        script="def handler(system, this): return this.flow('Double a number', number=4)"
        ".get('output_value')"
    )
    await then(run).succeeds(outputs={"twice": 8})


async def test_a_parent_that_does_not_wait_goes_on_at_once_and_its_child_too(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAIT_FOR_GO + "def handler(system, this): wait_for_go()")
    run = await when.executed(
        script="def handler(system, this): return {'was': "
        "this.flow('waits', wait=False).get('status')}"
    )
    await then(run).succeeds(outputs={"was": "NEW"})
    (child,) = await then(run).has_children(1)
    await then(child).has_a_running_pod()
    await when.told(child)
    await then(child).succeeds()


async def test_a_long_wait_for_a_child_shows_whom_the_parent_waits_for(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAIT_FOR_GO + "def handler(system, this): wait_for_go()")
    run = await when.executed(script="def handler(system, this): this.flow('waits')")
    await then(run).reaches("Waiting")
    (child,) = await then(run).has_children(1)
    assert run.status["waitingFor"] == [{"kind": "Execution", "name": child.name}]
    await then(child).has_a_running_pod()
    await when.told(child)
    await then(run).succeeds()
    assert "waitingFor" not in run.status


async def test_the_first_that_ends_lets_the_parent_go_on(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("double", DOUBLE)
    await given.flow("waits", WAIT_FOR_GO + "def handler(system, this): wait_for_go()")
    run = await when.executed(
        script="""
        def handler(system, this):
            slow = this.flow('waits', wait=False)
            fast = this.flow('double', wait=False, number=1)
            ended = this.wait_for(slow, fast, return_when=system.return_when.FIRST_ENDED)
            return {'ended': [one.get('flow_name') for one in ended]}
        """
    )
    await then(run).succeeds(outputs={"ended": ["double"]})


async def test_a_child_that_was_only_created_starts_when_it_is_run(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("double", DOUBLE)
    run = await when.executed(
        script="""
        def handler(system, this):
            child = this.flow('double', run=False, number=3)
            before = child.get('status')
            return {'before': before, 'result': child.run().get('output_value')}
        """
    )
    await then(run).succeeds(outputs={"before": "NEW", "result": {"twice": 6}})


async def test_a_failing_child_fails_its_parent_and_is_named_with_its_reason(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("fails", FAILS)
    run = await when.executed(script="def handler(system, this): this.flow('fails', name='no. 1')")
    await then(run).fails("DependencyFailed")
    (child,) = await then(run).has_children(1)
    cause = f"execution {child.name} (no. 1) failed: ValueError: boom (line 2)"
    assert cause in run.message


async def test_a_failure_that_the_parent_catches_does_not_fail_it(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("fails", FAILS)
    run = await when.executed(
        script="""
        import flow_api

        def handler(system, this):
            try:
                this.flow('fails')
            except flow_api.DependencyFailedError as error:
                return {'message': error.execution.get('message')}
        """
    )
    await then(run).succeeds(outputs={"message": "ValueError: boom (line 2)"})


async def test_three_levels_up_the_message_names_the_leaf_that_failed_and_why(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("leaf", FAILS)
    await given.flow("branch", "def handler(system, this): this.flow('leaf')")
    await given.flow("trunk", "def handler(system, this): this.flow('branch')")
    run = await when.executed("trunk")
    await then(run).fails("DependencyFailed")
    (branch,) = run.children
    (leaf,) = branch.children
    for above in (run, branch):
        assert f"execution {leaf.name} (leaf) failed: ValueError: boom (line 2)" in above.message
        assert above.status["cause"]["execution"] == leaf.name
    assert leaf.object["metadata"]["labels"]["weir.dev/root"] == run.name


async def test_fifty_children_run_in_parallel(given: Given, when: When, then: Then) -> None:
    await given.flow("double", DOUBLE)
    run = await when.executed(
        script="""
        def handler(system, this):
            children = [this.flow('double', wait=False, number=n) for n in range(50)]
            ended = this.wait_for(children)
            return {'sum': sum(child.get('output_value')['twice'] for child in ended)}
        """
    )
    await then(run).succeeds(outputs={"sum": 2450}, within=120)
    await then(run).has_children(50)


async def test_an_unknown_flow_is_told_to_the_script_at_once(when: When, then: Then) -> None:
    run = await when.executed(
        script="""
        import flow_api

        def handler(system, this):
            try:
                this.flow('no such flow')
            except flow_api.ResourceNotFoundError as error:
                return {'error': str(error)}
        """
    )
    await then(run).succeeds()
    assert "no such flow" in run.status["outputs"]["error"]
    assert not run.children


async def test_a_flow_that_is_not_ready_fails_the_call_and_says_why(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("broken", "def handler(:")
    run = await when.executed(script="def handler(system, this): this.flow('broken')")
    await then(run).fails(message="broken")


async def test_a_wait_for_a_child_may_have_a_timeout(given: Given, when: When, then: Then) -> None:
    await given.flow("waits", WAIT_FOR_GO + "def handler(system, this): wait_for_go()")
    run = await when.executed(
        script="""
        import flow_api

        def handler(system, this):
            child = this.flow('waits', wait=False)
            try:
                child.wait(timeout=1.5)
            except flow_api.DependencyTimeoutError:
                return {'timed_out': True}
        """
    )
    await then(run).succeeds(outputs={"timed_out": True})
