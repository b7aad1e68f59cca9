"""`system.vault`: secrets of HashiCorp Vault, behind a Connector of type VAULT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flow_api._children import child_arguments
from flow_api._execution import Execution
from flow_api._resource import answered
from flow_api._values import checked_object

if TYPE_CHECKING:
    from flow_api._backend import Backend


class Vault:
    """A Vault behind a Connector of type VAULT. `system.vault(name)` returns one.

    Each call is a connection, as `this.connect(name, …)` makes it, with a Pod of its own. Its
    values are shown as `***` to people, but the script has them: give them on with care.
    """

    __slots__ = ("_backend", "_connector")

    def __init__(self, backend: Backend, connector: str) -> None:
        if not isinstance(connector, str) or not connector.strip():
            raise TypeError(f"a Connector has a name, a text that is not empty: {connector!r}")
        self._backend = backend
        self._connector = connector

    def __repr__(self) -> str:
        return f"<Vault {self._connector!r}>"

    def secret(self, path: str, key: str | None = None) -> Any:
        """Return a secret of Vault's KV engine, version 2: its latest version.

        In the script's own log and message its values are shown as `***` from now on.

        Parameters:
            path: Which secret, as `'app/database'`, in the engine that the Connector names.
            key: The one entry that is wanted; None: all of them.

        Returns:
            The entry's value; without a key a dict with all entries.

        Raises:
            DependencyFailedError: Vault refused, or could not be reached, or there is no such
                secret or key; the message says so.
            ResourceNotFoundError: There is no such Connector.
            InvalidInputError: The Connector is of another type, or the path is none.
            PermissionDenied: The Connector does not let a call set `secret_path`.
            TypeError: The path or the key is no text.

        Example:
            >>> system.vault('team vault').secret('app/database', 'user')
            'ada'
            >>> sorted(system.vault('team vault').secret('app/database'))
            ['password', 'user']
        """
        inputs = {"mode": "read", "secret_path": _text(path, "path")}
        if key is not None:
            inputs["key"] = _text(key, "key")
        result = self._connected(inputs)
        found: dict[str, Any] = result["data"]["data"]
        self._backend.hide(found)
        return found if key is None else found[key]

    def write_secret(self, path: str, data: dict[str, Any]) -> None:
        """Write a secret: a new version, which holds these entries and no others.

        Parameters:
            path: Which secret, as `'app/database'`, in the engine that the Connector names.
            data: Its entries, a JSON object.

        Raises:
            DependencyFailedError: Vault refused, or could not be reached; the message says so.
            ResourceNotFoundError: There is no such Connector.
            InvalidInputError: The Connector is of another type, or the path is none.
            PermissionDenied: The Connector does not let a call set `secret_path` or `data`.
            TypeError: The path is no text, or an entry is no JSON value.

        Example:
            >>> system.vault('team vault').write_secret('app/database', {'password': 'n3w'})
        """
        entries = checked_object(data, "data")
        self._backend.hide(entries)
        self._connected({"mode": "write", "secret_path": _text(path, "path"), "data": entries})

    def _connected(self, inputs: dict[str, Any]) -> dict[str, Any]:
        message = child_arguments(
            {"connector": self._connector, "connector_type": "VAULT"},
            inputs=inputs,
            more_inputs={},
            name=None,
            run=True,
            orphan=False,
            protect_inputs=["data"] if "data" in inputs else (),
            protect_outputs=["result"],
            init=None,
        )
        (view,) = answered(self._backend, "child", message).executions
        child = Execution(self._backend, view, asked=message).wait()
        result: dict[str, Any] = child.get("output_value")["result"]
        return result


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{name} must be a text that is not empty: {value!r}")
    return value
