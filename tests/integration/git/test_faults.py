"""Hosts that are away, slow, too large or gone amid a fetch: what is said, and what is left."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.integration.connectors.git_repository import Repository
from tests.integration.connectors.http_server import HttpServer
from tests.integration.git.conftest import LATEST, contents, fetched
from tests.ports import free_port
from weir.api.reasons import Reason
from weir.api.repository import GitRef
from weir.git.credentials import NONE, Credentials
from weir.git.errors import GitError
from weir.git.fetching import Clone, newest

SECRET = "s3cret-of-the-hanging-fetch"


@pytest.fixture
def hanging(served: Path) -> Iterator[HttpServer]:
    with HttpServer(served) as server:
        yield server


@contextmanager
def _server_that_says(words: bytes) -> Iterator[int]:
    """Say the same to everybody who asks for anything, and hang up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(words)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def _line_that_breaks(target: int, after: int) -> Iterator[int]:
    """Pass on one connection to a port of this machine, until so many bytes have come back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", target))
            there = threading.Thread(target=_pass_on, args=(near, far, 2**30))
            there.start()
            _pass_on(far, near, after)
            there.join()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _pass_on(source: socket.socket, sink: socket.socket, most: int) -> None:
    with suppress(OSError):
        while most > 0 and (chunk := source.recv(min(most, 4096))):
            sink.sendall(chunk)
            most -= len(chunk)
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        if most <= 0:
            one.close()


@pytest.mark.parametrize("scheme", ["http", "git"])
def test_a_host_that_is_away_is_asked_again_later(clone: Clone, folder: Path, scheme: str) -> None:
    with pytest.raises(GitError, match="cannot be reached") as failed:
        fetched(clone, f"{scheme}://127.0.0.1:{free_port()}/flows.git")
    assert (failed.value.reason, failed.value.transient) == (Reason.FETCH_FAILED, True)
    assert list(folder.iterdir()) == []


def test_a_host_that_is_not_there_is_named(clone: Clone) -> None:
    with pytest.raises(GitError, match="https://host\\.invalid/flows\\.git: cannot be") as failed:
        fetched(clone, "https://host.invalid/flows.git")
    assert failed.value.transient


def test_a_repository_that_is_not_there_is_named(http_server: HttpServer, clone: Clone) -> None:
    with pytest.raises(GitError, match="there is no such repository, or not for this login"):
        fetched(clone, f"{http_server.url}/open/missing.git")


def test_a_host_that_has_broken_down_is_asked_again_later(
    http_server: HttpServer, clone: Clone
) -> None:
    with pytest.raises(GitError, match="error: 500") as failed:
        fetched(clone, f"{http_server.url}/broken/flows.git")
    assert (failed.value.reason, failed.value.transient) == (Reason.FETCH_FAILED, True)


def test_a_host_that_never_answers_is_given_up_with_all_its_processes(
    hanging: HttpServer, clone: Clone, folder: Path
) -> None:
    url = f"{hanging.url}/hanging/flows.git"
    login = Credentials(username="ada", password=SECRET)
    for attempt in (
        lambda: fetched(clone, url, login, timeout=1.0),
        lambda: newest(url, GitRef(), login, timeout=1.0),
    ):
        before = time.monotonic()
        with pytest.raises(GitError, match=r"not done after 1 s; .* raise spec\.timeout") as failed:
            attempt()
        assert time.monotonic() - before < 30
        assert (failed.value.reason, failed.value.transient) == (Reason.FETCH_FAILED, True)
        assert SECRET not in failed.value.message
    assert list(folder.iterdir()) == []
    patience = time.monotonic() + 30
    while any(_processes_below(folder)):
        assert time.monotonic() < patience, "a process of the fetch lives on"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"", id="at once"),
        pytest.param(b"0042" + b"1" * 20, id="amid a line"),
        pytest.param(b"not Git's protocol at all", id="after nonsense"),
    ],
)
def test_a_host_that_hangs_up_is_asked_again_later(clone: Clone, words: bytes) -> None:
    with _server_that_says(words) as port, pytest.raises(GitError) as failed:
        fetched(clone, f"git://127.0.0.1:{port}/flows.git")
    assert (failed.value.reason, failed.value.transient) == (Reason.FETCH_FAILED, True)


def test_a_host_that_is_gone_amid_the_files_is_asked_again_later(
    git_daemon: str, served: Path, tmp_path: Path, clone: Clone
) -> None:
    repository = Repository(tmp_path / "amid")
    repository.commit("Noise", {"noise.bin": os.urandom(1_000_000)})
    repository.serve(served, "amid.git")
    port = int(git_daemon.rpartition(":")[2])

    with _line_that_breaks(port, 300_000) as broken, pytest.raises(GitError) as failed:
        fetched(clone, f"git://127.0.0.1:{broken}/amid.git")

    assert (failed.value.reason, failed.value.transient) == (Reason.FETCH_FAILED, True)
    assert not list(clone.folder.rglob("tmp_*")) + list(clone.folder.rglob("*.lock"))
    assert contents(clone, fetched(clone, f"{git_daemon}/amid.git")).keys() == {"noise.bin"}


def test_a_fetch_that_breaks_off_leaves_what_was_there(
    http_server: HttpServer, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{http_server.url}/open/flows.git"
    commit = fetched(clone, url)
    with pytest.raises(GitError):
        fetched(clone, url, ref={"branch": "gone"})
    with pytest.raises(GitError, match="not done after"):
        fetched(clone, url, timeout=0.0)
    assert contents(clone, commit) == LATEST


def test_a_repository_that_is_too_large_is_given_up_and_leaves_nothing(
    http_server: HttpServer,
    served: Path,
    tmp_path: Path,
    folder: Path,
    clone: Clone,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository = Repository(tmp_path / "noise")
    repository.commit("Noise", {"noise.bin": os.urandom(20_000_000)})
    repository.serve(served, "noise.git")
    monkeypatch.setattr("weir_connectors.process.TICK", 0.01)

    with pytest.raises(GitError, match="larger than 1 MiB") as failed:
        fetched(clone, f"{http_server.url}/open/noise.git", max_bytes=2**20)

    assert (failed.value.reason, failed.value.transient) == (Reason.TOO_LARGE, False)
    assert not clone.folder.exists()
    assert list(folder.iterdir()) == []


def test_what_has_gathered_does_not_make_a_repository_too_large(
    repository: Repository, clone: Clone
) -> None:
    for _ in range(4):
        repository.commit("Noise", {"noise.bin": os.urandom(400_000), "a.py": "1"})
        commit = fetched(clone, repository.url, max_bytes=10**6)
    assert contents(clone, commit, lambda path: path == "a.py") == {"a.py": b"1"}


def test_nothing_is_left_after_a_success(
    http_server: HttpServer, folder: Path, clone: Clone
) -> None:
    fetched(clone, f"{http_server.url}/open/flows.git")
    newest(f"{http_server.url}/open/flows.git", GitRef(), NONE, timeout=60)
    assert list(folder.iterdir()) == []


def test_settings_of_the_machine_are_not_heeded(
    http_server: HttpServer,
    clone: Clone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / ".gitconfig").write_text(f'[url "{http_server.url}/broken/"]\n\tinsteadOf = http\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    assert contents(clone, fetched(clone, f"{http_server.url}/open/flows.git")) == LATEST


def _processes_below(folder: Path) -> Iterator[Path]:
    """Yield the /proc folders of processes whose home is in a folder."""
    home = f"HOME={folder}/".encode()
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if home in (one / "environ").read_bytes():
                yield one
        except OSError:  # it has ended meanwhile
            continue
