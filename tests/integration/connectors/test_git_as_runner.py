"""GIT connections as a runner's Pod makes them: a nameless user among other users' files."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tests.integration.connectors.conftest import git
from tests.integration.connectors.ssh_server import SshServer

RUNNER_UID = 65532  # has no line in /etc/passwd here

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the runner's user")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that everybody may write, like a Pod's /tmp."""
    path = Path(tempfile.mkdtemp(prefix="weir-runner-"))
    path.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    yield path
    shutil.rmtree(path)


def as_runner(function: Callable[[], Any]) -> Any:
    """Call the function as the runner's user; return its result, or the text of its error."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()

    def become_and_call(answer: Connection) -> None:
        os.setgroups([])
        os.setgid(RUNNER_UID)
        os.setuid(RUNNER_UID)
        os.environ["HOME"] = "/tmp"
        try:
            answer.send(function())
        except Exception as error:
            answer.send(f"{type(error).__name__}: {error}")

    child = fork.Process(target=become_and_call, args=(theirs,))
    child.start()
    answer = ours.recv()
    child.join()
    ours.close()
    theirs.close()
    return answer


def test_the_repository_of_another_user_is_read(served: Path, folder: Path) -> None:
    url = f"file://{served / 'flows.git'}"
    git(url)  # so that all that is imported late has been read by a user who may
    for path in folder.iterdir():
        shutil.rmtree(path)

    assert as_runner(lambda: git(url).files) == {"flow.py": b"print(3)\n"}
    assert list(folder.iterdir()) == []


def test_ssh_without_a_line_in_passwd_is_explained(
    ssh_server: SshServer, served: Path, folder: Path
) -> None:
    url = ssh_server.url(served / "flows.git")
    inputs = {"ssh_key": ssh_server.key, "ssh_hostkey": ssh_server.host_line}

    answer = as_runner(lambda: git(url, **inputs))

    assert "ssh needs a line in /etc/passwd for the user of this Pod" in answer
