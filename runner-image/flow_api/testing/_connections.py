"""What connections come to in a test."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from flow_api.testing._cassettes import Cassette, Record
from weir_local import (
    Connections,
    Connector,
    Prepared,
    RealConnections,
    Scripted,
    ScriptedConnections,
)
from weir_local.errors import Raises


class TestConnections(MutableMapping[str, Scripted]):
    """What each connection comes to, by its connector's name or its type.

    A dict is its outputs; a function is called with its inputs and returns them; an exception is
    what it fails with; of a list each connection takes the next. What a test says nothing of is not
    made: `make_for_real` and `use_cassette` change that.
    """

    __test__ = False  # no test, whatever pytest thinks of its name

    def __init__(self, beside: Path, record: Record) -> None:
        self._scripted = ScriptedConnections(otherwise=_Unsaid())
        self._beside = beside
        self._record = record
        self._cassettes: list[Cassette] = []

    def __getitem__(self, name: str) -> Scripted:
        return self._scripted.answers[name]

    def __setitem__(self, name: str, answer: Scripted) -> None:
        self._scripted.answers[name] = answer

    def __delitem__(self, name: str) -> None:
        del self._scripted.answers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scripted.answers)

    def __len__(self) -> int:
        return len(self._scripted.answers)

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """The connections that were answered: name and inputs, in the order of the calls."""
        return self._scripted.calls

    def make_for_real(self, **connectors: dict[str, Any]) -> None:
        """Make the connections of which the test says nothing.

        Parameters:
            connectors: Connectors by name: their inputs, with `connector_type` among them.
        """
        self._scripted.otherwise = RealConnections(_connectors(connectors))

    def use_cassette(self, path: str | Path, **connectors: dict[str, Any]) -> Cassette:
        """Make the connections of which the test says nothing once, and take them from a file from
        then on.

        Secret inputs, and what the outside says of them, are not written. `--flows-record=all`
        makes them all anew.

        Parameters:
            path: The file, JSON; relative to the test's folder.
            connectors: Connectors by name: their inputs, with `connector_type` among them.
        """
        cassette = Cassette(
            self._beside / path, RealConnections(_connectors(connectors)), self._record
        )
        self._cassettes.append(cassette)
        self._scripted.otherwise = cassette
        return cassette

    def source(self) -> Connections:
        """Return what the runs use."""
        return self._scripted

    def close(self) -> None:
        """Write what was recorded."""
        for cassette in self._cassettes:
            cassette.close()


class _Unsaid:
    """Connections of which a test says nothing: they are refused."""

    def prepare(self, connector: str | None, type_: str | None, inputs: dict[str, Any]) -> Prepared:
        raise self._refusal(connector, type_)

    def target(self, connector: str | None, type_: str | None) -> tuple[str | None, str]:
        raise self._refusal(connector, type_)

    def known(self) -> dict[str, tuple[str, dict[str, Any]]]:
        return {}

    def _refusal(self, connector: str | None, type_: str | None) -> Raises:
        name = connector or type_
        return Raises(
            "InternalError",
            f"the test says nothing of the connection {name!r}: set flows.connections[{name!r}] to "
            "its outputs, or call flows.connections.make_for_real()",
        )


def _connectors(given: dict[str, dict[str, Any]]) -> dict[str, Connector]:
    found = {}
    for name, inputs in given.items():
        plain = dict(inputs)
        try:
            type_ = str(plain.pop("connector_type"))
        except KeyError:
            raise TypeError(f"connector {name!r} needs a connector_type") from None
        found[name] = Connector(type=type_, inputs=plain)
    return found
