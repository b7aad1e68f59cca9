"""FlowRepositories against a real Git host on the node: by https and by ssh, with and without push
notices; what people, other controllers and killed operators do meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.given import Given, camel
from tests.e2e.history import History
from tests.e2e.installation import NAMESPACE
from tests.e2e.test_cli import Command
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from tests.integration.git_host import BRANCH, GitHost, hosting
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.kinds import CONFIG_MAPS, FLOW_REPOSITORIES, FLOWS, SCHEDULES, SECRETS, Kind

NODES = Kind("", "v1", "nodes")

# The host's users are those of this machine, which is the node.
pytestmark = pytest.mark.own_node

ONE = "def handler(system, this):\n    return this.success('one')\n"
TWO = ONE.replace("one", "two")
THREE = ONE.replace("one", "three")
# A push is seen within this, however busy the machine is; how long it took is printed.
PATIENCE = 60.0


@pytest.fixture
async def address(world: World) -> str:
    """The node's address, which Pods reach."""
    (node,) = (await world.cluster.list(NODES, None)).items
    found = (one for one in node["status"]["addresses"] if one["type"] == "InternalIP")
    return str(next(found)["address"])


@pytest.fixture
def host(address: str) -> Iterator[GitHost]:
    with hosting(address) as host:
        yield host


class Repositories:
    """FlowRepositories of the test's namespace, and what is to be seen of them."""

    def __init__(self, world: World, host: GitHost, history: History) -> None:
        self._world = world
        self._host = host
        self.history = history

    async def made(self, name: str = "team", **spec: Any) -> None:
        """Make one by https, with its Secret, and wait until it was synced."""
        await Given(self._world).secret(f"{name}-git", **self._host.login)
        await self.applied(name, url=self._host.https_url, **spec)

    async def applied(self, name: str, **spec: Any) -> None:
        body = manifest(name, {"secret_ref": {"name": f"{name}-git"}, "interval": "1h"} | spec)
        await self._world.cluster.create(FLOW_REPOSITORIES, self._world.namespace, body)
        await self.says(name, lambda status: bool(status.get("observedGeneration")))

    async def told_of_pushes(self, name: str = "team") -> None:
        """Let the host's hook call the server, as a webhook of GitHub does."""
        world = self._world
        (pod,) = await world.installation.pods_of(world.cluster, "server")
        published = await world.cluster.get(CONFIG_MAPS, NAMESPACE, "weir-server-ca")
        authority = Path(self._host.folder / "weir-ca.crt")
        authority.write_text(published["data"]["ca.crt"])
        path = self.status(name)["webhookPath"]
        self._host.tell(
            f"{pod['status']['podIP']}:8443", path, secret="s3cret", authority=authority
        )

    async def changed(self, name: str = "team", **spec: Any) -> None:
        body = {"spec": camel(spec)}
        await self._world.cluster.patch(FLOW_REPOSITORIES, self._world.namespace, name, body)

    def object(self, name: str = "team") -> JsonObject:
        return self.history.current(FLOW_REPOSITORIES, name) or {}

    def status(self, name: str = "team") -> JsonObject:
        status: JsonObject = self.object(name).get("status") or {}
        return status

    def reason(self, name: str = "team") -> str:
        conditions = self.status(name).get("conditions") or []
        return next((one["reason"] for one in conditions if one["type"] == "Ready"), "")

    async def says(
        self, name: str, holds: Callable[[JsonObject], bool], within: float = PATIENCE
    ) -> None:
        try:
            await self.history.until(
                lambda: holds(self.status(name)), within=within, what=f"{name}'s status"
            )
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {json.dumps(self.status(name))}") from None

    async def shows(self, sha: str, name: str = "team") -> None:
        """Wait until the namespace shows a commit."""
        await self.says(name, lambda status: status.get("lastSyncedCommit") == sha)

    def script(self, flow: str) -> str | None:
        found = self._world.history.current(FLOWS, flow)
        return found["spec"]["script"] if found else None

    async def flow_is(self, flow: str, script: str | None) -> float:
        """Wait until a Flow has this script, or is gone; return when that was seen."""
        await self._world.history.until(
            lambda: self.script(flow) == script, within=PATIENCE, what=f"the script of {flow}"
        )
        return time.monotonic()


@pytest.fixture
async def repositories(world: World, host: GitHost) -> AsyncIterator[Repositories]:
    kinds = (FLOW_REPOSITORIES, SCHEDULES)
    async with History(world.cluster, world.namespace, kinds) as history:
        yield Repositories(world, host, history)


def manifest(name: str, spec: JsonObject) -> JsonObject:
    return {
        "apiVersion": names.API_VERSION,
        "kind": "FlowRepository",
        "metadata": {"name": name},
        "spec": camel(spec),
    }


WEBHOOK = {"secretKeyRef": {"name": "notices", "key": "secret"}}


