"""Scripts that are wrong, and scripts that misbehave: each gets an end that says what happened."""

import signal

import pytest

from tests.e2e.given import Given
from tests.e2e.installation import signal_processes_of
from tests.e2e.then import Then
from tests.e2e.when import When


async def test_a_syntax_error_is_told_with_line_and_column(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("broken", "import flow_api\n\ndef handler(system, this)\n    pass\n")
    await then.flow_is_refused("broken", "SyntaxError", r"line 3, column \d+")
    run = await when.executed("broken")
    await then(run).says("broken")
    assert not run.pods


async def test_a_script_without_a_handler_is_told_so(given: Given, then: Then) -> None:
    await given.flow("empty", "x = 1\n")
    await then.flow_is_refused("empty", "NoHandler", "handler")


async def test_a_flow_that_is_mended_runs(given: Given, when: When, then: Then) -> None:
    await given.flow("broken", "def handler(:")
    run = await when.executed("broken")
    await then(run).stays("Pending", "FlowNotReady")
    await when.flow_changed("broken", script="def handler(system, this): pass")
    await then(run).succeeds()


async def test_an_inline_script_with_a_syntax_error_fails_and_names_the_line(
    when: When, then: Then
) -> None:
    run = await when.executed(script="def handler(system, this)\n    pass\n")
    await then(run).fails(message="line 1")


async def test_an_exception_at_import_fails_the_run(when: When, then: Then) -> None:
    run = await when.executed(script="import nothing_of_that_name\ndef handler(s, t): pass\n")
    await then(run).fails("ScriptError", message=r"ModuleNotFoundError.*\(line 1\)")


@pytest.mark.parametrize(
    ("statement", "reason", "message"),
    [
        pytest.param("sys.exit(3)", "ScriptExited", "3", id="sys.exit"),
        pytest.param("os._exit(3)", "RunnerExited", "3", id="os._exit"),
        # The first process of a container dies of no SIGABRT, but of what the C library tries next.
        pytest.param("os.abort()", "RunnerExited", "139", id="abort"),
        pytest.param("recurse()", "ScriptError", "RecursionError", id="recursion"),
        pytest.param("raise KeyboardInterrupt", "ScriptError", "KeyboardInterrupt", id="interrupt"),
        pytest.param("raise Exception('é' * 9000)", "ScriptError", "^Exception: é", id="long text"),
    ],
)
async def test_a_script_that_ends_its_process_fails_for_its_own_reason(
    when: When, then: Then, statement: str, reason: str, message: str
) -> None:
    run = await when.executed(
        script=f"import os, sys\ndef recurse(): recurse()\ndef handler(s, t):\n    {statement}\n"
    )
    await then(run).fails(reason, message=message)
    assert run.status["attempt"] == 1


@pytest.mark.own_node
async def test_a_script_that_is_killed_from_outside_fails_and_says_by_what(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("sleeps", "import time\ndef handler(system, this): time.sleep(60)")
    run = await when.executed("sleeps")
    await then(run).has_a_running_pod()
    signal_processes_of(run.pods[0], signal.SIGKILL)
    await then(run).fails("RunnerExited", message="137.*SIGKILL")


async def test_a_script_that_needs_more_memory_than_its_limit_fails_for_that(
    given: Given, when: When, then: Then
) -> None:
    await given.flow(
        "hungry",
        "def handler(system, this): return {'length': len(bytearray(400 * 2**20))}",
        runner={"resources": {"limits": {"memory": "64Mi"}, "requests": {"memory": "64Mi"}}},
    )
    run = await when.executed("hungry")
    await then(run).fails("OutOfMemory", message="(?i)memory")
    assert run.status["attempt"] == 1


async def test_a_script_that_prints_100_mb_ends_well_and_its_log_is_cut(
    when: When, then: Then
) -> None:
    run = await when.executed(
        script="""
        def handler(system, this):
            line = 'x' * 1023
            for _ in range(100 * 1024):
                print(line)
            return {'done': True}
        """
    )
    await then(run).succeeds(outputs={"done": True}, within=120)


async def test_a_script_that_forks_reports_once(when: When, then: Then) -> None:
    run = await when.executed(
        script="""
        import os

        def handler(system, this):
            if os.fork() == 0:
                this.set_output('who', 'the child process')
                raise SystemExit(0)
            os.wait()
            this.set_output('who', 'the parent process')
        """
    )
    await then(run).succeeds(outputs={"who": "the parent process"})


async def test_a_script_that_leaves_processes_and_threads_behind_ends_all_the_same(
    when: When, then: Then
) -> None:
    run = await when.executed(
        script="""
        import subprocess, threading, time

        def handler(system, this):
            subprocess.Popen(['sleep', '600'])
            threading.Thread(target=time.sleep, args=(600,)).start()
            return {'done': True}
        """
    )
    await then(run).succeeds(outputs={"done": True})
    await then(run).has_no_pods()


async def test_a_script_cannot_write_its_root_or_become_root(when: When, then: Then) -> None:
    run = await when.executed(
        script="""
        import os, pathlib

        def refused(act):
            try:
                act()
            except OSError as error:
                return type(error).__name__
            return 'done'

        def handler(system, this):
            status = dict(
                line.split(':', 1) for line in open('/proc/self/status') if line.startswith('Cap')
            )
            return {
                'user': os.getuid(),
                'etc': refused(lambda: pathlib.Path('/etc/x').write_text('x')),
                'root': refused(lambda: os.setuid(0)),
                'capabilities': status['CapEff'].strip(),
                'tmp': refused(lambda: pathlib.Path('/tmp/x').write_text('x')),
                'service account': os.path.exists('/var/run/secrets/kubernetes.io'),
            }
        """
    )
    await then(run).succeeds(
        outputs={
            "user": 65532,
            "etc": "OSError",
            "root": "PermissionError",
            "capabilities": "0" * 16,
            "tmp": "done",
            "service account": False,
        }
    )
