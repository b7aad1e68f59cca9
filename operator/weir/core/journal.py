"""What a journal says: whether a resumed run asks for the same, and whether records are lost."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Any

from weir_protocol.arguments import (
    AcquireArguments,
    ArchiveArguments,
    CachedArguments,
    CancelArguments,
    ChildArguments,
    ChildrenArguments,
    DeleteArguments,
    DeleteRecordArguments,
    GetRecordArguments,
    ListRecordsArguments,
    MessageArguments,
    OnceArguments,
    PauseArguments,
    ReadArguments,
    ReleaseArguments,
    ResponseArguments,
    RunArguments,
    SaveArguments,
    SaveRecordArguments,
    SleepArguments,
    ValidateArguments,
    WaitArguments,
)

_LONGEST = 200


def target(arguments: Any) -> str:
    """Return what an operation is about, for comparing and for people.

    A resumed run must ask for the same target; inputs, titles and texts may differ.
    """
    match arguments:
        case ChildArguments(flow=str(flow)) | CachedArguments(flow=str(flow)):
            return _cut(f"flow {flow}")
        case ChildArguments(script=str()) | CachedArguments(script=str()):
            return "an inline script"
        case ChildArguments() | CachedArguments():
            named = [arguments.connector, arguments.connector_type]
            return _cut(f"connection {' of type '.join(one for one in named if one)}")
        case WaitArguments(uids=uids, return_when=return_when):
            return f"{return_when} of {_several(uids)}"
        case RunArguments(uid=uid) | ReadArguments(uid=uid) | CancelArguments(uid=uid):
            return _cut(f"execution {uid[:64]}")
        case (
            PauseArguments(uid=uid)
            | DeleteArguments(uid=uid)
            | ArchiveArguments(uid=uid)
            | ChildrenArguments(uid=uid)
        ):
            return _cut(f"execution {uid[:64]}")
        case SaveArguments():
            return "itself"
        case SleepArguments():
            return "time"
        case OnceArguments(name=name):
            return _cut(f"function {name}")
        case MessageArguments(subject=subject):
            return _cut(f"message {subject!r}")
        case ResponseArguments(name=name):
            return _cut(f"message {name}")
        case AcquireArguments(name=name) | ReleaseArguments(name=name):
            return _cut(f"lock {name!r}")
        case ValidateArguments(name=name):
            return _cut(f"schema {name!r}")
        case ListRecordsArguments(kind=kind):
            return f"all of kind {kind}"
        case (
            GetRecordArguments(kind=kind, name=name)
            | SaveRecordArguments(kind=kind, name=name)
            | DeleteRecordArguments(kind=kind, name=name)
        ):
            return _cut(f"{kind} {name!r}")
        case _:
            raise TypeError(f"no operation takes {type(arguments).__name__}")


def digest(arguments: Any) -> str:
    """Return the sha256, in hex, of all that an operation asks for."""
    return digest_of_json(dataclasses.asdict(arguments))


def digest_of_json(value: Any) -> str:
    """Return the sha256, in hex, of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def with_plain_numbers(value: Any) -> Any:
    """Return JSON in which 1.0 is 1, as the API server gives it back."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: with_plain_numbers(one) for key, one in value.items()}
    if isinstance(value, list):
        return [with_plain_numbers(one) for one in value]
    return value


def difference(
    *,
    sequence: int,
    recorded: tuple[str, str, int | None],
    asked: tuple[str, str, int | None],
) -> str | None:
    """Return how an operation differs from its record, or None. Both are (kind, target, line)."""
    if recorded[:2] == asked[:2]:
        return None
    return (
        f"operation {sequence} was {_told(*recorded)}, but the resumed script asks for "
        f"{_told(*asked)}: what a script asks for must not depend on time, chance or outside data"
    )


def loss(
    *,
    named: str | None,
    identity: str,
    recorded: Sequence[int],
    effects: Collection[int],
) -> str | None:
    """Return why a run cannot be resumed from this database, or None.

    `named` is the database that the run's status names, `recorded` the numbers in its journal,
    `effects` those of operations that left something behind in the cluster.
    """
    if named is not None and named != identity:
        return f"the run's journal is in database {named}, but this is database {identity}"
    gap = next((number for number, at in enumerate(recorded, start=1) if number != at), None)
    if gap is not None:
        return f"operation {gap} is missing from the run's journal"
    unknown = sorted(set(effects) - set(recorded))
    if unknown:
        return f"operation {unknown[0]} created an execution, but the run's journal lacks it"
    return None


def _several(uids: Sequence[str]) -> str:
    text = ", ".join(uids)
    if len(text) <= _LONGEST:
        return _cut(text)
    hashed = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{len(uids)} executions ({hashed[:16]})"


def _cut(text: str) -> str:
    # What no database keeps as text: NUL, and halves of characters.
    text = text.replace("\x00", "\ufffd").encode(errors="replace").decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _told(kind: str, about: str, line: int | None) -> str:
    where = f" in line {line}" if line else ""
    return f"`{kind}` of {about}{where}"