async def test_a_push_is_live_in_a_moment_when_the_host_tells_of_it(
    given: Given, when: When, then: Then, world: World, host: GitHost, repositories: Repositories
) -> None:
    await given.secret("notices", secret="s3cret")
    first = host.push("First flow", flows__report_py=ONE)
    await repositories.made(webhook=WEBHOOK)
    await repositories.shows(first)
    await repositories.told_of_pushes()

    second = host.push("Second", flows__report_py=TWO)
    pushed = time.monotonic()
    took = await repositories.flow_is("report", TWO) - pushed
    print(f"\npushed, told, live after {took:.2f} s")
    assert took < 20
    await repositories.shows(second)

    run = await when.executed("report")
    await then(run).succeeds(message="two")
    source = run.status["source"]
    assert (source["repository"], source["path"]) == ("team", "flows/report.py")
    assert source["commit"] == second
    assert "Ada Lovelace" in source["author"]
    table = await world.installation.kubectl("get", "flows", f"--namespace={world.namespace}")
    assert "SOURCE" in table
    assert second in table


async def test_a_push_is_found_by_ssh_within_the_interval(
    given: Given, host: GitHost, repositories: Repositories
) -> None:
    await given.secret("team-git", **host.key)
    await repositories.applied("team", url=host.ssh_url, interval="2s", ref={"branch": BRANCH})
    assert repositories.reason() == "NoFiles"
    host.push("One", report_py=ONE)
    await repositories.flow_is("report", ONE)
    host.push("Two", report_py=TWO)
    pushed = time.monotonic()
    took = await repositories.flow_is("report", TWO) - pushed
    print(f"\npushed, found, live after {took:.2f} s")
    assert took < 20


async def test_a_host_that_nobody_vouches_for_is_not_spoken_to(
    given: Given, host: GitHost, repositories: Repositories
) -> None:
    await given.secret("team-git", identity=host.ssh.key)
    await repositories.applied("team", url=host.ssh_url)
    await repositories.says("team", lambda _: repositories.reason() == "HostKeyUnknown")
    await given.secret("other-git", **host.login | {"password": "wrong"})
    await repositories.applied("other", url=host.https_url)
    await repositories.says("other", lambda _: repositories.reason("other") != "Syncing")
    assert repositories.reason("other") == "AuthenticationFailed"
    for said in (json.dumps(repositories.object(one)) for one in ("team", "other")):
        assert "wrong" not in said


async def test_what_is_changed_by_hand_is_put_right(
    world: World, when: When, host: GitHost, repositories: Repositories
) -> None:
    host.push(flows__report_py=ONE)
    await repositories.made()
    await repositories.flow_is("report", ONE)
    await when.flow_changed("report", script=THREE)
    await repositories.flow_is("report", ONE)
    await repositories.says("team", lambda status: status.get("lastDrift") == "Flow/report")
    await when.flow_deleted("report")
    await repositories.flow_is("report", None)
    await repositories.flow_is("report", ONE)


async def test_a_bad_file_changes_nothing_and_is_told_of(
    host: GitHost, repositories: Repositories, world: World
) -> None:
    weir = Command(world)
    host.push(good_py=ONE, bad_py=ONE)
    await repositories.made()
    synced = await weir("sync", "team")
    assert (synced.code, "2 flows, 0 other objects" in synced.out) == (0, True), synced
    host.push(good_py=TWO, bad_py="def handler(")
    synced = await weir("sync", "team")
    assert synced.code == 1, synced
    table = synced.out.splitlines()
    assert "FilesRejected" in table[1]
    assert table[-1].split()[:2] == ["bad.py", "SyntaxError"]
    await repositories.flow_is("good", TWO)
    assert repositories.script("bad") == ONE
    host.push(gone=("bad.py",))
    synced = await weir("sync", "team", "-o", "json")
    assert (synced.code, json.loads(synced.out)["status"]["flows"]) == (0, 1), synced
    await repositories.flow_is("bad", None)


async def test_a_suspended_repository_is_left_alone(
    world: World, when: When, host: GitHost, repositories: Repositories
) -> None:
    host.push(report_py=ONE)
    await repositories.made(interval="1s")
    await repositories.flow_is("report", ONE)
    await repositories.changed(suspend=True)
    await repositories.says("team", lambda _: repositories.reason() == "Suspended")
    sha = host.push(report_py=TWO)
    await when.flow_changed("report", script=THREE)
    refused = await Command(world)("sync", "team")
    assert (refused.code, "suspended" in refused.err) == (4, True)
    await asyncio.to_thread(host.pull)
    assert repositories.script("report") == THREE
    assert repositories.status()["lastSyncedCommit"] != sha
    await repositories.changed(suspend=False)
    await repositories.flow_is("report", TWO)


