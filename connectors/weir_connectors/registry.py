"""Which connection types there are.

The server asks for names, input models and checks; only `load()`, which the runner calls, imports
protocol libraries.

Further types come from other distributions, by entry points of the group `weir.connectors`: the
entry point's name is the type's name, and its object is a `ConnectorType`. The server imports
that object too, so its module imports protocol libraries inside `run` only. A type of Weir's own
cannot be replaced.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from weir_connectors import inputs as models
from weir_connectors.connector import ConnectorType, Context
from weir_connectors.errors import InputError, UnknownTypeError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "ConnectorType",
    "Context",
    "check",
    "describe",
    "input_model",
    "load",
    "names",
    "repeatable",
    "secret_inputs",
    "transport_inputs",
]

GROUP = "weir.connectors"

# Name: (input model, connector). Text, so that nothing that imports this module imports a
# protocol library.
_OWN: dict[str, tuple[str, str]] = {
    "GIT": ("weir_connectors.git_inputs:GitInputs", "weir_connectors.git:CONNECTOR"),
    "REST": ("weir_connectors.rest_inputs:RestInputs", "weir_connectors.rest:CONNECTOR"),
    "SSH": ("weir_connectors.ssh_inputs:SshInputs", "weir_connectors.ssh:CONNECTOR"),
    "VAULT": ("weir_connectors.vault_inputs:VaultInputs", "weir_connectors.vault:CONNECTOR"),
}


def names() -> list[str]:
    """Return the names of all connection types, sorted."""
    return sorted({*_OWN, *_others()})


def input_model(type_name: str) -> type[Any]:
    """Return the dataclass that describes the type's inputs.

    Raises:
        UnknownTypeError: no connection type is called so.
    """
    if type_name in _OWN:
        return cast("type[Any]", _object(_OWN[type_name][0]))
    return load(type_name).Inputs


def load(type_name: str) -> ConnectorType:
    """Return the connection type, ready to run. Imports its protocol library.

    Raises:
        UnknownTypeError: no connection type is called so, or another distribution's cannot be
            loaded.
        ImportError: its protocol library is not installed here.
    """
    if type_name in _OWN:
        return cast(ConnectorType, _object(_OWN[type_name][1]))
    if type_name in _others():
        return _loaded(_others()[type_name])
    raise UnknownTypeError(
        f'no connection type is called "{type_name[:63]}"; there are {", ".join(names())}'
    )


def check(type_name: str, inputs: Mapping[str, Any], secret_inputs: Iterable[str] = ()) -> None:
    """Check inputs before a connection is made.

    `secret_inputs` names inputs that will be given although their values are not at hand yet.

    Raises:
        MissingInputError, InvalidInputError, ExtraInputError: naming the type, the inputs, and
            what was expected. UnknownTypeError: no connection type is called so.
    """
    models.parse(type_name, input_model(type_name), inputs, frozenset(secret_inputs))


def describe(type_name: str) -> dict[str, Any]:
    """Return a JSON Schema (2020-12) of the type's inputs; raises UnknownTypeError."""
    return models.schema(input_model(type_name))


def transport_inputs(type_name: str) -> frozenset[str]:
    """Return the inputs that decide where secrets go, and how; raises UnknownTypeError."""
    if type_name not in _OWN:
        return load(type_name).transport_inputs
    return models.marked(input_model(type_name), "transport")


def secret_inputs(type_name: str) -> frozenset[str]:
    """Return the inputs that are never to be shown; raises UnknownTypeError."""
    return models.marked(input_model(type_name), "secret")


def repeatable(type_name: str, inputs: Mapping[str, Any]) -> bool:
    """Whether a connection with these inputs that has begun may be run again; False where their
    names or types are wrong.

    Secret inputs may be left out. Raises UnknownTypeError.
    """
    if type_name not in _OWN:
        return load(type_name).repeatable(dict(inputs))
    model = input_model(type_name)
    unseen = models.marked(model, "secret") - set(inputs)
    try:
        fitting = models.fitting(type_name, model, inputs, unseen)
    except InputError:
        return False
    return bool(fitting.repeatable())


def _loaded(point: EntryPoint) -> ConnectorType:
    try:
        return cast(ConnectorType, point.load())
    except Exception as error:  # code of others: whatever it raises must not stop the server
        text = f"{type(error).__name__}: {error}"[:300]
        raise UnknownTypeError(
            f'connection type "{point.name}" cannot be loaded from {point.value}: {text}'
        ) from error


def _object(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


@cache
def _others() -> dict[str, EntryPoint]:
    # Takes 30 ms to import, which a run of one of Weir's own types need not wait for.
    import importlib.metadata

    found = importlib.metadata.entry_points(group=GROUP)
    return {point.name: point for point in found if point.name not in _OWN}
