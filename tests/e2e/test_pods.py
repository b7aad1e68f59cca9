"""Pods that do not start, and Pods that are lost."""

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.then import Then
from tests.e2e.when import When

NOTHING = "def handler(system, this): pass"
WAITS = WAIT_FOR_GO + "def handler(system, this): wait_for_go()"


async def test_an_image_that_cannot_be_pulled_is_told_and_fails_the_run_in_time(
    given: Given, when: When, then: Then
) -> None:
    await given.flow(
        "elsewhere", NOTHING, start_timeout="8s", runner={"image": "registry.invalid/no/image:1"}
    )
    run = await when.executed("elsewhere")
    await then(run).says("registry.invalid/no/image:1")
    assert run.phase == "Starting"
    await then(run).fails("PodNotStarting", message="registry.invalid/no/image:1", within=30)
    await then(run).has_no_pods()


async def test_a_pod_that_fits_no_node_is_told_so(given: Given, when: When, then: Then) -> None:
    await given.flow("picky", NOTHING, runner={"nodeSelector": {"weir.dev/none": "such"}})
    run = await when.executed("picky")
    await then(run).says("(?i)node")
    assert run.phase == "Starting"
    await when.cancelled(run)
    await then(run).is_cancelled(within=20)


async def test_a_run_that_loses_its_pod_is_resumed_and_its_children_are_not_doubled(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("double", "def handler(system, this, inputs): return {'is': 2 * inputs['n']}")
    await given.flow(
        "parent",
        WAIT_FOR_GO
        + """
def handler(system, this):
    first = [this.flow('double', n=n).get('output_value')['is'] for n in (1, 2)]
    started = this.flow('double', n=3, wait=False)
    this.save(message='three made')
    wait_for_go()
    return {'sum': sum(first) + started.wait().get('output_value')['is']}
""",
    )
    run = await when.executed("parent")
    await then(run).says("three made")
    await when.pod_deleted(run)
    await then(run).has_a_running_pod(attempt=2)
    await when.told(run)
    await then(run).succeeds(outputs={"sum": 12})
    await then(run).has_children(3)
    assert {child.status["attempt"] for child in run.children} == {1}


async def test_a_run_that_loses_its_pod_while_it_waits_for_a_child_hears_of_its_end(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    run = await when.executed(script="def handler(system, this): this.flow('waits')")
    (child,) = await then(run).has_children(1)
    await then(child).has_a_running_pod()
    await then(run).reaches("Waiting")
    await when.pod_deleted(run, at_once=True)
    await when.told(child)
    await then(run).succeeds()
    assert run.status["attempt"] == 2
    await then(run).has_children(1)


async def test_a_flow_may_fail_rather_than_be_resumed(given: Given, when: When, then: Then) -> None:
    await given.flow("once", WAITS, on_runner_lost="Fail")
    run = await when.executed("once")
    await then(run).has_a_running_pod()
    await when.pod_deleted(run, at_once=True)
    await then(run).fails("RunnerLost")


async def test_a_resumed_run_that_asks_for_something_else_fails_as_diverged(
    given: Given, when: When, then: Then
) -> None:
    await given.flow(
        "fickle",
        "import flow_api, socket\n"
        + WAIT_FOR_GO
        + """
def handler(system, this):
    try:
        this.flow(socket.gethostname())
    except flow_api.ResourceNotFoundError:
        this.save(message='asked')
    wait_for_go()
""",
    )
    run = await when.executed("fickle")
    await then(run).says("asked")
    await when.pod_deleted(run, at_once=True)
    await then(run).fails("Diverged", message=r"line \d+")


async def test_a_run_whose_pods_are_lost_again_and_again_fails_at_last(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    run = await when.executed("waits")
    for attempt in range(1, 6):
        await then(run).has_a_running_pod(attempt=attempt)
        await when.pod_deleted(run, at_once=True)
    await then(run).fails("TooManyAttempts", message="5")
