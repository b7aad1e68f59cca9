"""Settings, locks, files and lists on a whole cluster, and what people see of them."""

from pathlib import Path

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.test_cli import Command
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api import names
from weir.cluster.kinds import SETTINGS

COUNTS = """
def handler(system, this, inputs):
    for _ in range(inputs['times']):
        with system.setting('counter') as counter:
            counter.save(value=(counter.load('value') or 0) + 1)
"""
HOLDS = (
    WAIT_FOR_GO
    + """
def handler(system, this):
    system.setting('printer').acquire()
    this.save(message='has it')
    wait_for_go()
"""
)
WANTS = """
def handler(system, this):
    system.setting('printer').acquire()
    return {'has': system.setting('printer').get('locked_by')}
"""


async def test_runs_that_count_at_the_same_time_lose_nothing(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("counts", COUNTS)
    runs = [await when.executed("counts", inputs={"times": 3}) for _ in range(4)]
    for run in runs:
        await then(run).succeeds(within=120)
    kept = await world.cluster.get(SETTINGS, world.namespace, "counter")
    assert kept["spec"]["value"] == 12


async def test_a_lock_passes_on_when_its_holder_is_cancelled(
    world: World, given: Given, when: When, then: Then
) -> None:
    first = await when.executed(script=HOLDS)
    await then(first).until(lambda: first.message == "has it", "the lock to be taken")
    second = await when.executed(script=WANTS)
    await then(second).reaches("Waiting")
    assert second.status["waitingFor"] == [{"kind": "Lock", "name": "printer"}]
    await when.cancelled(first)
    await then(second).succeeds(outputs={"has": second.name})


async def test_a_run_that_lost_its_pod_keeps_its_lock_and_what_it_read(
    world: World, given: Given, when: When, then: Then
) -> None:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Setting",
        "metadata": {"name": "limits"},
        "spec": {"value": {"rows": 1}},
    }
    await world.cluster.create(SETTINGS, world.namespace, body)
    run = await when.executed(
        script=WAIT_FOR_GO
        + """
def handler(system, this):
    with system.setting('printer') as lock:
        rows = system.setting('limits').get('value')['rows']
        system.file('rows.txt').save_text_content(str(rows))
        this.save(message='read')
        wait_for_go()
        return {
            'rows': rows,
            'now': system.setting('limits').load('value')['rows'],
            'file': system.file('rows.txt').get_text_content(),
            'has': lock.load('locked_by'),
        }
"""
    )
    await then(run).until(lambda: run.message == "read", "the setting to be read")
    await world.cluster.amend(
        SETTINGS,
        world.namespace,
        "limits",
        [{"op": "add", "path": "/spec/value", "value": {"rows": 2}}],
    )
    await when.pod_deleted(run, at_once=True)
    await then(run).has_a_running_pod(attempt=2)
    await when.told(run)
    await then(run).succeeds(outputs={"rows": 1, "now": 2, "file": "1", "has": run.name})
    kept = await world.cluster.get(SETTINGS, world.namespace, "printer")
    assert "holder" not in kept["status"]


async def test_a_flow_changes_others_only_with_leave(given: Given, when: When, then: Then) -> None:
    changes = """
    def handler(system, this):
        script = 'def handler(system, this): return {"made": True}'
        system.flow('Made By A Script').save(script=script)
        return this.flow('Made By A Script').get('output_value')
    """
    await given.flow("modest", changes)
    await given.flow("trusted", changes, allow=["flows"])
    modest = await when.executed("modest")
    await then(modest).fails("ScriptError")
    assert modest.message.startswith("PermissionDenied: flow modest may not change flows")
    trusted = await when.executed("trusted")
    await then(trusted).succeeds(outputs={"made": True})


async def test_a_script_lists_what_became_of_others(given: Given, when: When, then: Then) -> None:
    fails = await when.executed(script="def handler(system, this): this.error('boom')", title="one")
    await then(fails).fails("ScriptEnded")
    run = await when.executed(
        script="""
        def handler(system, this):
            failed = {'field': 'status', 'op': 'eq', 'value': 'ENDED_ERROR'}
            return {'failed': [one.get('name', 'message') for one in system.executions(failed)]}
        """
    )
    await then(run).succeeds(outputs={"failed": [["one", "boom"]]})


async def test_files_go_between_people_and_scripts(
    world: World, when: When, then: Then, tmp_path: Path
) -> None:
    weir = Command(world)
    (tmp_path / "elements.csv").write_bytes(b"Fe,55.845\n")
    put = await weir("file", "put", str(tmp_path / "elements.csv"), "data/elements.csv")
    assert put.code == 0, put.err
    run = await when.executed(
        script="""
        def handler(system, this):
            rows = system.file('data/elements.csv').get_text_content().splitlines()
            system.file('report.txt').save_text_content(f'{len(rows)} element\\n')
        """
    )
    await then(run).succeeds()
    got = await weir("file", "get", "report.txt")
    assert (got.code, got.out) == (0, "1 element\n")
    listed = await weir("file", "ls")
    assert [line.split()[-1] for line in listed.out.splitlines()] == [
        "data/elements.csv",
        "report.txt",
    ]
    assert (await weir("file", "rm", "report.txt")).code == 0
    missing = await weir("file", "get", "report.txt")
    assert missing.code == 4
    assert "there is no file 'report.txt'" in missing.err
