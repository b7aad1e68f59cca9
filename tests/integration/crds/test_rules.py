"""The CRDs' rules, tried on a real API server:

each legal move is taken, each other refused, spec cannot be changed.
"""

import itertools
import uuid
from typing import Any

import pytest

from weir.api import names
from weir.api.phases import Phase
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import Invalid
from weir.cluster.kinds import (
    CONNECTORS,
    EXECUTIONS,
    FLOW_REPOSITORIES,
    FLOWS,
    SCHEDULES,
    SCHEMAS,
    SETTINGS,
    WEBHOOKS,
)

# How to reach each phase from nothing.
WAY = {
    Phase.PENDING: [],
    Phase.QUEUED: [Phase.QUEUED],
    Phase.STARTING: [Phase.STARTING],
    Phase.RUNNING: [Phase.STARTING, Phase.RUNNING],
    Phase.WAITING: [Phase.WAITING],
    Phase.PAUSED: [Phase.PAUSED],
    Phase.SUCCEEDED: [Phase.STARTING, Phase.SUCCEEDED],
    Phase.FAILED: [Phase.FAILED],
    Phase.CANCELLED: [Phase.CANCELLED],
}


async def created(cluster: Cluster, namespace: str, **spec: Any) -> JsonObject:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Execution",
        "metadata": {"name": f"x-{uuid.uuid4().hex[:8]}"},
        "spec": spec or {"flow": "hello"},
    }
    return await cluster.create(EXECUTIONS, namespace, body)


async def with_status(cluster: Cluster, execution: JsonObject, **status: Any) -> JsonObject:
    metadata = execution["metadata"]
    return await cluster.patch(
        EXECUTIONS, metadata["namespace"], metadata["name"], {"status": status}, status=True
    )


async def in_phase(cluster: Cluster, namespace: str, phase: Phase) -> JsonObject:
    execution = await created(cluster, namespace)
    for step in WAY[phase]:
        execution = await with_status(cluster, execution, phase=step)
    return execution


@pytest.mark.parametrize("old", list(Phase), ids=str)
async def test_exactly_the_moves_of_the_table_are_accepted(
    cluster: Cluster, namespace: str, old: Phase
) -> None:
    for new in Phase:
        execution = await in_phase(cluster, namespace, old)
        if new == old or old.can_move_to(new):
            moved = await with_status(cluster, execution, phase=new)
            assert moved["status"]["phase"] == new
        else:
            with pytest.raises(Invalid, match=r"not legal|keeps its phase"):
                await with_status(cluster, execution, phase=new)


async def test_a_phase_never_disappears(cluster: Cluster, namespace: str) -> None:
    execution = await in_phase(cluster, namespace, Phase.RUNNING)
    with pytest.raises(Invalid, match=r"not legal|never disappears"):
        await with_status(cluster, execution, phase=None)


@pytest.mark.parametrize("field", ["attempt", "try"])
async def test_attempts_and_tries_never_go_down(
    cluster: Cluster, namespace: str, field: str
) -> None:
    execution = await with_status(cluster, await created(cluster, namespace), **{field: 2})
    with pytest.raises(Invalid, match="never goes down"):
        await with_status(cluster, execution, **{field: 1})
    with pytest.raises(Invalid, match="never goes down"):
        await with_status(cluster, execution, **{field: None})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reason", "TimedOut"),
        ("outputs", {"b": 2}),
        ("outputs", None),
        ("completionTime", "2026-01-01T00:00:00Z"),
    ],
)
async def test_an_ended_execution_is_frozen(
    cluster: Cluster, namespace: str, field: str, value: object
) -> None:
    execution = await in_phase(cluster, namespace, Phase.STARTING)
    ended = {"phase": "Succeeded", "outputs": {"a": 1}}
    execution = await with_status(cluster, execution, **ended)
    with pytest.raises(Invalid, match=f"keeps its {field}"):
        await with_status(cluster, execution, **{field: value})


