"""Submodules: fetched only if asked, from hosts only, with credentials for the same host only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.integration.connectors.git_repository import Repository
from tests.integration.connectors.http_server import PASSWORD, USER, HttpServer
from tests.integration.git.conftest import contents, fetched, problems, source_of
from weir.api.reasons import Reason
from weir.git.credentials import NONE, Credentials
from weir.git.errors import GitError
from weir.git.fetching import Clone

ADA = Credentials(username=USER, password=PASSWORD)


class Serve(Protocol):
    def __call__(self, url: str, path: str = "lib") -> str: ...


@pytest.fixture
def other_server(served: Path) -> Iterator[HttpServer]:
    with HttpServer(served) as server:
        yield server


@pytest.fixture
def serve(repository: Repository, served: Path) -> Serve:
    """Serve a repository whose submodule `lib` is at a URL; returns its name."""

    def serve(url: str, path: str = "lib") -> str:
        sha = source_of(served).git("rev-parse", "HEAD")
        repository.write("own.py", "0")
        repository.write(".gitmodules", f'[submodule "lib"]\n\tpath = {path}\n\turl = {url}\n')
        repository.git("add", "--all")
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{sha},lib")
        repository.git("commit", "--quiet", "--message", "With a submodule")
        name = f"{uuid.uuid4().hex}.git"
        repository.serve(served, name)
        return name

    return serve


def test_a_submodule_is_fetched_if_asked(
    http_server: HttpServer, serve: Serve, repository: Repository, clone: Clone
) -> None:
    url = f"{http_server.url}/private/{serve('../flows.git')}"
    commit = fetched(clone, url, ADA)
    assert contents(clone, commit) == {"own.py": b"0"}

    commit = fetched(clone, url, ADA, submodules=True)
    whole = {"own.py": b"0", "lib/flow.py": b"print(3)\n"}
    assert contents(clone, commit) == whole
    assert contents(clone, fetched(clone, url, ADA, submodules=True)) == whole

    assert contents(clone, fetched(clone, url, ADA)) == {"own.py": b"0"}


def test_credentials_are_not_sent_to_another_host_of_a_submodule(
    http_server: HttpServer, other_server: HttpServer, serve: Serve, clone: Clone
) -> None:
    url = f"{http_server.url}/private/{serve(f'{other_server.url}/private/flows.git')}"
    with pytest.raises(GitError, match=r"Submodule lib: .*: the host asks for a login") as failed:
        fetched(clone, url, ADA, submodules=True)
    assert failed.value.reason is Reason.AUTHENTICATION_FAILED
    assert other_server.authorizations == []


def test_a_submodule_of_another_host_that_is_open_is_fetched(
    http_server: HttpServer, other_server: HttpServer, serve: Serve, clone: Clone
) -> None:
    url = f"{http_server.url}/open/{serve(f'{other_server.url}/open/flows.git')}"
    commit = fetched(clone, url, submodules=True)
    assert contents(clone, commit)["lib/flow.py"] == b"print(3)\n"


@pytest.mark.parametrize(
    "url", ["file:///etc", "/etc", "ext::sh -c id", "--upload-pack=id", "https://x:y@:/", "-x"]
)
def test_a_submodule_that_is_on_no_host_is_refused(
    http_server: HttpServer, serve: Serve, clone: Clone, url: str
) -> None:
    with pytest.raises(GitError, match=r"Submodule lib: its URL in \.gitmodules") as failed:
        fetched(clone, f"{http_server.url}/open/{serve(url)}", NONE, submodules=True)
    assert failed.value.reason is Reason.INVALID_SPEC


@pytest.mark.parametrize("path", ["../lib", "/lib", "lib/../../lib", ".git/lib", "own.py"])
def test_a_submodule_lies_where_the_commit_has_it_or_nowhere(
    http_server: HttpServer, serve: Serve, clone: Clone, path: str
) -> None:
    url = f"{http_server.url}/open/{serve('../flows.git', path)}"
    commit = fetched(clone, url, submodules=True)
    assert set(contents(clone, commit)) <= {"own.py", "lib/flow.py"}
    assert problems(clone, commit) == {}


def test_a_commit_that_the_submodule_lacks_is_named(
    http_server: HttpServer, serve: Serve, repository: Repository, served: Path, clone: Clone
) -> None:
    serve("../flows.git")
    repository.git("update-index", "--cacheinfo", f"160000,{'1' * 40},lib")
    repository.git("commit", "--quiet", "--message", "Nowhere")
    repository.serve(served, "nowhere.git")
    with pytest.raises(GitError, match=r"Submodule lib: .* there is no commit") as failed:
        fetched(clone, f"{http_server.url}/open/nowhere.git", submodules=True)
    assert failed.value.reason is Reason.REF_NOT_FOUND
