"""Connections that are made once, and taken from a file from then on."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from weir_local import Connections, LocalError, Prepared
from weir_local.connections import Call, Made
from weir_runner.ends import Outcome
from weir_runner.scrubbing import HIDDEN, Scrubber

Record: TypeAlias = Literal["once", "none", "all"]

_VERSION = 1


class Cassette:
    """A file of recorded connections.

    What is asked for is found by connector, type and inputs; of several that are alike each is
    given once, in the order in which they were recorded.

    Parameters:
        path: The file.
        real: Makes what is not recorded.
        record: Whether that may be: `once` if there is no file yet, `none` never, `all` always.
    """

    def __init__(self, path: Path, real: Connections, record: Record) -> None:
        self.path = path
        self._real = real
        self._lock = threading.Lock()
        self._records = record == "all" or (record == "once" and not path.exists())
        self._tracks: list[dict[str, Any]] = [] if self._records else _read(path)
        self._changed = False

    def prepare(self, connector: str | None, type_: str | None, inputs: dict[str, Any]) -> Prepared:
        """Return the recorded connection, or one that is made and recorded. Raises Raises."""
        if not self._records:
            return Prepared(
                type=type_ or self._type_of(connector),
                connector=connector,
                inputs=inputs,
                make=lambda prepared, call: self._played(connector, type_, inputs),
            )
        real = self._real.prepare(connector, type_, inputs)
        return replace(
            real, make=lambda prepared, call: self._made(real, call, connector, type_, inputs)
        )

    def target(self, connector: str | None, type_: str | None) -> tuple[str | None, str]:
        """Return what a script means. Raises Raises."""
        if self._records:
            return self._real.target(connector, type_)
        return connector, type_ or self._type_of(connector)

    def known(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return the connectors."""
        return self._real.known()

    def close(self) -> None:
        """Write what was recorded."""
        if not self._changed:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = {"version": _VERSION, "connections": self._tracks}
        self.path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n")

    def _made(
        self,
        real: Prepared,
        call: Call,
        connector: str | None,
        type_: str | None,
        inputs: dict[str, Any],
    ) -> Made:
        outcome, outputs = real.make(real, call)
        scrubber = call.scrubber
        track = {
            "connector": connector,
            "type": real.type,
            "inputs": scrubber.value(_masked(inputs, real.secret_inputs)),
            "status": outcome.status,
            "reason": outcome.reason,
            "message": None if outcome.message is None else scrubber.text(outcome.message),
            "outputs": outputs,
        }
        with self._lock:
            self._tracks.append(track)
            self._changed = True
        return outcome, outputs

    def _played(self, connector: str | None, type_: str | None, inputs: dict[str, Any]) -> Made:
        with self._lock:
            for track in self._tracks:
                if _is_meant(track, connector, type_, inputs):
                    self._tracks.remove(track)
                    outcome = Outcome(track["status"], track["reason"], track["message"])
                    return outcome, track["outputs"]
        named = connector or type_
        message = (
            f"{self.path.name} holds no (more) connection {named} with these inputs: "
            "record it by --flows-record=all"
        )
        return Outcome("error", "ConnectionFailed", message), None

    def _type_of(self, connector: str | None) -> str:
        for track in self._tracks:
            if track["connector"] == connector:
                return str(track["type"])
        return connector or ""


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        whole = json.loads(path.read_text())
        if whole["version"] != _VERSION:
            raise LocalError(f"{path} is of version {whole['version']}: record it anew")
        tracks: list[dict[str, Any]] = whole["connections"]
    except OSError as error:
        raise LocalError(f"cannot read {path}: {error.strerror}; record it first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(f"{path} is no cassette: {error!r}") from None
    return tracks


def _masked(inputs: dict[str, Any], secret: tuple[str, ...]) -> dict[str, Any]:
    return {key: HIDDEN if key in secret else value for key, value in inputs.items()}


def _is_meant(
    track: dict[str, Any], connector: str | None, type_: str | None, inputs: dict[str, Any]
) -> bool:
    """Whether a track is of this call. What it hides counts as the same."""
    if track["connector"] != connector or (type_ is not None and track["type"] != type_):
        return False
    recorded = track["inputs"]
    hidden = {key for key, value in recorded.items() if value == HIDDEN}
    secrets = Scrubber(value for key, value in inputs.items() if key in hidden)
    shown: dict[str, Any] = secrets.value(_masked(inputs, tuple(hidden)))
    return bool(shown == recorded)