SPECS: dict[str, JsonObject] = {
    "none of flow, script and connection": {},
    "a flow and a script": {"flow": "a", "script": "def handler(system, this): pass"},
    "a flow and a connection": {"flow": "a", "connection": {"type": "GIT"}},
    "a connection to nothing": {"connection": {}},
    "inputs that are no object": {"flow": "a", "inputs": [1]},
    "an empty flow name": {"flow": ""},
    "an unknown mode": {"flow": "a", "mode": "Test"},
    "a draft that counts": {"flow": "a", "draft": "x"},
    "a draft of no flow": {"draft": "x", "mode": "Development"},
    "a draft beside a script": {"script": "a", "draft": "x", "mode": "Development"},
    "a timeout without a unit": {"flow": "a", "timeout": "90"},
    "a script of more than 200 KiB": {"script": "#" * (200 * 1024 + 1)},
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
async def test_a_bad_spec_is_refused(cluster: Cluster, namespace: str, spec: JsonObject) -> None:
    with pytest.raises(Invalid):
        await cluster.create(
            EXECUTIONS,
            namespace,
            {
                "apiVersion": names.API_VERSION,
                "kind": "Execution",
                "metadata": {"name": "bad"},
                "spec": spec,
            },
        )


CHANGES: dict[str, tuple[JsonObject, JsonObject]] = {
    "flow": ({"flow": "a"}, {"flow": "b"}),
    "inputs": ({"flow": "a", "inputs": {"x": {"y": [1]}}}, {"inputs": {"x": {"y": [2]}}}),
    "inputs added": ({"flow": "a"}, {"inputs": {"x": 1}}),
    "inputs removed": ({"flow": "a", "inputs": {"x": 1}}, {"inputs": None}),
    "an input added": ({"flow": "a", "inputs": {"x": 1}}, {"inputs": {"z": 1}}),
    "script": ({"script": "a = 1"}, {"script": "a = 2"}),
    "connection": ({"connection": {"type": "GIT"}}, {"connection": {"type": "SSH"}}),
    "parent": ({"flow": "a"}, {"parent": {"name": "p", "uid": "u", "sequence": 1}}),
    "orphan": ({"flow": "a"}, {"orphan": True}),
    "protectInputs": ({"flow": "a", "protectInputs": ["k"]}, {"protectInputs": []}),
    "timeout": ({"flow": "a", "timeout": "1h"}, {"timeout": "2h"}),
    "title": ({"flow": "a", "title": "t"}, {"title": "u"}),
}


@pytest.mark.parametrize(("before", "change"), CHANGES.values(), ids=CHANGES.keys())
async def test_spec_cannot_be_changed(
    cluster: Cluster, namespace: str, before: JsonObject, change: JsonObject
) -> None:
    execution = await created(cluster, namespace, **before)
    with pytest.raises(Invalid, match="cannot be changed"):
        await cluster.patch(EXECUTIONS, namespace, execution["metadata"]["name"], {"spec": change})


@pytest.mark.parametrize(
    ("old", "new"), [*itertools.permutations(["Running", "Paused", "Cancelled"], 2)]
)
async def test_desired_state_may_change_until_it_is_cancelled(
    cluster: Cluster, namespace: str, old: str, new: str
) -> None:
    execution = await created(cluster, namespace, flow="a", desiredState=old)
    name = execution["metadata"]["name"]
    change = {"spec": {"desiredState": new}}
    if old == "Cancelled":
        with pytest.raises(Invalid, match="stays cancelled"):
            await cluster.patch(EXECUTIONS, namespace, name, change)
        with pytest.raises(Invalid, match="stays cancelled"):
            await cluster.patch(EXECUTIONS, namespace, name, {"spec": {"desiredState": None}})
    else:
        changed = await cluster.patch(EXECUTIONS, namespace, name, change)
        assert changed["spec"]["desiredState"] == new


async def test_a_run_may_become_productive_but_never_a_trial(
    cluster: Cluster, namespace: str
) -> None:
    execution = await created(cluster, namespace, flow="a", mode="Development")
    name = execution["metadata"]["name"]
    await cluster.patch(EXECUTIONS, namespace, name, {"spec": {"mode": "Productive"}})
    with pytest.raises(Invalid, match="stays Productive"):
        await cluster.patch(EXECUTIONS, namespace, name, {"spec": {"mode": "Development"}})


async def test_a_draft_never_counts(cluster: Cluster, namespace: str) -> None:
    execution = await created(cluster, namespace, flow="a", draft="x", mode="Development")
    name = execution["metadata"]["name"]
    for change in ({"mode": "Productive"}, {"draft": "y"}):
        with pytest.raises(Invalid):
            await cluster.patch(EXECUTIONS, namespace, name, {"spec": change})


@pytest.mark.parametrize(
    ("kind", "name", "spec"),
    [
        pytest.param(FLOWS, "Flow", {"script": "x"}, id="flow"),
        pytest.param(EXECUTIONS, "Execution", {"flow": "a"}, id="execution"),
        pytest.param(CONNECTORS, "Connector", {"type": "GIT"}, id="connector"),
        pytest.param(SETTINGS, "Setting", {}, id="setting"),
        pytest.param(SCHEMAS, "Schema", {"schema": {}}, id="schema"),
        pytest.param(SCHEDULES, "Schedule", {"flow": "a", "cron": "@daily"}, id="schedule"),
        pytest.param(WEBHOOKS, "Webhook", {"flow": "a"}, id="webhook"),
        pytest.param(FLOW_REPOSITORIES, "FlowRepository", {"url": "u"}, id="repository"),
    ],
)
async def test_a_name_of_more_than_63_characters_is_refused(
    cluster: Cluster, namespace: str, kind: Any, name: str, spec: JsonObject
) -> None:
    body = {"apiVersion": names.API_VERSION, "kind": name, "spec": spec}
    with pytest.raises(Invalid, match="63"):
        await cluster.create(kind, namespace, body | {"metadata": {"name": "n" * 64}})
    await cluster.create(kind, namespace, body | {"metadata": {"name": "n" * 63}})


async def test_executions_are_selected_by_phase_flow_and_parent(
    cluster: Cluster, namespace: str
) -> None:
    execution = await in_phase(cluster, namespace, Phase.RUNNING)
    await in_phase(cluster, namespace, Phase.FAILED)
    listing = await cluster.list(
        EXECUTIONS, namespace, fields="status.phase=Running,spec.flow=hello,spec.parent.name="
    )
    assert [item["metadata"]["name"] for item in listing.items] == [execution["metadata"]["name"]]


@pytest.mark.parametrize("value", [None, 1, 1.5, "text", True, [1, [None]], {"a": {"b": None}}])
async def test_a_setting_takes_any_json_value(cluster: Cluster, namespace: str, value: Any) -> None:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Setting",
        "metadata": {"name": "any"},
        "spec": {"value": value},
    }
    created = await cluster.create(SETTINGS, namespace, body)
    assert created["spec"] == {"value": value}


