"""Webhooks: requests that start runs, and are answered from their outputs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.server.conftest import (
    RunnerFor,
    Served,
    serving,
    settings_for,
    with_certificate,
)
from tests.integration.server.hooks import HMAC, KEY, KEY_REF, SECRET, Hooks, signed, signed_at
from tests.integration.server.worlds import World, until
from weir.api import names
from weir.cluster.client import Cluster
from weir.cluster.kinds import FLOWS
from weir.server.runtime import utc_now
from weir.server.webhooks.status import HookStatuses, LastCalls

# Where SQL matters, both databases are tried.
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def inputs(hooks: Hooks, webhook: str) -> dict[str, Any]:
    run = await hooks.run(webhook)
    assert run.spec.inputs is not None
    return run.spec.inputs


@sqlite
async def test_the_flow_gets_the_request_without_its_credentials(hooks: Hooks) -> None:
    path = await hooks.make(
        "seen", keySecretRef=KEY_REF, hmac=HMAC, inputs={"path": "never", "region": "eu"}
    )
    request = signed({"key": KEY, "n": 1}, Authorization="Bearer a", Cookie="b=c", **{"X-Own": "d"})
    call = hooks.call(f"{path}/a/b%20c?async=1&x=1&x=2&y=&key={KEY}", **request)
    assert (await call).status_code == 202
    run = await hooks.run("seen")
    seen = run.spec.inputs
    assert seen is not None
    headers = seen.pop("headers")
    assert seen == {
        "region": "eu",
        "method": "POST",
        "path": "/a/b c",
        "query": {"x": ["1", "2"], "y": ""},
        "json": {"n": 1},
    }
    assert headers["x-own"] == "d"
    assert not {"authorization", "cookie", "x-weir-signature", "x-weir-key"} & headers.keys()
    assert run.spec.flow == "hello"
    assert run.spec.mode == "Productive"
    assert run.metadata.labels[names.WEBHOOK_LABEL] == "seen"
    assert run.metadata.owner_references == []


BODIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"json": [1, "\u2713"]}, {"json": [1, "\u2713"]}),
    ({"content": b'{"a": 1}'}, {"json": {"a": 1}}),
    ({"content": b"hello"}, {"text": "hello"}),
    (
        {"content": b"h\xe4", "headers": {"Content-Type": "text/plain; charset=ISO-8859-1"}},
        {"text": "h\u00e4"},
    ),
    ({"data": {"a": "1", "b": ["2", "3"]}}, {"form": {"a": "1", "b": ["2", "3"]}}),
    ({"content": b"\x00\xff"}, {"body": "AP8=", "is_base64": True}),
    ({"content": b"{}", "headers": {"Content-Type": "application/vnd.a+json"}}, {"json": {}}),
    ({}, {}),
]


@sqlite
async def test_bodies_come_as_what_they_are(hooks: Hooks) -> None:
    for number, (request, content) in enumerate(BODIES):
        name = f"any-{number}"
        path = await hooks.make(name, **{"async": True})
        assert (await hooks.client.post(path, **request)).status_code == 202
        seen = await inputs(hooks, name)
        common = {"method", "path", "query", "headers"}
        assert {key: seen[key] for key in seen.keys() - common} == content


@sqlite
async def test_all_methods_may_be_taken(hooks: Hooks) -> None:
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    path = await hooks.make("any", methods=methods, **{"async": True})
    for number, method in enumerate(methods, start=1):
        answer = await hooks.client.request(method, path)
        assert answer.status_code == 202
        assert (answer.content == b"") == (method == "HEAD")
        await hooks.run("any", number)
    assert {(run.spec.inputs or {})["method"] for run in await hooks.runs("any")} == set(methods)


KEYS: dict[str, dict[str, Any]] = {
    "query": {"params": {"key": KEY}},
    "header": {"headers": {"X-Weir-Key": KEY}},
    "json": {"json": {"key": KEY, "a": 1}},
    "own-header": {"headers": {"X-Gitlab-Token": KEY}, "json": {"key": "ABC-1"}},
}


@sqlite
async def test_a_key_is_taken_from_where_it_may_stand(hooks: Hooks) -> None:
    for name, request in KEYS.items():
        more = {"keyHeader": "X-Gitlab-Token"} if name == "own-header" else {}
        path = await hooks.make(name, keySecretRef=KEY_REF, **more, **{"async": True})
        assert (await hooks.client.post(path, **request)).status_code == 202
        seen = await inputs(hooks, name)
        assert KEY not in str(seen)
        if name == "own-header":
            assert seen["json"] == {"key": "ABC-1"}


@sqlite
async def test_signatures_come_as_their_senders_make_them(hooks: Hooks) -> None:
    now, body = int(time.time()), b'{"a": 1}'
    hook, asynchronous = HMAC, {"async": True}

    def sha256(signed_: bytes) -> bytes:
        return hmac.new(SECRET, signed_, hashlib.sha256).digest()

    stripe = sha256(f"{now}.".encode() + body).hex()
    slack = sha256(f"v0:{now}:".encode() + body).hex()
    standard = base64.b64encode(sha256(f"msg_1.{now}.".encode() + body)).decode()
    senders: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
        "github": (
            {"header": "X-Hub-Signature-256"},
            {"X-Hub-Signature-256": "sha256=" + sha256(body).hex()},
        ),
        "stripe": (
            {"header": "Stripe-Signature", "timestampHeader": "Stripe-Signature"},
            {"Stripe-Signature": f"t={now},v1={'0' * 64},v1={stripe},v0=abc"},
        ),
        "slack": (
            {
                "header": "X-Slack-Signature",
                "timestampHeader": "X-Slack-Request-Timestamp",
                "signed": "v0:{timestamp}:{body}",
            },
            {"X-Slack-Signature": f"v0={slack}", "X-Slack-Request-Timestamp": str(now)},
        ),
        "standard": (
            {
                "header": "webhook-signature",
                "timestampHeader": "webhook-timestamp",
                "signed": "{webhook-id}.{timestamp}.{body}",
            },
            {
                "webhook-id": "msg_1",
                "webhook-timestamp": str(now),
                "webhook-signature": f"v1,{'A' * 43}= v1,{standard}",
            },
        ),
        "sha1": (
            {"algorithm": "sha1"},
            {"X-Weir-Signature": hmac.new(SECRET, body, hashlib.sha1).hexdigest()},
        ),
    }
    for name, (rule, headers) in senders.items():
        path = await hooks.make(name, hmac=hook | rule, **asynchronous)
        answer = await hooks.client.post(path, content=body, headers=headers)
        assert answer.status_code == 202, name
        answer = await hooks.client.post(path, content=body + b" ", headers=headers)
        assert answer.status_code == 404, name


@sqlite
async def test_a_caller_is_answered_from_the_outputs(hooks: Hooks) -> None:
    path = await hooks.make("plain", protectOutputs=["token"])
    answer, run = await hooks.answered(path, "plain", {"a": 1, "token": "secret"})
    assert answer.status_code == 200
    assert answer.json() == {"a": 1, "token": "***"}
    assert answer.headers["x-weir-execution"] == run.metadata.name
    page = {"status": 201, "headers": {"Content-Type": "text/html"}, "body": "<h1>hi</h1>"}
    path = await hooks.make("page")
    answer, _ = await hooks.answered(path, "page", {"webhook_response": page})
    assert (answer.status_code, answer.text) == (201, "<h1>hi</h1>")
    assert answer.headers["content-type"] == "text/html"
    path = await hooks.make("empty")
    answer, _ = await hooks.answered(path, "empty", {"webhook_response": {"status": 204}})
    assert (answer.status_code, answer.content) == (204, b"")


@sqlite
async def test_a_caller_is_told_of_a_bad_end_but_not_what_the_script_said(hooks: Hooks) -> None:
    for name, phase, reason, status in (
        ("fails", "Failed", "ScriptError", 500),
        ("unfit", "Failed", "InvalidInputs", 422),
        ("cancelled", "Cancelled", "Cancelled", 503),
    ):
        path = await hooks.make(name)
        call = hooks.call(path)
        run = await hooks.run(name)
        await hooks.world.end(run.metadata.name, phase, reason=reason, message="password=hunter2")
        answer = await call
        assert answer.status_code == status
        assert answer.json()["execution"] == run.metadata.name
        assert "hunter2" not in answer.text
    path = await hooks.make("deleted")
    call = hooks.call(path)
    await hooks.world.delete((await hooks.run("deleted")).metadata.name)
    assert (await call).json()["code"] == "Gone"


@sqlite
async def test_a_caller_who_waited_long_enough_is_told_the_name_and_the_run_goes_on(
    hooks: Hooks,
) -> None:
    path = await hooks.make("slow", timeout="300ms")
    answer = await hooks.client.post(path)
    run = await hooks.run("slow")
    assert (answer.status_code, answer.json()["execution"]) == (504, run.metadata.name)
    assert answer.headers["location"].endswith(f"/executions/{run.metadata.name}")
    assert run.spec.desired_state == "Running"


@sqlite
async def test_a_run_goes_on_when_its_caller_is_gone(hooks: Hooks) -> None:
    path = await hooks.make("left")
    call = hooks.call(path)
    run = await hooks.run("left")
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    ended = await hooks.world.end(run.metadata.name)
    assert ended.phase == "Succeeded"


async def test_a_delivery_that_comes_again_is_the_same_run(hooks: Hooks) -> None:
    path = await hooks.make("once", hmac=HMAC)
    request = signed({"n": 1}, **{"X-GitHub-Delivery": "72d3162e"})
    calls = [hooks.call(path, **request) for _ in range(8)]
    run = await hooks.run("once")
    await hooks.world.end(run.metadata.name, outputs={"n": 2})
    answers = [*await asyncio.gather(*calls), await hooks.client.post(path, **request)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["x-weir-execution"] for answer in answers} == {run.metadata.name}
    assert len(await hooks.runs("once")) == 1
    # Another delivery id for what was signed once is no other delivery.
    again = request | {"headers": request["headers"] | {"X-GitHub-Delivery": "other"}}
    assert (await hooks.client.post(path, **again)).status_code == 404
    await hooks.runtime.database.write(
        lambda sql: sql.exec_driver_sql("UPDATE signatures SET until = 0")
    )
    assert (await hooks.client.post(f"{path}?async=1", **again)).status_code == 202


async def test_large_requests_reach_the_script(
    hooks: Hooks, world: World, runner_for: RunnerFor
) -> None:
    path = await hooks.make("large", protectInputs=["json"], **{"async": True})
    data = {"text": "x" * 200_000, "lone": "\u2713"}
    assert (await hooks.client.post(path, json=data)).status_code == 202
    run = await hooks.run("large")
    assert run.spec.inputs_ref is not None
    assert (run.spec.inputs or {})["json"] == "***"
    runner = await runner_for(run)
    assert runner.assignment is not None
    assert runner.assignment.inputs["json"] == data


@sqlite
async def test_a_flow_that_cannot_run_is_told_to_who_may_call(hooks: Hooks, world: World) -> None:
    path = await hooks.make("nowhere", flow="not-there", keySecretRef=KEY_REF)
    answer = await hooks.client.post(path, headers={"X-Weir-Key": KEY})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (await hooks.client.post(path)).status_code == 404
    await world.flow("asleep", suspend=True)
    path = await hooks.make("asleep", flow="asleep")

    async def suspended() -> bool:
        return "suspended" in (await hooks.client.post(path)).text

    await until(suspended)
    assert await hooks.runs("asleep") == []


@sqlite
async def test_more_than_the_rate_is_told_when_to_come_again(hooks: Hooks) -> None:
    path = await hooks.make(
        "rated", rate={"perMinute": 1, "burst": 2}, keySecretRef=KEY_REF, **{"async": True}
    )
    for _ in range(5):  # strangers take nothing away
        assert (await hooks.client.post(path)).status_code == 404
    answers = [await hooks.client.post(path, params={"key": KEY}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


async def test_two_servers_take_a_signature_once(
    hooks: Hooks, world: World, cluster: Cluster, server: Served, database_url: str
) -> None:
    path = await hooks.make("shared", hmac=HMAC | {"timestampHeader": "X-Time"}, **{"async": True})
    settings = settings_for(world, server.settings.database_url)
    async with serving(cluster, settings, server.authority) as second:
        other = Hooks(world, second.runtime, second.url, second.authority)
        requests = [signed_at({"n": number}) for number in range(10)]
        calls = [one.call(path, **request) for request in requests for one in (hooks, other)]
        statuses = [answer.status_code for answer in await asyncio.gather(*calls)]
        assert (statuses.count(202), statuses.count(404)) == (10, 10)
        await other.client.aclose()
    assert len(await hooks.runs("shared")) == 10


@sqlite
async def test_who_waits_is_answered_when_the_server_stops(
    world: World, cluster: Cluster, database_url: str
) -> None:
    settings = settings_for(world, database_url)
    async with serving(cluster, settings, await with_certificate(world)) as served:
        hooks = Hooks(world, served.runtime, served.url, served.authority)
        await hooks.prepare()
        path = await hooks.make("waits")
        unnamed = hooks.call(path)
        named = hooks.call(path, headers={"Idempotency-Key": "a"})
        await hooks.run("waits", 2)
    # To send it again would run it again; or would not.
    assert ((await unnamed).status_code, (await named).status_code) == (202, 503)
    assert (await named).headers["retry-after"] == "1"
    await hooks.client.aclose()


@sqlite
async def test_a_status_says_whether_a_webhook_can_be_called(hooks: Hooks, world: World) -> None:
    await hooks.make("well", keySecretRef=KEY_REF, **{"async": True})
    await hooks.make("closed", enabled=False)
    await hooks.make("keyless", keySecretRef={"name": "not-there", "key": "a"})
    await hooks.make("flowless", flow="not-there")
    await hooks.make("younger", title="well")
    expected = {
        "well": ("True", "Ready"),
        "closed": ("False", "NotEnabled"),
        "keyless": ("False", "SecretNotFound"),
        "flowless": ("False", "FlowNotFound"),
        "younger": ("False", "TitleTaken"),
    }

    async def found() -> bool:
        for name, wanted in expected.items():
            status = await hooks.status(name)
            conditions = [(one["status"], one["reason"]) for one in status.get("conditions", [])]
            if conditions != [wanted] or status["path"] != f"/hooks/{world.namespace}/{name}":
                return False
        return True

    await until(found)
    await hooks.client.post(f"/hooks/{world.namespace}/well?key={KEY}")
    run = await hooks.run("well")

    async def called() -> bool:
        return (await hooks.status("well")).get("lastExecution") == run.metadata.name

    await until(called)
    # Once said, it is left alone: by another server too, and by more calls within the minute.
    others = LastCalls()
    second = HookStatuses(hooks.runtime, others)
    assert await second.look() == 0
    webhook = hooks.runtime.catalogs.webhook(world.namespace, "well")
    assert webhook is not None
    others.note(webhook, "another", hooks.runtime.now())
    assert await second.look() == 0
    others.note(webhook, "another", hooks.runtime.now() + timedelta(minutes=2))
    hooks.runtime.now = lambda: utc_now() + timedelta(minutes=2)
    assert await second.look() == 1
    assert (await hooks.status("well"))["lastExecution"] == "another"
    await world.cluster.patch(FLOWS, world.namespace, "hello", {"spec": {"suspend": True}})

    async def suspended() -> bool:
        conditions = (await hooks.status("well"))["conditions"]
        return bool(conditions[0]["reason"] == "FlowSuspended")

    await until(suspended)


@sqlite
async def test_webhooks_are_described_to_who_may_read_them(hooks: Hooks, world: World) -> None:
    schema = {"type": "object", "properties": {"json": {"type": "object", "title": "<Order>"}}}
    await world.flow("order", inputSchema=schema, outputSchema={"type": "object", "title": "Bill"})
    await hooks.make("orders", flow="order", keySecretRef=KEY_REF, title="Orders & more")
    await hooks.make("closed", enabled=False)
    base = f"/api/v1/namespaces/{world.namespace}/webhooks"
    assert (await hooks.client.get(f"{base}/openapi.json")).status_code == 401
    stranger = await headers_of(world, "stranger", "get")
    assert (await hooks.client.get(f"{base}/docs", headers=stranger)).status_code == 403
    headers = await headers_of(world, "reader", "list")
    document = (await hooks.client.get(f"{base}/openapi.json", headers=headers)).json()
    assert list(document["paths"]) == [f"/hooks/{world.namespace}/orders"]
    post = document["paths"][f"/hooks/{world.namespace}/orders"]["post"]
    body = post["requestBody"]["content"]["application/json"]["schema"]
    assert body == schema["properties"]["json"]  # type: ignore[index]
    assert post["responses"]["200"]["content"]["application/json"]["schema"]["title"] == "Bill"
    assert post["security"] == [{"orders.key": []}, {"orders.header": []}]
    page = await hooks.client.get(f"{base}/docs", headers=headers)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "Orders &amp; more" in page.text
    assert "&lt;Order&gt;" in page.text
    assert "://" not in page.text


async def headers_of(world: World, name: str, verb: str) -> dict[str, str]:
    """Return what proves that somebody is who may do one thing to Webhooks."""
    place = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{world.namespace}"
    rule = {"apiGroups": [names.GROUP], "resources": ["webhooks"], "verbs": [verb]}
    await world.cluster.raw("POST", f"{place}/roles", {"metadata": {"name": name}, "rules": [rule]})
    accounts = f"/api/v1/namespaces/{world.namespace}/serviceaccounts"
    await world.cluster.raw("POST", accounts, {"metadata": {"name": name}})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": world.namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    binding = {"metadata": {"name": name}, "subjects": [subject], "roleRef": reference}
    await world.cluster.raw("POST", f"{place}/rolebindings", binding)
    answer = await world.cluster.raw("POST", f"{accounts}/{name}/token", {"spec": {}})
    return {"Authorization": f"Bearer {answer['status']['token']}"}
