"""The Webhooks of a namespace, described as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from weir.api.flow import Flow
from weir.api.resource import JsonObject
from weir.api.webhook import Webhook
from weir.core.webhook_status import path_of

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_RUN = "#/components/schemas/Run"
_REFUSAL = "#/components/schemas/Refusal"


def document(namespace: str, hooks: Iterable[tuple[Webhook, Flow | None]]) -> JsonObject:
    """Return the description of those that are enabled, by name."""
    enabled = sorted(
        ((hook, flow) for hook, flow in hooks if hook.spec.enabled),
        key=lambda one: one[0].metadata.name,
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Webhooks of {namespace}", "version": "v1alpha1"},
        "paths": {path_of(hook): _path(hook, flow) for hook, flow in enabled},
        "components": {
            "schemas": {"Run": _ONE_RUN, "Refusal": _ONE_REFUSAL},
            "securitySchemes": {
                name: scheme for hook, _ in enabled for name, scheme in _schemes(hook).items()
            },
        },
    }


def _path(hook: Webhook, flow: Flow | None) -> JsonObject:
    return {method.lower(): _operation(hook, flow, method) for method in hook.spec.methods}


def _operation(hook: Webhook, flow: Flow | None, method: str) -> JsonObject:
    inputs = (flow.spec.input_schema if flow else None) or {}
    operation: JsonObject = {
        "operationId": f"{method.lower()}-{hook.metadata.name}",
        "summary": hook.title,
        "parameters": [
            {
                "name": "async",
                "in": "query",
                "description": "1: answered at once, with the name of the run",
                "schema": {"type": "string", "enum": ["1", "true"]},
            },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "the same one again is the same run",
                "schema": {"type": "string"},
            },
        ],
        "responses": _responses(hook, flow),
    }
    described = hook.spec.description or (flow.spec.description if flow else None)
    if described:
        operation["description"] = described
    if method in _WITH_BODY:
        body = _property(inputs, "json")
        required = "json" in (inputs.get("required") or [])
        operation["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": body}},
        }
    schemes = _schemes(hook)
    signature = [name for name in schemes if name.endswith(".signature")]
    keys = [name for name in schemes if name not in signature]
    if schemes:
        operation["security"] = [
            {name: [] for name in [*one, *signature]} for one in ([[key] for key in keys] or [[]])
        ]
    return operation


def _responses(hook: Webhook, flow: Flow | None) -> JsonObject:
    outputs = (flow.spec.output_schema if flow else None) or {"type": "object"}
    run = {"application/json": {"schema": {"$ref": _RUN}}}
    refusal = {"application/json": {"schema": {"$ref": _REFUSAL}}}
    found: JsonObject = {}
    if not hook.spec.async_:
        found["200"] = {
            "description": "the run's outputs, or what it answers by webhook_response",
            "content": {"application/json": {"schema": outputs}},
        }
    found["202"] = {"description": "the run has been started", "content": run}
    for status, description in _REFUSALS.items():
        found[status] = {"description": description, "content": refusal}
    if not hook.spec.async_:
        for status, description in _ENDS.items():
            found[status] = {"description": description, "content": refusal}
    return found


def _property(schema: JsonObject, name: str) -> Any:
    properties = schema.get("properties")
    found = properties.get(name) if isinstance(properties, dict) else None
    if found is None:
        return {}
    # What it refers to stands in the Flow's schema.
    definitions = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    return {**found, **definitions} if isinstance(found, dict) else found


def _schemes(hook: Webhook) -> JsonObject:
    name, spec = hook.metadata.name, hook.spec
    found: JsonObject = {}
    if spec.key_secret_ref is not None:
        found[f"{name}.key"] = {"type": "apiKey", "in": "query", "name": "key"}
        found[f"{name}.header"] = {"type": "apiKey", "in": "header", "name": spec.key_header}
    if spec.hmac is not None:
        found[f"{name}.signature"] = {
            "type": "apiKey",
            "in": "header",
            "name": spec.hmac.header,
            "description": f"HMAC-{spec.hmac.algorithm.upper()} of the body, in hex or base64",
        }
    return found


_ONE_RUN: JsonObject = {
    "type": "object",
    "required": ["execution"],
    "properties": {"execution": {"type": "string", "description": "name of the Execution"}},
}
_ONE_REFUSAL: JsonObject = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "execution": {"type": "string", "description": "name of the Execution, where there is one"},
    },
}
_REFUSALS = {
    "400": "the body is not what its Content-Type says",
    "404": "no such webhook, or not for this caller",
    "413": "the body is too large",
    "422": "the request does not fit, or another one came under the same delivery id",
    "429": "too many requests: see Retry-After",
    "503": "the run cannot be started now, or was cancelled",
}
_ENDS = {"500": "the run failed", "504": "the run has not ended yet, and goes on"}