async def made(cluster: Cluster, kind: Any, namespace: str, name: str, spec: JsonObject) -> Any:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": name,
        "metadata": {"name": "one"},
        "spec": spec,
    }
    return await cluster.create(kind, namespace, body)


async def test_a_schedule_has_either_a_cron_or_an_interval(
    cluster: Cluster, namespace: str
) -> None:
    for times in ({}, {"cron": "@daily", "interval": "1h"}):
        with pytest.raises(Invalid, match="exactly one of cron and interval"):
            await made(cluster, SCHEDULES, namespace, "Schedule", {"flow": "a", **times})
    await made(cluster, SCHEDULES, namespace, "Schedule", {"flow": "a", "cron": "@daily"})
    for change in ({"interval": "1h"}, {"cron": None}):
        with pytest.raises(Invalid, match="exactly one of cron and interval"):
            await cluster.patch(SCHEDULES, namespace, "one", {"spec": change})
    await cluster.patch(SCHEDULES, namespace, "one", {"spec": {"cron": None, "interval": "1h"}})


REFS = {"branch": "main", "tag": "v1", "commit": "a" * 40, "semver": "1.x"}


@pytest.mark.parametrize("pair", [*itertools.combinations(REFS, 2)], ids=" and ".join)
async def test_a_repository_is_taken_at_one_ref(
    cluster: Cluster, namespace: str, pair: tuple[str, str]
) -> None:
    def spec(*fields: str) -> JsonObject:
        return {"url": "u", "ref": {field: REFS[field] for field in fields}}

    with pytest.raises(Invalid, match="at most one of branch, tag, commit and semver"):
        await made(cluster, FLOW_REPOSITORIES, namespace, "FlowRepository", spec(*pair))
    await made(cluster, FLOW_REPOSITORIES, namespace, "FlowRepository", spec(pair[0]))
    with pytest.raises(Invalid, match="at most one of branch, tag, commit and semver"):
        await cluster.patch(FLOW_REPOSITORIES, namespace, "one", {"spec": spec(*pair)})


async def test_a_webhook_that_says_little_is_not_enabled_and_takes_little(
    cluster: Cluster, namespace: str
) -> None:
    spec = (await made(cluster, WEBHOOKS, namespace, "Webhook", {"flow": "a"}))["spec"]
    assert (spec["enabled"], spec["async"], spec["mode"]) == (False, False, "Productive")
    assert (spec["methods"], spec["maxBytes"], spec["timeout"]) == (["GET", "POST"], 2**20, "60s")


async def test_what_a_caller_signs_has_the_body_in_it(cluster: Cluster, namespace: str) -> None:
    def spec(signed: str) -> JsonObject:
        secret = {"name": "s", "key": "k"}
        return {"flow": "a", "hmac": {"secretRef": secret, "signed": signed}}

    for signed in ("{timestamp}", "v0:body"):
        with pytest.raises(Invalid, match=r"has \{body\} in it"):
            await made(cluster, WEBHOOKS, namespace, "Webhook", spec(signed))
    await made(cluster, WEBHOOKS, namespace, "Webhook", spec("v0:{timestamp}:{body}"))
    with pytest.raises(Invalid, match=r"has \{body\} in it"):
        await cluster.patch(WEBHOOKS, namespace, "one", {"spec": spec("{timestamp}")})
