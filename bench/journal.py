"""What the journal costs a child call: how much of its time the server waits for its database.

A child call does one thing after the other, so what it waits for is what it would not take without
a journal. Logs and the end of the child are counted as well.
"""

from __future__ import annotations

import re

from bench.field import NOTHING, Field
from bench.figures import Report, Sample, Verdict
from tests.e2e.installation import NAMESPACE

CALLS = """
import time

def handler(system, this, inputs):
    began = time.perf_counter()
    for _ in range(inputs['calls']):
        this.flow('nothing')
    return {'seconds': time.perf_counter() - began}
"""

_READ = """
import urllib.request
print(urllib.request.urlopen('http://127.0.0.1:8082/metrics').read().decode())
"""


async def measure(field: Field, rounds: int) -> Report:
    """Measure `rounds` child calls, one after the other, after some that warm up."""
    await field.given.flow("nothing", NOTHING)
    await field.given.flow("calls", CALLS)
    await _calls(field, 2)
    before = await _waited(field)
    seconds = await _calls(field, rounds)
    waited = await _waited(field) - before
    each, journal = seconds / rounds, waited / rounds
    return Report(
        (
            Sample("child call and return, on average", "s", (each,)),
            Sample("of that, waiting for the journal", "s", (journal,)),
        ),
        (Verdict("the journal's part / the rest", journal / (each - journal), "at most", 0.10),),
    )


async def _calls(field: Field, calls: int) -> float:
    run = await field.when.executed("calls", inputs={"calls": calls})
    await field.run_ended(run)
    seconds: float = run.status["outputs"]["seconds"]
    return seconds


async def _waited(field: Field) -> float:
    """Return for how many seconds the server has waited for its database so far."""
    (pod,) = await field.world.installation.pods_of(field.world.cluster, "server")
    metrics = await field.world.installation.kubectl(
        *("exec", f"--namespace={NAMESPACE}", pod["metadata"]["name"], "--"),
        *("python3", "-c", _READ),
    )
    found = re.search(r"^weir_server_sql_wait_seconds_total (\S+)", metrics, re.M)
    assert found is not None, "the server is older than its benchmark"
    return float(found[1])
