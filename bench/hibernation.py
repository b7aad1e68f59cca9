"""What operator and server hold in memory of runs that wait without a Pod, and what those cost.

The Executions are real. Their Pods are left out, since a node of this size takes minutes to start
and stop so many: their status is written as the server leaves it, and the rows of their journals
are entered by the storage code that the server uses, in the server's own Pod. Operator and server
then take them for what they are: a few are woken in the end, and have to run on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.field import Field
from bench.figures import Report, Sample, Verdict
from bench.memory import COMPONENTS, resident, restarted
from tests.e2e.installation import NAMESPACE
from tests.e2e.run import Run
from tests.e2e.when import execution
from weir.api.resource import render_time
from weir.cluster.kinds import EXECUTIONS, FLOWS, PODS

_AT_ONCE = 16
# With none at all the programs would not have read a list, and what reading takes is not theirs.
_FIRST = 200
_REST = 15.0  # s, after which the operator has given back what its start took
_PER_COMMAND = 250
_WOKEN = 3
_BUDGET = 5.0  # KB of each program
_FLOW = "sleeps"
_SCRIPT = """
def handler(system, this):
    this.sleep(86400)
    return {"slept": True}
"""

# Runs in the server's Pod: what an attempt leaves behind that sleeps in its first operation.
_ENTER = """
import asyncio, dataclasses, json, sys, time
from weir.core import journal
from weir.server.settings import Settings
from weir.storage import attempts, operations
from weir.storage.database import Database
from weir_protocol.arguments import SleepArguments

async def enter(namespace, runs):
    database, now = Database(Settings().database_url), time.time()
    await database.start()
    asked = SleepArguments(seconds=86400.0)

    def work(sql):
        for name, uid in runs:
            attempt = attempts.Attempt(uid, namespace, name, 1, 1, f"no-pod-of-{uid}"[:64], now)
            attempts.begin(sql, attempt)
            operations.begin(sql, operations.Record(
                uid=uid, try_number=1, sequence=1, kind="sleep", target=journal.target(asked),
                digest=journal.digest(asked), line=2, deadline=now + asked.seconds, created=now,
                arguments=json.dumps(dataclasses.asdict(asked)),
            ))

    await database.write(work)
    print(database.identity)
    await database.close()

asyncio.run(enter(sys.argv[1], json.loads(sys.argv[2])))
"""
# Their time has come; the server is told by a new deadline when it looks at them again.
_END = """
import asyncio, json, sys
import sqlalchemy as sa
from weir.server.settings import Settings
from weir.storage.database import Database
from weir.storage.tables import operations

async def end(uids):
    database = Database(Settings().database_url)
    await database.start()
    change = operations.update().where(operations.c.uid.in_(uids)).values(deadline=1.0)
    await database.write(lambda sql: sql.execute(change))
    await database.close()

asyncio.run(end(json.loads(sys.argv[1])))
"""


async def measure(field: Field, count: int) -> Report:
    """Compare what is held of a few runs that sleep without a Pod with that of `count` more."""
    await field.given.flow(_FLOW, _SCRIPT, suspend=True)
    await _sleeping(field, range(_FIRST))
    await restarted(field)
    before = await _held(field)
    runs = await _sleeping(field, range(_FIRST, _FIRST + count))
    came = await _held(field)
    await restarted(field)
    after = await _held(field)
    pods = len(field.world.history.all(PODS))
    samples, verdicts = [], []
    for moment, held in (("as they came", came), ("restarted", after)):
        for component in COMPONENTS:
            each = (held[component] - before[component]) * 1e3 / count
            name = f"{component}: each of {count} runs without a Pod, {moment}"
            samples.append(Sample(name, "KB", (each,)))
            verdicts.append(Verdict(name, each, "at most", _BUDGET, "KB"))
    verdicts.append(Verdict(f"Pods of {count} runs that sleep", pods, "at most", 0))
    await _wake(field, runs[:_WOKEN])
    return Report(tuple(samples), tuple(verdicts))


async def _held(field: Field) -> dict[str, float]:
    """Return the resident memory of both programs, come to rest, in MB."""
    await asyncio.sleep(_REST)
    return {component: (await resident(field, component))[0] for component in COMPONENTS}


async def _sleeping(field: Field, numbers: range) -> list[Run]:
    """Make runs that sleep without a Pod, and return them."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def made(number: int) -> Run:
        async with turn:
            inputs = {"number": number, "text": "a typical input of some length " * 4}
            body = execution(f"sleeper-{number}", {"flow": _FLOW, "inputs": inputs})
            cluster, namespace = field.world.cluster, field.world.namespace
            return field.when.run(await cluster.create(EXECUTIONS, namespace, body))

    runs = await asyncio.gather(*(made(number) for number in numbers))
    identity = await _entered(field, runs)
    flow = await field.world.cluster.get(FLOWS, field.world.namespace, _FLOW)
    now = render_time(datetime.now(UTC), exact=True)
    status = {
        "phase": "Waiting",
        "reason": None,
        "message": None,
        "flow": _FLOW,
        "revision": flow["status"]["revision"],
        "try": 1,
        "attempt": 1,
        "hibernations": 1,
        "journal": identity,
        "startingTime": now,
        "startTime": now,
        "waitingFor": [{"kind": "Time", "name": "2026-01-01T00:00:00Z"}],
    }

    async def sleeps(run: Run) -> None:
        async with turn:
            await field.world.cluster.patch(
                EXECUTIONS, run.namespace, run.name, {"status": status}, status=True
            )

    await asyncio.gather(*(sleeps(run) for run in runs))
    return runs


async def _entered(field: Field, runs: Sequence[Run]) -> str:
    """Enter the journals of runs, and return the UUID of the database."""
    identity = ""
    for first in range(0, len(runs), _PER_COMMAND):
        chunk = [(run.name, run.uid) for run in runs[first : first + _PER_COMMAND]]
        identity = await _in_server(field, _ENTER, field.world.namespace, json.dumps(chunk))
    return identity.strip()


async def _in_server(field: Field, program: str, *arguments: str) -> str:
    (pod,) = await field.world.installation.pods_of(field.world.cluster, "server")
    return await field.world.installation.kubectl(
        "exec",
        f"--namespace={NAMESPACE}",
        pod["metadata"]["name"],
        "--",
        "python3",
        "-c",
        program,
        *arguments,
    )


async def _wake(field: Field, runs: Sequence[Run]) -> None:
    """Let the time of some come, and see that they run to their end: they were no dummies."""
    await _in_server(field, _END, json.dumps([run.uid for run in runs]))
    await restarted(field)
    for run in runs:
        await field.run_ended(run)
        assert run.status.get("outputs") == {"slept": True}, run.describe()
