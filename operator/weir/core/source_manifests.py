"""Manifests of Weir's kinds: what of them is taken over, and what is refused."""

from __future__ import annotations

import re
from typing import Any

from weir.api import names
from weir.api.reasons import Reason
from weir.api.repository import FlowRepositorySpec
from weir.api.resource import JsonObject
from weir.core import source_yaml
from weir.core.source_objects import (
    MODELS,
    Found,
    checked_name,
    checked_spec,
    require_allowed,
    require_usable,
)
from weir.core.sources import NotTaken, text_of

_LONGEST = 100
_MOST_ANNOTATIONS = 128 * 1024  # bytes: half of what the API server takes, for ours
_TOP = {"apiVersion", "kind", "metadata", "spec", "status"}
_TAKEN = {"name", "namespace", "labels", "annotations"}
# Of an object that was read from a cluster: it says nothing of what is wanted.
_PASSED_OVER = {
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
}
_OURS = f"{names.GROUP}/"
_OF_KUBECTL = "kubectl.kubernetes.io/last-applied-configuration"
_PART = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_PART}")
_LABEL = re.compile(rf"({_PART})?")


def objects_in(content: bytes, spec: FlowRepositorySpec, *, namespace: str) -> list[Found]:
    """Return the objects of a manifest file: all of them, or none. Raises NotTaken."""
    documents = source_yaml.documents(text_of(content))
    found = []
    for document in documents:
        try:
            found.append(_object(document.value, spec, namespace))
        except NotTaken as error:
            place = f"document {document.number}: " if len(documents) > 1 else ""
            raise NotTaken(error.reason, f"{place}{error.message}") from None
    return found


def _object(value: Any, spec: FlowRepositorySpec, namespace: str) -> Found:
    if not isinstance(value, dict) or not {"apiVersion", "kind"} <= value.keys():
        message = (
            "this is no manifest, which has apiVersion, kind and metadata: mend it, or leave the "
            "file out by exclude"
        )
        raise NotTaken(Reason.INVALID_SPEC, message)
    kind = _kind(value, spec)
    for key in value.keys() - _TOP:
        raise NotTaken(Reason.INVALID_SPEC, f"{key[:_LONGEST]} is no field of a {kind}")
    metadata = _metadata(value.get("metadata"), kind, namespace)
    name = metadata["name"]
    try:
        said = checked_spec(kind, value.get("spec") or {})
        require_usable(kind, name, namespace, said)
    except NotTaken as error:
        raise NotTaken(error.reason, f"{kind} {name}: {error.message}") from None
    return Found(kind, name, said, metadata["labels"], metadata["annotations"])


def _kind(value: JsonObject, spec: FlowRepositorySpec) -> str:
    version, kind = value["apiVersion"], value["kind"]
    if not isinstance(version, str) or not isinstance(kind, str):
        raise NotTaken(Reason.INVALID_SPEC, "apiVersion and kind are strings")
    shown = f"{kind} ({version})"[:_LONGEST]
    if kind.endswith("List") and isinstance(value.get("items"), list):
        message = f"{shown} is a list: write its items as documents of their own, parted by ---"
        raise NotTaken(Reason.KIND_NOT_ALLOWED, message)
    if version.split("/")[0] != names.GROUP:
        message = f"{shown} is not of Weir's kinds: have Flux or Argo CD bring it beside"
        raise NotTaken(Reason.KIND_NOT_ALLOWED, f"{message}, and leave the file out by exclude")
    if kind not in MODELS:
        message = f"{shown} is brought by no FlowRepository: leave the file out by exclude"
        raise NotTaken(Reason.KIND_NOT_ALLOWED, message)
    if version != names.API_VERSION:
        message = f"apiVersion {version[:_LONGEST]} is not known: write {names.API_VERSION}"
        raise NotTaken(Reason.INVALID_SPEC, message)
    require_allowed(kind, spec)
    return kind


def _metadata(metadata: Any, kind: str, namespace: str) -> JsonObject:
    if not isinstance(metadata, dict):
        raise NotTaken(Reason.INVALID_SPEC, f"metadata of the {kind} is missing, or no mapping")
    for key in sorted(metadata.keys() - _TAKEN - _PASSED_OVER):
        message = f"metadata.{key[:_LONGEST]} is not taken from a repository: leave it out"
        raise NotTaken(Reason.INVALID_SPEC, message)
    name = metadata.get("name")
    if not isinstance(name, str):
        raise NotTaken(Reason.INVALID_NAME, f"metadata.name of the {kind} is missing, or no string")
    wanted = metadata.get("namespace")
    if wanted not in (None, namespace):
        message = (
            f"metadata.namespace is {str(wanted)[:_LONGEST]}, but a FlowRepository brings objects "
            f"to its own namespace, {namespace}: leave it out"
        )
        raise NotTaken(Reason.INVALID_SPEC, message)
    labels = _marks(metadata, "labels")
    for key, text in labels.items():
        if not _LABEL.fullmatch(text):
            message = f"metadata.labels: {text[:_LONGEST]!r} ({key}) is no value of a label"
            raise NotTaken(Reason.INVALID_SPEC, message)
    annotations = _marks(metadata, "annotations")
    if sum(len(f"{key}{text}".encode()) for key, text in annotations.items()) > _MOST_ANNOTATIONS:
        message = f"metadata.annotations have more than {_MOST_ANNOTATIONS // 1024} KiB"
        raise NotTaken(Reason.TOO_LARGE, message)
    return {"name": checked_name(kind, name), "labels": labels, "annotations": annotations}


def _marks(metadata: JsonObject, what: str) -> dict[str, str]:
    """Return labels or annotations without those that are Weir's to set."""
    marks = metadata.get(what) or {}
    if not isinstance(marks, dict):
        raise NotTaken(Reason.INVALID_SPEC, f"metadata.{what} is no mapping")
    for key, text in marks.items():
        if not isinstance(text, str):
            message = f"metadata.{what}.{key[:_LONGEST]} is no string: put it into quotes"
            raise NotTaken(Reason.INVALID_SPEC, message)
        if not _KEY.fullmatch(key):
            message = f"metadata.{what}: {key[:_LONGEST]!r} is no key such as example.com/team"
            raise NotTaken(Reason.INVALID_SPEC, message)
    return {
        key: text for key, text in marks.items() if not key.startswith(_OURS) and key != _OF_KUBECTL
    }
