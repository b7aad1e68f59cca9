"""Whether a Webhook can be called, and what its status says of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from weir.api.connector import SecretKeyRef
from weir.api.flow import Flow
from weir.api.reasons import ConditionType, Reason
from weir.api.resource import JsonObject, render_time, with_condition
from weir.api.webhook import Webhook
from weir.core.lookup import Catalog
from weir.core.readiness import Verdict, taken
from weir.core.targets import ready_condition

_LAST_CALL_EVERY = timedelta(minutes=1)


class LastCall(NamedTuple):
    """A call that started a run."""

    execution: str
    time: datetime


def path_of(webhook: Webhook) -> str:
    """Return the path of a Webhook at Weir's server."""
    return f"/hooks/{webhook.metadata.namespace}/{webhook.metadata.name}"


def secrets_of(webhook: Webhook) -> list[SecretKeyRef]:
    """Return the secrets that a Webhook names."""
    spec = webhook.spec
    named = [spec.key_secret_ref, spec.hmac.secret_ref if spec.hmac is not None else None]
    return [one for one in named if one is not None]


def check(
    webhook: Webhook, others: Catalog[Webhook], flow: Flow | None, missing_secrets: list[str]
) -> Verdict:
    """Return whether a Webhook can be called; `others` are those of its namespace."""
    older = others.title_taken_by(webhook)
    if older is not None:
        return Verdict(False, Reason.TITLE_TAKEN, taken(webhook, older))
    if not webhook.spec.enabled:
        return Verdict(False, Reason.NOT_ENABLED, "it answers nobody until spec.enabled is true")
    if missing_secrets:
        message = f"not there, or empty: {', '.join(missing_secrets)}; until then it answers nobody"
        return Verdict(False, Reason.SECRET_NOT_FOUND, message)
    if flow is None:
        message = f"there is no Flow called {webhook.spec.flow!r} in this namespace"
        return Verdict(False, Reason.FLOW_NOT_FOUND, message)
    if flow.spec.suspend:
        message = f"Flow {flow.metadata.name} is suspended (spec.suspend)"
        return Verdict(False, Reason.FLOW_SUSPENDED, message)
    ready = ready_condition(flow)
    if ready is not None and ready.status == "False":
        message = f"Flow {flow.metadata.name} is not ready: {ready.message}"
        return Verdict(False, Reason.FLOW_NOT_READY, message)
    return Verdict(True, Reason.READY, _open(webhook))


def change(
    webhook: Webhook, verdict: Verdict, last: LastCall | None, now: datetime
) -> JsonObject | None:
    """Return what is to be written into the status; None: nothing. Moments alone are no reason."""
    patch: JsonObject = {}
    status = webhook.status
    known = ready_condition(webhook)
    wanted = ("True" if verdict.ready else "False", verdict.reason, verdict.message[:4096])
    if known is None or (known.status, known.reason, known.message) != wanted:
        conditions = with_condition(
            status.conditions,
            ConditionType.READY,
            "True" if verdict.ready else "False",
            verdict.reason,
            verdict.message,
            now=now,
            generation=webhook.metadata.generation,
        )
        patch["conditions"] = [one.dump() for one in conditions]
        patch["observedGeneration"] = webhook.metadata.generation
    if status.path != path_of(webhook):
        patch["path"] = path_of(webhook)
    written = status.last_call_time
    if last is not None and (
        written is None or (last.time > written and now - written >= _LAST_CALL_EVERY)
    ):
        patch["lastExecution"] = last.execution
        patch["lastCallTime"] = render_time(last.time, exact=True)
    return patch or None


def _open(webhook: Webhook) -> str:
    spec = webhook.spec
    if spec.key_secret_ref is None and spec.hmac is None:
        return "may be called by everybody: neither keySecretRef nor hmac is set"
    return "may be called"
