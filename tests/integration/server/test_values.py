"""Outputs and logs of any size and kind."""

import asyncio

import pytest

import weir_protocol as protocol
from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, World
from weir.storage import logs
from weir_protocol.arguments import ChildArguments


async def test_large_outputs_are_kept_by_reference(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    await world.flow("greet")
    parent = await runner_for(await world.execution(script=SCRIPT))
    shown = (await parent.child(flow="greet")).executions[0]
    large = {"rows": ["ä" * 1000] * 200}
    below = await runner_for(await world.get(shown.name))
    await below.end(outputs=large)
    status = (await world.get(shown.name)).status
    assert status.outputs is None
    assert status.outputs_ref is not None
    assert status.outputs_ref.bytes > 200_000
    (waited,) = (await parent.wait(shown.uid)).executions
    assert waited.output_value is None  # too large for an answer that may hold many
    assert (await parent.read(shown.uid)).executions[0].output_value == large


async def test_protected_outputs_are_shown_to_scripts_only(
    world: World, runner_for: RunnerFor
) -> None:
    execution = await world.execution(script=SCRIPT, protectOutputs=["token"])
    runner = await runner_for(execution)
    await runner.save(outputs={"token": "hush", "user": "ada"})
    status = (await world.get(execution.metadata.name)).status
    assert status.outputs == {"token": "***", "user": "ada"}
    read = (await runner.read(execution.uid)).executions[0]
    assert read.output_value == {"token": "hush", "user": "ada"}
    await runner.end()
    status = (await world.get(execution.metadata.name)).status
    assert status.outputs == {"token": "***", "user": "ada"}


@pytest.mark.parametrize(
    ("outputs", "phase"),
    [({"n": 1}, "Succeeded"), ({"n": "one"}, "Failed"), (None, "Failed")],
    ids=["that fit", "that do not fit", "that are missing"],
)
async def test_outputs_are_checked_against_the_schema(
    world: World, runner_for: RunnerFor, outputs: dict[str, object] | None, phase: str
) -> None:
    schema = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    await world.flow("count", outputSchema=schema)
    execution = await world.execution(flow="count")
    runner = await runner_for(execution)
    await runner.end(outputs=outputs)
    ended = await world.get(execution.metadata.name)
    assert ended.phase == phase
    if phase == "Failed":
        assert ended.status.reason == "InvalidOutputs"
        assert "outputs" in (ended.status.message or "")


async def test_too_large_outputs_fail_the_run(world: World, runner_for: RunnerFor) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    await runner.end(outputs={"x": "y" * (17 * 2**20)})
    ended = await world.get(execution.metadata.name)
    assert (ended.phase, ended.status.reason) == ("Failed", "OutputTooLarge")


async def test_a_long_message_is_cut(world: World, runner_for: RunnerFor) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    await runner.end("error", reason="NoSuchReason", message="m" * 10_000)
    status = (await world.get(execution.metadata.name)).status
    assert status.reason == "ScriptError"
    assert len(status.message or "") == 4096


async def test_a_log_line_is_kept_once_whoever_sends_it(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    await world.flow("greet")
    execution = await world.execution(script=SCRIPT)
    first = await runner_for(execution)
    await first.log("one", "two")
    await first.log("one", "two", "nul \x00 and \ud800")
    line = protocol.LogLine(
        after=0, index=3, time=2.0, stream="log", text="four", data={"rows": [1, None]}
    )
    child = ChildArguments(flow="greet")
    await first.ask(first.operation("child", child, logs=[line]))
    second = await runner_for(execution, attempt=2)
    await second.log("one of the second attempt", "two")
    await second.end(logs=[line, protocol.LogLine(after=1, index=0, time=3.0, stream="stdout")])
    kept = await server.runtime.database.read(lambda sql: logs.read(sql, execution.uid))
    assert [one.text for one in kept] == ["one", "two", "nul \ufffd and ?", "four", ""]
    assert kept[3].data == '{"rows": [1, null]}'


async def test_a_log_has_an_end(world: World, server: Served, runner_for: RunnerFor) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    for after in range(8):
        await runner.log(*(["x" * 500_000] * 4), after=after)
    kept = await server.runtime.database.read(lambda sql: logs.read(sql, execution.uid))
    assert 10 * 2**20 <= sum(len(one.text) for one in kept) <= 14 * 2**20
    await runner.end()


async def test_many_ends_share_commits(world: World, server: Served, runner_for: RunnerFor) -> None:
    runners = [await runner_for(await world.execution(script=SCRIPT)) for _ in range(20)]
    line = protocol.LogLine(after=0, index=0, time=2.0, stream="log", text="bye")
    commits = server.runtime.database.commits
    await asyncio.gather(*(runner.end(logs=[line]) for runner in runners))
    assert server.runtime.database.commits - commits < 20
