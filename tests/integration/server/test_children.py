"""Children: made once, as asked, and not for everyone."""

import asyncio

import pytest

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, World, until
from weir.api import names


async def test_a_child_belongs_to_its_parent(world: World, runner_for: RunnerFor) -> None:
    await world.flow("greet", title="Greet people")
    root = await world.execution(script=SCRIPT, mode="Development")
    runner = await runner_for(root)
    answer = await runner.child(flow="Greet people", inputs={"name": "Ada"}, title="step 1")
    (shown,) = answer.executions
    assert (shown.title, shown.flow_name, shown.status) == ("step 1", "greet", "NEW")
    assert not shown.is_productive
    child = await world.get(shown.name)
    assert child.metadata.name == names.child_name("greet", root.uid, 1, 1)
    assert child.metadata.labels == {
        names.ROOT_LABEL: root.metadata.name,
        names.MODE_LABEL: "Development",
    }
    owner = child.metadata.controller
    assert owner is not None
    assert owner.uid == root.uid
    assert child.spec.inputs == {"name": "Ada"}
    assert child.spec.parent is not None
    assert (child.spec.parent.sequence, child.spec.parent.depth) == (1, 1)
    grandchild_runner = await runner_for(child)
    below = await grandchild_runner.child(flow="greet")
    grandchild = await world.get(below.executions[0].name)
    assert grandchild.root == root.metadata.name
    assert grandchild.spec.parent is not None
    assert grandchild.spec.parent.depth == 2


async def test_the_same_operation_makes_one_child(world: World, runner_for: RunnerFor) -> None:
    await world.flow("greet")
    runner = await runner_for(await world.execution(script=SCRIPT))
    operation = runner.operation("child", _arguments(flow="greet"))
    answers = await asyncio.gather(*(runner.ask(operation) for _ in range(5)))
    assert len({answer.executions[0].uid for answer in answers}) == 1
    assert len(await world.executions()) == 2


def _arguments(**arguments: object) -> object:
    from weir_protocol.arguments import ChildArguments

    return ChildArguments(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        pytest.param({"flow": "nope"}, "ResourceNotFoundError", 'no flow "nope"', id="flow"),
        pytest.param({"connector": "nope"}, "ResourceNotFoundError", "nope", id="connector"),
        pytest.param({"connector_type": "NOPE"}, "ResourceNotFoundError", "NOPE", id="type"),
        pytest.param({}, "InvalidInputError", "one of", id="nothing"),
        pytest.param({"flow": "a\x00\ud800"}, "ResourceNotFoundError", "flow", id="no name"),
        pytest.param({"flow": "a", "script": "b"}, "InvalidInputError", "one of", id="two things"),
        pytest.param({"connector_type": "GIT"}, "MissingInputError", "url", id="missing input"),
        pytest.param(
            {"connector_type": "GIT", "inputs": {"repository_url": "https://x/y", "colour": 1}},
            "ExtraInputError",
            "colour",
            id="extra input",
        ),
        pytest.param(
            {"connector_type": "GIT", "inputs": {"command": "get", "repository_url": 5}},
            "InvalidInputError",
            "repository_url",
            id="invalid input",
        ),
        pytest.param(
            {"connector": "kept", "inputs": {"repository_url": "https://evil/x"}},
            "PermissionDenied",
            "repository_url",
            id="a destination of a connector with secrets",
        ),
        pytest.param(
            {"connector": "kept", "inputs": {"password": "guess"}},
            "PermissionDenied",
            "password",
            id="a secret input",
        ),
        pytest.param(
            {"connector": "narrow", "inputs": {"command": "metadata"}},
            "PermissionDenied",
            "command",
            id="an input that is not overridable",
        ),
        pytest.param(
            {"connector": "trials"}, "PermissionDenied", "Productive", id="a mode not allowed"
        ),
    ],
)
async def test_what_cannot_be_made_is_an_exception_in_the_script(
    world: World,
    server: Served,
    runner_for: RunnerFor,
    arguments: dict[str, object],
    error: str,
    text: str,
) -> None:
    url = {"repository_url": "https://example.com/r.git"}
    secret = {"input": "password", "secretKeyRef": {"name": "login", "key": "password"}}
    await world.connector("kept", type="GIT", inputs=url, secretInputs=[secret])
    await world.connector("narrow", type="GIT", inputs=url, overridable=["ref"])
    await world.connector("trials", type="GIT", inputs=url, allowedModes=["Development"])
    await until(_connectors_seen(server, world))
    runner = await runner_for(await world.execution(script=SCRIPT))
    answer = await runner.child(**arguments)
    assert answer.error is not None
    assert answer.error.type == error
    assert text in answer.error.message
    assert len(await world.executions()) == 1
    # It is recorded: making the flow now does not change what the script was told.
    runner.sequence -= 1
    await world.flow("nope")
    assert await runner.child(**arguments) == answer


def _connectors_seen(server: Served, world: World) -> object:
    async def seen() -> bool:
        return len(server.runtime.catalogs.connectors(world.namespace)) == 3

    return seen


