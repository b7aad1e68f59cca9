"""GIT connections over http, https and the git protocol, against Git's own server."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.cluster.certificates import Authority
from tests.integration.connectors.conftest import git
from tests.integration.connectors.git_repository import Repository
from tests.integration.connectors.http_server import COOKIE, PASSWORD, USER, HttpServer
from weir_connectors.errors import ConnectionFailed

LATEST = {"flow.py": b"print(3)\n"}


def test_a_public_repository_is_read_over_http(http_server: HttpServer) -> None:
    assert git(f"{http_server.url}/open/flows.git").files == LATEST


def test_a_branch_is_read_over_http(http_server: HttpServer) -> None:
    run = git(f"{http_server.url}/open/flows.git", ref="develop")
    assert run.files == {"flow.py": b"print(1)\n"}


def test_a_private_repository_is_read_over_https(
    https_server: HttpServer, authority: Authority
) -> None:
    run = git(
        f"{https_server.url}/private/flows.git",
        username=USER,
        password=PASSWORD,
        cacert=authority.certificate_file.read_text(),
    )
    assert run.files == LATEST
    assert run.log == []


def test_the_latest_commit_alone_is_downloaded(
    http_server: HttpServer, served: Path, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "long")
    for number in range(3):
        repository.commit("Large", {"large.bin": number.to_bytes(1) * 4_000_000})
    sha = repository.git("rev-parse", "HEAD~1")
    repository.serve(served, "long.git")

    run = git(f"{http_server.url}/open/long.git", ref=sha)

    assert set(run.files["large.bin"]) == {1}
    assert run.log == []  # so the whole history was not needed


def test_a_login_in_the_url_works_and_is_warned_of(http_server: HttpServer) -> None:
    login = f"{USER}:{quote(PASSWORD, safe='')}"
    run = git(f"{http_server.url.replace('://', f'://{login}@')}/private/flows.git")
    assert run.files == LATEST
    assert len(run.log) == 1
    assert "repository_url holds a password" in run.log[0]
    assert PASSWORD not in run.log[0]


def test_inputs_win_over_the_login_in_the_url(http_server: HttpServer) -> None:
    url = f"{http_server.url.replace('://', '://bob:wrong@')}/private/flows.git"
    assert git(url, username=USER, password=PASSWORD).files == LATEST


@pytest.mark.parametrize(
    ("place", "inputs", "login"),
    [
        pytest.param("", {"password": "token-1234"}, "git:token-1234", id="a password alone"),
        pytest.param("token-1234@", {}, "token-1234:", id="a token as the URL's user"),
    ],
)
def test_a_token_is_sent_as(
    http_server: HttpServer, place: str, inputs: dict[str, str], login: str
) -> None:
    http_server.authorizations.clear()
    with pytest.raises(ConnectionFailed, match="the login was refused") as failed:
        git(f"{http_server.url.replace('://', f'://{place}')}/private/flows.git", **inputs)
    assert f"Basic {base64.b64encode(login.encode()).decode()}" in http_server.authorizations
    assert "token-1234" not in str(failed.value)


def test_a_cookie_opens_a_repository(http_server: HttpServer) -> None:
    assert git(f"{http_server.url}/cookie/flows.git", httpCookie=COOKIE).files == LATEST


def test_without_its_cookie_a_repository_stays_closed(http_server: HttpServer) -> None:
    with pytest.raises(ConnectionFailed, match="asks for a login"):
        git(f"{http_server.url}/cookie/flows.git", httpCookie="session=other")


def test_a_wrong_password_is_refused(http_server: HttpServer) -> None:
    with pytest.raises(ConnectionFailed) as failed:
        git(f"{http_server.url}/private/flows.git", username=USER, password="Tr0ub4dor")
    assert str(failed.value) == (
        f"GIT: {http_server.url}/private/flows.git: the login was refused, or may not read this"
        " repository; check username, password and ssh_key"
    )


def test_a_missing_password_is_asked_for_in_words(http_server: HttpServer) -> None:
    with pytest.raises(ConnectionFailed, match=r"asks for a login.*give username and password"):
        git(f"{http_server.url}/private/flows.git")


def test_an_unknown_certificate_is_refused(https_server: HttpServer) -> None:
    with pytest.raises(ConnectionFailed, match="not trusted; give its CA as cacert"):
        git(f"{https_server.url}/open/flows.git")


def test_an_unknown_certificate_is_accepted_on_request(https_server: HttpServer) -> None:
    assert git(f"{https_server.url}/open/flows.git", verify_ssl=False).files == LATEST


def test_a_redirect_does_not_take_credentials_to_another_host(
    served: Path, http_server: HttpServer
) -> None:
    with HttpServer(served) as other:
        http_server.elsewhere = other.url
        http_server.authorizations.clear()
        with pytest.raises(ConnectionFailed, match="the login was refused"):
            git(f"{http_server.url}/moved/flows.git", username=USER, password=PASSWORD)
        assert other.authorizations == []


def test_a_redirect_on_the_same_host_is_followed(http_server: HttpServer) -> None:
    http_server.elsewhere = http_server.url
    run = git(f"{http_server.url}/moved/flows.git", username=USER, password=PASSWORD)
    assert run.files == LATEST


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("open/missing.git", "there is no such repository", id="no repository"),
        pytest.param("broken/flows.git", "cannot be reached .*500", id="a server error"),
    ],
)
def test_the_trouble_is_named(http_server: HttpServer, path: str, message: str) -> None:
    with pytest.raises(ConnectionFailed, match=message):
        git(f"{http_server.url}/{path}")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("http://127.0.0.1:1/x.git", "cannot be reached", id="nobody listens"),
        pytest.param("https://host.invalid/x.git", "cannot be reached", id="an unknown host"),
        pytest.param("git://127.0.0.1:1/x.git", "cannot be reached", id="nobody listens to git"),
    ],
)
def test_an_unreachable_host_is_named(url: str, message: str) -> None:
    with pytest.raises(ConnectionFailed, match=message) as failed:
        git(url)
    assert url in str(failed.value)


def test_settings_of_the_machine_are_not_used(
    http_server: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text(f'[url "file://{tmp_path}/"]\n\tinsteadOf = {http_server.url}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(config))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_TRACE", "1")

    assert git(f"{http_server.url}/open/flows.git").files == LATEST


def test_a_repository_is_read_by_the_git_protocol(git_daemon: str) -> None:
    assert git(f"{git_daemon}/flows.git").files == LATEST
    assert git(f"{git_daemon}/flows.git", "metadata", ref="develop").outputs["commit_message"]
