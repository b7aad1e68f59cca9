"""Connections of local runs: answered by the test, or made for real where their library is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from flow_api import EngineException
from flow_api._values import NotJsonError, checked_object
from weir_local.errors import Raises, denied, not_found
from weir_protocol import Answer, Ask, Connection
from weir_protocol.arguments import JsonObject, OperationKind
from weir_protocol.naming import slug
from weir_runner import tracebacks
from weir_runner.ends import Outcome
from weir_runner.scrubbing import Scrubber

# What a connection comes to: its outputs, a function of its inputs, an exception that it fails
# with, or a list of these, one for each call.
Scripted: TypeAlias = (
    Mapping[str, Any] | Callable[..., Any] | BaseException | type[BaseException] | list[Any]
)

Made: TypeAlias = tuple[Outcome, JsonObject | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What a connection may use while it runs."""

    log: Callable[[str], None]
    cancelled: Callable[[], bool]
    scrubber: Scrubber
    uid: str
    perform: Callable[[OperationKind, Any], Answer]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A connection whose inputs were found good: what it is, and how it is made."""

    type: str
    connector: str | None
    inputs: JsonObject = field(default_factory=dict, repr=False)
    secret_inputs: tuple[str, ...] = ()
    make: Callable[[Prepared, Call], Made]


@dataclass(frozen=True, kw_only=True, slots=True)
class Connector:
    """What a Connector says, its secrets included.

    `overridable` names the inputs that a call may set; None: all but those that are secret, and,
    where any is, those that say where secrets go.
    """

    type: str
    inputs: JsonObject = field(default_factory=dict, repr=False)
    secret_inputs: tuple[str, ...] = ()
    overridable: tuple[str, ...] | None = None


class Connections(Protocol):
    """Where connections come from."""

    def prepare(self, connector: str | None, type_: str | None, inputs: JsonObject) -> Prepared:
        """Return a connection that a script asks for.

        Raises:
            Raises: What the script is to see.
        """
        ...

    def target(self, connector: str | None, type_: str | None) -> tuple[str | None, str]:
        """Return the connector's object name and the type that a script means. Raises Raises."""
        ...

    def known(self) -> dict[str, tuple[str, JsonObject]]:
        """Return the type of each connector, and its inputs without what is secret, by name."""
        ...


@dataclass
class ScriptedConnections:
    """Connections that a test answers, by connector's name or by type; others go elsewhere.

    Attributes:
        answers: What each comes to.
        otherwise: Makes what has no answer.
        calls: What was asked for: connector or type, and inputs, in the order of the calls.
    """

    answers: dict[str, Scripted] = field(default_factory=dict)
    otherwise: Connections | None = None
    calls: list[tuple[str, JsonObject]] = field(default_factory=list)

    def prepare(self, connector: str | None, type_: str | None, inputs: JsonObject) -> Prepared:
        """Return the answered connection, else what `otherwise` makes of it. Raises Raises."""
        name = self._answered(connector) or self._answered(type_)
        if name is None:
            if self.otherwise is not None:
                return self.otherwise.prepare(connector, type_, inputs)
            raise not_found(self._unknown(connector, type_))
        self.calls.append((name, inputs))
        answer = self.answers[name]
        if isinstance(answer, list):
            if not answer:
                raise Raises("InternalError", f"connection {name!r} has no answer left")
            answer = answer.pop(0)
        error = answer() if isinstance(answer, type) else answer
        if isinstance(error, EngineException):  # refused before it is made, as by the server
            raise Raises(type(error).__name__, str(error))
        return Prepared(
            type=type_ or name,
            connector=connector and slug(connector),
            inputs=inputs,
            make=lambda prepared, call: _scripted(answer, prepared),
        )

    def target(self, connector: str | None, type_: str | None) -> tuple[str | None, str]:
        """Return what a script means. Raises Raises."""
        name = self._answered(connector) or self._answered(type_)
        if name is None and self.otherwise is not None:
            return self.otherwise.target(connector, type_)
        if name is None:
            raise not_found(self._unknown(connector, type_))
        return connector and slug(connector), type_ or name

    def known(self) -> dict[str, tuple[str, JsonObject]]:
        """Return connectors that go elsewhere: answers are no connectors."""
        return {} if self.otherwise is None else self.otherwise.known()

    def _answered(self, name: str | None) -> str | None:
        if name is None:
            return None
        if name in self.answers:
            return name
        return next((known for known in self.answers if slug(known) == slug(name)), None)

    def _unknown(self, connector: str | None, type_: str | None) -> str:
        if connector is not None:
            return f'there is no connector "{connector[:253]}" in this namespace'
        return f'no connection type is called "{(type_ or "")[:63]}"'


