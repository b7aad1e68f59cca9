"""What is seen while a fetch hangs, and what is left when it is given up.

No secret, no process, no file.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.connectors.conftest import git
from tests.integration.connectors.git_repository import Repository
from tests.integration.connectors.http_server import HttpServer
from weir_connectors import git_fetch, registry
from weir_connectors.errors import ConnectionCancelled, ConnectionFailed

SECRET = "s3cret-of-the-hanging-fetch"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go in this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def hanging(served: Path) -> Iterator[HttpServer]:
    with HttpServer(served) as server:
        yield server


class Running:
    """A connection in a thread, until it is cancelled."""

    def __init__(self, server: HttpServer) -> None:
        self.cancel = threading.Event()
        self.error: Exception | None = None
        self._inputs = {
            "command": "get",
            "repository_url": f"{server.url}/hanging/flows.git",
            "username": "ada",
            "password": SECRET,
            "httpCookie": f"session={SECRET}",
        }
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        context = registry.Context(cancelled=self.cancel.is_set)
        try:
            registry.load("GIT").run(self._inputs, context)
        except Exception as error:
            self.error = error

    def end(self) -> None:
        self.cancel.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def test_a_hanging_fetch_shows_no_secret_and_leaves_nothing_when_cancelled(
    hanging: HttpServer, folder: Path
) -> None:
    running = Running(hanging)
    try:
        assert hanging.asked.wait(10)
        workspace = next(folder.glob("weir-git-*"))
        processes = list(_processes_of(workspace))
        seen = [
            path.read_bytes() for one in processes for path in (one / "cmdline", one / "environ")
        ]
        modes = {path.name: path.stat().st_mode & 0o777 for path in workspace.iterdir()}
    finally:
        running.end()

    assert len(processes) >= 2  # git and its helper for http
    assert not any(SECRET.encode() in text for text in seen)
    assert modes["credential"] == modes["cookies"] == modes["config"] == 0o600
    assert isinstance(running.error, ConnectionCancelled)
    assert SECRET not in str(running.error)
    assert list(folder.iterdir()) == []
    patience = time.monotonic() + 10
    while any(_processes_of(workspace)):
        assert time.monotonic() < patience, "a process of the fetch lives on"


def test_a_server_that_never_answers_is_given_up_after_the_timeout(
    hanging: HttpServer, folder: Path
) -> None:
    with pytest.raises(ConnectionFailed, match=r"not done after 0\.5 s; raise the input timeout"):
        git(f"{hanging.url}/hanging/flows.git", timeout=0.5)
    assert list(folder.iterdir()) == []


def test_a_download_that_grows_too_large_is_given_up(
    http_server: HttpServer, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(tmp_path / "noise")
    repository.commit("Noise", {"noise.bin": os.urandom(40_000_000)})
    repository.serve(served, "noise.git")
    monkeypatch.setattr(git_fetch, "DOWNLOAD_LIMIT", 2**20)
    monkeypatch.setattr("weir_connectors.process.TICK", 0.01)

    with pytest.raises(ConnectionFailed, match="more than 1 MiB to download"):
        git(f"{http_server.url}/open/noise.git")


def test_nothing_is_left_after_a_success_or_a_failure(
    http_server: HttpServer, folder: Path
) -> None:
    git(f"{http_server.url}/open/flows.git")
    with pytest.raises(ConnectionFailed):
        git(f"{http_server.url}/open/flows.git", ref="nowhere")
    assert list(folder.iterdir()) == []


def _processes_of(workspace: Path) -> Iterator[Path]:
    """Yield the /proc folders of processes whose home is the workspace."""
    home = f"HOME={workspace}".encode()
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if home in (one / "environ").read_bytes().split(b"\x00"):
                yield one
        except OSError:  # it has ended meanwhile
            continue
