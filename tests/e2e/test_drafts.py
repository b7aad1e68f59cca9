"""Development runs: drafts of flows, what is closed to them, how they become Productive."""

from pathlib import Path

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.test_cli import Command
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api import names

OLD = "def handler(system, this): return {'said': 'old'}"
DRAFT = """\
def handler(system, this):
    child = this.flow('child')
    return {'said': 'new', 'counts': child.get('is_productive')}
"""


async def test_a_draft_is_tried_from_a_file_and_never_counts(
    world: World, given: Given, then: Then, when: When, tmp_path: Path
) -> None:
    await given.flow("child", "def handler(system, this): pass")
    await given.flow("hello", OLD)
    (tmp_path / "hello.py").write_text(DRAFT)
    weir = Command(world)
    call = await weir("run", "hello", "--draft", str(tmp_path / "hello.py"), "--wait")
    assert call.code == 0, call.err
    assert '"said": "new"' in call.out
    assert '"counts": false' in call.out
    listed = (await weir("get", "executions", "-o", "name", "--flow", "hello")).out
    call = await weir("promote", listed.strip())
    assert call.code == 4
    assert "a draft never counts" in call.err
    # The Flow is what it was.
    await then(await when.executed("hello")).succeeds(outputs={"said": "old"})


async def test_a_draft_goes_on_as_itself_when_its_pod_is_lost(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("hello", OLD)
    draft = WAIT_FOR_GO + (
        "def handler(system, this):\n    wait_for_go()\n    return {'said': 'new'}\n"
    )
    run = await when.executed("hello", draft=draft, mode="Development")
    await then(run).has_a_running_pod()
    await when.flow_changed("hello", script="def handler(system, this): return {'said': 'newer'}")
    await when.pod_deleted(run, at_once=True)
    await then(run).has_a_running_pod(attempt=2)
    await when.told(run)
    await then(run).succeeds(outputs={"said": "new"})


async def test_a_draft_that_is_no_flow_fails_without_a_pod(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("hello", OLD)
    run = await when.executed("hello", draft="def handler(:", mode="Development")
    await then(run).fails("SyntaxError", message="^line 1, column 13: ")
    assert not run.pods
    assert "attempt" not in run.status


async def test_a_connector_to_production_refuses_development_runs(
    given: Given, when: When, then: Then
) -> None:
    inputs = {"repository_url": "https://example.com/r.git"}
    await given.connector("production", "GIT", inputs=inputs, allowed_modes=["Productive"])
    script = "def handler(system, this): this.connect('production', command='get')"
    run = await when.executed(script=script, mode="Development")
    await then(run).fails(
        "ScriptError", message="PermissionDenied: connector production does not allow Development"
    )
    root = await when.executed(
        connection={"connector": "production"}, inputs={"command": "get"}, mode="Development"
    )
    await then(root).fails("ConnectorNotReady", message="does not allow Development runs")


async def test_a_running_trial_is_made_productive(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("child", "def handler(system, this): pass")
    script = (
        WAIT_FOR_GO
        + """
def handler(system, this):
    this.flow('child')
    wait_for_go()
    this.flow('child')
"""
    )
    run = await when.executed(script=script, mode="Development", priority=3)
    await then(run).has_children(1)
    await then(run).until(
        lambda: run.object["metadata"]["labels"][names.MODE_LABEL] == "Development", "its label"
    )
    await then(run).has_a_running_pod()
    call = await Command(world)("promote", run.name)
    assert call.out == f"execution/{run.name} is Productive from now on\n"
    await when.told(run)
    await then(run).succeeds()
    modes = [child.object["spec"]["mode"] for child in run.children]
    assert modes == ["Development", "Productive"]
    assert {child.object["spec"]["priority"] for child in run.children} == {3}
    assert run.object["metadata"]["labels"][names.MODE_LABEL] == "Productive"
