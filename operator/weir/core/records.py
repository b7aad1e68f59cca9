"""The objects of a namespace as scripts read them, and how changes are written."""

from __future__ import annotations

from weir.api.connector import Connector
from weir.api.flow import Flow
from weir.api.resource import JsonObject, Resource, render_time
from weir.api.schedule import Schedule
from weir.api.schema import Schema
from weir.api.setting import Setting
from weir.api.webhook import Webhook
from weir.core.views import masked
from weir_protocol import triggers
from weir_protocol.writing import Change


def of_setting(setting: Setting, held_by: str | None) -> JsonObject:
    """Return a Setting's fields; `held_by` is the Execution that holds it as a lock."""
    return _common(setting, setting.title, setting.spec.description) | {
        "value": setting.spec.value,
        "locked_by": held_by,
    }


def of_schema(schema: Schema) -> JsonObject:
    """Return a Schema's fields."""
    return _common(schema, schema.title, schema.spec.description) | {
        "value": schema.spec.json_schema
    }


def of_flow(flow: Flow) -> JsonObject:
    """Return a Flow's fields."""
    return _common(flow, flow.title, flow.spec.description) | {
        "script": flow.spec.script,
        "input_schema": flow.spec.input_schema,
        "output_schema": flow.spec.output_schema,
        "is_enabled": not flow.spec.suspend,
    }


def of_connector(connector: Connector, secret_names: frozenset[str]) -> JsonObject:
    """Return a Connector's fields. Inputs that are secret by nature are masked, and those that come
    from Secrets are not there at all.
    """
    return _common(connector, connector.title, connector.spec.description) | {
        "connector_type": connector.spec.type,
        "value": masked(connector.spec.inputs or {}, secret_names),
    }


def of_schedule(schedule: Schedule) -> JsonObject:
    """Return a Schedule's fields."""
    return _common(schedule, schedule.title, schedule.spec.description) | triggers.of_schedule(
        schedule.spec.dump(), schedule.status.dump()
    )


def of_webhook(webhook: Webhook) -> JsonObject:
    """Return a Webhook's fields; of its secrets only whether there are any."""
    metadata = webhook.metadata
    return _common(webhook, webhook.title, webhook.spec.description) | triggers.of_webhook(
        webhook.spec.dump(), webhook.status.dump(), metadata.namespace, metadata.name
    )


def _common(thing: Resource, title: str, description: str | None) -> JsonObject:
    created = thing.metadata.creation_timestamp
    return {
        "id": thing.metadata.uid,
        "name": title,
        "object_name": thing.metadata.name,
        "description": description,
        "created_at": render_time(created) if created else None,
    }


def patch(spec_changes: list[Change], resource_version: str) -> list[JsonObject]:
    """Return the JSON Patch that replaces keys of `spec` in the version that was read."""
    operations: list[JsonObject] = [
        {"op": "add", "path": "/metadata/resourceVersion", "value": resource_version}
    ]
    for key, value in spec_changes:
        # Of what may be absent, only `add` is always allowed; null means absent.
        operations.append({"op": "add", "path": f"/spec/{key}", "value": value})
    return operations


def spec_of(spec_changes: list[Change], word: str, object_name: str) -> JsonObject:
    """Return the `spec` of a new object that scripts call by a word."""
    spec = {change.key: change.value for change in spec_changes if change.value is not None}
    return spec if word == object_name else {"title": word, **spec}
