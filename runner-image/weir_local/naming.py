"""Names and UIDs of local executions: derived, so that the same run has the same ones each time."""

from __future__ import annotations

import uuid

from weir_protocol.naming import digest, slug, with_hash

_ROOT_LENGTH = 5
_NAMESPACE = uuid.UUID("6f1f6a52-6e0a-5d0e-9f0c-3b9a1c1f7d11")


def root_name(target: str, number: int) -> str:
    """Name the run that is the `number`th of its process, as `weir run` does: `hello-x2k7q`."""
    return with_hash(slug(target), digest(target, number)[:_ROOT_LENGTH])


def uid_of(*parts: object) -> str:
    """Return a UID that stands for the parts."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)))
