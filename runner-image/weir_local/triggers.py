"""Schedules and webhooks of local runs: kept like settings, and never fired."""

from __future__ import annotations

from typing import Any

from weir_local.errors import invalid
from weir_local.store import Kept, Things
from weir_protocol import triggers
from weir_protocol.arguments import JsonObject


def fields_of(kind: str, thing: Kept, namespace: str) -> JsonObject:
    """Return the fields of a schedule or webhook, but for those that all records have."""
    if kind == "schedule":
        return triggers.of_schedule(thing.value, {})
    return triggers.of_webhook(thing.value, {}, namespace, thing.name)


def write(kind: str, things: Things, name: str, found: dict[str, Any], now: float) -> None:
    """Create a schedule or webhook, or change keys of its `spec`. Raises Raises."""
    known = things.find(name)
    spec = {**(known.value if known else {}), **found}
    spec = {key: value for key, value in spec.items() if value is not None}
    about = spec.pop("description", known.description if known else None)
    if kind == "schedule" and ("cron" in spec) == ("interval" in spec):
        raise invalid(triggers.ONE_OF_BOTH)
    thing = things.made(name, now)
    thing.value = spec
    thing.description = found.get("description") if "description" in found else about
