"""FlowRepositories over a real API server, with real Git repositories."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import HANDLER
from tests.cluster.apiserver import ApiServer
from tests.integration.connectors.git_repository import AUTHOR, EMAIL, Repository
from tests.integration.operator.conftest import MakeOperator
from tests.integration.operator.processes import OperatorThread
from tests.integration.operator.world import WAIT_SECONDS, World
from tests.ports import free_port
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.errors import Invalid
from weir.cluster.kinds import CONNECTORS, EVENTS, FLOW_REPOSITORIES, FLOWS, SECRETS, Kind

POLICIES = Kind(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", namespaced=False
)
BINDINGS = Kind(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", namespaced=False
)
OURS = f"{names.REPOSITORY_LABEL}=team"


class Team:
    """A Git repository, and the FlowRepository `team` that a namespace has of it."""

    def __init__(self, world: World, git: Repository) -> None:
        self.world = world
        self.git = git
        self.cluster, self.namespace = world.cluster, world.namespace

    async def follow(self, name: str = "team", **spec: Any) -> None:
        """Create the FlowRepository."""
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "FlowRepository",
            "metadata": {"name": name},
            "spec": {"url": self.git.url, "interval": "1h"} | spec,
        }
        await self.cluster.create(FLOW_REPOSITORIES, self.namespace, body)

    async def change(self, **spec: Any) -> None:
        await self.cluster.patch(FLOW_REPOSITORIES, self.namespace, "team", {"spec": spec})

    async def ask(self, value: str) -> JsonObject:
        """Ask for a sync, and return the status that answers."""
        metadata = {"annotations": {names.SYNC_REQUESTED: value}}
        body: JsonObject = {"metadata": metadata}
        await self.cluster.patch(FLOW_REPOSITORIES, self.namespace, "team", body)
        return await self.status(lambda status: status.get("lastHandledRequest") == value)

    async def status(self, holds: Callable[[JsonObject], bool], name: str = "team") -> JsonObject:
        """Wait until something holds of the status, and return it."""
        found = await self.world.until(
            FLOW_REPOSITORIES, name, lambda item: holds(item.get("status") or {})
        )
        status: JsonObject = found["status"]
        return status

    async def synced(self, commit: str, name: str = "team") -> JsonObject:
        """Wait until a commit is what the namespace shows."""
        return await self.status(
            lambda status: (
                status.get("lastSyncedCommit") == commit and "Reconciling" not in shown(status)
            ),
            name,
        )

    async def fails(self, reason: str, name: str = "team") -> JsonObject:
        """Wait until it is not ready, for a reason."""
        return await self.status(lambda status: shown(status).get("Ready") == reason, name)

    async def flow(self, name: str) -> JsonObject:
        return await self.cluster.get(FLOWS, self.namespace, name)

    async def flows(self, labels: str = OURS) -> set[str]:
        listing = await self.cluster.list(FLOWS, self.namespace, labels=labels)
        return {item["metadata"]["name"] for item in listing.items}

    async def events(self, reason: str) -> list[str]:
        listing = await self.cluster.list(EVENTS, self.namespace)
        return [item["message"] for item in listing.items if item["reason"] == reason]


def shown(status: JsonObject) -> dict[str, str]:
    """Return the reason of each condition."""
    return {one["type"]: one["reason"] for one in status.get("conditions", [])}


def script(word: str) -> str:
    return f"{HANDLER}\n# {word}\n"


@pytest.fixture
def team(world: World, tmp_path: Path) -> Team:
    return Team(world, Repository(tmp_path / "team"))


async def test_a_commit_becomes_flows_that_name_it(operator: OperatorThread, team: Team) -> None:
    commit = team.git.commit("First", {"a.py": script("a"), "deep/b.py": script("b")})
    await team.follow()
    status = await team.synced(commit)

    assert shown(status) == {"Ready": "Synced"}
    assert (status["flows"], status["objects"], status["rejectedCount"]) == (2, 2, 0)
    assert status["shortCommit"] == commit[:7]
    assert status["lastSyncedAuthor"] == f"{AUTHOR} <{EMAIL}>"
    metadata = (await team.flow("a"))["metadata"]
    assert metadata["labels"][names.REPOSITORY_LABEL] == "team"
    assert metadata["annotations"][names.COMMIT] == commit
    assert metadata["annotations"][names.COMMIT_AUTHOR] == f"{AUTHOR} <{EMAIL}>"
    assert metadata["annotations"][names.SOURCE_PATH] == "a.py"
    await team.world.condition(FLOWS, "a", "True")


async def test_a_run_names_the_commit_that_its_script_came_from(
    operator: OperatorThread, team: Team
) -> None:
    commit = team.git.commit("First", {"hello.py": script("a")})
    await team.follow()
    await team.synced(commit)
    await team.world.condition(FLOWS, "hello", "True")
    parent = await team.world.run("parent")
    await team.world.child(parent, "child")
    await team.world.run("draft", flow="hello", draft=script("draft"), mode="Development")
    await team.world.run("loose", script=script("loose"))

    source = {
        "repository": "team",
        "path": "hello.py",
        "commit": commit,
        "author": f"{AUTHOR} <{EMAIL}>",
    }
    for name in ("parent", "child"):
        assert (await team.world.phase(name, "Starting"))["source"] == source
    for name in ("draft", "loose"):
        assert "source" not in await team.world.phase(name, "Starting")


async def test_a_new_commit_writes_what_it_changes_and_prunes_what_it_drops(
    operator: OperatorThread, team: Team
) -> None:
    first = team.git.commit("First", {name: script(name) for name in ("a.py", "b.py", "c.py")})
    await team.follow()
    await team.synced(first)
    before = (await team.flow("a"))["metadata"]
    (team.git.path / "c.py").unlink()
    second = team.git.commit("Second", {"b.py": script("changed"), "d.py": script("d")})
    status = await team.ask("once")

    assert status["lastSyncedCommit"] == second
    assert await team.flows() == {"a", "b", "d"}
    assert (await team.flow("a"))["metadata"]["annotations"] == before["annotations"]
    assert (await team.flow("b"))["metadata"]["annotations"][names.COMMIT] == second


async def test_an_interval_finds_a_new_commit(operator: OperatorThread, team: Team) -> None:
    await team.follow(interval="1s")
    first = team.git.commit("First", {"a.py": script("a")})
    await team.synced(first)
    second = team.git.commit("Second", {"a.py": script("b")})
    await team.synced(second)


async def test_a_sync_that_finds_nothing_new_writes_nothing(
    operator: OperatorThread, team: Team, api_server: ApiServer
) -> None:
    files: dict[str, str | bytes] = {
        f"flow-{number}.py": script(str(number)) for number in range(100)
    }
    files["setting.yaml"] = (
        "apiVersion: weir.dev/v1alpha1\nkind: Setting\nmetadata: {name: s}\nspec: {value: 1}\n"
    )
    commit = team.git.commit("First", files)
    await team.follow(interval="1s")
    await team.synced(commit)
    for number in range(100):
        await team.world.condition(FLOWS, f"flow-{number}", "True")
    await more_syncs(operator, "Unchanged", 1)
    written = api_server.audit_log.stat().st_size
    await more_syncs(operator, "Unchanged", 2)
    with api_server.audit_log.open() as log:
        log.seek(written)
        since = [line for line in log if team.namespace in line]
    assert [line for line in since if "weir.dev" in line] == []


async def more_syncs(operator: OperatorThread, outcome: str, count: int) -> None:
    """Wait until so many more syncs have ended so."""
    name = f'weir_repository_syncs_total{{outcome="{outcome}"}}'
    before = (await operator.metrics()).get(name, 0.0)
    async with asyncio.timeout(WAIT_SECONDS):
        while (await operator.metrics()).get(name, 0.0) < before + count:
            await asyncio.sleep(0.05)


async def test_what_was_changed_or_deleted_by_hand_is_undone_and_told(
    operator: OperatorThread, team: Team
) -> None:
    commit = team.git.commit("First", {"a.py": script("a"), "b.py": script("b")})
    await team.follow()
    await team.synced(commit)
    await team.cluster.patch(FLOWS, team.namespace, "a", {"spec": {"script": script("hand")}})
    status = await team.status(lambda status: status.get("lastDrift") == "Flow/a")
    assert (await team.flow("a"))["spec"]["script"] == script("a")
    assert "lastDriftTime" in status

    await team.cluster.patch(FLOWS, team.namespace, "a", {"spec": {"timeout": "1s"}})
    await team.world.until(FLOWS, "a", lambda item: "timeout" in item["spec"])
    await team.world.until(FLOWS, "a", lambda item: "timeout" not in item["spec"])

    await team.cluster.delete(FLOWS, team.namespace, "b")
    await team.status(lambda status: status.get("lastDrift") == "Flow/b")
    assert (await team.flow("b"))["spec"]["script"] == script("b")
    told = await team.events("Drifted")
    assert sorted(told) == [
        f"Flow/{name} was changed by hand, and is again as commit {commit[:7]} says"
        for name in ("a", "b")
    ]
    assert shown(await team.synced(commit)) == {"Ready": "Synced"}


async def test_a_bad_file_is_rejected_and_the_others_are_taken(
    operator: OperatorThread, team: Team
) -> None:
    good = team.git.commit("Good", {"a.py": script("a"), "b.py": script("b")})
    await team.follow()
    await team.synced(good)
    bad = team.git.commit("Bad", {"a.py": "def handler(:\n", "b.py": script("new")})
    status = await team.ask("once")

    assert shown(status) == {"Ready": "FilesRejected", "Stalled": "FilesRejected"}
    assert [(one["path"], one["reason"]) for one in status["rejected"]] == [("a.py", "SyntaxError")]
    assert (await team.flow("a"))["spec"]["script"] == script("a"), "it stays as it was"
    assert (await team.flow("b"))["metadata"]["annotations"][names.COMMIT] == bad


async def test_what_the_api_server_refuses_is_rejected_in_its_words(
    operator: OperatorThread, team: Team
) -> None:
    await refuse(team, "not-this")
    team.git.commit("First", {"a.py": script("a"), "not-this.py": script("b")})
    await team.follow()
    status = await team.fails("FilesRejected")
    [rejected] = status["rejected"]
    assert (rejected["path"], rejected["reason"]) == ("not-this.py", "Refused")
    assert "the API server refuses Flow not-this: " in rejected["message"]
    assert "nobody may" in rejected["message"]
    assert await team.flows() == {"a"}


async def refuse(team: Team, name: str) -> None:
    """Have the API server refuse a Flow of this name, and wait until it does."""
    rule = {
        "apiGroups": [names.GROUP],
        "apiVersions": ["*"],
        "operations": ["CREATE"],
        "resources": ["flows"],
    }
    here = {"name": "here", "expression": f"request.namespace == '{team.namespace}'"}
    refusal = {"expression": f"object.metadata.name != '{name}'", "message": "nobody may"}
    policy: JsonObject = {
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [here],
        "validations": [refusal],
    }
    binding: JsonObject = {"policyName": team.namespace, "validationActions": ["Deny"]}
    metadata: JsonObject = {"metadata": {"name": team.namespace}}
    await team.cluster.create(POLICIES, None, metadata | {"spec": policy})
    await team.cluster.create(BINDINGS, None, metadata | {"spec": binding})

    async def is_refused() -> bool:
        body = {"apiVersion": names.API_VERSION, "kind": "Flow", "metadata": {"name": name}}
        body["spec"] = {"script": HANDLER}
        try:
            path = FLOWS.path(team.namespace)
            await team.cluster.raw("POST", path, body, dryRun="All")
        except Invalid:
            return True
        return False

    await team.world.eventually(is_refused)


async def test_an_object_of_somebody_else_is_left_alone_until_it_is_handed_over(
    operator: OperatorThread, team: Team
) -> None:
    await team.world.flow("a", script=script("theirs"))
    team.git.commit("First", {"a.py": script("ours"), "b.py": script("b")})
    await team.follow()
    status = await team.fails("FilesRejected")
    assert [one["reason"] for one in status["rejected"]] == ["NotOurs"]
    assert (await team.flow("a"))["spec"]["script"] == script("theirs")

    labels = {"metadata": {"labels": {names.REPOSITORY_LABEL: "team"}}}
    await team.cluster.patch(FLOWS, team.namespace, "a", labels)
    await team.status(lambda status: shown(status) == {"Ready": "Synced"})
    assert (await team.flow("a"))["spec"]["script"] == script("ours")


async def test_of_two_repositories_that_bring_an_object_one_has_it(
    operator: OperatorThread, team: Team
) -> None:
    team.git.commit("First", {f"{number}.py": script(str(number)) for number in range(10)})
    await asyncio.gather(team.follow("team"), team.follow("other"))
    either = [
        await team.status(lambda status: "lastSyncedCommit" in status, name)
        for name in ("team", "other")
    ]
    assert sorted(status["flows"] for status in either) == [0, 10]
    assert sorted(status["rejectedCount"] for status in either) == [0, 10]


async def test_a_secret_that_is_missing_is_named_and_looked_for_again(
    operator: OperatorThread, team: Team
) -> None:
    commit = team.git.commit("First", {"a.py": script("a")})
    await team.follow(secretRef={"name": "login"})
    status = await team.fails("SecretNotFound")
    assert "there is no Secret login" in status["conditions"][0]["message"]
    assert shown(status) == {"Ready": "SecretNotFound", "Stalled": "SecretNotFound"}
    await team.cluster.create(SECRETS, team.namespace, {"metadata": {"name": "login"}})
    await team.synced(commit)


async def test_nothing_happens_while_it_is_suspended(operator: OperatorThread, team: Team) -> None:
    first = team.git.commit("First", {"a.py": script("a")})
    await team.follow()
    await team.synced(first)
    await team.change(suspend=True)
    await team.fails("Suspended")
    second = team.git.commit("Second", {"a.py": script("b")})
    await team.cluster.patch(FLOWS, team.namespace, "a", {"spec": {"script": script("hand")}})
    await team.world.condition(FLOWS, "a", "True")
    assert (await team.flow("a"))["spec"]["script"] == script("hand")
    await team.change(suspend=None)
    await team.synced(second)
    assert (await team.flow("a"))["spec"]["script"] == script("b")


async def test_deleting_it_leaves_what_it_brought_and_no_clone(
    operator: OperatorThread, team: Team, tmp_path: Path
) -> None:
    commit = team.git.commit("First", {"a.py": script("a")})
    await team.follow()
    await team.synced(commit)
    assert len(list((tmp_path / "clones").iterdir())) == 1
    await team.cluster.delete(FLOW_REPOSITORIES, team.namespace, "team")

    async def is_tidy() -> bool:
        return not list((tmp_path / "clones").iterdir())

    await team.world.eventually(is_tidy)
    assert await team.flows() == {"a"}


async def test_nothing_is_pruned_when_prune_is_off_or_no_file_fits(
    operator: OperatorThread, team: Team
) -> None:
    first = team.git.commit("First", {"a.py": script("a"), "b.py": script("b")})
    await team.follow(prune=False)
    await team.synced(first)
    (team.git.path / "b.py").unlink()
    team.git.commit("Second")
    await team.ask("once")
    assert await team.flows() == {"a", "b"}
    (team.git.path / "a.py").unlink()
    (team.git.path / "readme.md").write_text("nothing")
    team.git.commit("Third")
    await team.change(prune=True)
    await team.fails("NoFiles")
    assert await team.flows() == {"a", "b"}


async def test_a_host_that_is_away_is_tried_again(operator: OperatorThread, team: Team) -> None:
    commit = team.git.commit("First", {"a.py": script("a")})
    port = free_port()
    await team.follow(url=f"git://127.0.0.1:{port}/{team.git.path.name}", interval="2s")
    status = await team.fails("FetchFailed")
    assert shown(status) == {"Ready": "FetchFailed", "Reconciling": "FetchFailed"}
    with git_daemon(team.git.path.parent, port):
        await team.synced(commit)


@contextlib.contextmanager
def git_daemon(folder: Path, port: int) -> Iterator[None]:
    """Serve the repositories of a folder."""
    options = ("--listen=127.0.0.1", f"--port={port}", "--export-all", f"--base-path={folder}")
    daemon = subprocess.Popen(("git", "daemon", *options), start_new_session=True)
    try:
        yield
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)
        daemon.wait()


async def test_a_host_that_does_not_answer_keeps_nobody_waiting(
    operator: OperatorThread, team: Team
) -> None:
    """Neither other repositories nor the operator's end, which the fixture waits for."""
    with socket.create_server(("127.0.0.1", free_port())) as silent:
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/flows"
        for number in range(3):
            await team.follow(f"silent-{number}", url=url, timeout="20s")
        connection, _ = await asyncio.to_thread(silent.accept)
        commit = team.git.commit("First", {"a.py": script("a")})
        await team.follow()
        await team.synced(commit)
        connection.close()


