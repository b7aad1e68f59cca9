"""Logins at real hosts: over https, ssh, git, and to whom credentials go."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.certificates import Authority
from tests.integration.connectors.http_server import PASSWORD, USER, HttpServer
from tests.integration.connectors.ssh_server import SshServer
from tests.integration.git.conftest import LATEST, contents, fetched, source_of
from weir.api.reasons import Reason
from weir.api.repository import GitRef
from weir.git.credentials import NONE, Credentials
from weir.git.errors import GitError
from weir.git.fetching import Clone, newest

ADA = Credentials(username=USER, password=PASSWORD)


@pytest.fixture
def other_server(served: Path) -> Iterator[HttpServer]:
    with HttpServer(served) as server:
        yield server


def test_a_repository_that_is_open_needs_no_login(
    http_server: HttpServer, git_daemon: str, clone: Clone
) -> None:
    for url in (f"{http_server.url}/open/flows.git", f"{git_daemon}/flows.git"):
        assert contents(clone, fetched(clone, url)) == LATEST


def test_username_and_password_open_a_repository(
    https_server: HttpServer, authority: Authority, clone: Clone
) -> None:
    login = Credentials(username=USER, password=PASSWORD, ca=authority.certificate_file.read_text())
    url = f"{https_server.url}/private/flows.git"
    assert contents(clone, fetched(clone, url, login)) == LATEST
    assert newest(url, GitRef(), login, timeout=60) == fetched(clone, url, login).sha


def test_a_certificate_that_nobody_vouches_for_is_refused(
    https_server: HttpServer, clone: Clone
) -> None:
    with pytest.raises(GitError, match=r"put its CA into the Secret as ca\.crt") as failed:
        fetched(clone, f"{https_server.url}/private/flows.git", ADA)
    assert failed.value.reason is Reason.FETCH_FAILED


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        (Credentials(username=USER, password="wr0ng-password"), "the login was refused"),
        (NONE, "the host asks for a login"),
    ],
)
def test_a_wrong_login_is_refused_without_a_word_of_it(
    http_server: HttpServer, clone: Clone, credentials: Credentials, message: str
) -> None:
    with pytest.raises(GitError, match=message) as failed:
        fetched(clone, f"{http_server.url}/private/flows.git", credentials)
    assert (failed.value.reason, failed.value.transient) == (Reason.AUTHENTICATION_FAILED, False)
    assert "wr0ng" not in failed.value.message


def test_a_bearer_token_is_sent(http_server: HttpServer, clone: Clone) -> None:
    login = Credentials(bearer_token="t0ken-of-ada")
    assert contents(clone, fetched(clone, f"{http_server.url}/open/flows.git", login)) == LATEST
    assert "Bearer t0ken-of-ada" in http_server.authorizations


@pytest.mark.parametrize("credentials", [ADA, Credentials(bearer_token="t0ken-of-ada")])
def test_credentials_do_not_follow_a_redirect_to_another_host(
    http_server: HttpServer, other_server: HttpServer, clone: Clone, credentials: Credentials
) -> None:
    http_server.elsewhere = other_server.url
    with pytest.raises(GitError):
        fetched(clone, f"{http_server.url}/moved/flows.git", credentials)
    assert other_server.authorizations == []


def test_a_redirect_is_not_followed_with_a_bearer_token(
    http_server: HttpServer, clone: Clone
) -> None:
    http_server.elsewhere = http_server.url
    with pytest.raises(GitError, match=r"give in spec\.url the address that it sends to"):
        fetched(clone, f"{http_server.url}/moved/flows.git", Credentials(bearer_token="t0ken"))


def test_a_password_in_the_url_is_refused_unseen(clone: Clone) -> None:
    with pytest.raises(GitError, match="move it to a Secret") as failed:
        fetched(clone, "https://ada:hunter2-hunter2@example.com/flows.git")
    assert failed.value.reason is Reason.INVALID_SPEC
    assert "hunter2" not in failed.value.message


def test_a_key_opens_a_repository(
    ssh_server: SshServer, served: Path, login: dict[str, Any], clone: Clone
) -> None:
    url = ssh_server.url(served / "flows.git")
    commit = fetched(clone, url, Credentials(**login))
    assert contents(clone, commit) == LATEST
    assert newest(url, GitRef(), Credentials(**login), timeout=60) == commit.sha


def test_a_passphrase_opens_the_key(
    ssh_server: SshServer, served: Path, login: dict[str, Any], clone: Clone, tmp_path: Path
) -> None:
    url = ssh_server.url(served / "flows.git", ssh_server.user)
    key = tmp_path / "locked"
    key.write_text(login["identity"])
    key.chmod(0o600)
    lock = ("ssh-keygen", "-q", "-p", "-P", "", "-N", "open 'sesame", "-f", str(key))
    subprocess.run(lock, check=True, capture_output=True)
    locked = {**login, "identity": key.read_text()}

    opened = fetched(clone, url, Credentials(**locked, passphrase="open 'sesame"))
    assert contents(clone, opened) == LATEST
    with pytest.raises(GitError) as failed:
        fetched(clone, url, Credentials(**locked, passphrase="0pen sesame"))
    assert failed.value.reason is Reason.AUTHENTICATION_FAILED
    with pytest.raises(GitError, match=r"The Secret's identity: expected .* passphrase") as failed:
        fetched(clone, url, Credentials(**locked))
    assert failed.value.reason is Reason.INVALID_SPEC


def test_a_commit_is_found_although_the_host_gives_no_single_commits(
    ssh_server: SshServer, served: Path, login: dict[str, Any], clone: Clone
) -> None:
    url, credentials = ssh_server.url(served / "flows.git"), Credentials(**login)
    fetched(clone, url, credentials)  # a shallow folder to begin with
    sha = source_of(served).git("rev-parse", "HEAD~1")
    for _ in range(2):
        commit = fetched(clone, url, credentials, ref={"commit": sha})
        assert (commit.sha, contents(clone, commit)) == (sha, {"flow.py": b"print(2)\n"})
    with pytest.raises(GitError, match="there is no commit") as failed:
        fetched(clone, url, credentials, ref={"commit": "1" * 40})
    assert failed.value.reason is Reason.REF_NOT_FOUND


def test_a_host_that_is_not_known_is_not_logged_in_to(
    ssh_server: SshServer, served: Path, login: dict[str, Any], clone: Clone
) -> None:
    url = ssh_server.url(served / "flows.git")
    del login["known_hosts"]
    with pytest.raises(GitError, match=r"ssh-keyscan -p [0-9]+ 127") as failed:
        fetched(clone, url, Credentials(**login))
    assert failed.value.reason is Reason.HOST_KEY_UNKNOWN
    stranger = " ".join((ssh_server.folder / "stranger.pub").read_text().split()[:2])
    with pytest.raises(GitError, match="another key than known_hosts") as failed:
        fetched(clone, url, Credentials(**login, known_hosts=stranger))
    assert failed.value.reason is Reason.HOST_KEY_UNKNOWN


def test_a_key_that_is_not_accepted_is_refused(
    ssh_server: SshServer, served: Path, login: dict[str, Any], clone: Clone
) -> None:
    login["identity"] = ssh_server.other_key
    with pytest.raises(GitError, match="the login was refused") as failed:
        fetched(clone, ssh_server.url(served / "flows.git"), Credentials(**login))
    assert failed.value.reason is Reason.AUTHENTICATION_FAILED


def test_the_short_form_of_an_ssh_address_is_understood(
    login: dict[str, Any], clone: Clone
) -> None:
    with pytest.raises(GitError, match=r"host\.invalid:flows\.git: cannot be reached"):
        fetched(clone, "git@host.invalid:flows.git", Credentials(**login))
