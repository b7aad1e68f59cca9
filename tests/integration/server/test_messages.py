"""Questions to people, and their answers, through the server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster.apiserver import ApiServer
from tests.integration.server.conftest import RunnerFor, Served, settings_for, with_certificate
from tests.integration.server.processes import running
from tests.integration.server.worlds import SCRIPT, Runner, World, until
from weir.api.message import Message
from weir.api.resource import JsonObject
from weir.cluster.errors import Invalid
from weir.cluster.kinds import MESSAGES
from weir_protocol import Answer
from weir_protocol.arguments import MessageArguments, ResponseArguments

FORM: JsonObject = {
    "type": "object",
    "properties": {
        "version": {"element": "string", "label": "Which version?"},
        "count": {"element": "number", "type": "integer", "default": 3, "order": 1},
        "note": {"element": "string"},
    },
    "required": ["version"],
}


async def asked(runner: Runner, subject: str = "Release?", **arguments: Any) -> str:
    """Send a message and return its name."""
    answer = await message(runner, subject, **arguments)
    assert answer.error is None
    name: str = answer.value["name"]
    return name


async def message(runner: Runner, subject: str = "Release?", **arguments: Any) -> Answer:
    asks = MessageArguments(subject=subject, **arguments)
    return await runner.ask(runner.operation("message", asks))


async def response(runner: Runner, name: str, timeout: float | None = None) -> Answer:
    waits = ResponseArguments(name=name, timeout=timeout)
    return await runner.ask(runner.operation("response", waits))


async def read(world: World, name: str) -> Message:
    return Message.model_validate(await world.cluster.get(MESSAGES, world.namespace, name))


async def patch(world: World, name: str, **spec: Any) -> None:
    await world.cluster.patch(MESSAGES, world.namespace, name, {"spec": spec})


@pytest.fixture
async def runner(world: World, server: Served, runner_for: RunnerFor) -> Runner:
    return await runner_for(await world.execution(script=SCRIPT))


def uid_of(runner: Runner) -> str:
    assert runner.assignment is not None
    return runner.assignment.execution.uid


async def test_a_message_is_made_once_and_belongs_to_its_run(world: World, runner: Runner) -> None:
    name = await asked(runner, "Which  version?", message="**Say** it", body=FORM)
    assert name.startswith("which-version-")
    made = await read(world, name)
    assert made.metadata.controller is not None
    assert made.metadata.controller.uid == made.spec.execution.uid == uid_of(runner)
    assert made.spec.subject == "Which version?"
    assert made.spec.message == "**Say** it"
    assert made.spec.body is not None
    # Kubernetes does not keep the order of keys.
    assert made.spec.body["properties"]["version"]["order"] == 2
    assert made.spec.execution.sequence == 1
    runner.sequence -= 1
    assert await asked(runner, "Which  version?", message="**Say** it", body=FORM) == name
    assert len((await world.cluster.list(MESSAGES, world.namespace)).items) == 1


async def test_an_interrupted_request_adopts_what_it_made_and_nothing_else(
    world: World, server: Served, runner: Runner
) -> None:
    name = await asked(runner, body=FORM)
    made = await world.cluster.get(MESSAGES, world.namespace, name)
    await server.runtime.database.write(forget_results)
    runner.sequence -= 1
    assert await asked(runner, body=FORM) == name
    await server.runtime.database.write(forget_results)
    await world.cluster.delete(MESSAGES, world.namespace, name)
    body = {key: made[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": name}}
    await world.cluster.create(MESSAGES, world.namespace, body)
    runner.sequence -= 1
    answer = await message(runner, body=FORM)
    assert answer.error is not None
    assert "NameTaken" in answer.error.message


def forget_results(sql: Any) -> None:
    from weir.storage.tables import operations

    sql.execute(operations.update().values(result=None))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"subject": " "}, "InvalidInputError", "subject has 1 to 1000 characters"),
        ({"body": {"properties": {"a": {"element": "wheel"}}}}, "SchemaError", "a.element must be"),
        ({"body": FORM, "request": "text"}, "SchemaError", "either request or body"),
    ],
)
async def test_a_message_that_cannot_be_shown_is_refused(
    world: World, runner: Runner, arguments: JsonObject, error: str, text: str
) -> None:
    answer = await message(runner, **arguments)
    assert answer.error is not None
    assert answer.error.type == error
    assert text in answer.error.message
    assert (await world.cluster.list(MESSAGES, world.namespace)).items == []


async def test_an_answer_by_patching_is_checked_refused_and_given_again(
    world: World, runner: Runner
) -> None:
    name = await asked(runner, body=FORM)
    waiting = asyncio.create_task(response(runner, name))
    await patch(world, name, response={"count": "many"})

    async def refused() -> Message | None:
        seen = await read(world, name)
        return seen if seen.status.error else None

    seen = await until(refused)
    assert seen.status.accepted is False
    assert seen.status.error == "count: must be an integer; version: is required"
    assert not waiting.done()
    await patch(world, name, response={"version": "1.2", "count": None})
    answer = await waiting
    assert answer.value == {"version": "1.2", "count": 3, "note": None}
    seen = await read(world, name)
    assert seen.status.accepted is True
    assert seen.status.response == {"version": "1.2", "count": 3}
    assert seen.status.error is None
    assert seen.status.responded_by is None  # nobody vouches for who patched
    assert seen.status.time is not None
    with pytest.raises(Invalid, match="its response stays"):
        await patch(world, name, response={"version": "1.3"})
    with pytest.raises(Invalid, match="cannot be changed"):
        await patch(world, name, subject="Another?")
    runner.sequence -= 1
    assert (await response(runner, name)).value == answer.value


async def test_who_waits_for_an_answer_shows_it(world: World, runner: Runner) -> None:
    assert runner.assignment is not None
    name = await asked(runner, request="text")
    waiting = asyncio.create_task(response(runner, name))

    async def shown() -> Any:
        status = (await world.get(runner.assignment.execution.name)).status  # type: ignore[union-attr]
        return status.waiting_for if status.phase == "Waiting" else None

    assert [(one.kind, one.name) for one in await until(shown)] == [("Message", name)]
    await patch(world, name, response={"string": "Ada"})
    assert (await waiting).value == {"string": "Ada"}


async def test_nobody_answers_in_time(world: World, server: Served, runner: Runner) -> None:
    server.runtime.poll_seconds = 0.2
    name = await asked(runner, "Are you there?")
    answer = await response(runner, name, timeout=0.5)
    assert answer.error is not None
    assert answer.error.type == "MessageResponseTimeoutError"
    assert "'Are you there?' within 0.5 s" in answer.error.message
    await patch(world, name, response={})
    # A later wait may still hear of it.
    assert (await response(runner, name, timeout=30)).value == {"ok": True}


async def test_a_deleted_message_is_not_waited_for(world: World, runner: Runner) -> None:
    name = await asked(runner)
    waiting = asyncio.create_task(response(runner, name))
    await world.cluster.delete(MESSAGES, world.namespace, name)
    answer = await waiting
    assert answer.error is not None
    assert answer.error.type == "ResourceNotFoundError"


async def test_a_message_of_another_run_is_not_read(
    world: World, runner: Runner, runner_for: RunnerFor
) -> None:
    other = await runner_for(await world.execution(script=SCRIPT))
    answer = await response(other, await asked(runner))
    assert answer.error is not None
    assert answer.error.type == "PermissionDenied"


async def test_when_the_run_ends_its_questions_are_closed_and_its_notices_stay(
    world: World, runner: Runner
) -> None:
    question, notice = await asked(runner, body=FORM), await asked(runner, "Done")
    await runner.end()

    async def closed() -> bool:
        return bool((await read(world, question)).status.closed)

    await until(closed)
    with pytest.raises(Invalid, match="the message is closed"):
        await patch(world, question, response={"version": "1"})
    await patch(world, notice, response={})

    async def accepted() -> bool:
        return bool((await read(world, notice)).status.accepted)

    await until(accepted)
    assert (await read(world, notice)).status.closed is None


async def test_an_answer_given_while_the_server_is_away_is_there_when_it_is_back(
    world: World, api_server: ApiServer, database_url: str, tmp_path: Path
) -> None:
    settings, authority = settings_for(world, database_url), await with_certificate(world)
    kubeconfig, log = api_server.kubeconfig, tmp_path / "log"
    execution = await world.execution(script=SCRIPT)
    async with running(settings, kubeconfig, log) as first:
        _, token = await world.start(execution)
        runner = Runner(f"https://127.0.0.1:{settings.port}", authority, token)
        await runner.assigned()
        name = await asked(runner, body=FORM)
        waits = runner.operation("response", ResponseArguments(name=name))
        waiting = asyncio.create_task(runner.ask(waits))

        async def shown() -> bool:
            return (await world.get(execution.metadata.name)).phase == "Waiting"

        await until(shown)
        await first.kill()
        with pytest.raises(httpx.TransportError):
            await waiting
    await patch(world, name, response={"version": "1.2"})
    async with running(settings, kubeconfig, log):
        assert (await runner.ask(waits)).value == {"version": "1.2", "count": 3, "note": None}
        runner.sequence -= 2
        assert await asked(runner, body=FORM) == name
        assert len((await world.cluster.list(MESSAGES, world.namespace)).items) == 1
        await runner.end()
    await runner.close()