async def test_an_edited_script_is_committed_and_comes_back(
    world: World, host: GitHost, repositories: Repositories, tmp_path: Path
) -> None:
    weir = Command(world)
    host.push(flows__report_py=ONE)
    await repositories.made(push={})
    await repositories.flow_is("report", ONE)
    edited = tmp_path / "report.py"
    edited.write_text(TWO)

    tried = await weir("push", "report", "-f", str(edited), "--dry-run")
    assert tried.code == 0, tried.err
    assert "+    return this.success('two')" in tried.out
    own = await weir("push", "report", "-f", str(edited), "-m", "Say two", "-o", "json")
    assert own.code == 0, own.err
    told = json.loads(own.out)
    assert told["branch"].startswith("weir/")
    assert host.shown(told["branch"], "%H") == told["commit"]
    assert host.shown(told["branch"], "flows/report.py") == TWO.strip()
    assert host.shown(told["branch"], "%s") == "Say two"
    assert f"Weir-User: {host.shown(told['branch'], '%an')}" in host.shown(told["branch"], "%b")
    assert host.shown(BRANCH, "flows/report.py") == ONE.strip()
    edited.write_text(THREE)
    again = await weir("push", "report", "-f", str(edited))
    assert again.code == 0, again.err

    taken = await weir("push", "report", "-f", str(edited), "--branch", BRANCH)
    assert taken.code == 0, taken.err
    await repositories.flow_is("report", THREE)
    host.pull()
    host.push(flows__report_py=TWO)
    late = tmp_path / "late.py"
    late.write_text(ONE)
    refused = await weir("push", "report", "-f", str(late), "--branch", BRANCH)
    assert refused.code == 4
    assert "(409)" in refused.err
    assert "sync" in refused.err


FLUX = ("--server-side", "--field-manager=kustomize-controller", "--force-conflicts")


async def test_what_flux_and_argo_cd_apply_stays_theirs(
    world: World, host: GitHost, repositories: Repositories, tmp_path: Path
) -> None:
    async def apply(*objects: JsonObject) -> None:
        """Apply as the controllers of Flux and Argo CD do, which they repeat at each interval."""
        file = tmp_path / "applied.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        namespace = f"--namespace={world.namespace}"
        await world.installation.kubectl("apply", *FLUX, namespace, "-f", str(file))

    theirs = {
        "apiVersion": names.API_VERSION,
        "kind": "Flow",
        "metadata": {"name": "theirs", "labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}},
        "spec": {"script": ONE},
    }
    host.push(ours_py=ONE, theirs_py=TWO)
    login = {"metadata": {"name": "team-git"}, "stringData": host.login}
    await world.cluster.create(SECRETS, world.namespace, login)
    team = manifest(
        "team", {"url": host.https_url, "interval": "1h", "secret_ref": {"name": "team-git"}}
    )
    await apply(theirs, team)
    await repositories.flow_is("ours", ONE)
    await repositories.says("team", lambda status: status.get("rejectedCount") == 1)
    (rejected,) = repositories.status()["rejected"]
    assert (rejected["path"], rejected["reason"]) == ("theirs.py", "NotOurs")

    synced = await Command(world)("sync", "team")
    assert synced.code == 1, synced
    before = repositories.object()
    await apply(theirs, team)
    host.push(ours_py=TWO)
    await Command(world)("sync", "team")
    await repositories.flow_is("ours", TWO)
    after = repositories.object()
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert names.SYNC_REQUESTED in after["metadata"]["annotations"]
    flow = await world.cluster.get(FLOWS, world.namespace, "theirs")
    assert flow["spec"]["script"] == ONE
    assert names.REPOSITORY_LABEL not in flow["metadata"]["labels"]
    managers = {one["manager"] for one in flow["metadata"]["managedFields"]}
    assert "weir-repository" not in managers
    ours = await world.cluster.get(FLOWS, world.namespace, "ours")
    managers = {one["manager"] for one in ours["metadata"]["managedFields"]}
    assert "kustomize-controller" not in managers


async def test_an_operator_that_is_killed_amid_a_sync_ends_it_when_it_is_back(
    world: World, host: GitHost, repositories: Repositories
) -> None:
    number = 80
    host.push(seed_py=ONE)
    await repositories.made()
    await repositories.flow_is("seed", ONE)
    files = {f"many__flow_{one:03}_py": TWO for one in range(number)}
    sha = host.push("Many", gone=("seed.py",), **files)
    asking = await Command(world).started("sync", "team", "--no-wait")
    await world.history.until(
        lambda: len(world.history.all(FLOWS)) > 5, within=PATIENCE, what="the first of many Flows"
    )
    await world.installation.kill(world.cluster, "operator")
    print(f"\nkilled with {len(world.history.all(FLOWS))} of {number} Flows there")
    assert await asking.wait() == 0
    await world.installation.until_ready(world.cluster, "operator")
    await repositories.shows(sha)
    assert len(world.history.all(FLOWS)) == number
    assert repositories.status()["flows"] == number
    assert repositories.script("seed") is None
