"""The bounds of the fields that people write, each tried on a real API server with a value that is
beyond it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from weir.api import names
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject, Resource
from weir.api.schedule import Schedule
from weir.api.webhook import Webhook
from weir.cluster.client import Cluster
from weir.cluster.errors import Invalid
from weir.cluster.kinds import FLOW_REPOSITORIES, SCHEDULES, WEBHOOKS, Kind
from weir.crds import definition

SECRET = {"name": "team-keys", "key": "secret"}
REPOSITORY = {
    "url": "https://git.example.com/team/flows.git",
    "ref": {"branch": "main"},
    "interval": "1m",
    "timeout": "90s",
    "paths": [{"glob": "flows/**/*.py", "kind": "Flow"}],
    "exclude": ["**/old/**"],
    "secretRef": {"name": "git"},
    "kinds": ["Flow", "Connector"],
    "serviceAccountName": "sync",
    "prune": False,
    "submodules": True,
    "webhook": {"secretKeyRef": SECRET},
    "push": {"branch": "drafts", "secretRef": {"name": "git-writer"}},
    "suspend": True,
}
SCHEDULE = {
    "flow": "report",
    "title": "Nightly report",
    "description": "of yesterday",
    "timeZone": "Europe/Vienna",
    "inputs": {"day": -1},
    "mode": "Development",
    "concurrencyPolicy": "Forbid",
    "startingDeadline": "10m",
    "suspend": True,
}
WEBHOOK = {
    "flow": "deploy",
    "title": "On push",
    "description": "called by the forge",
    "enabled": True,
    "keySecretRef": SECRET,
    "keyHeader": "X-Token",
    "hmac": {
        "secretRef": SECRET,
        "header": "X-Hub-Signature-256",
        "algorithm": "sha512",
        "timestampHeader": "X-Time",
        "signed": "v0:{timestamp}:{body}",
        "window": "1m",
    },
    "methods": ["POST"],
    "async": True,
    "timeout": "10s",
    "inputs": {"target": "test"},
    "protectInputs": ["json"],
    "protectOutputs": ["token"],
    "mode": "Development",
    "maxBytes": 1000,
    "rate": {"perMinute": 60, "burst": 10},
}
# Specs in which all fields are set; several where fields exclude each other.
WHOLE: list[tuple[type[Resource], Kind, list[JsonObject]]] = [
    (
        FlowRepository,
        FLOW_REPOSITORIES,
        [
            REPOSITORY | {"ref": ref}
            for ref in (
                {"branch": "main"},
                {"tag": "v1"},
                {"commit": "a" * 40},
                {"semver": ">=1 <2"},
            )
        ],
    ),
    (Schedule, SCHEDULES, [SCHEDULE | {"cron": "0 3 * * *"}, SCHEDULE | {"interval": "1h"}]),
    (Webhook, WEBHOOKS, [WEBHOOK]),
]
each_kind = pytest.mark.parametrize(
    ("model", "kind", "specs"), WHOLE, ids=[model.KIND for model, _, _ in WHOLE]
)

Path = tuple[str | int, ...]


def schema_of(model: type[Resource]) -> JsonObject:
    whole = definition(model)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec: JsonObject = whole["properties"]["spec"]
    return spec


def beyond(schema: JsonObject, value: Any, path: Path = ()) -> Iterator[tuple[Path, str, Any]]:
    """Return where a value stands, which bound is meant, and what is beyond it."""
    yield path, "type", [1] if schema["type"] == "object" else {"of another": "type"}
    if "enum" in schema:
        yield path, "enum", "Unheard-of"
    if "pattern" in schema:
        pattern = schema["pattern"]
        yield path, "pattern", next(one for one in ("!", "{") if not re.match(pattern, one))
    if schema.get("minLength"):
        yield path, "minLength", ""
    if "maxLength" in schema:
        longest = "1" * schema["maxLength"] + (
            "s" if "(ms|s|m|h)" in schema.get("pattern", "") else "1"
        )
        yield path, "maxLength", longest
    if "minimum" in schema:
        yield path, "minimum", schema["minimum"] - 1
    if "maximum" in schema:
        yield path, "maximum", schema["maximum"] + 1
    if schema.get("minItems"):
        yield path, "minItems", []
    if "maxItems" in schema:
        yield path, "maxItems", value[:1] * (schema["maxItems"] + 1)
    if schema["type"] == "array":
        yield from beyond(schema["items"], value[0], (*path, 0))
    for key in schema.get("required", []):
        yield path, "required", {name: one for name, one in value.items() if name != key}
    for key, inner in schema.get("properties", {}).items():
        if key in value:
            yield from beyond(inner, value[key], (*path, key))


def fields(schema: JsonObject, path: str = "") -> Iterator[str]:
    """Return the paths of all fields of a schema."""
    yield path
    for key, inner in schema.get("properties", {}).items():
        yield from fields(inner, f"{path}.{key}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")


def replaced(spec: JsonObject, path: Path, value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(spec)
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def called(path: Path) -> str:
    return "".join("[]" if isinstance(key, int) else f".{key}" for key in path)


def body(model: type[Resource], name: str, spec: Any) -> JsonObject:
    metadata = {"name": name}
    return {
        "apiVersion": names.API_VERSION,
        "kind": model.KIND,
        "metadata": metadata,
        "spec": spec,
    }


@each_kind
async def test_each_bound_is_one_of_the_api_servers(
    cluster: Cluster, namespace: str, model: type[Resource], kind: Kind, specs: list[JsonObject]
) -> None:
    accepted, elsewhere = [], []
    for spec in specs:
        for path, bound, value in beyond(schema_of(model), spec):
            wrong = replaced(spec, path, value)
            try:
                await cluster.create(kind, namespace, body(model, "beyond", wrong))
            except Invalid as error:
                if path and str(path[-1]) not in error.message:
                    elsewhere.append(f"spec{called(path)}: {bound}: {error.message}")
            else:
                await cluster.delete(kind, namespace, "beyond")
                accepted.append(f"spec{called(path)}: {bound}")
    assert (accepted, elsewhere) == ([], [])


@each_kind
async def test_what_is_within_the_bounds_is_kept_as_it_was_written(
    cluster: Cluster, namespace: str, model: type[Resource], kind: Kind, specs: list[JsonObject]
) -> None:
    for number, spec in enumerate(specs):
        made = await cluster.create(kind, namespace, body(model, f"within-{number}", spec))
        assert made["spec"] == spec
        assert (
            model.model_validate(made).model_dump(mode="json", by_alias=True, exclude_none=True)[
                "spec"
            ]
            == spec
        )


@pytest.mark.parametrize(("model", "specs"), [(model, specs) for model, _, specs in WHOLE])
def test_no_field_is_left_out_here(model: type[Resource], specs: list[JsonObject]) -> None:
    tried = {called(path) for spec in specs for path, _, _ in beyond(schema_of(model), spec)}
    assert set(fields(schema_of(model))) - tried == set()
