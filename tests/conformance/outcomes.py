"""How a run ended, in a form in which two backends can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.cases import Case

# An execution's name ends in a hash of its parent, or in a random word.
_HASHED = re.compile(r"\b([a-z0-9]+(?:-[a-z0-9]+)*)-(?:[bcdfghjklmnpqrstvwxz2456789]{8})\b")


@dataclass(frozen=True)
class Outcome:
    """What is to be seen of a run that has ended."""

    status: str
    reason: str
    message: str
    outputs: dict[str, Any] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


def outcome(
    *,
    status: str,
    reason: str | None,
    message: str | None,
    outputs: dict[str, Any] | None,
    log: list[str],
    children: list[str],
    namespace: str,
) -> Outcome:
    """Return an outcome in which nothing depends on names that are made by chance."""
    return Outcome(
        status=status,
        reason=reason or "",
        message=_plain(message or "", namespace),
        outputs=outputs or {},
        log=tuple(_plain(text, namespace) for text in log),
        children=tuple(children),
    )


def differences(case: Case, seen: Outcome) -> list[str]:
    """Return how an outcome is not as it must be."""
    found = []
    for key, wanted in case.expect.items():
        got = getattr(seen, key)
        if key in ("log", "children"):
            wanted = tuple(wanted)
        if got != wanted:
            found.append(f"{key} is {got!r}, not {wanted!r}")
    return found


def _plain(text: str, namespace: str) -> str:
    return _HASHED.sub(r"\1-*", text.replace(f"namespace {namespace}", "namespace *"))
