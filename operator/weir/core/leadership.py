"""Which of several operators acts: the holder of a Lease.

Times in a Lease come from other machines' clocks, so they are only compared for change: a Lease is
stale when it has not changed for its duration, as measured by the one who watches it.
"""

from datetime import datetime

from weir.api import names
from weir.api.resource import JsonObject, render_time


def may_take(lease: JsonObject | None, identity: str, unchanged_for: float) -> bool:
    """Whether a candidate may hold the Lease now.

    `unchanged_for` is how many seconds the candidate has seen it as it is.
    """
    if lease is None:
        return True
    spec = lease.get("spec") or {}
    if spec.get("holderIdentity") in (None, "", identity):
        return True
    return unchanged_for >= float(spec.get("leaseDurationSeconds") or 0)


def held(
    lease: JsonObject | None,
    *,
    name: str,
    namespace: str,
    identity: str,
    seconds: int,
    now: datetime,
) -> JsonObject:
    """Return the Lease as it is when `identity` takes or renews it.

    The version of the Lease that was looked at guards it: of two that take it, one succeeds.
    """
    before = (lease or {}).get("spec") or {}
    is_renewal = before.get("holderIdentity") == identity
    moment = render_time(now, exact=True)
    spec = {
        "holderIdentity": identity,
        "leaseDurationSeconds": seconds,
        "acquireTime": before.get("acquireTime", moment) if is_renewal else moment,
        "renewTime": moment,
        "leaseTransitions": int(before.get("leaseTransitions") or 0) + (0 if is_renewal else 1),
    }
    return _lease(lease, name, namespace, spec)


def released(lease: JsonObject, now: datetime) -> JsonObject:
    """Return the Lease as its holder leaves it, so that the next one need not wait."""
    metadata = lease["metadata"]
    spec = {"holderIdentity": "", "renewTime": render_time(now, exact=True)}
    return _lease(lease, metadata["name"], metadata["namespace"], spec)


def _lease(lease: JsonObject | None, name: str, namespace: str, spec: JsonObject) -> JsonObject:
    metadata = {"name": name, "namespace": namespace}
    if lease is None:
        metadata_of_new = metadata | {"labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY}}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata_of_new,
            "spec": spec,
        }
    version = lease["metadata"]["resourceVersion"]
    return {"metadata": metadata | {"resourceVersion": version}, "spec": spec}
