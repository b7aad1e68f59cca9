"""Names derived from what they name: a pure function of that, so that creating a thing twice is
creating it once, with a cluster and without one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_NAME = 63
_HASH_LENGTH = 8


def digest(*parts: object) -> str:
    """Return 8 characters that stand for the parts:

    lower-case base 32 without look-alike padding.
    """
    joined = "\x1f".join(str(part) for part in parts).encode()
    number = int.from_bytes(hashlib.sha256(joined).digest()[:8], "big")
    alphabet = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no words by accident
    letters = ""
    for _ in range(_HASH_LENGTH):
        number, rest = divmod(number, len(alphabet))
        letters += alphabet[rest]
    return letters


def slug(title: str) -> str:
    """Return a title as a DNS label, e.g.

    `my_other_flow_name` as `my-other-flow-name`; "x" when nothing is left.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_NAME].strip("-") or "x"


def with_hash(stem: str, hashed: str) -> str:
    """Return a name of a stem, cut where that is needed, and a hash."""
    return f"{stem[: MAX_NAME - 1 - len(hashed)].rstrip('-.')}-{hashed}"


def child_name(target: str, parent_uid: str, try_number: int, sequence: int) -> str:
    """Name the child that a script's operation number `sequence` creates.

    `target` only makes it readable.
    """
    return with_hash(slug(target), digest(parent_uid, try_number, sequence))


def message_name(subject: str, uid: str, try_number: int, sequence: int) -> str:
    """Name the Message that a script's operation number `sequence` sends.

    `subject` only makes it readable.
    """
    return with_hash(slug(subject)[:40], digest("message", uid, try_number, sequence))


def is_object_name(word: str) -> bool:
    """Whether an object may be called exactly so."""
    return len(word) <= MAX_NAME and bool(re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", word))


def is_plain(word: str) -> bool:
    """Whether a word's slug still tells it from other words: nothing but case and marks is lost."""
    return word.isascii() and len(word) <= MAX_NAME and any(one.isalnum() for one in word)


def record_name(word: str) -> str:
    """Name the object that a script creates and calls so: the slug, and where that says too little
    a hash behind it.
    """
    return slug(word) if is_plain(word) else with_hash(slug(word), digest("record", word))
