"""Who may speak for a run: the Pod of its current attempt, and nobody else."""

import pytest

import weir_protocol as protocol
from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, Refused, Runner, World
from weir.cluster.kinds import PODS, SECRETS

# Whichever the database is, the code that is tried here is the same.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_token_opens_no_other_execution(world: World, runner_for: RunnerFor) -> None:
    own = await runner_for(await world.execution(script=SCRIPT))
    other = await world.execution(script=SCRIPT)
    await world.start(other)
    for path, message in {
        "operations": protocol.Operation(
            uid=other.uid, try_number=1, attempt=1, sequence=1, kind="save", arguments={}
        ),
        "logs": protocol.LogBatch(uid=other.uid, try_number=1, attempt=1, lines=[]),
        "control": protocol.Ask(uid=other.uid, try_number=1, attempt=1),
        "end": protocol.End(uid=other.uid, try_number=1, attempt=1, status="success"),
    }.items():
        with pytest.raises(Refused, match="403 Forbidden"):
            await own.post(path, message)
    assert (await world.get(other.metadata.name)).phase == "Starting"


async def test_nothing_is_taken_after_the_end(world: World, runner_for: RunnerFor) -> None:
    runner = await runner_for(await world.execution(script=SCRIPT))
    await runner.end()
    with pytest.raises(Refused, match="409 Ended"):
        await runner.save(message="too late")
    with pytest.raises(Refused, match="409 Ended"):
        await runner.log("too late")
    with pytest.raises(Refused, match="409 Ended"):
        await runner.post("assignment", protocol.Ask())
    assert (await runner.control()).stop == "Gone"


async def test_a_stale_attempt_changes_nothing(world: World, runner_for: RunnerFor) -> None:
    execution = await world.execution(script=SCRIPT)
    stale = await runner_for(execution)
    current = await runner_for(execution, attempt=2)
    with pytest.raises(Refused, match="409 Fenced"):
        await stale.end(outputs={"from": "stale"})
    with pytest.raises(Refused, match="409 Fenced"):
        await stale.save(message="stale")
    with pytest.raises(Refused, match="409 Fenced"):
        await stale.log("stale")
    assert (await stale.control()).stop == "Gone"
    with pytest.raises(Refused, match="403"):
        await stale.post("assignment", protocol.Ask(), token=await _foreign(world))
    await current.end(outputs={"from": "current"})
    assert (await world.get(execution.metadata.name)).status.outputs == {"from": "current"}


async def _foreign(world: World) -> str:
    return await world.token(await world.pod("foreign", None, labels={"app": "else"}))


async def test_a_pod_without_our_label_gets_no_work_and_no_long_poll(
    world: World, server: Served
) -> None:
    runner = Runner(server.url, server.authority, await _foreign(world))
    try:
        with pytest.raises(Refused, match="403 Forbidden"):
            await runner.post("assignment", protocol.Ask())
    finally:
        await runner.close()


async def test_a_token_for_another_audience_is_refused(world: World, server: Served) -> None:
    pod, _ = await world.start(await world.execution(script=SCRIPT))
    token = await world.token(pod, audience="https://kubernetes.default.svc")
    runner = Runner(server.url, server.authority, token)
    try:
        with pytest.raises(Refused, match="401 Unauthorized"):
            await runner.post("assignment", protocol.Ask())
        with pytest.raises(Refused, match="401 Unauthorized"):
            await runner.post("assignment", protocol.Ask(), token="no.token.atall")
        with pytest.raises(Refused, match="401 Unauthorized"):
            await runner.post("assignment", protocol.Ask(), token=token[:-8] + "AAAAAAAA")
    finally:
        await runner.close()


async def test_the_token_of_a_deleted_pod_gets_no_secrets(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    secret = {"metadata": {"name": "login"}, "stringData": {"password": "hush"}}
    await world.cluster.create(SECRETS, world.namespace, secret)
    await world.connector(
        "repository",
        type="GIT",
        inputs={"repository_url": "https://example.com/r.git", "command": "get", "username": "u"},
        secretInputs=[{"input": "password", "secretKeyRef": {"name": "login", "key": "password"}}],
    )
    execution = await world.execution(connection={"connector": "repository"})
    pod, token = await world.start(execution)
    await world.cluster.delete(PODS, world.namespace, pod["metadata"]["name"], grace_seconds=0)
    runner = Runner(server.url, server.authority, token)
    try:
        with pytest.raises(Refused, match="401 Unauthorized: the token is no longer good"):
            await runner.assigned()
    finally:
        await runner.close()
    alive = await runner_for(
        await world.execution(connection={"connector": "repository"}), assigned=True
    )
    assert alive.assignment is not None
    assert alive.assignment.connection is not None
    assert alive.assignment.connection.inputs["password"] == "hush"
    assert alive.assignment.connection.secret_inputs == ["password"]


async def test_an_execution_that_is_gone_is_ended(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    await world.delete(execution.metadata.name)
    with pytest.raises(Refused, match="409 Ended"):
        await runner.end()
    assert (await runner.control()).stop == "Gone"


async def test_bodies_are_checked_and_limited(world: World, runner_for: RunnerFor) -> None:
    runner = await runner_for(await world.execution(script=SCRIPT))
    with pytest.raises(Refused, match=r"400 InvalidRequest: End\.status"):
        await runner.post("end", {"uid": "x", "try_number": 1, "attempt": 1, "status": "great"})
    with pytest.raises(Refused, match="413 TooLarge"):
        await runner.log("x" * (5 * 2**20))
    with pytest.raises(Refused, match=r"400 InvalidRequest: ChildArguments\.flow"):
        await runner.ask(
            protocol.Operation(
                **runner._sender, sequence=1, kind="child", arguments={"flow": ["a"]}
            )
        )
