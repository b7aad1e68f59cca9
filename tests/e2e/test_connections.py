"""REST connections in a cluster, to a small HTTP service there: secrets, ends, lost Pods."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlsplit

import pytest

from demo.echo import ECHO
from demo.services import served
from tests.e2e.given import Given
from tests.e2e.test_cli import Command
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.cluster.kinds import EXECUTIONS

PASSWORD = "s3cret-of-the-inventory"
KEY = "k3y-of-the-inventory"


@pytest.fixture
async def api(world: World) -> str:
    """The address of a service that answers with what it was asked."""
    return await served(world.cluster, world.namespace, ECHO)


async def test_a_connectors_secrets_reach_the_other_side_and_nobody_else(
    world: World, given: Given, when: When, then: Then, api: str
) -> None:
    await given.secret("inventory", password=PASSWORD, cookies=f"session={KEY}")
    await given.connector(
        "inventory",
        "REST",
        inputs={
            "scheme": "http",
            "hostname": urlsplit(api).hostname,
            "port": urlsplit(api).port,
            "base_path": "/basic-auth/ada",
            "username": "ada",
        },
        secret_inputs=[
            {"input": name, "secretKeyRef": {"name": "inventory", "key": name}}
            for name in ("password", "cookies")
        ],
    )
    run = await when.executed(
        script=f"""
        def handler(system, this):
            # The service takes the password that its address says.
            good = this.connect('inventory', path='/{PASSWORD}')
            headers = good.get('output_value')['json']['headers']
            bad = this.connect('inventory', path='/{PASSWORD}-no', wait=False)
            bad.wait(return_when='ALL_ENDED')
            return {{'headers': headers, 'bad': bad.get('message')}}
        """
    )
    await then(run).succeeds(within=90)

    assert run.status["outputs"]["headers"]["Authorization"] == "Basic ***"
    assert run.status["outputs"]["headers"]["Cookie"] == "***"
    assert "answered 401 Unauthorized" in run.status["outputs"]["bad"]
    log = (await Command(world)("logs", run.name, "--tree")).out
    told = [log, *(json.dumps(child.status) for child in run.children), json.dumps(run.status)]
    login = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, KEY, login):
        assert not [text for text in told if secret in text]


@pytest.mark.parametrize("change", ["hostname='evil.example'", "verify_ssl=False", "password='x'"])
async def test_a_call_cannot_send_a_connectors_secrets_elsewhere(
    given: Given, when: When, then: Then, change: str
) -> None:
    await given.secret("inventory", password=PASSWORD)
    await given.connector(
        "inventory",
        "REST",
        inputs={"hostname": "api.example.com", "username": "ada"},
        secret_inputs=[
            {"input": "password", "secretKeyRef": {"name": "inventory", "key": "password"}}
        ],
    )
    run = await when.executed(
        script=f"""
        def handler(system, this):
            this.connect('inventory', {change})
        """
    )
    await then(run).fails(message="PermissionDenied: .*does not let a call set")
    assert run.children == []


async def test_a_body_is_kept_as_a_file_that_scripts_read(when: When, then: Then, api: str) -> None:
    run = await when.executed(
        script=f"""
        import json

        def handler(system, this):
            kept = this.connect(connector_type='REST', url='{api}/anything?a=1', dst='answers/1')
            outputs = kept.get('output_value')
            text = system.file('answers/1').get_text_content()
            return {{'size': outputs['size_bytes'] == len(text), 'args': json.loads(text)['args']}}
        """
    )
    await then(run).succeeds(outputs={"size": True, "args": {"a": "1"}})


async def test_a_hanging_connection_is_cancelled(when: When, then: Then, api: str) -> None:
    run = await when.executed(
        connection={"type": "REST"}, inputs={"url": f"{api}/delay/600", "method": "post"}
    )
    await then(run).reaches("Running")
    await when.cancelled(run)
    await then(run).is_cancelled(within=20)
    await then(run).has_no_pods()


async def test_a_hanging_connection_ends_at_its_timeout(when: When, then: Then, api: str) -> None:
    inputs = {"url": f"{api}/delay/600"}
    run = await when.executed(connection={"type": "REST"}, inputs=inputs, timeout="5s")
    await then(run).fails("TimedOut")
    await then(run).has_no_pods()


async def test_a_read_is_run_again_when_its_pod_is_lost(when: When, then: Then, api: str) -> None:
    run = await when.executed(connection={"type": "REST"}, inputs={"url": f"{api}/delay/5"})
    await then(run).reaches("Running")
    await when.pod_deleted(run)
    await then(run).succeeds()
    assert run.status["attempt"] == 2


async def test_what_may_have_changed_something_is_not_run_again_when_its_pod_is_lost(
    world: World, when: When, then: Then, api: str
) -> None:
    run = await when.executed(
        connection={"type": "REST"}, inputs={"url": f"{api}/delay/60", "method": "post"}
    )
    await then(run).reaches("Running")
    await when.pod_deleted(run)
    await then(run).fails("RunnerLost", message="it is not run again")
    assert [one["metadata"]["name"] for one in world.history.all(EXECUTIONS)] == [run.name]
