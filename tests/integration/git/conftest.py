"""Real Git hosts for FlowRepositories: those of the GIT connections. No cluster is needed here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.connectors import conftest as hosts
from tests.integration.connectors.git_repository import Repository
from tests.integration.connectors.ssh_server import SshServer
from weir.api.repository import GitRef
from weir.git.credentials import NONE, Credentials
from weir.git.fetching import Clone, Commit

authority = hosts.authority
git_daemon = hosts.git_daemon
http_server = hosts.http_server
https_server = hosts.https_server
repository = hosts.repository
served = hosts.served
ssh_server = hosts.ssh_server

LATEST = {"flow.py": b"print(3)\n"}
"""What the newest commit of `flows.git` holds."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go in this test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


@pytest.fixture
def login(ssh_server: SshServer) -> dict[str, Any]:
    """Credentials that open the ssh server."""
    return {
        "username": ssh_server.user,
        "identity": ssh_server.key,
        "known_hosts": ssh_server.host_line,
    }


def fetched(clone: Clone, url: str, credentials: Credentials = NONE, **options: Any) -> Commit:
    """Fetch from any host, folders of this machine among them."""
    ref = GitRef(**options.pop("ref", {}))
    given = {"timeout": 60.0, "max_bytes": 2**28, "allow_local": True, **options}
    return clone.fetch(url, ref, credentials, **given)


def contents(
    clone: Clone, commit: Commit, wanted: Callable[[str], bool] | None = None
) -> dict[str, bytes | None]:
    return {file.path: file.content for file in clone.files(commit.sha, wanted)}


def problems(clone: Clone, commit: Commit) -> dict[str, str]:
    files = clone.files(commit.sha)
    return {file.problem.path: file.problem.reason for file in files if file.problem is not None}


def source_of(served: Path) -> Repository:
    """Return the repository that `flows.git` was made from."""
    source = Repository.__new__(Repository)
    source.path = served / "source"
    return source
