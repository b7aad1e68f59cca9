"""GIT connections over ssh, against a real OpenSSH server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.connectors.conftest import git
from tests.integration.connectors.git_repository import Repository
from tests.integration.connectors.ssh_server import PASSWORD, SshServer
from weir_connectors.errors import ConnectionFailed, InvalidInputError, MissingInputError

LATEST = {"flow.py": b"print(3)\n"}


@pytest.fixture
def login(ssh_server: SshServer) -> dict[str, Any]:
    """Inputs that open the server."""
    return {
        "username": ssh_server.user,
        "ssh_key": ssh_server.key,
        "ssh_hostkey": ssh_server.host_line,
    }


@pytest.fixture
def url(ssh_server: SshServer, served: Path) -> str:
    return ssh_server.url(served / "flows.git")


def test_a_key_opens_a_repository(url: str, login: dict[str, Any]) -> None:
    assert git(url, **login).files == LATEST


def test_the_user_may_stand_in_the_url(
    ssh_server: SshServer, served: Path, login: dict[str, Any]
) -> None:
    del login["username"]
    assert git(ssh_server.url(served / "flows.git", ssh_server.user), **login).files == LATEST


def test_the_input_wins_over_the_user_in_the_url(
    ssh_server: SshServer, served: Path, login: dict[str, Any]
) -> None:
    assert git(ssh_server.url(served / "flows.git", "nobody"), **login).files == LATEST


@pytest.mark.parametrize("ref", ["develop", "trunk"])
def test_a_branch_is_read(url: str, login: dict[str, Any], ref: str) -> None:
    assert git(url, ref=ref, **login).outputs["commit_message"] in ("First", "Third")


def test_a_sha_is_found_although_this_server_gives_no_single_commits(
    url: str, login: dict[str, Any], served: Path
) -> None:
    source = Repository.__new__(Repository)
    source.path = served / "source"
    sha = source.git("rev-parse", "HEAD~1")

    run = git(url, ref=sha, **login)

    assert run.files == {"flow.py": b"print(2)\n"}
    assert run.log == ["the server does not give this commit alone: fetching the whole history"]


def test_a_sha_that_is_nowhere_is_refused(url: str, login: dict[str, Any]) -> None:
    with pytest.raises(ConnectionFailed, match=f'there is no commit "{"1" * 40}"'):
        git(url, ref="1" * 40, **login)


def test_a_key_with_windows_line_ends_and_no_last_one_works(
    url: str, login: dict[str, Any]
) -> None:
    login["ssh_key"] = login["ssh_key"].strip().replace("\n", "\r\n")
    assert git(url, **login).files == LATEST


@pytest.mark.parametrize("hostkey", ["alone", "among others", False])
def test_the_host_is_known_by_its_key(
    ssh_server: SshServer, url: str, login: dict[str, Any], hostkey: object
) -> None:
    other = f"other.example {ssh_server.host_key[:-4]}AAAA"
    forms = {
        "alone": ssh_server.host_key,
        "among others": f"# ours\n{other}\n{login['ssh_hostkey']}\n",
    }
    login["ssh_hostkey"] = forms.get(str(hostkey), hostkey)
    assert git(url, **login).files == LATEST


def test_another_host_key_is_refused_before_any_login(
    ssh_server: SshServer, url: str, login: dict[str, Any]
) -> None:
    stranger = " ".join((ssh_server.folder / "stranger.pub").read_text().split()[:2])
    login["ssh_hostkey"] = stranger
    with pytest.raises(ConnectionFailed, match="does not have the key that ssh_hostkey names"):
        git(url, **login)


def test_a_key_that_is_not_accepted_is_refused(
    ssh_server: SshServer, url: str, login: dict[str, Any]
) -> None:
    login["ssh_key"] = ssh_server.other_key
    with pytest.raises(ConnectionFailed, match="the login was refused") as failed:
        git(url, **login)
    assert not any(line in str(failed.value) for line in ssh_server.other_key.splitlines()[1:-1])


def test_a_password_opens_a_repository(
    ssh_server: SshServer, url: str, login: dict[str, Any]
) -> None:
    _needs_password(ssh_server)
    del login["ssh_key"]
    assert git(url, password=PASSWORD, **login).files == LATEST


def test_a_password_helps_where_the_key_is_not_accepted(
    ssh_server: SshServer, url: str, login: dict[str, Any]
) -> None:
    _needs_password(ssh_server)
    login["ssh_key"] = ssh_server.other_key
    assert git(url, password=PASSWORD, **login).files == LATEST


def test_a_wrong_password_is_refused(url: str, login: dict[str, Any]) -> None:
    del login["ssh_key"]
    with pytest.raises(ConnectionFailed, match="the login was refused") as failed:
        git(url, password="hunter2-hunter2", **login)
    assert "hunter2" not in str(failed.value)


def test_a_repository_that_is_not_there_is_named(
    ssh_server: SshServer, served: Path, login: dict[str, Any]
) -> None:
    with pytest.raises(ConnectionFailed, match="there is no such repository"):
        git(ssh_server.url(served / "missing.git"), **login)


def test_nobody_listening_is_named(login: dict[str, Any]) -> None:
    with pytest.raises(ConnectionFailed, match=r"cannot be reached .*Connection refused"):
        git("ssh://127.0.0.1:1/srv/flows.git", **login)


def test_the_short_form_of_an_ssh_address_is_understood(login: dict[str, Any]) -> None:
    with pytest.raises(ConnectionFailed, match=r"host\.invalid:flows\.git: cannot be reached"):
        git("git@host.invalid:flows.git", **login)


@pytest.mark.parametrize("name", ["ssh_key", "ssh_hostkey"])
def test_ssh_needs(url: str, login: dict[str, Any], name: str) -> None:
    del login[name]
    with pytest.raises(MissingInputError, match=f"missing input {name}"):
        git(url, **login)


def test_a_key_with_a_passphrase_is_refused_before_anything_is_done(
    ssh_server: SshServer, url: str, login: dict[str, Any]
) -> None:
    login["ssh_key"] = ssh_server.locked_key
    with pytest.raises(InvalidInputError, match="ssh_key: expected a private key without a pass"):
        git(url, **login)


def _needs_password(server: SshServer) -> None:
    if not server.has_password:
        pytest.skip("only root can make a user with a password for the ssh server")