class RealConnections:
    """Connections as a runner makes them, with `weir_connectors`.

    Parameters:
        connectors: By name.
    """

    def __init__(self, connectors: Mapping[str, Connector] | None = None) -> None:
        self._connectors = dict(connectors or {})

    def prepare(self, connector: str | None, type_: str | None, inputs: JsonObject) -> Prepared:
        """Check the inputs, and return the connection. Raises Raises."""
        try:
            from weir_connectors import errors, registry
        except ImportError:
            raise Raises(
                "InternalError",
                "connections need the package weir-connectors: "
                f"pip install 'weir-connectors[{(type_ or 'all').lower()}]'",
            ) from None
        found = self._found(connector)
        if found is not None:
            if type_ is not None and type_ != found.type:
                raise Raises(
                    "InvalidInputError",
                    f"connector {connector} is of type {found.type}, not of type {type_[:63]}",
                )
            type_ = found.type
        type_ = type_ or ""
        try:
            if found is not None:
                _require_overridable(slug(connector or ""), found, inputs)
                inputs = {**found.inputs, **inputs}
            registry.check(type_, inputs)
            secret = registry.secret_inputs(type_)
        except errors.UnknownTypeError as error:
            raise not_found(str(error)) from None
        except errors.InputError as error:
            raise Raises(type(error).__name__, str(error)) from None
        return Prepared(
            type=type_,
            connector=connector and slug(connector),
            inputs=inputs,
            secret_inputs=tuple({*secret, *(found.secret_inputs if found else ())} & inputs.keys()),
            make=_real,
        )

    def target(self, connector: str | None, type_: str | None) -> tuple[str | None, str]:
        """Return what a script means. Raises Raises."""
        found = self._found(connector)
        return connector and slug(connector), found.type if found else type_ or ""

    def known(self) -> dict[str, tuple[str, JsonObject]]:
        """Return the connectors."""
        return {
            name: (
                one.type,
                {key: value for key, value in one.inputs.items() if key not in one.secret_inputs},
            )
            for name, one in self._connectors.items()
        }

    def _found(self, connector: str | None) -> Connector | None:
        if connector is None:
            return None
        for name, known in self._connectors.items():
            if connector == name or slug(connector) == slug(name):
                return known
        raise not_found(f'there is no connector "{connector[:253]}" in this namespace')


def _require_overridable(name: str, connector: Connector, given: JsonObject) -> None:
    """Raise Raises for inputs that the Connector does not let a call set."""
    from weir_connectors import registry

    refused: set[str] = set()
    if connector.overridable is not None:
        refused = set(given) - set(connector.overridable)
    elif connector.secret_inputs:
        where = registry.transport_inputs(connector.type)
        refused = set(given) & {*connector.secret_inputs, *where}
    if refused:
        raise denied(
            f"connector {name} does not let a call set {', '.join(sorted(refused))[:300]}: "
            "its spec.overridable says what may be set"
        )


def _real(prepared: Prepared, call: Call) -> Made:
    from weir_runner import connection

    wanted = Connection(
        type=prepared.type,
        inputs=prepared.inputs,
        secret_inputs=sorted(prepared.secret_inputs),
    )
    attempt = Ask(uid=call.uid, try_number=1, attempt=1)
    outcome, outputs = connection.run(
        wanted, attempt, call.scrubber, call.log, call.cancelled, call.perform
    )
    scrubbed: JsonObject | None = call.scrubber.value(outputs)
    return outcome, scrubbed


def _scripted(answer: Any, prepared: Prepared) -> Made:
    try:
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, type) and issubclass(answer, BaseException):
            raise answer()
        if callable(answer):
            answer = _called(answer, prepared.inputs)
        return Outcome("success"), checked_object(answer, "output_value")
    except NotJsonError as error:
        message = f"the {prepared.type} connection returned what is no JSON: {error}"
        return Outcome("error", "InvalidOutputs", message), None
    except Exception as error:
        message = tracebacks.shortened(tracebacks.text_of(error)) or type(error).__name__
        return Outcome("error", "ConnectionFailed", message), None


def _called(answer: Callable[..., Any], inputs: JsonObject) -> Any:
    try:
        inspect.signature(answer).bind(inputs)
    except TypeError:
        return answer(**inputs)
    return answer(inputs)
