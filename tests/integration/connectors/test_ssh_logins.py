"""Who may log in to a real OpenSSH server, and what is said when it does not work."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.connectors.line import Line
from tests.integration.connectors.ssh_scripts import Host, until
from tests.integration.connectors.ssh_server import PASSWORD
from tests.ports import free_port
from weir_connectors.errors import InvalidInputError


def needs_password(host: Host) -> None:
    if not host.server.has_password:
        pytest.skip("only root can make a user with a password for the ssh server")


def public(host: Host, name: str) -> str:
    return " ".join((host.server.folder / f"{name}.pub").read_text().split()[:2])


@contextlib.contextmanager
def authorized(host: Host, line: str) -> Iterator[None]:
    """Let in whoever has the key of a line of authorized_keys, and nobody else."""
    path = host.server.folder / "authorized_keys"
    before = path.read_text()
    path.write_text(line + "\n")
    try:
        yield
    finally:
        path.write_text(before)


def test_a_key_opens(host: Host) -> None:
    assert host.run("echo in")["report"] == "in\n"


def test_a_key_that_yaml_or_windows_has_spoilt_opens(host: Host) -> None:
    spoilt = "  " + host.server.key.strip().replace("\n", "\r\n  ")
    assert host.run("echo in", key=spoilt)["report"] == "in\n"


def test_a_password_opens(host: Host) -> None:
    needs_password(host)
    assert host.run("echo in", key=None, password=PASSWORD)["report"] == "in\n"


def test_a_password_helps_where_the_key_is_not_accepted(host: Host) -> None:
    needs_password(host)
    outputs = host.run("echo in", key=host.server.other_key, password=PASSWORD)
    assert outputs["report"] == "in\n"


def test_a_passphrase_opens_a_key(host: Host) -> None:
    with pytest.raises(InvalidInputError, match="key: expected a private key without a passphrase"):
        host.run("true", key=host.server.locked_key)
    with pytest.raises(InvalidInputError, match="passphrase: expected a passphrase that opens"):
        host.run("true", key=host.server.locked_key, passphrase="open barley")
    with authorized(host, public(host, "locked")):
        outputs = host.run("echo in", key=host.server.locked_key, passphrase="open sesame")
    assert outputs["report"] == "in\n"


def test_a_key_that_is_cut_off_is_refused_before_anything_is_done(host: Host) -> None:
    lines = host.server.key.splitlines()
    with pytest.raises(InvalidInputError, match="key: expected a whole private key"):
        host.run("true", key="\n".join([*lines[:2], lines[-1]]), port=1)


@pytest.mark.parametrize("which", ["key", "password"])
def test_a_refused_login_is_said_without_what_was_given(host: Host, which: str) -> None:
    given = {"key": host.server.other_key, "password": "hunter2-hunter2"}
    failure = host.fails(
        key=given["key"] if which == "key" else None,
        password=given["password"] if which == "password" else None,
    )
    assert f"the login was refused; check username, and {which} (" in str(failure)
    assert not any(line in str(failure) for line in given[which].splitlines()[1:-1] or ["hunter2"])
    assert failure.outputs is None


@pytest.mark.parametrize("form", ["line", "key alone", "among others", "wildcard", "off"])
def test_the_host_is_known_by_its_key(host: Host, form: str) -> None:
    key = host.server.host_key
    forms = {
        "line": host.server.host_line,
        "key alone": key,
        "among others": f"# ours\nother.example {public(host, 'client')}\n{host.server.host_line}",
        "wildcard": f"[127.0.0.*]:* {key}",
        "off": False,
    }
    running = host.start("echo in", hostkey=forms[form]).end()
    assert running.outputs is not None, running.error
    warnings = [line for line in running.log if "nobody checks" in line]
    assert len(warnings) == (form == "off")


@pytest.mark.parametrize("form", ["another key", "another kind", "another host"])
def test_another_host_is_refused_with_the_key_it_offers(host: Host, form: str) -> None:
    forms = {
        "another key": public(host, "stranger"),
        "another kind": _of_another_kind(host.server.folder),
        "another host": f"other.example {host.server.host_key}",
    }
    failure = host.fails(hostkey=forms[form])
    fingerprint = _fingerprint(host.server.folder / "host.pub")
    assert (
        "the host does not have the key that hostkey names: it offers ssh-ed25519"
        f" {fingerprint}; if that is the right one, take the new line from ssh-keyscan"
    ) in str(failure)


def _of_another_kind(folder: Path) -> str:
    path = folder / "other-kind"
    if not path.exists():
        _keygen("-q", "-t", "ecdsa", "-N", "", "-f", str(path))
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def _fingerprint(path: Path) -> str:
    return _keygen("-l", "-f", str(path)).split()[1]


def _keygen(*arguments: str) -> str:
    run = subprocess.run(("ssh-keygen", *arguments), capture_output=True, text=True, check=True)
    return run.stdout


def test_a_user_who_may_run_one_thing_only_is_told_what_that_said(host: Host) -> None:
    with authorized(host, f'command="echo only this" {public(host, "client")}'):
        failure = host.fails()
    assert "the host starts no POSIX shell for this user (only this" in str(failure)


def test_a_user_who_gets_no_terminal_is_told_so(host: Host) -> None:
    with authorized(host, f"no-pty {public(host, 'client')}"):
        assert host.run("echo in")["report"] == "in\n"
        failure = host.fails(use_shell=True)
    assert "the host lets the user in, and gives no terminal (" in str(failure)


def test_nobody_listening_is_said(host: Host) -> None:
    failure = host.fails(port=1, connect_tries=1)
    assert str(failure).endswith(
        "connection refused: nothing listens there; check hostname and port"
    )


def test_a_host_that_does_not_exist_is_said(host: Host) -> None:
    failure = host.fails(hostname="host.invalid", connect_tries=1)
    assert "host.invalid" in str(failure)
    assert "there is no such host (" in str(failure)


@contextlib.contextmanager
def listening(answer: bytes | None) -> Iterator[tuple[int, list[float]]]:
    """A server that gives an answer and hangs up, or says nothing; gives port and visits."""
    visits: list[float] = []
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    visitor, _ = listener.accept()
                except OSError:
                    return
                visits.append(time.monotonic())
                if answer is None:
                    held.append(visitor)
                    continue
                visitor.sendall(answer)
                visitor.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1], visits
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for one in held:
                one.close()


def test_a_host_that_says_nothing_is_given_up_after_the_timeout(host: Host) -> None:
    with listening(None) as (port, visits):
        failure = host.fails(port=port, connect_timeout=0.3, connect_tries=2)
    assert "no answer within 0.3 s; check hostname, port and firewalls (after 2 tries)" in str(
        failure
    )
    assert len(visits) == 2


def test_what_is_no_ssh_server_is_said(host: Host) -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, _):
        failure = host.fails(port=port, connect_tries=1)
    assert "is it an SSH server?" in str(failure)


def test_a_login_is_not_tried_again_when_it_was_refused(host: Host) -> None:
    running = host.start("true", key=host.server.other_key, connect_tries=5).end()
    assert "the login was refused" in str(running.error)
    assert running.log == []


def test_another_try_helps_when_the_host_comes_up_late(host: Host) -> None:
    port = free_port()
    running = host.start("echo in", port=port, hostkey=host.server.host_key, connect_tries=10)
    said = "try 1 of 10: connection refused: nothing listens there; check hostname and port"
    running.says(said)
    with Line(host.server.port, port):
        outputs = running.end().outputs
    assert outputs is not None
    assert outputs["report"] == "in\n"


def test_a_try_is_cancelled_at_once(host: Host) -> None:
    with listening(None) as (port, visits):
        running = host.start("true", port=port)
        until(lambda: bool(visits), "the visit")
        began = time.monotonic()
        running.cancelled()
    assert time.monotonic() - began < 5
    assert type(running.error).__name__ == "ConnectionCancelled"
