"""The chart's roles and its admission policy, tried on a real API server with real users."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.chart.applying import FOREIGN, apply, install, kubectl, namespace
from tests.chart.rendering import NAMESPACE, Manifest, render
from tests.chart.variants import VARIANTS
from tests.cluster.apiserver import ApiServer
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError, Invalid, Refused
from weir.cluster.kinds import (
    CONFIG_MAPS,
    CONNECTORS,
    EXECUTIONS,
    FLOW_REPOSITORIES,
    FLOWS,
    PODS,
    SCHEDULES,
    SECRETS,
    SETTINGS,
    WEBHOOKS,
    Kind,
)

SCRIPT = "def handler(system, this):\n    return this.success()\n"
SERVER = f"system:serviceaccount:{NAMESPACE}:weir-server"
OPERATOR = f"system:serviceaccount:{NAMESPACE}:weir-operator"
RUNNER = "system:serviceaccount:team:default"
PARENT = {"name": "p", "uid": "u", "sequence": 1}
# The role that each user is bound to in the namespace `team`.
BINDINGS = {"dora": "weir-view", "alice": "weir-user", "bob": "weir-author", "carol": "edit"}

As = Callable[[str], Awaitable[Cluster]]


def binding(user: str, role: str) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": user, "namespace": "team"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": role,
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }


def role(name: str, resources: list[str], *verbs: str) -> Manifest:
    rule = {"apiGroups": [names.GROUP], "resources": resources, "verbs": [*verbs]}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": "team"},
        "rules": [rule],
    }


def _role(name: str) -> Manifest:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}


# Who may make Flows, but change only one of those that are there.
EVES_ROLE: list[Manifest] = [
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "eve", "namespace": "team"},
        "rules": [
            {"apiGroups": [names.GROUP], "resources": ["executions"], "verbs": ["create"]},
            {"apiGroups": [names.GROUP], "resources": ["flows"], "verbs": ["create"]},
            {
                "apiGroups": [names.GROUP],
                "resources": ["flows"],
                "resourceNames": ["hers"],
                "verbs": ["update"],
            },
        ],
    },
    binding("eve", "eve")
    | {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "eve"}},
]


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """An API server with all that the chart renders, and users bound to its roles."""
    with ApiServer(controllers=True) as api_server:
        values = {"networkPolicy": {"runners": {"namespaces": ["team"]}}}
        install(api_server, render(values), "team", "other")
        apply(api_server, [binding(user, role) for user, role in BINDINGS.items()])
        apply(api_server, [*EVES_ROLE])
        yield api_server


@pytest.fixture
async def acting_as(server: ApiServer) -> AsyncIterator[As]:
    """A client that acts as the named user, once the policy is in force."""
    clients: list[Cluster] = []

    async def act(user: str) -> Cluster:
        groups = ["system:serviceaccounts"] if user.startswith("system:") else []
        cluster = await Cluster.connect(kubeconfig=server.kubeconfig_for(user, groups))
        clients.append(await cluster.__aenter__())
        return cluster

    await _until_the_policy_is_in_force(await act("bob"))
    yield act
    for cluster in clients:
        await cluster.close()


async def _until_the_policy_is_in_force(author: Cluster) -> None:
    """The API server takes notice of a new policy, and of aggregated roles, after a moment."""
    async with asyncio.timeout(60):
        while True:
            try:
                await run(author, flow="probe", parent=PARENT)
            except Refused as error:
                if "spec.parent" in error.message:
                    return


async def run(cluster: Cluster, namespace: str = "team", **spec: Any) -> JsonObject:
    return await cluster.create(EXECUTIONS, namespace, execution(**spec))


def execution(**spec: Any) -> JsonObject:
    return {
        "apiVersion": names.API_VERSION,
        "kind": "Execution",
        "metadata": {"name": f"x-{uuid.uuid4().hex[:8]}"},
        "spec": spec,
    }


def flow() -> JsonObject:
    metadata = {"name": f"f-{uuid.uuid4().hex[:8]}"}
    return {
        "apiVersion": names.API_VERSION,
        "kind": "Flow",
        "metadata": metadata,
        "spec": {"script": SCRIPT},
    }


def thing(kind: str, **spec: Any) -> JsonObject:
    metadata = {"name": f"t-{uuid.uuid4().hex[:8]}"}
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }


# What makes runs, and brings flows, one day
TRIGGERS: list[tuple[Kind, JsonObject]] = [
    (SCHEDULES, thing("Schedule", flow="nightly", cron="@daily")),
    (WEBHOOKS, thing("Webhook", flow="nightly")),
    (FLOW_REPOSITORIES, thing("FlowRepository", url="https://git.example.com/team/flows")),
]
each_trigger = pytest.mark.parametrize(
    ("kind", "body"), TRIGGERS, ids=[kind.plural for kind, _ in TRIGGERS]
)


def named(body: JsonObject) -> JsonObject:
    """Return the object under a new name."""
    return body | {"metadata": {"name": f"t-{uuid.uuid4().hex[:8]}"}}


# Runs that bring code of their own

OWN_CODE = [
    {"script": SCRIPT},
    {"connection": {"type": "GIT"}},
    {"connection": {"connector": "deploy-key"}},
]


@pytest.mark.parametrize("spec", OWN_CODE, ids=["script", "connection type", "connector"])
async def test_a_user_may_run_flows_but_no_code_of_their_own(
    acting_as: As, spec: JsonObject
) -> None:
    alice = await acting_as("alice")
    await run(alice, flow="nightly")
    with pytest.raises(Refused, match="only those who may create Flows"):
        await run(alice, **spec)


@pytest.mark.parametrize("user", ["bob", "carol"])
@pytest.mark.parametrize("spec", OWN_CODE, ids=["script", "connection type", "connector"])
async def test_an_author_may_run_code_of_their_own(
    acting_as: As, user: str, spec: JsonObject
) -> None:
    await run(await acting_as(user), **spec)


async def test_a_user_may_still_cancel_and_pause_a_run_with_code_of_its_own(acting_as: As) -> None:
    made = await run(await acting_as("bob"), script=SCRIPT)
    alice = await acting_as("alice")
    for state in ("Paused", "Cancelled"):
        await alice.patch(
            EXECUTIONS, "team", made["metadata"]["name"], {"spec": {"desiredState": state}}
        )


DRAFT = {"draft": SCRIPT, "mode": "Development"}


@pytest.mark.parametrize(
    ("user", "flow", "why"),
    [
        pytest.param("alice", "nightly", "only those who may create Flows", id="a user"),
        pytest.param(
            "eve", "nightly", "only those who may update that Flow", id="an author of others"
        ),
        pytest.param("eve", "hers", None, id="the Flow's author"),
        pytest.param("bob", "nightly", None, id="an author of all"),
    ],
)
async def test_a_draft_asks_for_the_right_to_change_its_flow(
    acting_as: As, user: str, flow: str, why: str | None
) -> None:
    client = await acting_as(user)
    if why is None:
        await run(client, flow=flow, **DRAFT)
        return
    with pytest.raises(Refused, match=why):
        await run(client, flow=flow, **DRAFT)


async def test_rights_hold_in_their_namespace_only(acting_as: As) -> None:
    with pytest.raises(Refused):
        await run(await acting_as("alice"), "other", flow="nightly")


# What is the server's alone


@pytest.mark.parametrize("user", ["alice", "bob", "carol", OPERATOR])
@pytest.mark.parametrize(
    "spec",
    [{"parent": PARENT}, {"inputsRef": {"digest": "d", "bytes": 1}}],
    ids=["parent", "inputsRef"],
)
async def test_nobody_but_the_server_sets_parent_and_inputs_ref(
    acting_as: As, user: str, spec: JsonObject
) -> None:
    with pytest.raises(Refused):
        await run(await acting_as(user), flow="nightly", **spec)


async def test_the_cluster_admin_cannot_set_a_parent_either(server: ApiServer) -> None:
    async with await Cluster.connect(kubeconfig=server.kubeconfig) as admin:
        with pytest.raises(Refused, match=r"spec\.parent is set by Weir's server only"):
            await run(admin, flow="nightly", parent=PARENT)


@pytest.mark.parametrize("spec", [{"flow": "nightly"}, *OWN_CODE])
async def test_the_server_makes_children_of_every_kind(acting_as: As, spec: JsonObject) -> None:
    server = await acting_as(SERVER)
    reference = {"digest": "d", "bytes": 1}
    await run(server, **spec, parent=PARENT, inputsRef=reference)


async def test_a_parent_cannot_be_added_later(acting_as: As) -> None:
    bob = await acting_as("bob")
    made = await run(bob, flow="nightly")
    with pytest.raises((Refused, Invalid)):
        await bob.patch(EXECUTIONS, "team", made["metadata"]["name"], {"spec": {"parent": PARENT}})


async def test_a_child_may_be_cancelled_and_labelled_by_users(acting_as: As) -> None:
    made = await run(await acting_as(SERVER), flow="nightly", parent=PARENT)
    alice = await acting_as("alice")
    body = {"metadata": {"labels": {"seen": "yes"}}, "spec": {"desiredState": "Cancelled"}}
    await alice.patch(EXECUTIONS, "team", made["metadata"]["name"], body)


# Roles


async def test_a_viewer_may_look_and_nothing_else(acting_as: As) -> None:
    dora = await acting_as("dora")
    for kind in (FLOWS, EXECUTIONS, CONNECTORS):
        await dora.list(kind, "team")
    with pytest.raises(Refused):
        await run(dora, flow="nightly")


async def test_only_authors_write_flows(acting_as: As) -> None:
    for user in ("alice", "dora"):
        with pytest.raises(Refused):
            await (await acting_as(user)).create(FLOWS, "team", flow())
    for user in ("bob", "carol"):
        await (await acting_as(user)).create(FLOWS, "team", flow())


@pytest.mark.parametrize("user", ["dora", "alice", "bob", "carol"])
async def test_no_person_writes_a_status(acting_as: As, user: str) -> None:
    made = await run(await acting_as("bob"), flow="nightly")
    with pytest.raises(Refused):
        await (await acting_as(user)).patch(
            EXECUTIONS,
            "team",
            made["metadata"]["name"],
            {"status": {"phase": "Succeeded"}},
            status=True,
        )


async def test_weirs_roles_give_no_secrets_and_no_pods(acting_as: As) -> None:
    for user in ("dora", "alice", "bob"):
        for kind in (SECRETS, PODS):
            with pytest.raises(Refused):
                await (await acting_as(user)).list(kind, "team")


async def test_whoever_is_authenticated_may_ask_for_the_servers_ca(
    server: ApiServer, acting_as: As
) -> None:
    async with await Cluster.connect(kubeconfig=server.kubeconfig) as admin:
        body = {"metadata": {"name": "weir-server-ca"}, "data": {"ca.crt": "pem"}}
        await admin.create(CONFIG_MAPS, NAMESPACE, body)
    nobody = await acting_as("eve")
    await nobody.get(CONFIG_MAPS, NAMESPACE, "weir-server-ca")
    with pytest.raises(Refused):
        await nobody.list(CONFIG_MAPS, NAMESPACE)


@each_trigger
async def test_only_authors_write_what_starts_runs_and_brings_flows(
    acting_as: As, kind: Kind, body: JsonObject
) -> None:
    for user in ("bob", "carol"):
        made = await (await acting_as(user)).create(kind, "team", named(body))
        await (await acting_as("dora")).get(kind, "team", made["metadata"]["name"])
    alice = await acting_as("alice")
    with pytest.raises(Refused):
        await alice.create(kind, "team", named(body))
    with pytest.raises(Refused):
        await alice.patch(kind, "team", made["metadata"]["name"], {"spec": {"flow": "x"}})


# Service accounts


async def test_the_operator_starts_runs_of_schedules_under_the_policy(acting_as: As) -> None:
    operator = await acting_as(OPERATOR)
    due = execution(flow="nightly", inputs={"a": 1})
    due["metadata"]["labels"] = {names.SCHEDULE_LABEL: "nightly"}
    due["metadata"]["annotations"] = {names.SCHEDULED_TIME: "2026-11-24T03:00:00Z"}
    await operator.create(EXECUTIONS, "team", due)


async def test_the_server_starts_runs_of_webhooks_under_the_policy(acting_as: As) -> None:
    called = execution(flow="deploy", inputsRef={"digest": "d", "bytes": 1})
    called["metadata"]["labels"] = {names.WEBHOOK_LABEL: "push"}
    await (await acting_as(SERVER)).create(EXECUTIONS, "team", called)


@pytest.mark.parametrize("kind", ["Flow", "Schedule", "Setting"])
async def test_the_operator_writes_what_repositories_bring(acting_as: As, kind: str) -> None:
    kinds = {"Flow": FLOWS, "Schedule": SCHEDULES, "Setting": SETTINGS}
    specs: dict[str, JsonObject] = {
        "Flow": {"script": SCRIPT},
        "Schedule": {"flow": "nightly", "cron": "@daily"},
        "Setting": {"value": 1},
    }
    operator, body = await acting_as(OPERATOR), thing(kind, **specs[kind])
    manager, name = names.REPOSITORY_MANAGER, body["metadata"]["name"]
    for _ in range(2):
        await operator.apply(kinds[kind], "team", name, body, manager=manager)
    await operator.list(kinds[kind], "team")
    await operator.delete(kinds[kind], "team", name)


async def test_connectors_and_webhooks_need_the_rights_of_a_service_account(
    server: ApiServer, acting_as: As
) -> None:
    """The operator has none itself, acts as one of the namespace, and is bound by what that may."""
    account = {"kind": "ServiceAccount", "name": "sync", "namespace": "team"}
    apply(
        server,
        [
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": "sync", "namespace": "team"},
            },
            role("sync", ["connectors"], "get", "list", "create", "patch"),
            role("sync-runs", ["executions"], "create"),
            binding("sync", "sync") | {"roleRef": _role("sync"), "subjects": [account]},
            binding("sync-runs", "x") | {"roleRef": _role("sync-runs"), "subjects": [account]},
        ],
    )
    operator, manager = await acting_as(OPERATOR), names.REPOSITORY_MANAGER
    body = thing("Connector", type="GIT")
    name = body["metadata"]["name"]
    with pytest.raises(Refused):
        await operator.apply(CONNECTORS, "team", name, body, manager=manager)
    sync = operator.acting_as("system:serviceaccount:team:sync")
    async with asyncio.timeout(60):
        while True:  # the API server takes notice of a new role after a moment
            try:
                await sync.apply(CONNECTORS, "team", name, body, manager=manager)
                break
            except Refused:
                await asyncio.sleep(0.05)
    for kind, other in ((WEBHOOKS, TRIGGERS[1][1]), (FLOWS, flow())):
        with pytest.raises(Refused):
            await sync.create(kind, "team", named(other))
    await run(sync, flow="nightly")
    with pytest.raises(Refused, match="only those who may create Flows"):
        await run(sync, script=SCRIPT)
    with pytest.raises(Refused):
        await sync.list(CONNECTORS, "other")


@pytest.mark.parametrize("user", ["bob", "system:admin", "system:kube-scheduler"])
async def test_the_operator_acts_as_no_user(acting_as: As, user: str) -> None:
    other = (await acting_as(OPERATOR)).acting_as(user)
    with pytest.raises(Refused, match="impersonate"):
        await other.list(FLOWS, "team")


async def test_the_server_acts_as_nobody(acting_as: As) -> None:
    other = (await acting_as(SERVER)).acting_as(RUNNER)
    with pytest.raises(Refused, match="impersonate"):
        await other.list(FLOWS, "team")


async def test_the_server_asks_for_a_sync_and_makes_no_repository(acting_as: As) -> None:
    body = named(TRIGGERS[2][1])
    made = await (await acting_as("bob")).create(FLOW_REPOSITORIES, "team", body)
    server, name = await acting_as(SERVER), made["metadata"]["name"]
    asked = {"metadata": {"annotations": {names.SYNC_REQUESTED: "now"}}}
    await server.patch(FLOW_REPOSITORIES, "team", name, asked)
    with pytest.raises(Refused):
        await server.create(FLOW_REPOSITORIES, "team", named(body))
    with pytest.raises(Refused):
        await server.delete(FLOW_REPOSITORIES, "team", name)


@pytest.mark.parametrize("kind", [FLOWS, EXECUTIONS, CONNECTORS, SECRETS, PODS])
async def test_a_runners_service_account_may_not_even_look(acting_as: As, kind: Any) -> None:
    runner = await acting_as(RUNNER)
    with pytest.raises(ClusterError):
        await runner.list(kind, "team")


async def test_the_operator_cannot_read_all_secrets_at_once(acting_as: As) -> None:
    for account in (OPERATOR, SERVER):
        with pytest.raises(Refused):
            await (await acting_as(account)).list(SECRETS, "team")


async def test_the_server_makes_no_pods(acting_as: As) -> None:
    server = await acting_as(SERVER)
    container = {"name": "c", "image": "i"}
    body = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    with pytest.raises(Refused):
        await server.create(PODS, "team", body)


def test_every_rendering_is_accepted_by_the_api_server(server: ApiServer) -> None:
    apply(server, [namespace("team-a"), namespace("team-b")])
    for values in VARIANTS.values():
        # Claims cannot be changed, and one is there already.
        known = [
            one for one in render(values) if one["kind"] not in FOREIGN | {"PersistentVolumeClaim"}
        ]
        whole = {"apiVersion": "v1", "kind": "List", "items": known}
        kubectl(
            server,
            *("apply", "--server-side", "--dry-run=server", "--force-conflicts", "--filename=-"),
            stdin=json.dumps(whole),
        )


def test_the_policy_is_well_typed(server: ApiServer) -> None:
    policy = json.loads(
        kubectl(
            server,
            "get",
            "validatingadmissionpolicy",
            "--output=json",
            f"{NAMESPACE}-weir-executions",
        )
    )
    checked = policy.get("status", {}).get("typeChecking", {})
    assert not checked.get("expressionWarnings")
