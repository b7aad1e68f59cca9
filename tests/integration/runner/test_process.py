"""The runner as a process: from its first request to how it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.runner.conftest import Runner
from tests.integration.runner.tls_server import RunnerServer
from tests.unit.flow_api.fake_backend import view
from weir_protocol import encode

DONE = {"state": "done"}


def done(_body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, DONE


# Says that it has begun, then does what the test is about; says so if it was cleaned up.
SCRIPT = """
    import pathlib, time

    def handler(system, this):
        this.save(message='begun')
        try:
            {work}
        except Exception:
            this.set_output('caught', True)
        finally:
            pathlib.Path('cleaned').touch()
            this.log('cleaning')
    """


def test_a_run_goes_from_its_assignment_over_operations_to_its_end(
    server: RunnerServer, runner: Runner
) -> None:
    child = view("child", status="ENDED_SUCCESS", phase="Succeeded", output_value={"n": 41})
    states = iter(["done", "pending", "done"])
    server.on["operations"] = lambda _: (
        200,
        {"state": next(states), "executions": [encode(child)]},
    )
    runner.start(
        """
        def handler(system, this, inputs):
            print('asking', inputs['who'])
            child = this.flow('other', name='one')
            this.set_output('n', child.get('output_value')['n'] + 1)
            this.log('asked', n=1)
            this.success('all done')
        """,
        inputs={"who": "Ada"},
    )
    assert runner.left() == (0, "")
    assert [request.path for request in server.requests] == [
        "assignment",
        "operations",
        "operations",
        "operations",
        "end",
    ]
    assert len({request.client for request in server.requests}) == 1
    assert server.bodies("assignment") == [{"uid": "", "try_number": 0, "attempt": 0}]
    first, pending, again = server.bodies("operations")
    assert (first["kind"], first["sequence"], first["line"]) == ("child", 1, 4)
    assert [line["text"] for line in first["logs"]] == ["asking Ada"]
    assert (pending["sequence"], again["sequence"]) == (2, 2)
    (end,) = server.bodies("end")
    assert (end["uid"], end["try_number"], end["attempt"]) == ("own", 1, 2)
    assert (end["status"], end["message"], end["outputs"]) == ("success", "all done", {"n": 42})
    assert [(line["after"], line["index"], line["text"]) for line in end["logs"]] == [
        (2, 0, "asked")
    ]


def test_an_error_is_reported_with_its_line_and_traceback(
    server: RunnerServer, runner: Runner
) -> None:
    runner.start("def handler(system, this):\n    raise ValueError('boom')")
    assert runner.left() == (0, "")
    (end,) = server.bodies("end")
    assert (end["reason"], end["message"]) == ("ScriptError", "ValueError: boom (line 2)")
    assert end["logs"][0]["stream"] == "traceback"


def test_work_is_waited_for(server: RunnerServer, runner: Runner) -> None:
    script = "def handler(system, this): pass"
    idle = iter([(204, {}), (503, {"code": "Unavailable", "message": "starting"})])

    def assignment(_body: dict[str, Any]) -> Any:
        reply = next(idle, None)
        return reply or (200, work)

    server.on["assignment"] = assignment
    work = {
        "namespace": "demo",
        "execution": encode(view("own")),
        "try_number": 1,
        "attempt": 1,
        "script": script,
    }
    runner.start(None)
    assert runner.left() == (0, "")
    assert len(server.bodies("assignment")) == 3


def test_a_termination_leaves_at_once_and_cleans_nothing_up(
    server: RunnerServer, runner: Runner, tmp_path: Path
) -> None:
    server.on["operations"] = done
    runner.start(SCRIPT.format(work="this.log('x'); this.save(message='2'); time.sleep(600)"))
    server.asked("operations", 2)
    assert runner.process is not None
    runner.process.send_signal(signal.SIGTERM)
    assert runner.left() == (128 + signal.SIGTERM, "")
    assert server.bodies("end") == []
    assert not (tmp_path / "cleaned").exists()


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("Cancelled", ("cancelled", "Cancelled", "cancelled on request")),
        ("TimedOut", ("error", "TimedOut", "stopped: it ran longer than its timeout allows")),
    ],
)
def test_a_stop_interrupts_a_sleep(
    stop: str,
    expected: tuple[str, str, str],
    server: RunnerServer,
    runner: Runner,
    tmp_path: Path,
) -> None:
    server.on["operations"] = done
    server.on["control"] = lambda _: (200, {"stop": stop})
    runner.start(SCRIPT.format(work="time.sleep(600)"))
    assert runner.left() == (0, "")
    (end,) = server.bodies("end")
    assert (end["status"], end["reason"], end["message"]) == expected
    assert end["outputs"] is None  # `except Exception` did not catch it
    assert "cleaning" in [line["text"] for line in end["logs"]]
    assert (tmp_path / "cleaned").exists()


WORK = {
    "a blocked long poll": "this.wait_for(this.flow('other', wait=False))",
    # Not `while` alone: CPython 3.11 forgets a `try` around a loop that is the first thing in it.
    "a computation": "n = 0\n            while True: n += 1",
    "prints without end": "while True: print('x')",
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_a_cancellation_interrupts(
    work: str, server: RunnerServer, runner: Runner, tmp_path: Path
) -> None:
    def operations(body: dict[str, Any]) -> Any:
        if body["kind"] == "wait":
            return server.hold(body)
        return 200, DONE | {"executions": [encode(view("child"))]}

    server.on["operations"] = operations
    server.on["control"] = lambda _: (200, {"stop": "Cancelled"})
    runner.start(SCRIPT.format(work=work), log_limit=10_000)
    assert runner.left() == (0, "")
    (end,) = server.bodies("end")
    assert (end["status"], end["message"]) == ("cancelled", "cancelled on request")
    assert (tmp_path / "cleaned").exists()


def test_a_run_that_was_taken_away_leaves_in_silence(
    server: RunnerServer, runner: Runner, tmp_path: Path
) -> None:
    server.on["operations"] = done
    server.on["control"] = lambda _: (200, {"stop": "Gone"})
    runner.start(SCRIPT.format(work="time.sleep(600)"))
    assert runner.left() == (0, "weir: the run was taken from this Pod\n")
    assert server.bodies("end") == []
    assert not (tmp_path / "cleaned").exists()


@pytest.mark.parametrize("code", ["Fenced", "Ended", "Diverged"])
def test_a_stale_attempt_leaves_at_its_next_operation(
    code: str, server: RunnerServer, runner: Runner, tmp_path: Path
) -> None:
    server.on["operations"] = lambda _: (409, {"code": code, "message": "why"})
    runner.start(SCRIPT.format(work="pass"))
    assert runner.left() == (0, f"weir: the server refused: why (409 {code})\n")
    assert server.bodies("end") == []
    assert not (tmp_path / "cleaned").exists()


def test_a_runner_whose_server_stays_away_is_a_lost_pod(
    server: RunnerServer, runner: Runner, tmp_path: Path
) -> None:
    server.on["operations"] = lambda _: (503, {"code": "Unavailable", "message": "restarting"})
    runner.start(SCRIPT.format(work="pass"), server_patience=0.3)
    code, errors = runner.left()
    assert code == 75
    assert "restarting (503 Unavailable)" in errors
    assert not (tmp_path / "cleaned").exists()


def test_the_log_of_a_long_run_arrives_while_it_runs(server: RunnerServer, runner: Runner) -> None:
    runner.start("import time\ndef handler(system, this):\n    print('early')\n    time.sleep(600)")
    batch = server.asked("logs")
    assert [line["text"] for line in batch["lines"]] == ["early"]
    assert (batch["uid"], batch["attempt"]) == ("own", 2)


def test_a_hundred_megabytes_of_prints_need_little_memory(
    server: RunnerServer, runner: Runner
) -> None:
    runner.start(
        """
        import resource

        def handler(system, this):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for _ in range(100_000):
                print('x' * 999)
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return {'kib': after - before}
        """
    )
    assert runner.left() == (0, "")
    (end,) = server.bodies("end")
    assert end["outputs"]["kib"] < 20_000
    lines = [line for batch in server.bodies("logs") for line in batch["lines"]] + end["logs"]
    assert lines[-1]["text"].startswith("The log has reached its limit of 10485760 bytes")
    assert 10_000 < len(lines) < 10_400


def test_a_missing_setting_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "weir_runner"],
        env={"PATH": os.environ["PATH"], "WEIR_SERVER": "127.0.0.1:1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "not set: WEIR_SERVER_NAME, WEIR_SERVER_CA, WEIR_TOKEN_FILE" in done.stderr
