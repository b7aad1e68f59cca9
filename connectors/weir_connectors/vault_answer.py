"""What answers of Vault mean: a result, or a failure in words for people."""

from __future__ import annotations

import json
from typing import Any

from weir_connectors.errors import ConnectionFailed
from weir_connectors.scrubbing import scrub
from weir_connectors.vault_inputs import VaultInputs

# Status codes that Vault gives a meaning of its own; any other is HTTP's.
UNDERSTOOD = (200, 204, 400, 403, 404, 405, 412, 503)


def result(inputs: VaultInputs, status: int, body: bytes) -> dict[str, Any]:
    """Return what Vault answered; of a secret of which one entry is wanted, with that alone.

    Raises:
        ConnectionFailed: it is no, or not Vault's answer.
    """
    if status == 204:
        return {}
    answer = _parsed(body)
    if answer is None:
        raise _failed(
            inputs, f"what answers there ({status}) is not Vault; check url, and proxies before it"
        )
    if status != 200:
        raise _failed(inputs, _refusal(inputs, status, answer))
    if inputs.does == "read":
        return _chosen(inputs, answer)
    return answer


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    is_vaults = isinstance(answer, dict) and ("errors" in answer or "data" in answer)
    return answer if is_vaults else None


def _chosen(inputs: VaultInputs, answer: dict[str, Any]) -> dict[str, Any]:
    found = answer.get("data")
    if not isinstance(found, dict) or not isinstance(found.get("data"), dict):
        raise _failed(
            inputs, f"the engine at {inputs.engine_path} is not KV version 2; give engine_path"
        )
    if inputs.key is None:
        return answer
    if inputs.key not in found["data"]:
        raise _failed(inputs, f"the secret has no key {inputs.key[:100]!a}")
    return {**answer, "data": {**found, "data": {inputs.key: found["data"][inputs.key]}}}


def _refusal(inputs: VaultInputs, status: int, answer: dict[str, Any]) -> str:
    told = _told(inputs, answer)
    match status:
        case 403:
            return f"the token may not {inputs.does} this, or is not valid any more ({told})"
        case 404 if "no handler for route" in told or "route entry not found" in told:
            return f"there is no engine at {inputs.engine_path}; give engine_path"
        case 404 if isinstance(answer.get("data"), dict):
            return _gone(inputs, answer["data"].get("metadata") or {})
        case 404 if inputs.does == "list":
            return "there is nothing there, or no KV engine of version 2"
        case 404:
            version = f"version {inputs.version} of " if inputs.version else ""
            return f"there is no {version}such secret; check secret_path and engine_path"
        case 503 if "sealed" in told:
            return "Vault is sealed; somebody has to unseal it"
        case 503:
            return f"Vault is not available now ({told})"
    return f"Vault refused: {told}"


def _gone(inputs: VaultInputs, metadata: dict[str, Any]) -> str:
    which = f"version {metadata.get('version', inputs.version or 'latest')} of the secret"
    if metadata.get("destroyed"):
        return f"{which} was destroyed"
    return f"{which} was deleted at {str(metadata.get('deletion_time', '?'))[:40]}"


def _told(inputs: VaultInputs, answer: dict[str, Any]) -> str:
    """Return Vault's own words, without secrets."""
    errors = answer.get("errors")
    words = "; ".join(" ".join(str(one).split()) for one in errors) if errors else "without a word"
    hidden = [inputs.token, *(str(value) for value in (inputs.data or {}).values())]
    return scrub(words, hidden, 300)


def _failed(inputs: VaultInputs, why: str) -> ConnectionFailed:
    return ConnectionFailed(f"VAULT: {inputs.does} {inputs.secret}: {why}")