async def test_an_operator_killed_amid_applying_completes_it_at_its_next_start(
    make_operator: MakeOperator, team: Team
) -> None:
    operator = make_operator()
    await operator.start()
    first = team.git.commit("First", {f"old-{n}.py": script(str(n)) for n in range(5)})
    await team.follow()
    await team.synced(first)
    for number in range(5):
        (team.git.path / f"old-{number}.py").unlink()
    names_ = [f"flow-{number}" for number in range(150)]
    second = team.git.commit("Second", {f"{name}.py": script(name) for name in names_})
    metadata = {"annotations": {names.SYNC_REQUESTED: "once"}}
    await team.cluster.patch(FLOW_REPOSITORIES, team.namespace, "team", {"metadata": metadata})
    while len(await team.flows()) < 20:
        await asyncio.sleep(0.01)
    operator.kill()
    found = await team.flows()
    assert len(found) < 155, "it was amid its work"
    assert {f"old-{number}" for number in range(5)} <= found, (
        "nothing is pruned before all is there"
    )

    await operator.start()
    await team.synced(second)
    assert await team.flows() == set(names_)


async def test_an_object_by_a_service_account_needs_its_rights(
    operator: OperatorThread, team: Team
) -> None:
    team.git.commit("First", {"a.py": script("a")})
    await team.follow(serviceAccountName="sync")
    status = await team.fails("ApplyFailed")
    assert f"{team.namespace}:sync" in status["conditions"][0]["message"]


