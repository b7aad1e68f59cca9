"""One file is committed to a branch, or the reason is said why it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.connectors.git_repository import Repository
from tests.integration.connectors.http_server import PASSWORD, USER, HttpServer
from tests.integration.connectors.ssh_server import SshServer
from weir.api.reasons import Reason
from weir.api.repository import GitRef
from weir.git import pushing
from weir.git.commits import Commit
from weir.git.credentials import NONE, Credentials
from weir.git.errors import Conflict, GitError
from weir.git.pushing import Author


class Host:
    """A bare repository that is pushed to."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        repository.commit("First", {"flows/a.py": "1", "b.py": "2"})
        repository.link("link.py", "b.py")
        (repository.path / "b.py").chmod(0o755)
        repository.commit("Second")
        repository.serve(folder, "pushed.git")
        self.bare = Repository.__new__(Repository)
        self.bare.path = folder / "pushed.git"
        self.url = f"file://{self.bare.path}"

    def push(
        self, url: str | None = None, credentials: Credentials = NONE, **options: Any
    ) -> Commit:
        given: dict[str, Any] = {
            "branch": "weir/ada",
            "base_ref": GitRef(),
            "path": "flows/a.py",
            "content": b"new\n",
            "expected": b"1",
            "message": "Change a\n\nWeir-User: ada",
            "author": Author("Ada", "ada@example.com"),
            "timeout": 60,
            "allow_local": True,
            **options,
        }
        return pushing.push(url or self.url, credentials, **given)

    def at(self, name: str) -> str:
        return self.bare.git("show", name)


@pytest.fixture
def host(repository: Repository, tmp_path: Path) -> Host:
    return Host(repository, tmp_path)


def test_a_branch_is_made_and_holds_the_commit(host: Host, folder: Path) -> None:
    commit = host.push()

    assert commit.sha == host.bare.git("rev-parse", "weir/ada")
    assert (commit.author, commit.subject) == ("Ada <ada@example.com>", "Change a")
    assert commit.ref == "refs/heads/weir/ada"
    assert host.at("weir/ada:flows/a.py") == "new"
    assert host.bare.git("diff", "--name-only", "trunk", "weir/ada") == "flows/a.py"
    assert host.bare.git("log", "-1", "--format=%an %cn|%P", "weir/ada").split("|") == [
        "Ada Weir",
        host.bare.git("rev-parse", "trunk"),
    ]
    assert list(folder.iterdir()) == []


def test_a_branch_that_is_there_gets_one_more_commit(host: Host) -> None:
    host.push(branch="trunk")
    host.push(branch="trunk", path="b.py", expected=b"2")
    assert host.bare.git("log", "--format=%s", "trunk").splitlines()[2:] == ["Second", "First"]
    assert host.bare.git("ls-tree", "trunk", "b.py").startswith("100755")


def test_a_new_file_is_committed(host: Host) -> None:
    host.push(path="new/folder/ä b.py", expected=None)
    assert host.at("weir/ada:new/folder/ä b.py") == "new"


def test_the_same_push_twice_is_once(host: Host) -> None:
    assert host.push().sha == host.push().sha


def test_a_file_that_somebody_else_changed_is_left_alone(host: Host) -> None:
    host.push(branch="trunk", content=b"theirs")
    with pytest.raises(Conflict, match=r'flows/a\.py was changed on branch "trunk"'):
        host.push(branch="trunk")
    with pytest.raises(Conflict, match="is there already"):
        host.push(branch="trunk", expected=None)
    with pytest.raises(Conflict, match="is not there"):
        host.push(branch="trunk", path="gone.py")
    assert host.at("trunk:flows/a.py") == "theirs"


def test_a_user_goes_on_top_of_their_own_commit_only(host: Host) -> None:
    host.push(content=b"draft")
    host.push(content=b"better", trailer="Weir-User: ada")
    with pytest.raises(Conflict):
        host.push(content=b"worse", trailer="Weir-User: eve")
    assert host.at("weir/ada:flows/a.py") == "better"


def test_a_branch_that_moves_amid_a_push_is_built_on_again(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = ["2", "3"]
    send = pushing._Change._send

    def late(change: pushing._Change, repository: Path, refspec: str) -> None:
        if moves:
            with monkeypatch.context() as alone:
                alone.setattr(pushing._Change, "_send", send)
                content = moves.pop().encode()
                host.push(branch="trunk", path="other.py", expected=None, content=content)
        send(change, repository, refspec)

    monkeypatch.setattr(pushing._Change, "_send", late)
    moves.pop()
    host.push(branch="trunk")
    assert (host.at("trunk:flows/a.py"), host.at("trunk:other.py")) == ("new", "2")


@pytest.mark.parametrize(
    "path",
    ["../a.py", "/a.py", ".git/hooks/x", "a//b.py", "a\nb.py", "b.py/x.py", "flows", "link.py"],
)
def test_a_path_that_is_no_files_is_refused(host: Host, path: str) -> None:
    with pytest.raises(GitError) as failed:
        host.push(path=path, expected=None)
    assert failed.value.reason is Reason.INVALID_SPEC


@pytest.mark.parametrize("branch", ["a..b", "--force", "+trunk", "x:trunk"])
def test_what_is_no_branch_is_refused(host: Host, branch: str) -> None:
    with pytest.raises(GitError, match="The branch: expected a name") as failed:
        host.push(branch=branch)
    assert failed.value.reason is Reason.INVALID_SPEC


@pytest.mark.parametrize("name", ["", "<>", "Eve <eve@example.com>\nX", "..."])
def test_any_name_makes_an_author(host: Host, name: str) -> None:
    assert "\n" not in host.push(author=Author(name, "a\n<b>")).author


def test_a_key_pushes_over_ssh_and_a_hook_of_the_host_may_refuse(
    host: Host, ssh_server: SshServer, login: dict[str, Any]
) -> None:
    for one in (host.bare.path, *host.bare.path.rglob("*")):
        one.chmod(0o777)
    for parent in host.bare.path.parents[:3]:
        parent.chmod(0o755)
    url, credentials = ssh_server.url(host.bare.path), Credentials(**login)
    host.push(url, credentials)
    assert host.at("weir/ada:flows/a.py") == "new"

    hook = host.bare.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho branch is protected >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(GitError, match=r"does not take the commit .*branch is protected") as failed:
        host.push(url, credentials, content=b"newer", expected=b"new\n")
    assert (failed.value.reason, failed.value.transient) == (Reason.REFUSED, False)


def test_who_may_only_read_may_not_push(host: Host, http_server: HttpServer) -> None:
    login = Credentials(username=USER, password=PASSWORD)
    with pytest.raises(GitError, match="may not do this here") as failed:
        host.push(f"{http_server.url}/private/flows.git", login, path="x.py", expected=None)
    assert failed.value.reason is Reason.AUTHENTICATION_FAILED
