"""What can be said of SSH keys from their text alone: for input models, which import no library."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from weir_connectors.inputs import Problem

_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----\s+(?P<body>.+?)-----END [A-Z0-9 ]+-----", re.S
)
_KEY_TYPES = ("ssh-", "ecdsa-", "sk-")


def problems_with_key(field: str, key: str, *, passphrase: bool = False) -> Iterator[Problem]:
    """Say why a text is no private key, or one whose passphrase is not at hand."""
    found = _KEY.search(key)
    if found is None:
        yield Problem(field, "a private key as text (-----BEGIN … PRIVATE KEY-----)")
    elif not passphrase and ("ENCRYPTED" in key or _is_encrypted(found["body"])):
        yield Problem(field, "a private key without a passphrase (ssh-keygen -p removes it)")


def _is_encrypted(body: str) -> bool:
    """Whether the body of an OpenSSH private key names a cipher.

    False for the older formats, which say ENCRYPTED.
    """
    try:
        data = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        return False
    magic = b"openssh-key-v1\x00"
    cipher = len(magic) + 4  # the name of the cipher follows its length, four bytes
    return data.startswith(magic) and data[cipher : cipher + 4] != b"none"


def tidied(key: str) -> str:
    """Return a private key with Unix line ends and a last one: what YAML or Windows made of it."""
    return "\n".join(line.strip() for line in key.strip().splitlines()) + "\n"


def is_known_hosts(text: str) -> bool:
    """Whether a text can be lines of known_hosts, or keys without hosts."""
    lines = _lines(text)
    return bool(lines) and "\x00" not in text and all(len(line.split()) >= 2 for line in lines)


def known_hosts(text: str, host: str, port: int) -> str:
    """Return lines of known_hosts; a key without a host is taken to be this host's."""
    name = host if port == 22 else f"[{host}]:{port}"
    return "".join(
        f"{name} {line}\n" if line.startswith(_KEY_TYPES) else f"{line}\n" for line in _lines(text)
    )


def key_types(text: str) -> list[str]:
    """Return the types of the keys in lines of known_hosts, each once."""
    words = (word for line in _lines(text) for word in line.split())
    return list(dict.fromkeys(word for word in words if word.startswith(_KEY_TYPES)))


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