async def test_other_kinds_are_brought_with_the_rights_of_a_service_account(
    operator: OperatorThread, team: Team
) -> None:
    connector = (
        "apiVersion: weir.dev/v1alpha1\nkind: Connector\nmetadata: {name: c}\n"
        "spec: {type: GIT, inputs: {repository_url: 'https://git.example/a'}}\n"
    )
    team.git.commit("First", {"a.py": script("a"), "c.yaml": connector})
    await team.follow()
    status = await team.fails("FilesRejected")
    assert [one["reason"] for one in status["rejected"]] == ["KindNotAllowed"]

    rules = [
        {
            "apiGroups": [names.GROUP],
            "resources": ["flows", "connectors"],
            "verbs": ["get", "list", "create", "patch", "delete"],
        }
    ]
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "sync"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "sync"},
        "subjects": [{"kind": "ServiceAccount", "name": "sync", "namespace": team.namespace}],
    }
    role = {"metadata": {"name": "sync"}, "rules": rules}
    await team.cluster.create(Kind(group, "v1", "roles"), team.namespace, role)
    await team.cluster.create(Kind(group, "v1", "rolebindings"), team.namespace, binding)
    await team.change(kinds=["Flow", "Connector"], serviceAccountName="sync")
    await team.status(lambda status: shown(status) == {"Ready": "Synced"})
    made = await team.cluster.get(CONNECTORS, team.namespace, "c")
    assert made["metadata"]["labels"][names.REPOSITORY_LABEL] == "team"
