"""People are asked, and answer: from the command line, by kubectl, late, or not at all."""

from __future__ import annotations

import json

import pytest

from demo.examples import asks
from tests.e2e.given import Given
from tests.e2e.run import Run
from tests.e2e.test_cli import Command
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api.execution import Execution
from weir.cluster.kinds import MESSAGES

FORM = """\
FORM = {
    'type': 'object',
    'properties': {
        'name': {'element': 'string', 'label': 'Your name'},
        'pin': {'element': 'password'},
        'yes': {'element': 'submit'},
        'no': {'element': 'submit'},
    },
    'required': ['name'],
}

"""
ASKS = (
    FORM
    + """
def handler(system, this):
    this.log('before')
    answer = this.message('Go on?', '**Really**?', body=FORM).get('response')
    return {'name': answer['name'], 'length': len(answer['pin'] or ''), 'yes': answer['yes']}
"""
)


@pytest.fixture
def weir(world: World) -> Command:
    return Command(world)


async def until_it_asks(then: Then, run: Run) -> str:
    """Wait until a run waits for an answer; return the Message's name."""
    await then(run).until(lambda: asks(Execution.model_validate(run.object)), "its question")
    (waited,) = run.status["waitingFor"]
    return str(waited["name"])


async def test_a_run_goes_on_with_the_answer(
    given: Given, when: When, then: Then, weir: Command
) -> None:
    await given.flow("asks", ASKS)
    run = await when.executed("asks")
    name = await until_it_asks(then, run)
    listed = await weir("messages")
    assert name in listed.out
    assert "Go on?" in listed.out
    refused = await weir("respond", name, "--set", "pin=1234", "--set", "yes=true")
    assert (refused.code, refused.out) == (2, "")
    assert "name: is required" in refused.err
    call = await weir(
        "respond", run.name, "--set", "name=Ada", "--set", "pin=1234", "--set=yes=yes"
    )
    assert (call.code, call.out, call.err) == (0, f"message/{name} answered\n", "")
    await then(run).succeeds(outputs={"name": "Ada", "length": 4, "yes": True})
    again = await weir("messages", "--all", "-o", "json")
    (message,) = json.loads(again.out)["items"]
    assert message["status"]["respondedBy"]
    assert message["status"]["response"]["pin"] == "***"
    late = await weir("respond", name, "--set", "name=Grace", "--set", "no=true")
    assert late.code == 4
    assert "was answered before" in late.err


async def test_a_patch_is_an_answer_too(world: World, given: Given, when: When, then: Then) -> None:
    await given.flow("asks", ASKS)
    run = await when.executed("asks")
    name = await until_it_asks(then, run)

    async def patched(**response: object) -> None:
        await world.cluster.patch(MESSAGES, world.namespace, name, {"spec": {"response": response}})

    await patched(no=True)
    async for change in world.cluster.watch(MESSAGES, world.namespace):
        status = change.object.get("status") or {}
        if status.get("error"):
            assert status["error"] == "name: is required"
            break
    await patched(name="Ada", no=True)
    await then(run).succeeds(outputs={"name": "Ada", "length": 0, "yes": False})


async def test_a_question_outlives_the_pod_and_is_asked_once(
    world: World, given: Given, when: When, then: Then, weir: Command
) -> None:
    await given.flow("asks", ASKS)
    run = await when.executed("asks")
    name = await until_it_asks(then, run)
    await when.pod_deleted(run, at_once=True)
    await then(run).has_a_running_pod(attempt=2)
    call = await weir("respond", name, "--set", "name=Ada", "--set", "yes=true")
    assert call.code == 0, call.err
    await then(run).succeeds(outputs={"name": "Ada", "length": 0, "yes": True})
    assert len((await world.cluster.list(MESSAGES, world.namespace)).items) == 1


async def test_a_question_outlives_operator_and_server(
    world: World, given: Given, when: When, then: Then, weir: Command
) -> None:
    await given.flow("asks", ASKS)
    run = await when.executed("asks")
    name = await until_it_asks(then, run)
    for component in ("operator", "server"):
        await world.installation.kill(world.cluster, component)
    body = {"spec": {"response": {"name": "Ada", "yes": True}}}
    await world.cluster.patch(MESSAGES, world.namespace, name, body)
    await then(run).succeeds(outputs={"name": "Ada", "length": 0, "yes": True})


async def test_a_run_that_waits_for_people_can_do_without_a_pod(
    given: Given, when: When, then: Then, weir: Command
) -> None:
    await given.flow("asks", ASKS, hibernate_after="1s")
    run = await when.executed("asks")
    await then(run).until(lambda: run.status.get("hibernations") == 1, "its Pod to be given back")
    await then(run).has_no_pods()
    call = await weir("respond", run.name, "--set", "name=Ada", "--set", "yes=true")
    assert call.code == 0, call.err
    await then(run).succeeds(outputs={"name": "Ada", "length": 0, "yes": True})


async def test_nobody_answers_in_time(when: When, then: Then) -> None:
    run = await when.executed(
        script="""
        import flow_api

        def handler(system, this):
            try:
                this.message('Is anybody there?', timeout=1)
            except flow_api.MessageResponseTimeoutError as error:
                return this.success(f'went on: {error}')
        """
    )
    await then(run).succeeds(message="nobody answered the message 'Is anybody there\\?' within 1 s")


async def test_a_question_of_a_cancelled_run_is_closed_and_deleted_with_it(
    world: World, given: Given, when: When, then: Then, weir: Command
) -> None:
    await given.flow("asks", ASKS)
    run = await when.executed("asks")
    name = await until_it_asks(then, run)
    await when.cancelled(run)
    await then(run).is_cancelled()
    async for change in world.cluster.watch(MESSAGES, world.namespace):
        if (change.object.get("status") or {}).get("closed"):
            break
    call = await weir("respond", name, "--set", "name=Ada", "--set", "yes=true")
    assert call.code == 4
    assert "is closed" in call.err
    await when.deleted(run)
    async for change in world.cluster.watch(MESSAGES, world.namespace):
        if change.type == "DELETED":
            break


async def test_the_older_spelling_asks_without_a_pod_of_its_own(
    when: When, then: Then, weir: Command
) -> None:
    run = await when.executed(
        script="""
        def handler(system, this):
            asked = this.task('INPUT', request='Your name', timeout=5)
            system.message('Thank you', asked.get('output_value')['response'])
            return asked.get('output_value')
        """
    )
    await until_it_asks(then, run)
    call = await weir("respond", run.name, "--set", "string=Ada")
    assert call.code == 0, call.err
    await then(run).succeeds(outputs={"response": "Ada"})
    assert run.children == []
    listed = await weir("messages", run.name)
    assert "Thank you" in listed.out  # a notice is there until it is acknowledged
    call = await weir("respond", run.name, "--response", "{}")
    assert call.code == 0, call.err
