"""Signatures of requests."""

import base64
import hashlib
import hmac

import pytest

from weir.core.signatures import Algorithm, is_secret, is_signature

BODY = b'{"ref": "refs/heads/main"}'
# What GitHub documents as an example of its own.
GITHUB = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_githubs_own_example_is_a_signature() -> None:
    secret = b"It's a Secret to Everybody"
    assert is_signature(f"sha256={GITHUB}", b"Hello, World!", secret)
    assert is_signature(GITHUB, b"Hello, World!", secret)
    assert not is_signature(f"sha1={GITHUB}", b"Hello, World!", secret)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_a_signature_is_hex_or_base64(algorithm: Algorithm) -> None:
    made = hmac.new(b"secret", BODY, getattr(hashlib, algorithm)).digest()
    for spelled in (made.hex(), made.hex().upper(), base64.b64encode(made).decode()):
        for text in (spelled, f"{algorithm}={spelled}", f" {spelled} "):
            assert is_signature(text, BODY, b"secret", algorithm=algorithm)
        assert not is_signature(spelled, BODY + b" ", b"secret", algorithm=algorithm)
        assert not is_signature(spelled, BODY, b"Secret", algorithm=algorithm)


@pytest.mark.parametrize("given", ["", "sha256=", "00", "ä", "=", "\x00", "g" * 64, "0" * 64])
def test_what_is_no_signature_is_refused(given: str) -> None:
    assert not is_signature(given, BODY, b"secret")


def test_nothing_is_signed_with_an_empty_secret() -> None:
    made = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    assert not is_signature(made, BODY, b"")
    assert not is_secret("", b"")


def test_a_secret_is_itself_only() -> None:
    assert is_secret("token", b"token")
    assert is_secret("tökén", "tökén".encode())
    for given in ("", "Token", "token ", "tok\ud800"):
        assert not is_secret(given, b"token")
