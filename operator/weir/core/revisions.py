"""Revisions of Flows: immutable copies of what decides how a run behaves.

A run keeps the revision it started with, resumed or not, even when its Flow changes or is deleted.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from typing import NamedTuple

from weir.api import names
from weir.api.flow import Flow, FlowSpec
from weir.api.resource import JsonObject

KEPT = 10
"""How many revisions of a Flow are kept that no live Execution needs."""


def revision_of(spec: FlowSpec) -> str:
    """Return the sha256, in hex, of the runnable part of a Flow."""
    canonical = json.dumps(
        spec.runnable(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()


def manifest(flow: Flow) -> JsonObject:
    """Return the ControllerRevision that keeps the Flow as it is now.

    It has no owner: deleting the Flow must not take it from a run that needs it.
    """
    revision = revision_of(flow.spec)
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": names.revision_name(flow.metadata.name, revision),
            "namespace": flow.metadata.namespace,
            "labels": {
                names.MANAGED_BY_LABEL: names.MANAGED_BY,
                names.FLOW_LABEL: flow.metadata.name,
            },
        },
        # Counts up with every change of the Flow, as Kubernetes wants it of a revision.
        "revision": flow.metadata.generation,
        "data": spec_data(flow.spec),
    }


def spec_data(spec: FlowSpec) -> JsonObject:
    """Return what a ControllerRevision holds as its data: FlowSpec's runnable part."""
    return spec.runnable()


class KnownRevision(NamedTuple):
    """A ControllerRevision of ours, as far as sweeping needs it."""

    namespace: str
    name: str
    flow: str
    number: int  # its `revision`: higher is newer


def to_sweep(
    revisions: Iterable[KnownRevision],
    *,
    flows: Collection[tuple[str, str]],
    needed: Collection[tuple[str, str]],
) -> list[KnownRevision]:
    """Return the revisions that neither a Flow nor a live Execution needs.

    `flows` holds (namespace, name) of the Flows there are: of each, the newest KEPT are spared.
    `needed` holds (namespace, revision name) of what live Executions and current Flows use.
    """
    by_flow: dict[tuple[str, str], list[KnownRevision]] = {}
    for revision in revisions:
        by_flow.setdefault((revision.namespace, revision.flow), []).append(revision)
    swept: list[KnownRevision] = []
    for flow, known in by_flow.items():
        newest_first = sorted(known, key=lambda one: (-one.number, one.name))
        spared = newest_first[:KEPT] if flow in flows else []
        swept += [
            one
            for one in newest_first
            if one not in spared and (one.namespace, one.name) not in needed
        ]
    return swept
