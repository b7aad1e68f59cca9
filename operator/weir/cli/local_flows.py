"""What a run without a cluster finds: the scripts and manifests of a folder."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

import weir_local
from weir.api import flow as api
from weir.api.connector import Connector
from weir.api.names import GROUP, slug
from weir.api.resource import JsonObject, Resource
from weir.api.schema import Schema
from weir.api.setting import Setting
from weir.cli.errors import CliError
from weir.cli.terminal import one_line, say

_SUFFIXES = (".yaml", ".yml", ".json")
_MODELS: dict[str, type[Resource]] = {
    "Flow": api.Flow,
    "Connector": Connector,
    "Setting": Setting,
    "Schema": Schema,
}


@dataclass
class Found:
    """What there is: flows, connectors with their secrets, settings and schemas by title."""

    flows: weir_local.Flows = field(default_factory=weir_local.Flows)
    connectors: dict[str, weir_local.Connector] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    schemas: dict[str, JsonObject] = field(default_factory=dict)


def found_in(folder: Path) -> Found:
    """Return what the `*.py` files and the manifests of a folder hold.

    A script and a Flow of the same name are one flow: the file is run, as the manifest says.

    Raises CliError for what is no manifest although it says so.
    """
    if not folder.is_dir():
        raise CliError(f"there is no folder {folder}")
    found = Found()
    resources, secrets = _manifests(folder)
    for one in resources:
        if isinstance(one, api.Flow):
            found.flows.add(local_flow(one))
        elif isinstance(one, Setting):
            found.settings[one.title] = one.spec.value
        elif isinstance(one, Schema):
            found.schemas[one.title] = one.spec.json_schema
        elif isinstance(one, Connector):
            connector = _connector(one, secrets)
            found.connectors[one.title] = found.connectors[one.metadata.name] = connector
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith("__"):
            with_file(found.flows, path)
    return found


def with_file(flows: weir_local.Flows, path: Path) -> weir_local.Flow:
    """Add a script's file to the flows, and return its flow."""
    plain = weir_local.flow(path)
    known = next((one for one in flows if one.name == slug(path.stem)), None)
    flow = replace(known, script=None, path=plain.path) if known else plain
    flows.add(flow)
    return flow


def local_flow(flow: api.Flow) -> weir_local.Flow:
    """Return a Flow as a local run knows it."""
    spec = flow.spec
    return weir_local.Flow(
        name=flow.metadata.name,
        title=flow.title,
        script=spec.script,
        timeout=spec.timeout,
        allow=tuple(spec.allow or ()),
        input_schema=spec.input_schema,
        output_schema=spec.output_schema,
        description=spec.description,
        suspend=spec.suspend,
    )


def _manifests(folder: Path) -> tuple[list[Resource], dict[str, dict[str, str]]]:
    """Return Weir's objects, and the data of Secrets by name."""
    resources: list[Resource] = []
    secrets: dict[str, dict[str, str]] = {}
    for path in sorted(one for one in folder.iterdir() if one.suffix in _SUFFIXES):
        for item in _objects(path):
            kind, version = item.get("kind"), str(item.get("apiVersion", ""))
            if kind == "Secret" and version == "v1":
                secrets[str(item["metadata"]["name"])] = _secret(item)
            if kind in _MODELS and version.startswith(f"{GROUP}/"):
                try:
                    resources.append(_MODELS[kind].model_validate(item))
                except ValidationError as error:
                    first = error.errors()[0]
                    where = ".".join(map(str, first["loc"]))
                    raise CliError(f"{path}: {kind}: {where}: {first['msg']}") from None
    return resources, secrets


def _objects(path: Path) -> Iterator[JsonObject]:
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        # Such as a template of a chart: no affair of ours.
        say(f"{path} is left out: {one_line(str(error))[:200]}")
        return
    for document in documents:
        if not isinstance(document, dict):
            continue
        items = document.get("items") if str(document.get("kind")).endswith("List") else None
        for item in items if isinstance(items, list) else [document]:
            if isinstance(item, dict) and isinstance(item.get("metadata"), dict):
                yield item


def _secret(item: JsonObject) -> dict[str, str]:
    data = item.get("data") or {}
    plain = item.get("stringData") or {}
    try:
        decoded = {key: base64.b64decode(str(value)).decode() for key, value in data.items()}
    except ValueError:
        raise CliError(f"Secret {item['metadata']['name']}: data is base64") from None
    return decoded | {key: str(value) for key, value in plain.items()}


def _connector(connector: Connector, secrets: dict[str, dict[str, str]]) -> weir_local.Connector:
    inputs = dict(connector.spec.inputs or {})
    names = []
    for one in connector.spec.secret_inputs:
        reference = one.secret_key_ref
        value = secrets.get(reference.name, {}).get(reference.key)
        if value is not None:  # else the connection itself says what it lacks
            inputs[one.input] = value
            names.append(one.input)
    overridable = connector.spec.overridable
    return weir_local.Connector(
        type=connector.spec.type,
        inputs=inputs,
        secret_inputs=tuple(names),
        overridable=None if overridable is None else tuple(overridable),
    )
