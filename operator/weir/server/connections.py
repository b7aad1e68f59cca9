"""Connections: which Connector and type are meant, what a call may set, and what Secrets add."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from weir.api.connector import Connector
from weir.api.phases import Mode
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.secrets import data_of
from weir.core.lookup import Catalog
from weir.server import raising
from weir_connectors import registry
from weir_connectors.errors import InputError, UnknownTypeError


class SecretMissing(Exception):
    """A Secret that a Connector names is not there, or lacks the key."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A connection: its type, the Connector behind it, and its inputs but for the secret ones."""

    type: str
    connector: Connector | None
    inputs: JsonObject  # the Connector's, overridden by the call's
    secret_names: frozenset[str]  # inputs that come from Secrets


def resolve(
    catalog: Catalog[Connector],
    *,
    connector: str | None,
    type_: str | None,
    given: JsonObject,
    mode: Mode,
) -> Resolved:
    """Return the connection that a call means, its inputs checked.

    Raises Raises: ResourceNotFoundError, PermissionDenied, InvalidInputError, MissingInputError,
    ExtraInputError.
    """
    found = _found(catalog, connector)
    if found is not None:
        _require_allowed(found, type_, given, mode)
        type_ = found.spec.type
    secrets = {one.input for one in found.spec.secret_inputs} if found else set()
    resolved = Resolved(
        type=type_ or "",
        connector=found,
        inputs={**((found.spec.inputs if found else None) or {}), **given},
        secret_names=frozenset(secrets - given.keys()),
    )
    try:
        registry.check(resolved.type, resolved.inputs, resolved.secret_names)
    except UnknownTypeError as error:
        raise raising.not_found(str(error)) from None
    except InputError as error:
        raise raising.Raises(type(error).__name__, str(error)) from None
    return resolved


def _found(catalog: Catalog[Connector], name: str | None) -> Connector | None:
    if name is None:
        return None
    found = catalog.find(name)
    if found is None:
        raise raising.not_found(f'there is no connector "{name[:253]}" in this namespace')
    return found


def _require_allowed(
    connector: Connector, type_: str | None, given: JsonObject, mode: Mode
) -> None:
    name = connector.metadata.name
    if type_ is not None and type_ != connector.spec.type:
        raise raising.Raises(
            "InvalidInputError",
            f"connector {name} is of type {connector.spec.type}, not of type {type_[:63]}",
        )
    if mode not in connector.spec.allowed_modes:
        raise raising.denied(f"connector {name} does not allow {mode} runs")
    refused = sorted(not_overridable(connector, given))
    if refused:
        raise raising.denied(
            f"connector {name} does not let a call set {', '.join(refused)[:300]}: "
            "its spec.overridable says what may be set"
        )


def not_overridable(connector: Connector, given: Iterable[str]) -> set[str]:
    """Return those inputs of a call that the Connector does not let it set.

    Where secrets are sent is the Connector's to say, unless it says otherwise.
    """
    if connector.spec.overridable is not None:
        return set(given) - set(connector.spec.overridable)
    secrets = {one.input for one in connector.spec.secret_inputs}
    if not secrets:
        return set()
    try:
        transport = registry.transport_inputs(connector.spec.type)
    except UnknownTypeError:
        transport = frozenset()
    return set(given) & (secrets | transport)


def secret_by_nature(type_: str) -> frozenset[str]:
    """Return the inputs of a type that are never shown."""
    try:
        return registry.secret_inputs(type_)
    except UnknownTypeError:
        return frozenset()


async def with_secrets(cluster: Cluster, resolved: Resolved) -> JsonObject:
    """Return all inputs, those from Secrets too, as the Secrets are now.

    Raises SecretMissing, ClusterError.
    """
    inputs = dict(resolved.inputs)
    if resolved.connector is None:
        return inputs
    namespace = resolved.connector.metadata.namespace
    read: dict[str, dict[str, bytes]] = {}
    for one in resolved.connector.spec.secret_inputs:
        if one.input not in resolved.secret_names:
            continue
        reference = one.secret_key_ref
        if reference.name not in read:
            found = await data_of(cluster, namespace, reference.name)
            if found is None:
                raise SecretMissing(_missing(resolved.connector, reference.name))
            read[reference.name] = found
        data = read[reference.name]
        if reference.key not in data:
            raise SecretMissing(_missing(resolved.connector, reference.name, reference.key))
        inputs[one.input] = data[reference.key].decode(errors="replace")
    return inputs


def _missing(connector: Connector, secret: str, key: str | None = None) -> str:
    what = f"Secret {secret} has no key {key}" if key else f"there is no Secret {secret}"
    return f"connector {connector.metadata.name}: {what}"
