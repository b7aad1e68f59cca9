"""Addresses and refs that are made to run something: refused before any process is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.connectors.conftest import git
from tests.integration.connectors.git_repository import Repository
from weir_connectors import process
from weir_connectors.errors import InvalidInputError


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any program that is started fails the test."""

    def run(*_: object, **__: object) -> process.Finished:
        raise AssertionError("a program was started")

    monkeypatch.setattr(process, "run", run)


@pytest.mark.usefixtures("no_process")
@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/owned",
        "ext::sh",
        "fd::17",
        "--upload-pack=touch /tmp/owned",
        "-oProxyCommand=touch /tmp/owned",
        "ssh://-oProxyCommand=touch/x",
        "ssh://user@-oProxyCommand=x/x",
        "ssh://-l@host/x",
        "git@-oProxyCommand=x:path",
        "git@host:-path",
        "file:///srv/x.git\n[core]\n\tsshCommand = touch /tmp/owned",
        'https://host/x"\x00',
        "https://host",
        "https:///x",
        "https://host:port/x",
        "ftp://host/x",
        "/srv/flows.git",
        "../flows.git",
        "host:flows.git",
        "file://host/x",
        "",
    ],
)
def test_an_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError, match="invalid input repository_url: expected a"):
        git(url)


@pytest.mark.usefixtures("no_process")
@pytest.mark.parametrize(
    "ref",
    [
        "--upload-pack=touch /tmp/owned",
        "-x",
        "+main",
        "main:refs/heads/other",
        "refs/heads/*",
        "^main",
        "main~1",
        "main^{tree}",
        "@{-1}",
        "a..b",
        "a b",
        "a\nb",
        "a//b",
        "/a",
        "a/",
        "a.lock",
        "",
        "x" * 256,
    ],
)
def test_a_ref_is_refused(ref: str) -> None:
    with pytest.raises(InvalidInputError, match="invalid input ref: expected the name of a branch"):
        git("https://example.com/x.git", ref=ref)


def test_quotes_and_backslashes_in_a_url_stay_what_they_are(tmp_path: Path) -> None:
    name = 'we"ird\\name;#'
    repository = Repository(tmp_path / name)
    repository.commit("Add", {"a.txt": "1"})
    assert git(repository.url).files == {"a.txt": b"1"}
