"""Generate the CustomResourceDefinitions from the models: `python -m weir.crds FOLDER`.

What a field means is written once, in the model; the CRD, `kubectl explain` and the docs follow
from it. Kubernetes accepts structural schemas only, so pydantic's JSON Schema is rebuilt:
references inlined, `X | None` made X (the field is optional anyway), titles dropped.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from weir.api import names
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.message import Message
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject, Resource
from weir.api.schedule import Schedule
from weir.api.schema import Schema
from weir.api.setting import Setting
from weir.api.webhook import Webhook

KINDS: tuple[type[Resource], ...] = (
    Flow,
    Execution,
    Connector,
    Message,
    Setting,
    Schema,
    Schedule,
    Webhook,
    FlowRepository,
)

# Kept as they are from pydantic's schema.
_KEPT = (
    "type",
    "enum",
    "default",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "required",
)
_HEADER = "# Generated from operator/weir/api by `make crds`. Do not edit.\n"


def definition(kind: type[Resource]) -> JsonObject:
    """Return the CustomResourceDefinition of a resource."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.KIND,
                "listKind": f"{kind.KIND}List",
                "plural": kind.PLURAL,
                "singular": kind.KIND.lower(),
                **({"shortNames": list(kind.SHORT_NAMES)} if kind.SHORT_NAMES else {}),
                "categories": ["weir"],
            },
            "versions": [_version(kind)],
        },
    }


def _version(kind: type[Resource]) -> JsonObject:
    version: JsonObject = {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        **({"subresources": {"status": {}}} if "status" in kind.model_fields else {}),
        "additionalPrinterColumns": [
            {"name": name, "type": type_, "jsonPath": path, **({"priority": 1} if wide else {})}
            for name, type_, path, wide in kind.COLUMNS
        ],
        "schema": {"openAPIV3Schema": _root(kind)},
    }
    if kind.SELECTABLE:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.SELECTABLE]
    return version


def _root(kind: type[Resource]) -> JsonObject:
    whole = kind.model_json_schema(by_alias=True, mode="validation")
    definitions = whole.get("$defs", {})
    fields = whole["properties"]
    return {
        "type": "object",
        "description": _text(kind.__doc__),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {
                "type": "object",
                "properties": {"name": {"type": "string", "maxLength": names.MAX_NAME}},
            },
            **{
                part: structural(fields[part], definitions)
                for part in ("spec", "status")
                if part in fields
            },
        },
        "x-kubernetes-validations": [_rule(rule, message) for rule, message in kind.RULES],
    }


def _rule(rule: str, message: str) -> JsonObject:
    return {"rule": rule, "message": message}


def structural(schema: JsonObject, definitions: JsonObject) -> JsonObject:
    """Return a schema as Kubernetes wants it.

    Raises ValueError for what has no structural form (unions, recursion).
    """
    if "allOf" in schema and len(schema["allOf"]) == 1:
        schema = {**schema["allOf"][0], **{k: v for k, v in schema.items() if k != "allOf"}}
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[1]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    if "anyOf" in schema:
        return _of_union(schema, definitions)
    if schema.get("any"):
        text = {"description": _text(schema["description"])}
        return text | {"x-kubernetes-preserve-unknown-fields": True, "nullable": True}
    if "const" in schema:
        schema = {**schema, "enum": [schema["const"]]}
    out: JsonObject = {key: schema[key] for key in _KEPT if key in schema}
    if schema.get("description"):
        out["description"] = _text(schema["description"])
    if not isinstance(out.get("default"), str | int | float) and out.get("type") != "array":
        out.pop("default", None)
    if out.get("default") == []:
        out.pop("default")
    if "properties" in schema:
        out["properties"] = {
            name: structural(field, definitions) for name, field in schema["properties"].items()
        }
    elif isinstance(schema.get("additionalProperties"), dict):
        out["additionalProperties"] = structural(schema["additionalProperties"], definitions)
    elif schema.get("type") == "object":
        out["x-kubernetes-preserve-unknown-fields"] = True
    if "items" in schema:
        out["items"] = structural(schema["items"], definitions)
    if out.get("items", {}).get("properties", {}).keys() >= {"type", "lastTransitionTime"}:
        out |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
    if not out.keys() & {"type", "x-kubernetes-int-or-string"}:
        raise ValueError(f"no structural form for {schema}")
    return out


def _of_union(schema: JsonObject, definitions: JsonObject) -> JsonObject:
    options = [option for option in schema["anyOf"] if option.get("type") != "null"]
    about = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    if len(options) == 1:
        return structural({**options[0], **about}, definitions)
    if {option.get("type") for option in options} == {"string", "integer"}:
        text = {"description": _text(about["description"])} if "description" in about else {}
        return text | {"x-kubernetes-int-or-string": True}
    raise ValueError(f"no structural form for {schema}")


def _text(text: str | None) -> str:
    return " ".join((text or "").split())


def render(kind: type[Resource], *, chart: bool = False) -> str:
    """Return the CRD as YAML, or as a template of the Helm chart.

    The chart's stays when the chart is uninstalled, and with it people's runs; a second
    installation in the same cluster leaves it out.
    """
    crd: dict[str, Any] = definition(kind)
    if not chart:
        return _HEADER + _yaml(crd)
    crd["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    return f"{_HEADER}{{{{- if .Values.crds.install }}}}\n{_yaml(crd)}{{{{- end }}}}\n"


def _yaml(crd: JsonObject) -> str:
    dumped: str = yaml.safe_dump(crd, sort_keys=False, width=120)
    return dumped


def main(folders: list[str]) -> None:
    """Write one file for each kind into each folder; below a chart, as templates."""
    for folder in map(Path, folders):
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            text = render(kind, chart="templates" in folder.parts)
            (folder / f"{kind.PLURAL}.yaml").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
