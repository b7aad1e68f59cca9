"""What is said about a failure, from what Git and ssh print."""

from __future__ import annotations

import pytest

from weir_connectors.git_failures import Failure

URL = "https://example.com/x.git"


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        pytest.param(
            "fatal: couldn't find remote ref nope", 'no branch, tag or commit "nope"', id="a ref"
        ),
        pytest.param(
            "fatal: unable to access 'https://x/': The requested URL returned error: 403",
            "the login was refused",
            id="forbidden",
        ),
        pytest.param(
            "Host key verification failed.\nfatal: Could not read from remote repository.\n"
            "\nPlease make sure you have the correct access rights",
            "does not have the key that ssh_hostkey names",
            id="a host key, before the general words that follow it",
        ),
        pytest.param(
            "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            "the login was refused",
            id="a key",
        ),
        pytest.param(
            "fatal: unable to access 'https://x/': Could not resolve host: x",
            "cannot be reached (fatal: unable to access 'https://x/': Could not resolve host: x)",
            id="a host",
        ),
        pytest.param(
            "fatal: mismatched algorithms: client sha1; server sha256", "SHA-256", id="sha"
        ),
        pytest.param("No user exists for uid 65532", "a line in /etc/passwd", id="a user"),
        pytest.param("error: cannot run ssh: No such file or directory", "install", id="no ssh"),
        pytest.param("", "git failed (exit code 128)", id="silence"),
        pytest.param("fatal: new words", "git failed (fatal: new words)", id="words not known yet"),
    ],
)
def test_a_failure_is_explained(errors: str, message: str) -> None:
    said = Failure(errors, 128).explain(URL, "nope", True, [])
    assert said.startswith(f"GIT: {URL}: ")
    assert message in said


def test_secrets_never_show() -> None:
    errors = "fatal: cannot open 'https://ada:s3cret@h/?token=t0ken' with s3cret and s3cr%2Fet"
    said = Failure(errors, 1).explain(URL, None, True, ["s3cret", "s3cr/et"])
    assert "s3cr" not in said
    assert "t0ken" not in said


def test_long_words_are_cut() -> None:
    assert len(Failure("x" * 100_000, 1).explain(URL, None, True, [])) < 1000
