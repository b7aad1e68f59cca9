"""A run, from `kubectl apply` to its end."""

from pathlib import Path

import pytest
import yaml

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.installation import Installation
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World

HELLO = """
import flow_api

def handler(system: flow_api.System, this: flow_api.Execution, inputs):
    this.log('greeting', inputs['name'])
    this.set_output('greeting', f"Hello, {inputs['name']}")
    return this.success('all done')
"""


async def test_a_flow_is_applied_run_and_shown_by_kubectl(world: World, tmp_path: Path) -> None:
    kubectl, here = world.installation.kubectl, f"--namespace={world.namespace}"
    manifests = [
        ("Flow", "hello", {"script": HELLO}),
        ("Execution", "first", {"flow": "hello", "inputs": {"name": "Ada"}}),
    ]
    file = tmp_path / "hello.yaml"
    file.write_text(
        yaml.safe_dump_all(
            {"apiVersion": "weir.dev/v1alpha1", "kind": kind}
            | {"metadata": {"name": name}, "spec": spec}
            for kind, name, spec in manifests
        )
    )
    await kubectl("apply", here, f"--filename={file}")
    await kubectl("wait", here, "--for=condition=Succeeded", "--timeout=60s", "executions/first")

    header, row = (await kubectl("get", "executions", here)).splitlines()
    columns = ["NAME", "FLOW", "PHASE", "PARENT", "MESSAGE", "DURATION", "STARTED", "AGE"]
    assert header.split() == columns
    assert row.split()[:3] == ["first", "hello", "Succeeded"]
    assert "all done" in row
    outputs = await kubectl("get", "exe", "first", here, "-o=jsonpath={.status.outputs.greeting}")
    assert outputs == "Hello, Ada"


@pytest.mark.parametrize("part", ["execution.spec", "execution.status", "flow.spec", "connector"])
async def test_kubectl_explains_every_field_in_words(installation: Installation, part: str) -> None:
    told = await installation.kubectl("explain", part)
    assert "<no description>" not in told
    assert "FIELDS:" in told


async def test_a_run_applied_before_its_flow_waits_for_it(
    given: Given, when: When, then: Then
) -> None:
    run = await when.executed("hello", inputs={"name": "Ada"})
    await then(run).stays("Pending", "FlowNotFound")
    await given.flow("hello", HELLO)
    await then(run).succeeds(outputs={"greeting": "Hello, Ada"})


async def test_what_a_handler_returns_becomes_its_outputs(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("sums", "def handler(system, this, inputs): return {'sum': sum(inputs['of'])}")
    run = await when.executed("sums", inputs={"of": [1, 2, 3]})
    await then(run).succeeds(outputs={"sum": 6})


async def test_a_script_may_be_run_without_a_flow(when: When, then: Then) -> None:
    run = await when.executed(script="def handler(system, this): return {'answer': 42}")
    await then(run).succeeds(outputs={"answer": 42})


async def test_a_short_run_writes_no_running_and_a_long_one_does(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("short", "def handler(system, this): pass")
    await given.flow("long", "import time\ndef handler(system, this): time.sleep(2.5)")
    short, long = await when.executed("short"), await when.executed("long")
    await then(short).succeeds()
    await then(long).succeeds()
    assert "Running" not in short.phases
    assert "Running" in long.phases


async def test_a_run_shows_its_message_while_it_runs(given: Given, when: When, then: Then) -> None:
    await given.flow(
        "talking",
        WAIT_FOR_GO
        + "def handler(system, this):\n"
        + "    this.save(message='half way')\n"
        + "    wait_for_go()\n"
        + "    this.success('there')\n",
    )
    run = await when.executed("talking")
    await then(run).says("^half way$")
    await when.told(run)
    await then(run).succeeds(message="^there$")


async def test_an_exception_that_nobody_catches_fails_the_run_and_names_the_line(
    when: When, then: Then
) -> None:
    run = await when.executed(script="def handler(system, this):\n    raise ValueError('boom')\n")
    await then(run).fails("ScriptError", message=r"^ValueError: boom \(line 2\)$")


async def test_this_error_fails_the_run_with_its_own_words(when: When, then: Then) -> None:
    run = await when.executed(script="def handler(system, this): this.error('the table is empty')")
    await then(run).fails("ScriptEnded", message="^the table is empty$")


async def test_the_pod_of_an_ended_run_goes_and_the_object_stays(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("short", "def handler(system, this): pass")
    run = await when.executed("short")
    await then(run).succeeds()
    await then(run).has_no_pods()
    assert run.exists


async def test_deleting_a_run_deletes_its_pod_and_its_children(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAIT_FOR_GO + "def handler(system, this): wait_for_go()")
    await given.flow("parent", "def handler(system, this): this.flow('waits')")
    run = await when.executed("parent")
    (child,) = await then(run).has_children(1)
    await then(child).has_a_running_pod()
    await when.deleted(run)
    for gone in (run, child):
        await then(gone).is_gone()
        await then(gone).has_no_pods()


async def test_a_run_keeps_the_script_that_it_started_with(
    given: Given, when: When, then: Then
) -> None:
    script = WAIT_FOR_GO + "def handler(system, this):\n    wait_for_go()\n    return {'is': 'OLD'}"
    await given.flow("changing", script)
    run = await when.executed("changing")
    await then(run).has_a_running_pod()
    await when.flow_changed("changing", script="def handler(system, this): return {'is': 'new'}")
    await when.pod_deleted(run, at_once=True)
    await then(run).has_a_running_pod(attempt=2)
    await when.told(run)
    await then(run).succeeds(outputs={"is": "OLD"})


async def test_a_flow_deleted_while_it_runs_does_not_stop_its_run(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("doomed", WAIT_FOR_GO + "def handler(system, this): wait_for_go()")
    run = await when.executed("doomed")
    await then(run).has_a_running_pod()
    await when.flow_deleted("doomed")
    await when.pod_deleted(run, at_once=True)
    await then(run).has_a_running_pod(attempt=2)
    await when.told(run)
    await then(run).succeeds()


async def test_a_run_that_is_created_paused_starts_when_it_is_resumed(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("short", "def handler(system, this): pass")
    run = await when.executed("short", desired_state="Paused")
    await then(run).stays("Pending", "NotStarted")
    assert not run.pods
    await when.resumed(run)
    await then(run).succeeds()


async def test_a_suspended_flow_holds_new_runs_until_it_is_taken_up_again(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("held", "def handler(system, this): pass", suspend=True)
    run = await when.executed("held")
    await then(run).stays("Pending", "FlowSuspended")
    await when.flow_changed("held", suspend=False)
    await then(run).succeeds()


async def test_an_ended_run_is_kept_for_its_time_and_then_deleted(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("short", "def handler(system, this): pass", ttl_after_finished="3s")
    run = await when.executed("short")
    kept = await when.executed("short", ttl_after_finished="1h")
    await then(run).succeeds()
    await then(run).is_gone(within=90)
    await then(kept).succeeds()
    assert kept.exists
