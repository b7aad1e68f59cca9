"""Real Git, HTTP and SSH servers for connections. No cluster is needed here."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.certificates import Authority, write_pair
from tests.integration.connectors.git_repository import Repository
from tests.integration.connectors.http_server import HttpServer
from tests.integration.connectors.rest_server import RestServer
from tests.integration.connectors.ssh_scripts import Host
from tests.integration.connectors.ssh_server import SshServer, started
from tests.ports import free_port
from weir_connectors import registry


@dataclass
class Run:
    """What became of one connection."""

    outputs: dict[str, Any]
    log: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)

    @property
    def files(self) -> dict[str, bytes]:
        return {one["name"]: base64.b64decode(one["content"]) for one in self.outputs["files"]}


def git(repository_url: str, command: str = "get", **inputs: Any) -> Run:
    """Run a GIT connection as a runner does."""
    log: list[str] = []
    given = {"command": command, "repository_url": repository_url, **inputs}
    outputs = registry.load("GIT").run(given, registry.Context(log=log.append))
    return Run(outputs, log)


def rest(url: str | None = None, **inputs: Any) -> Run:
    """Run a REST connection as a runner does; it tries once unless it is told otherwise."""
    run = Run({})
    given = {"retry_backoff": None, **({} if url is None else {"url": url}), **inputs}
    context = registry.Context(log=run.log.append, hide=run.hidden.append, uid="u-1")
    run.outputs = registry.load("REST").run(given, context)
    return run


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository whose branch is `trunk`."""
    return Repository(tmp_path / "repository")


@pytest.fixture(scope="session")
def served() -> Iterator[Path]:
    """A folder with the bare repository `flows.git`, which other users may read."""
    folder = Path(tempfile.mkdtemp(prefix="weir-served-"))
    folder.chmod(0o755)
    try:
        flows = Repository(folder / "source")
        flows.commit("First", {"flow.py": "print(1)\n"})
        flows.git("branch", "develop")
        flows.commit("Second", {"flow.py": "print(2)\n"})
        flows.commit("Third", {"flow.py": "print(3)\n"})
        flows.serve(folder, "flows.git")
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "git-ca")


@pytest.fixture(scope="session")
def http_server(served: Path) -> Iterator[HttpServer]:
    with HttpServer(served) as server:
        yield server


@pytest.fixture(scope="session")
def https_server(served: Path, authority: Authority) -> Iterator[HttpServer]:
    folder = authority.certificate_file.parent
    pair = write_pair(authority.issue("git", hosts=["127.0.0.1"]), folder, "git")
    with HttpServer(served, certificate=pair) as server:
        yield server


@pytest.fixture
def rest_server() -> Iterator[RestServer]:
    with RestServer() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[RestServer]:
    """Another host than `rest_server`."""
    with RestServer(host="127.0.0.2") as server:
        yield server


@pytest.fixture
def rest_tls_server(authority: Authority) -> Iterator[RestServer]:
    folder = authority.certificate_file.parent
    pair = write_pair(authority.issue("rest", hosts=["127.0.0.1"]), folder, "rest")
    with RestServer(certificate=pair) as server:
        yield server


@pytest.fixture(scope="session")
def ssh_server() -> Iterator[SshServer]:
    with started() as server:
        yield server


@pytest.fixture
def host(ssh_server: SshServer) -> Iterator[Host]:
    """The ssh server, with a folder for the scripts of one test."""
    folder = Path(tempfile.mkdtemp(prefix="weir-host-"))
    folder.chmod(0o1777)
    host = Host(ssh_server, folder)
    yield host
    host.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def git_daemon(served: Path) -> Iterator[str]:
    """Git's own unencrypted server; gives its URL."""
    port = free_port()
    where = ("--listen=127.0.0.1", f"--port={port}", f"--base-path={served}")
    command = ("git", "daemon", "--verbose", "--export-all", "--reuseaddr", *where)
    # In a session of its own: `git` starts the daemon as a child, and both must go.
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as daemon:
        try:
            assert daemon.stderr is not None
            assert any("Ready to rumble" in line for line in iter(daemon.stderr.readline, ""))
            yield f"git://127.0.0.1:{port}"
        finally:
            os.killpg(daemon.pid, signal.SIGTERM)
