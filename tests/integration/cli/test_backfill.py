"""`weir backfill` as a program, against a real API server; the tests play the operator."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Any

import pytest

from tests.integration.cli.test_command import Command, ended, seen, status_written, weir
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.kinds import EXECUTIONS, SCHEDULES

__all__ = ["weir"]  # a fixture
WEEK = ("nightly", "--from", "2026-01-01", "--to", "2026-01-03")


async def schedule(cluster: Cluster, namespace: str, **spec: Any) -> None:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Schedule",
        "metadata": {"name": "nightly"},
        "spec": {"flow": "hello", "cron": "30 2 * * *"} | spec,
    }
    await cluster.create(SCHEDULES, namespace, body)


def day(item: JsonObject) -> int:
    return int(item["metadata"]["annotations"][names.SCHEDULED_TIME][8:10])


async def runs(cluster: Cluster, namespace: str) -> dict[int, str]:
    """Return the runs there are, by the day that they are for."""
    items = (await cluster.list(EXECUTIONS, namespace)).items
    return {day(item): item["metadata"]["name"] for item in items}


@pytest.mark.parametrize(
    ("spec", "arguments"),
    [
        pytest.param({"concurrencyPolicy": "Forbid"}, (), id="Forbid"),
        pytest.param({}, ("--max-active", "1"), id="--max-active"),
    ],
)
async def test_each_run_waits_for_the_end_of_the_one_before(
    cluster: Cluster,
    namespace: str,
    weir: Command,
    spec: dict[str, Any],
    arguments: tuple[str, ...],
) -> None:
    await schedule(cluster, namespace, **spec)
    call = await weir.begun("backfill", *WEEK, *arguments)
    for number in (1, 2, 3):
        made = await seen(cluster, namespace, lambda item, number=number: day(item) == number)  # type: ignore[misc]
        assert sorted(await runs(cluster, namespace)) == list(range(1, number + 1))
        name = made["metadata"]["name"]
        await status_written(cluster, namespace, name, phase="Starting")
        await status_written(cluster, namespace, name, phase="Failed")
    done = await ended(call)
    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 3
    assert "2 of 3 waits for nightly-" in done.err
    assert done.err.endswith("3 started\n")


async def test_ctrl_c_says_where_it_stands_and_the_same_call_goes_on(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    await schedule(cluster, namespace, concurrencyPolicy="Forbid")
    call = await weir.begun("backfill", *WEEK, "-o", "json")
    await seen(cluster, namespace, lambda item: True)
    assert call.stderr is not None
    line = await asyncio.wait_for(call.stderr.readline(), 30)
    assert line.startswith(b"2 of 3 waits for nightly-")
    call.send_signal(signal.SIGINT)
    done = await ended(call)
    assert done.code == 130
    assert [one["state"] for one in json.loads(done.out)] == ["created"]
    assert "1 of 3 are done" in done.err

    first = (await runs(cluster, namespace))[1]
    await status_written(cluster, namespace, first, phase="Starting")
    await status_written(cluster, namespace, first, phase="Succeeded")
    await cluster.patch(SCHEDULES, namespace, "nightly", {"spec": {"concurrencyPolicy": "Allow"}})
    again = await weir("backfill", *WEEK)
    assert again.code == 0, again.err
    assert f"execution/{first} is there already (Succeeded)" in again.out
    assert sorted(await runs(cluster, namespace)) == [1, 2, 3]


async def test_a_run_of_the_past_is_what_the_operator_would_have_made(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    await schedule(cluster, namespace, inputs={"a": 1}, mode="Development")
    done = await weir("backfill", *WEEK)
    assert done.code == 0, done.err
    (first, *_) = (await cluster.list(EXECUTIONS, namespace)).items
    assert first["spec"] == {
        "flow": "hello",
        "inputs": {"a": 1},
        "mode": "Development",
        "desiredState": "Running",
        "priority": 0,
        "orphan": False,
    }
    assert first["metadata"]["labels"][names.SCHEDULE_LABEL] == "nightly"