async def test_inputs_of_any_size_reach_the_child(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    await world.flow("greet", inputSchema={"type": "object", "required": ["text"]})
    runner = await runner_for(await world.execution(script=SCRIPT))
    large = {"text": "x" * 300_000}
    answer = await runner.child(flow="greet", inputs=large)
    child = await world.get(answer.executions[0].name)
    assert child.spec.inputs is None
    assert child.spec.inputs_ref is not None
    below = await runner_for(child)
    assert below.assignment is not None
    assert below.assignment.inputs == large
    assert (await runner.read(child.uid)).executions[0].input_value == large


async def test_protected_inputs_are_shown_to_the_script_only(
    world: World, runner_for: RunnerFor
) -> None:
    await world.flow("greet")
    runner = await runner_for(await world.execution(script=SCRIPT))
    given = {"name": "Ada", "pin": "1234"}
    answer = await runner.child(flow="greet", inputs=given, protect_inputs=["pin"])
    child = await world.get(answer.executions[0].name)
    assert child.spec.inputs == {"name": "Ada", "pin": "***"}
    below = await runner_for(child)
    assert below.assignment is not None
    assert below.assignment.inputs == given


async def test_an_object_of_somebody_else_is_not_adopted(
    world: World, runner_for: RunnerFor
) -> None:
    await world.flow("greet")
    root = await world.execution(script=SCRIPT)
    runner = await runner_for(root)
    name = names.child_name("greet", root.uid, 1, 1)
    from weir.cluster.kinds import EXECUTIONS

    await world.cluster.create(
        EXECUTIONS,
        world.namespace,
        {
            "apiVersion": names.API_VERSION,
            "kind": "Execution",
            "metadata": {"name": name},
            "spec": {"flow": "greet"},
        },
    )
    answer = await runner.child(flow="greet")
    assert answer.error is not None
    assert answer.error.type == "InternalError"
    assert "NameTaken" in answer.error.message


async def test_a_run_that_is_to_be_cancelled_starts_nothing(
    world: World, server: Served, runner_for: RunnerFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    monkeypatch.setattr("weir.server.operations._CANCEL_NOTICE", timedelta(milliseconds=50))
    await world.flow("greet")
    root = await world.execution(script=SCRIPT)
    runner = await runner_for(root)
    await world.desire(root.metadata.name, "Cancelled")
    assert (await runner.control()).stop == "Cancelled"
    answer = await runner.child(flow="greet")
    assert answer.error is not None
    assert answer.error.type == "PermissionDenied"
    await runner.end("cancelled", message="cancelled")
    ended = await world.get(root.metadata.name)
    assert (ended.phase, ended.status.reason) == ("Cancelled", "Cancelled")
    assert len(await world.executions()) == 1


async def test_a_child_that_is_created_only_waits_to_be_run(
    world: World, runner_for: RunnerFor
) -> None:
    await world.flow("greet")
    runner = await runner_for(await world.execution(script=SCRIPT))
    (shown,) = (await runner.child(flow="greet", run=False)).executions
    assert (await world.get(shown.name)).spec.desired_state == "Paused"
    assert (await runner.run(shown.uid)).executions[0].uid == shown.uid
    assert (await world.get(shown.name)).spec.desired_state == "Running"
    await runner.cancel(shown.uid)
    assert (await world.get(shown.name)).spec.desired_state == "Cancelled"
    await runner.cancel(shown.uid)


async def test_a_script_reaches_its_own_tree_only(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    runner = await runner_for(await world.execution(script=SCRIPT))
    other = await world.execution(script=SCRIPT)
    await world.start(other)
    for uid in (other.uid, "", "nonsense", "\x00", "\ud800", "u" * 1000):
        for call in (runner.read, runner.cancel, runner.run, runner.wait):
            answer = await call(uid)
            assert answer.error is not None
            assert answer.error.type in ("PermissionDenied", "ResourceNotFoundError")
    assert (await world.get(other.metadata.name)).spec.desired_state == "Running"


async def test_fifty_children_at_once_and_one_wait_for_all(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    await world.flow("greet")
    root = await world.execution(script=SCRIPT)
    runner = await runner_for(root)
    uids = []
    for number in range(50):
        answer = await runner.child(flow="greet", inputs={"number": number})
        uids.append(answer.executions[0].uid)
    waiting = asyncio.create_task(runner.wait(*uids))
    children = [one for one in await world.executions() if one.spec.parent]
    assert len(children) == 50

    async def leaf(child: object) -> None:
        below = await runner_for(child)
        assert below.assignment is not None
        await below.end(outputs={"square": below.assignment.inputs["number"] ** 2})

    await asyncio.gather(*map(leaf, children))
    answer = await waiting
    assert answer.state == "done"
    squares = [shown.output_value["square"] for shown in answer.executions if shown.output_value]
    assert squares == [number**2 for number in range(50)]
    await runner.end()
    counts = (await world.get(root.metadata.name)).status.children
    assert counts is not None
    assert (counts.total, counts.active, counts.failed) == (50, 0, 0)
