"""Requests that cannot be met: each is refused, or ends with a reason and what to do."""

import pytest

from tests.e2e.given import Given
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api import names
from weir.cluster.errors import Invalid
from weir.cluster.kinds import PODS

NOTHING = "def handler(system, this): pass"


@pytest.mark.slow
async def test_a_flow_that_never_comes_fails_the_run_after_a_minute(when: When, then: Then) -> None:
    run = await when.executed("missing")
    await then(run).stays("Pending", "FlowNotFound")
    await then(run).fails("FlowNotFound", message="missing", within=90)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="none"),
        pytest.param({"flow": "a", "script": NOTHING}, id="flow and script"),
        pytest.param({"flow": "a", "connection": {"type": "GIT"}}, id="flow and connection"),
        pytest.param(
            {"script": NOTHING, "connection": {"type": "GIT"}}, id="script and connection"
        ),
    ],
)
async def test_exactly_one_of_flow_script_and_connection_must_be_given(
    when: When, spec: dict[str, object]
) -> None:
    with pytest.raises(Invalid, match="exactly one of flow, script and connection"):
        await when.executed(**spec)  # type: ignore[arg-type]


async def test_of_two_flows_with_one_title_the_younger_is_not_ready(
    given: Given, then: Then
) -> None:
    await given.flow("first", NOTHING, title="Monthly report")
    await then.flow_is_ready("first")
    await given.flow("second", NOTHING, title="Monthly report")
    await then.flow_is_refused("second", "TitleTaken", "first")
    await then.flow_is_ready("first")


async def test_a_title_that_is_another_flow_s_name_is_taken_too(given: Given, then: Then) -> None:
    await given.flow("report", NOTHING)
    await given.flow("second", NOTHING, title="report")
    await then.flow_is_refused("second", "TitleTaken", "report")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        pytest.param("'nowhere'", "ResourceNotFoundError", "nowhere", id="unknown connector"),
        pytest.param("connector_type='FAX'", "ResourceNotFoundError", "FAX", id="unknown type"),
        pytest.param(
            "connector_type='GIT', command='get'",
            "MissingInputError",
            "repository_url",
            id="missing input",
        ),
        pytest.param(
            "connector_type='GIT', command='get', repository_url=7",
            "InvalidInputError",
            "repository_url",
            id="wrong input",
        ),
        pytest.param(
            "connector_type='GIT', command='get', repository_url='https://x.invalid', hue='red'",
            "ExtraInputError",
            "hue",
            id="input too many",
        ),
    ],
)
async def test_a_connection_that_cannot_be_made_raises_what_is_wrong(
    when: When, then: Then, call: str, error: str, message: str
) -> None:
    run = await when.executed(
        script=f"""
        import flow_api

        def handler(system, this):
            try:
                this.connect({call})
            except flow_api.EngineException as error:
                return {{'error': type(error).__name__, 'message': str(error)}}
        """
    )
    await then(run).succeeds()
    assert run.status["outputs"]["error"] == error
    assert message in run.status["outputs"]["message"]


async def test_a_connector_whose_secret_is_missing_is_not_ready(given: Given, then: Then) -> None:
    await given.connector(
        "code",
        "GIT",
        secret_inputs=[{"input": "password", "secretKeyRef": {"name": "none", "key": "p"}}],
    )
    await then.connector_is_refused("code", "SecretNotFound", "none")


async def test_a_connection_that_fails_fails_its_run_and_its_parent(when: When, then: Then) -> None:
    run = await when.executed(
        script="""
        def handler(system, this):
            this.connect(connector_type='GIT', command='get',
                         repository_url='https://127.0.0.1:1/none.git')
        """
    )
    await then(run).fails("DependencyFailed", message="GIT")
    (child,) = run.children
    assert child.reason == "ConnectionFailed"


async def test_a_pod_of_another_owner_in_the_way_fails_the_run(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("nothing", NOTHING)
    run = await when.executed("nothing", desired_state="Paused")
    await then(run).stays("Pending", "NotStarted")
    pod = {
        "metadata": {"name": names.pod_name(run.name, run.uid, 1)},
        "spec": {"containers": [{"name": "other", "image": "other"}]},
    }
    await world.cluster.create(PODS, world.namespace, pod)
    await when.resumed(run)
    await then(run).fails("NameTaken", message=names.pod_name(run.name, run.uid, 1))
