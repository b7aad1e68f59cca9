"""What the status of a Webhook says, and when it is written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from weir.api.flow import Flow
from weir.api.webhook import Webhook
from weir.core import webhook_openapi, webhook_status
from weir.core.lookup import Catalog
from weir.core.webhook_status import LastCall

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def webhook(name: str = "hook", *, status: dict[str, Any] | None = None, **spec: Any) -> Webhook:
    metadata = {"name": name, "namespace": "shop", "uid": name, "generation": 1}
    given = {"flow": "order", "enabled": True} | spec
    return Webhook.model_validate({"metadata": metadata, "spec": given, "status": status or {}})


def flow(**spec: Any) -> Flow:
    given = {"script": "def handler(system, this): pass"} | spec
    return Flow.model_validate({"metadata": {"name": "order"}, "spec": given})


def reason(one: Webhook, of: Flow | None, missing: list[str] | None = None) -> str:
    return webhook_status.check(one, Catalog(), of, missing or []).reason


def test_a_webhook_is_ready_when_its_flow_can_be_run() -> None:
    assert reason(webhook(), flow()) == "Ready"
    assert reason(webhook(), None) == "FlowNotFound"
    assert reason(webhook(), flow(suspend=True)) == "FlowSuspended"
    assert reason(webhook(), flow(), ["Secret a, key b"]) == "SecretNotFound"
    assert reason(webhook(enabled=False), None, ["Secret a, key b"]) == "NotEnabled"


def test_an_open_webhook_is_said_to_be_open() -> None:
    keyed = webhook(keySecretRef={"name": "a", "key": "b"})
    messages = [
        webhook_status.check(one, Catalog(), flow(), []).message for one in (webhook(), keyed)
    ]
    assert "everybody" in messages[0]
    assert "everybody" not in messages[1]


def written(one: Webhook, last: LastCall | None = None, now: datetime = NOW) -> Any:
    verdict = webhook_status.check(one, Catalog(), flow(), [])
    return webhook_status.change(one, verdict, last, now)


def test_a_status_is_written_once() -> None:
    patch = written(webhook())
    assert patch["path"] == "/hooks/shop/hook"
    assert written(webhook(status=patch), now=NOW + timedelta(hours=1)) is None


def test_the_last_call_is_written_once_a_minute() -> None:
    first = LastCall("run-1", NOW)
    patch = written(webhook(), first)
    assert (patch["lastExecution"], patch["lastCallTime"]) == (
        "run-1",
        "2026-11-24T12:00:00.000000Z",
    )
    later = LastCall("run-2", NOW + timedelta(seconds=10))
    one = webhook(status=patch)
    assert written(one, later, NOW + timedelta(seconds=59)) is None
    assert written(one, later, NOW + timedelta(seconds=60))["lastExecution"] == "run-2"
    assert written(one, first, NOW + timedelta(hours=1)) is None


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_description_is_made_of_the_flows_schemas(asynchronous: bool) -> None:
    schema = {
        "type": "object",
        "required": ["json"],
        "$defs": {"item": {"type": "string"}},
        "properties": {"json": {"$ref": "#/$defs/item"}},
    }
    one = webhook(
        "orders",
        hmac={"secretRef": {"name": "a", "key": "b"}},
        keySecretRef={"name": "a", "key": "c"},
        methods=["POST", "GET"],
        async_=asynchronous,
    )
    found = webhook_openapi.document("shop", [(one, flow(inputSchema=schema)), (webhook(), None)])
    assert list(found["paths"]) == ["/hooks/shop/hook", "/hooks/shop/orders"]
    post, get = (found["paths"]["/hooks/shop/orders"][method] for method in ("post", "get"))
    body = post["requestBody"]
    assert body["required"]
    assert body["content"]["application/json"]["schema"]["$defs"] == schema["$defs"]
    assert "requestBody" not in get
    assert ("200" in post["responses"]) == (not asynchronous)
    assert post["security"] == [
        {"orders.key": [], "orders.signature": []},
        {"orders.header": [], "orders.signature": []},
    ]
    assert set(found["components"]["securitySchemes"]) == {
        "orders.key",
        "orders.header",
        "orders.signature",
    }
