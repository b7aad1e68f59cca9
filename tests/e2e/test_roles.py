"""What people may do: the roles of the chart and its admission policy, tried with real users."""

from collections.abc import AsyncIterator, Callable, Coroutine

import pytest

from demo.examples import asks
from tests.e2e.given import Given
from tests.e2e.then import Then
from tests.e2e.when import When, execution
from tests.e2e.world import World
from weir.api import names
from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import Refused
from weir.cluster.kinds import EXECUTIONS, FLOWS, MESSAGES, PODS, SECRETS

pytestmark = pytest.mark.own_node

NOTHING = "def handler(system, this): pass"
FAILED = {"status": {"phase": "Failed"}}
PARENT = {"name": "other", "uid": "00000000", "sequence": 1}
FLOW = {
    "apiVersion": names.API_VERSION,
    "kind": "Flow",
    "metadata": {"name": "theirs"},
    "spec": {"script": NOTHING},
}

Person = Callable[[str, str], Coroutine[None, None, Cluster]]


@pytest.fixture
async def person(world: World, given: Given) -> AsyncIterator[Person]:
    """Return the client of a user with a certificate of their own and one of Weir's roles."""
    clients: list[Cluster] = []

    async def with_role(user: str, role: str) -> Cluster:
        assert world.installation.bare is not None
        if role:
            await given.role(user, role)
        kubeconfig = world.installation.bare.kubeconfig_for(user)
        clients.append(await Cluster.connect(kubeconfig=kubeconfig))
        return clients[-1]

    yield with_role
    for client in clients:
        await client.close()


async def test_a_user_runs_flows_sees_them_and_cancels_them(
    given: Given, when: When, then: Then, person: Person, world: World
) -> None:
    ada = await person("ada", "weir-user")
    await given.flow("nothing", NOTHING)
    run = await when.executed("nothing", by=ada)
    await then(run).succeeds()
    assert (await ada.list(EXECUTIONS, world.namespace)).items
    held = await when.executed("nothing", by=ada, desired_state="Paused")
    cancel = {"spec": {"desiredState": "Cancelled"}}
    await ada.patch(EXECUTIONS, world.namespace, held.name, cancel)
    await then(held).is_cancelled()


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"script": NOTHING}, id="a script"),
        pytest.param({"connection": {"type": "GIT"}}, id="a connection"),
        pytest.param({"flow": "nothing", "parent": PARENT}, id="a child of another's run"),
    ],
)
async def test_a_user_cannot_bring_code_or_a_parent(
    world: World, person: Person, spec: JsonObject
) -> None:
    ada = await person("ada", "weir-user")
    with pytest.raises(Refused):
        await ada.create(EXECUTIONS, world.namespace, execution("hers", spec))


async def test_a_user_writes_no_flow_and_no_status_and_reads_no_secret_and_no_pod(
    world: World, given: Given, when: When, person: Person
) -> None:
    ada = await person("ada", "weir-user")
    await given.flow("nothing", NOTHING)
    run = await when.executed("nothing", desired_state="Paused")
    with pytest.raises(Refused):
        await ada.create(FLOWS, world.namespace, FLOW)
    with pytest.raises(Refused):
        await ada.patch(FLOWS, world.namespace, "nothing", {"spec": {"script": "x"}})
    with pytest.raises(Refused):
        await ada.patch(EXECUTIONS, world.namespace, run.name, FAILED, status=True)
    for kind in (SECRETS, PODS):
        with pytest.raises(Refused):
            await ada.list(kind, world.namespace)


async def test_a_user_answers_what_a_viewer_may_only_read(
    world: World, given: Given, when: When, then: Then, person: Person
) -> None:
    ada, viewer = await person("ada", "weir-user"), await person("viewer", "weir-view")
    await given.flow("asks", "def handler(system, this): return this.message('?').get('response')")
    run = await when.executed("asks", by=ada)
    await then(run).until(lambda: asks(Execution.model_validate(run.object)), "its question")
    name = run.status["waitingFor"][0]["name"]
    answer: JsonObject = {"spec": {"response": {"ok": True}}}
    accepted: JsonObject = {"status": {"accepted": True, "response": {"ok": True}}}
    assert (await viewer.list(MESSAGES, world.namespace)).items
    with pytest.raises(Refused):
        await viewer.patch(MESSAGES, world.namespace, name, answer)
    with pytest.raises(Refused):
        await ada.patch(MESSAGES, world.namespace, name, accepted, status=True)
    with pytest.raises(Refused):
        await ada.delete(MESSAGES, world.namespace, name)
    await ada.patch(MESSAGES, world.namespace, name, answer)
    await then(run).succeeds(outputs={"ok": True})


async def test_an_author_writes_flows_and_runs_scripts(
    world: World, when: When, then: Then, person: Person
) -> None:
    grace = await person("grace", "weir-author")
    await grace.create(FLOWS, world.namespace, FLOW)
    await then(await when.executed("theirs", by=grace)).succeeds()
    await then(await when.executed(script=NOTHING, by=grace)).succeeds()


async def test_an_author_writes_no_status_and_sets_no_parent(
    world: World, when: When, person: Person
) -> None:
    grace = await person("grace", "weir-author")
    run = await when.executed(script=NOTHING, by=grace, desired_state="Paused")
    with pytest.raises(Refused):
        await grace.patch(EXECUTIONS, world.namespace, run.name, FAILED, status=True)
    child = execution("hers", {"script": NOTHING, "parent": PARENT})
    with pytest.raises(Refused, match=r"spec\.parent"):
        await grace.create(EXECUTIONS, world.namespace, child)


async def test_not_even_an_administrator_sets_a_parent(world: World) -> None:
    spec = {"script": NOTHING, "parent": PARENT}
    with pytest.raises(Refused, match=r"spec\.parent"):
        await world.cluster.create(EXECUTIONS, world.namespace, execution("child", spec))


async def test_somebody_without_a_role_sees_nothing(world: World, person: Person) -> None:
    stranger = await person("stranger", "")
    with pytest.raises(Refused):
        await stranger.list(EXECUTIONS, world.namespace)
