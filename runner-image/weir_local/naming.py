"""Names and UIDs of local executions: derived, so that the same run has the same ones each time.

The rules are those of `weir.api.names`, which this distribution does not have; a test holds both
together.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid

MAX_NAME = 63

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no words by accident
_HASH_LENGTH = 8
_ROOT_LENGTH = 5
_NAMESPACE = uuid.UUID("6f1f6a52-6e0a-5d0e-9f0c-3b9a1c1f7d11")


def digest(*parts: object) -> str:
    """Return 8 characters that stand for the parts."""
    joined = "\x1f".join(str(part) for part in parts).encode()
    number = int.from_bytes(hashlib.sha256(joined).digest()[:8], "big")
    letters = ""
    for _ in range(_HASH_LENGTH):
        number, rest = divmod(number, len(_LETTERS))
        letters += _LETTERS[rest]
    return letters


def slug(title: str) -> str:
    """Return a title as a DNS label; "x" when nothing is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_NAME].strip("-") or "x"


def child_name(target: str, parent_uid: str, sequence: int) -> str:
    """Name the child that operation number `sequence` creates; `target` makes it readable."""
    return _with_hash(slug(target), digest(parent_uid, 1, sequence))


def root_name(target: str, number: int) -> str:
    """Name the run that is the `number`th of its process, as `weir run` does: `hello-x2k7q`."""
    return _with_hash(slug(target), digest(target, number)[:_ROOT_LENGTH])


def uid_of(*parts: object) -> str:
    """Return a UID that stands for the parts."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)))


def _with_hash(stem: str, hashed: str) -> str:
    return f"{stem[: MAX_NAME - 1 - len(hashed)].rstrip('-.')}-{hashed}"
