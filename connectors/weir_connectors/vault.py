"""The VAULT connection type: secrets of HashiCorp Vault's KV engine, version 2.

    this.connect('team vault', secret_path='app/database')

Outputs: `result`, what Vault answered; empty where it says nothing. The values of a secret are
`result['data']['data']`, and what is known of its version is `result['data']['metadata']`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from weir_connectors import stopping, vault_answer
from weir_connectors.connector import ConnectorType, Context
from weir_connectors.errors import ConnectionFailed, InvalidInputError
from weir_connectors.inputs import marked, parse
from weir_connectors.rest_inputs import RestInputs
from weir_connectors.vault_inputs import VaultInputs

try:
    from weir_connectors import rest_exchange
    from weir_connectors.rest_failures import Failure
except ImportError as error:
    _missing: ImportError | None = error
else:
    _missing = None

# A leader that is being replaced is back within seconds.
_BACKOFF = {"initial": 1, "maximum": 8, "multiplier": 2, "deadline": 30}


class VaultConnector:
    """Runs VAULT connections."""

    name = "VAULT"
    Inputs: type[Any] = VaultInputs
    transport_inputs = marked(VaultInputs, "transport")

    def repeatable(self, inputs: dict[str, Any]) -> bool:
        """Reading and listing change nothing."""
        return parse(self.name, VaultInputs, inputs).repeatable()

    def run(self, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Ask Vault, and return the outputs.

        Raises:
            InputError: the inputs do not fit; nothing was sent.
            ConnectionFailed: unreachable, refused, or there is no such secret.
            ConnectionCancelled: the context said so.
        """
        return _run(parse(self.name, VaultInputs, inputs), context)


CONNECTOR: ConnectorType = VaultConnector()


def _run(parsed: VaultInputs, context: Context) -> dict[str, Any]:
    if _missing is not None:
        raise ConnectionFailed(
            f"VAULT: this image lacks httpx; take Weir's runner image ({_missing})"
        )
    which = f", version {parsed.version}" if parsed.version else ""
    context.log(f"{parsed.does} {parsed.secret}{which}")
    request = request_of(parsed)
    try:
        received = stopping.run(
            rest_exchange.exchange(request, context), context.cancelled, CONNECTOR.name
        )
    except InvalidInputError as error:
        raise InvalidInputError(str(error).replace("REST:", "VAULT:", 1)) from None
    except Failure as failure:
        raise ConnectionFailed(f"VAULT: {failure.where}: {failure.reason}") from failure
    answer = vault_answer.result(parsed, received.response.status_code, received.body)
    for warning in answer.get("warnings") or ():
        context.log(f"Vault warns: {str(warning)[:300]}")
    return {"result": answer}


def request_of(inputs: VaultInputs) -> RestInputs:
    """Return the request of Vault's HTTP API that does what the inputs say."""
    part, method = "data", "get"
    params: dict[str, Any] = {}
    body: dict[str, Any] | None = None
    match inputs.does:
        case "read":
            params = {"version": inputs.version}
        case "write":
            method, body = "post", {"data": inputs.data}
        case "delete" if inputs.version is not None:
            part, method, body = "delete", "post", {"versions": [inputs.version]}
        case "delete":
            method = "delete"
        case "delete_metadata":
            part, method = "metadata", "delete"
        case "list":
            part, params = "metadata", {"list": True}
    path = f"{inputs.engine_path.strip('/')}/{part}/{inputs.secret_path.strip('/')}"
    headers = {"X-Vault-Token": inputs.token, "X-Vault-Request": "true"}
    if inputs.namespace is not None:
        headers["X-Vault-Namespace"] = inputs.namespace
    return RestInputs(
        url=f"{inputs.address}/v1/{quote(path, safe='/')}",
        method=method,
        params=params,
        headers=headers,
        json=body,
        expected_status_code=list(vault_answer.UNDERSTOOD),
        connect_timeout=inputs.connect_timeout,
        read_timeout=inputs.read_timeout,
        retry_backoff=dict(_BACKOFF),
        cacert=inputs.cacert,
        verify_ssl=inputs.verify_ssl,
    )
