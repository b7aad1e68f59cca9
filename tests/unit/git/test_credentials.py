from __future__ import annotations

import pytest

from weir.api.reasons import Reason
from weir.git.credentials import NONE, Credentials
from weir.git.errors import GitError


def test_a_secret_is_read_by_its_keys_and_without_last_line_ends() -> None:
    data = {
        "username": b"ada\n",
        "password": b"s3cret\r\n",
        "bearerToken": b"t0ken",
        "ca.crt": b"-----BEGIN CERTIFICATE-----\n",
        "identity": b"-----BEGIN",
        "passphrase": b"open sesame",
        "known_hosts": b"host ssh-ed25519 AAAA\n",
        "namespace": b"\xff",
    }
    assert Credentials.of_secret(data) == Credentials(
        username="ada",
        password="s3cret",
        bearer_token="t0ken",
        ca="-----BEGIN CERTIFICATE-----",
        identity="-----BEGIN",
        passphrase="open sesame",
        known_hosts="host ssh-ed25519 AAAA",
    )


def test_what_is_empty_is_not_given() -> None:
    assert Credentials.of_secret({"password": b"\n", "identity": b""}) == NONE


def test_a_value_that_is_no_text_is_refused_by_name() -> None:
    with pytest.raises(GitError, match="The Secret's password is no text") as failed:
        Credentials.of_secret({"password": b"\xff\xfe"})
    assert failed.value.reason is Reason.INVALID_SPEC


def test_credentials_are_not_shown() -> None:
    shown = repr(Credentials(username="ada", password="s3cret", identity="k3y"))
    assert shown == "Credentials(username, password, identity)"


def test_another_host_gets_no_login() -> None:
    whole = Credentials(
        username="ada",
        password="s3cret",
        bearer_token="t0ken",
        ca="CA",
        identity="k3y",
        passphrase="sesame",
        known_hosts="host key",
    )
    assert whole.for_another_host() == Credentials(ca="CA", known_hosts="host key")
