"""What a runner's token opens: its own run while it is live, at the server, and nothing else."""

from typing import Any

import pytest

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.run import Run
from tests.e2e.then import Then
from tests.e2e.when import When

WAITS = WAIT_FOR_GO + "def handler(system, this): wait_for_go()"

# An attacker in a Pod: asks with a token, its own if none is given, and tells the answers.
ATTACKER = """
import base64, http.client, json, ssl

ENVIRONMENT = dict(
    line.split('=', 1) for line in open('/proc/self/environ').read().split('\\0') if '=' in line
)

def ask(request):
    host, _, port = (request.get('address') or ENVIRONMENT['WEIR_SERVER']).rpartition(':')
    token = request.get('token')
    if token is None:
        token = open(ENVIRONMENT['WEIR_TOKEN_FILE']).read().strip()
    connection = http.client.HTTPSConnection(
        host, int(port), context=ssl._create_unverified_context(), timeout=10
    )
    headers = {'Content-Type': 'application/json'}
    if token:
        headers['Authorization'] = 'Bearer ' + token
    body = json.dumps(request['body']) if 'body' in request else None
    connection.request(request.get('method', 'POST'), request['path'], body, headers)
    answer = connection.getresponse()
    return [answer.status, answer.read().decode(errors='replace')[:500]]

def handler(system, this, inputs):
    return {'answers': [ask(request) for request in inputs['requests']]}
"""


def saves(run: Run, *, attempt: int = 1, **more: Any) -> dict[str, Any]:
    """Return a request that writes a run's message."""
    body = {
        "uid": run.uid,
        "try_number": 1,
        "attempt": attempt,
        "sequence": 1,
        "kind": "save",
        "arguments": {"message": "written by an attacker"},
    }
    return {"path": "/runner/v1/operations", "body": body} | more


def ends(run: Run, *, attempt: int = 1, **more: Any) -> dict[str, Any]:
    """Return a request that reports a run's success."""
    body = {"uid": run.uid, "try_number": 1, "attempt": attempt, "status": "success"}
    return {"path": "/runner/v1/end", "body": body} | more


@pytest.fixture
async def attack(given: Given, when: When, then: Then) -> Any:
    """Make requests from inside a Pod of the namespace; return their HTTP statuses."""
    await given.flow("attacker", ATTACKER)

    async def make(*requests: dict[str, Any]) -> list[int]:
        run = await when.executed("attacker", inputs={"requests": list(requests)})
        await then(run).succeeds()
        return [status for status, _ in run.status["outputs"]["answers"]]

    return make


async def token_of(when: When, run: Run) -> str:
    """Return the token in a run's Pod."""
    return (await when.commanded(run, "cat", "/var/run/secrets/weir/token")).strip()


async def test_a_token_opens_no_other_run(
    given: Given, when: When, then: Then, attack: Any
) -> None:
    await given.flow("waits", WAITS)
    victim = await when.executed("waits")
    await then(victim).has_a_running_pod()
    statuses = await attack(saves(victim), ends(victim))
    assert all(status in (403, 409) for status in statuses), statuses
    assert victim.phase in ("Starting", "Running")
    assert victim.message != "written by an attacker"
    await when.told(victim)
    await then(victim).succeeds()


async def test_no_token_a_forged_one_and_an_unsigned_one_open_nothing(
    given: Given, when: When, then: Then, attack: Any
) -> None:
    await given.flow("waits", WAITS)
    victim = await when.executed("waits")
    await then(victim).has_a_running_pod()
    header, claims, signature = (await token_of(when, victim)).split(".")
    unsigned = f"eyJhbGciOiJub25lIn0.{claims}."
    forged = f"{header}.{claims}.{'A' * len(signature)}"
    statuses = await attack(*(saves(victim, token=token) for token in ("", unsigned, forged)))
    assert statuses == [401, 401, 401]


async def test_after_the_end_of_its_run_a_token_opens_nothing(
    given: Given, when: When, then: Then, attack: Any
) -> None:
    await given.flow("waits", WAITS)
    run = await when.executed("waits")
    await then(run).has_a_running_pod()
    token = await token_of(when, run)
    await when.told(run)
    await then(run).succeeds()
    before = run.status
    saved, ended = await attack(saves(run, token=token), ends(run, token=token))
    assert saved in (401, 403, 409)
    # Its own end may be told again: the acknowledgement may have been lost. It changes nothing.
    assert ended in (200, 401, 403, 409)
    assert run.status == before


async def test_the_late_report_of_a_stale_pod_is_refused(
    given: Given, when: When, then: Then, attack: Any
) -> None:
    await given.flow("waits", WAITS)
    run = await when.executed("waits")
    await then(run).has_a_running_pod()
    token = await token_of(when, run)
    await when.pod_deleted(run, at_once=True)
    await then(run).has_a_running_pod(attempt=2)
    statuses = await attack(
        ends(run, token=token), ends(run, token=token, attempt=2), saves(run, token=token)
    )
    assert all(status in (401, 403, 409) for status in statuses), statuses
    assert run.phase in ("Starting", "Running")
    await when.told(run)
    await then(run).succeeds()


async def test_the_api_server_does_not_know_the_token(attack: Any) -> None:
    api = {"address": "10.96.0.1:443", "method": "GET"}
    paths = ("/api", "/version", "/api/v1/secrets", "/apis/weir.dev/v1alpha1/executions")
    statuses = await attack(*(api | {"path": path} for path in paths))
    assert statuses == [401] * len(paths)


async def test_a_token_reads_no_logs_of_others(
    given: Given, when: When, then: Then, attack: Any
) -> None:
    run = await when.executed(script="def handler(system, this): this.log('private')")
    await then(run).succeeds()
    path = f"/api/v1/namespaces/{run.namespace}/executions/{run.name}/logs"
    (status,) = await attack({"path": path, "method": "GET"})
    assert status in (401, 403)


async def test_a_foreign_pod_s_token_is_refused(
    when: When, then: Then, given: Given, attack: Any
) -> None:
    """A token of the right audience in a Pod that is none of ours."""
    await given.flow("waits", WAITS)
    run = await when.executed("waits")
    await then(run).has_a_running_pod()
    token = await when.minted_token("weir-server")
    statuses = await attack(
        saves(run, token=token),
        {"path": "/runner/v1/assignment", "body": {}, "token": token},
    )
    assert all(status in (401, 403) for status in statuses), statuses
