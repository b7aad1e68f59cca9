"""Whether a request was signed by who knows a secret. Compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Literal

Algorithm = Literal["sha1", "sha256", "sha512"]


def is_signature(
    given: str, signed: bytes, secret: bytes, *, algorithm: Algorithm = "sha256"
) -> bool:
    """Whether `given` is the HMAC of `signed`: hex or base64, perhaps behind `sha256=`.

    Nothing is signed with an empty secret.
    """
    made = hmac.digest(secret, signed, algorithm)
    return hmac.compare_digest(_decoded(given, algorithm, len(made)), made) and bool(secret)


def is_secret(given: str, secret: bytes) -> bool:
    """Whether `given` is the secret itself. An empty one is none."""
    return hmac.compare_digest(given.encode(errors="replace"), secret) and bool(secret)


def _decoded(text: str, algorithm: Algorithm, size: int) -> bytes:
    """Return the bytes that a signature spells; b"" where it spells none of so many bytes."""
    word = text.strip().removeprefix(f"{algorithm}=")
    try:
        found = (
            bytes.fromhex(word) if len(word) == 2 * size else base64.b64decode(word, b"+/", True)
        )
    except (ValueError, binascii.Error):
        return b""
    return found if len(found) == size else b""
