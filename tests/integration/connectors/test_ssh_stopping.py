"""A script that is not to go on does not: nothing of it runs on the host, and no file is left."""

from __future__ import annotations

import pytest

from tests.integration.connectors.line import Line
from tests.integration.connectors.ssh_scripts import Host, until
from weir_connectors import ssh_login, ssh_script, ssh_session
from weir_connectors.errors import ConnectionCancelled, ConnectionFailed

# Three processes, of which one does not listen to what it is told.
STUBBORN = "(trap '' TERM; while :; do sleep 7777; done) &\necho running\nsleep 8888"


def test_a_cancelled_script_is_gone(host: Host) -> None:
    running = host.start(STUBBORN)
    running.says("running")
    until(lambda: sum("sleep 7777" in line for line in host.processes) == 1, "its child")
    until(lambda: sum("sleep 8888" in line for line in host.processes) == 1, "its last command")
    (folder,) = host.folder.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700

    running.cancelled()

    assert isinstance(running.error, ConnectionCancelled)
    assert running.error.outputs is not None
    assert running.error.outputs["report"] == "running\n"
    host.is_left_clean(within=5)


def test_a_cancelled_script_may_tidy_up(host: Host) -> None:
    tidy = host.folder / "tidy"
    running = host.start(
        f"trap 'echo tidying; touch {tidy}; exit 1' TERM; echo up; sleep 9999 & wait"
    )
    running.says("up")
    running.cancelled()
    assert isinstance(running.error, ConnectionCancelled)
    assert running.error.outputs is not None
    assert running.error.outputs["report"] == "up\ntidying\n"
    assert tidy.exists()


def test_a_script_that_takes_too_long_is_gone(host: Host) -> None:
    failure = host.fails(STUBBORN, script_timeout=1)
    assert str(failure).endswith(
        "the script was not done after 1 s, and was stopped; raise script_timeout"
    )
    assert failure.outputs == {"retcode": None, "report": "running\n", "var": {}}
    host.is_left_clean(within=5)


def test_a_script_that_prints_without_end_is_stopped_all_the_same(host: Host) -> None:
    failure = host.fails("yes", script_timeout=1)
    assert "was stopped" in str(failure)
    assert failure.outputs is not None
    assert len(failure.outputs["report"]) < 5_000_000
    host.is_left_clean(within=5)


def test_a_script_whose_connection_is_cut_is_gone(host: Host) -> None:
    with Line(host.server.port) as line:
        running = host.start(STUBBORN, port=line.port, hostkey=host.server.host_key)
        running.says("running")
        line.cut()
        running.end()
    assert isinstance(running.error, ConnectionFailed)
    assert "the connection was cut while the script ran (" in str(running.error)
    assert running.error.outputs == {"retcode": None, "report": "running\n", "var": {}}
    host.is_left_clean(within=10)


def test_a_host_that_goes_silent_is_given_up_and_stops_the_script_by_itself(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_login, "ALIVE", 0.2)
    monkeypatch.setattr(ssh_script, "LENIENCY", 0.0)
    with Line(host.server.port) as line:
        running = host.start(
            STUBBORN, port=line.port, hostkey=host.server.host_key, script_timeout=3
        )
        running.says("running")
        line.go_silent()
        running.end()
        assert "the connection was cut while the script ran (" in str(running.error)
        # The host's server still believes in its client.
        until(lambda: not any("sleep" in one for one in host.processes), "the end of the script")
        until(lambda: not list(host.folder.iterdir()), "the end of its file")


def test_a_host_that_does_not_confirm_is_said(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_session, "PATIENCE", 0.3)
    with Line(host.server.port) as line:
        running = host.start(
            "echo running; sleep 7777",
            port=line.port,
            hostkey=host.server.host_key,
            script_timeout=1,
        )
        running.says("running")
        line.go_silent()
        running.end()
    assert "and was stopped (the host did not confirm that: look there)" in str(running.error)
    host.is_left_clean()


@pytest.mark.parametrize("how", ["cancelled", "late"])
def test_what_was_typed_into_a_shell_is_gone(host: Host, how: str) -> None:
    timeout = 60 if how == "cancelled" else 2
    running = host.start("echo running\nsleep 8888", use_shell=True, script_timeout=timeout)
    until(lambda: any("sleep 8888" in line for line in host.processes), "the script")
    if how == "cancelled":
        running.cancel()
    running.end()
    assert isinstance(running.error, ConnectionFailed)
    host.is_left_clean(within=5)


def test_a_script_that_never_began_is_not_stopped(host: Host) -> None:
    failure = host.fails("true", interpreter="no-such-shell", script_timeout=0.5)
    assert "the host has no no-such-shell" in str(failure)
