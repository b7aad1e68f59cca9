"""Edited scripts that are committed through the server to a real Git host."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.integration.git_host import BRANCH, GitHost, hosting
from tests.integration.server.conftest import Served
from tests.integration.server.worlds import World
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.kinds import FLOW_REPOSITORIES, FLOWS, SECRETS

# No database is asked.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RBAC = "/apis/rbac.authorization.k8s.io/v1"
BEFORE = "def handler(system, this):\n    return this.success('one')\n"
AFTER = BEFORE.replace("one", "two")
LATER = BEFORE.replace("one", "three")
ALL = {"flowrepositories": ["team", "mute", "lost"], "flows": ["report", "other", "none"]}

User = Callable[..., Awaitable["Client"]]


class Client:
    """Somebody who commits."""

    def __init__(self, http: httpx.AsyncClient, namespace: str, name: str) -> None:
        self._http = http
        self.name = f"system:serviceaccount:{namespace}:{name}"
        self.branch = f"weir/{namespace}-{name}"

    async def commit(
        self, script: str = AFTER, *, to: str = "team", flow: str = "report", **fields: Any
    ) -> httpx.Response:
        body = {"flow": flow, "script": script} | fields
        return await self._http.post(f"/flowrepositories/{to}/commits", json=body)

    async def post(self, text: str, content_type: str) -> httpx.Response:
        headers = {"content-type": content_type}
        url = "/flowrepositories/team/commits"
        return await self._http.post(url, content=text, headers=headers)


@pytest.fixture
def host() -> Iterator[GitHost]:
    with hosting("127.0.0.1") as host:
        host.push("First", flows__report_py=BEFORE)
        yield host


@pytest.fixture
async def user(world: World, server: Served) -> AsyncIterator[User]:
    """Return clients in the name of people who may update some objects."""
    made: list[httpx.AsyncClient] = []
    context = ssl.create_default_context(cadata=server.authority)

    async def with_rights(name: str, rights: dict[str, list[str]]) -> Client:
        namespace = world.namespace
        place = f"{RBAC}/namespaces/{namespace}"
        rules = [
            {
                "apiGroups": [names.GROUP],
                "resources": [resource],
                "resourceNames": objects,
                "verbs": ["update"],
            }
            for resource, objects in rights.items()
        ]
        await world.cluster.raw(
            "POST", f"{place}/roles", {"metadata": {"name": name}, "rules": rules}
        )
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        await world.cluster.raw("POST", accounts, {"metadata": {"name": name}})
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        binding = {"metadata": {"name": name}, "subjects": [subject], "roleRef": reference}
        await world.cluster.raw("POST", f"{place}/rolebindings", binding)
        answer = await world.cluster.raw("POST", f"{accounts}/{name}/token", {"spec": {}})
        http = httpx.AsyncClient(
            base_url=f"{server.url}/api/v1/namespaces/{namespace}",
            headers={"authorization": f"Bearer {answer['status']['token']}"},
            verify=context,
            trust_env=False,
            timeout=120,
        )
        made.append(http)
        return Client(http, namespace, name)

    yield with_rights
    for one in made:
        await one.aclose()


@pytest.fixture
async def ada(world: World, host: GitHost, user: User) -> Client:
    """Ada may update what there is: FlowRepositories, and Flows as one of them brought them."""

    async def make(kind: str, name: str, spec: JsonObject, **metadata: Any) -> None:
        body = {
            "apiVersion": names.API_VERSION,
            "kind": kind,
            "metadata": {"name": name} | metadata,
            "spec": spec,
        }
        plural = FLOWS if kind == "Flow" else FLOW_REPOSITORIES
        await world.cluster.create(plural, world.namespace, body)

    login = {"metadata": {"name": "git"}, "stringData": host.login}
    await world.cluster.create(SECRETS, world.namespace, login)
    spec = {"url": host.https_url, "ref": {"branch": BRANCH}, "secretRef": {"name": "git"}}
    await make("FlowRepository", "team", spec | {"push": {}})
    await make("FlowRepository", "mute", spec)
    await make("FlowRepository", "lost", spec | {"push": {"secretRef": {"name": "none"}}})
    for flow, of in (("report", "team"), ("other", "mute")):
        await make(
            "Flow",
            flow,
            {"script": BEFORE},
            labels={names.REPOSITORY_LABEL: of},
            annotations={names.SOURCE_PATH: f"flows/{flow}.py"},
        )
    return await user("ada", ALL)


async def asked_for_sync(world: World) -> bool:
    item = await world.cluster.get(FLOW_REPOSITORIES, world.namespace, "team")
    return names.SYNC_REQUESTED in (item["metadata"].get("annotations") or {})


async def test_a_script_is_committed_to_a_branch_of_ones_own(
    world: World, host: GitHost, ada: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "weir.server")
    answer = await ada.commit(message="Say two\n\nAnd mean it")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["branch"] == ada.branch
    assert host.shown(ada.branch, "%H") == told["commit"]
    assert host.shown(ada.branch, "%an") == ada.name
    assert host.shown(ada.branch, "%B") == f"Say two\n\nAnd mean it\n\nWeir-User: {ada.name}"
    assert host.shown(ada.branch, "flows/report.py") == AFTER.strip()
    assert host.shown(BRANCH, "flows/report.py") == BEFORE.strip()
    assert (told["path"], told["syncRequested"]) == ("flows/report.py", False)
    assert not await asked_for_sync(world)
    (line,) = [one for one in caplog.records if one.message == "Script pushed"]
    assert vars(line)["user"] == ada.name
    assert vars(line)["commit"] == told["commit"]


async def test_ones_own_commits_go_on_top_of_each_other(host: GitHost, ada: Client) -> None:
    first = (await ada.commit(AFTER)).json()["commit"]
    second = await ada.commit(LATER)
    assert second.status_code == 201, second.text
    assert host.shown(ada.branch, "%P") == first
    assert host.shown(ada.branch, "flows/report.py") == LATER.strip()


async def test_what_others_did_in_a_branch_is_not_overwritten(
    host: GitHost, ada: Client, user: User
) -> None:
    grace = await user("grace", ALL)
    assert (await grace.commit(AFTER, branch="shared")).status_code == 201
    answer = await ada.commit(LATER, branch="shared")
    assert (answer.status_code, answer.json()["code"]) == (409, "Conflict")
    assert host.shown("shared", "flows/report.py") == AFTER.strip()


async def test_a_commit_to_the_branch_that_is_synced_asks_for_a_sync(
    world: World, host: GitHost, ada: Client
) -> None:
    answer = await ada.commit(branch=BRANCH, author="Ada Lovelace <ada@example.com>")
    assert answer.status_code == 201, answer.text
    assert answer.json()["syncRequested"] is True
    assert host.shown(BRANCH, "%an <%ae>") == "Ada Lovelace <ada@example.com>"
    assert f"Weir-User: {ada.name}" in host.shown(BRANCH, "%b")
    assert await asked_for_sync(world)


async def test_a_file_that_changed_meanwhile_is_not_overwritten(
    world: World, host: GitHost, ada: Client
) -> None:
    sha = host.push("By somebody else", flows__report_py=LATER)
    for branch in (None, BRANCH):
        answer = await ada.commit(**({"branch": branch} if branch else {}))
        assert (answer.status_code, answer.json()["code"]) == (409, "Conflict")
        assert "sync FlowRepository team first" in answer.json()["message"]
    assert host.shown(BRANCH, "%H") == sha
    assert not await asked_for_sync(world)


async def test_a_dry_run_asks_no_host(world: World, host: GitHost, ada: Client) -> None:
    before = len(host.http.authorizations)
    answer = await ada.commit(dryRun=True)
    assert answer.status_code == 200
    assert answer.json() == {
        "flow": "report",
        "path": "flows/report.py",
        "branch": ada.branch,
        "author": answer.json()["author"],
        "message": f"Change flows/report.py\n\nWeir-User: {ada.name}\n",
        "pullRequest": None,
    }
    assert len(host.http.authorizations) == before
    bad = await ada.commit("def handler(", dryRun=True)
    assert bad.status_code == 422


async def test_who_has_not_both_rights_commits_nothing(
    host: GitHost, ada: Client, user: User
) -> None:
    strangers = {
        "flows": await user("flows", {"flows": ["report"]}),
        "repositories": await user("repositories", {"flowrepositories": ["team"]}),
        "nobody": await user("nobody", {}),
    }
    for name, what in (
        ("flows", "flowrepositories"),
        ("repositories", "flows"),
        ("nobody", "flowrepositories"),
    ):
        answer = await strangers[name].commit()
        assert answer.status_code == 403
        assert f"cannot update {what}.weir.dev" in answer.json()["message"]
    assert len(host.http.authorizations) == 0


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"to": "mute", "flow": "other"}, 403, "takes no commits"),
    ({"to": "lost", "flow": "report"}, 422, "is none that lost brought"),
    ({"flow": "none"}, 404, "no Flow"),
    ({"flow": "other"}, 422, "is none that team brought"),
    ({"script": "def handler("}, 422, "flows/report.py: line 1"),
    ({"script": f"# weir: name=another\n{AFTER}"}, 422, "is not Flow report"),
    ({"script": BEFORE}, 409, "is the script that Flow report has"),
    ({"branch": "--force"}, 400, "no name of a branch"),
    ({"author": "Ada"}, 400, "Ada Lovelace <ada@example.com>"),
    ({"message": "x\nWeir-User: eve"}, 400, "Weir-User"),
    ({"brnch": "x"}, 400, "brnch"),
    ({"script": ""}, 400, "script"),
]


async def test_what_cannot_be_committed_is_refused(host: GitHost, ada: Client) -> None:
    for fields, status, message in REFUSED:
        answer = await ada.commit(**fields)
        told = (answer.status_code, message in answer.json()["message"])
        assert told == (status, True), (fields, answer.text)
    assert len(host.http.authorizations) == 0


async def test_a_page_of_another_site_cannot_commit(ada: Client) -> None:
    assert (await ada.post("{}", "text/plain")).status_code == 415
    assert (await ada.post("[]", "application/json")).status_code == 400


async def test_a_host_that_refuses_is_told_of_without_its_password(
    world: World, host: GitHost, ada: Client
) -> None:
    wrong = {"stringData": {"password": "wr0ng-pass"}}
    await world.cluster.patch(SECRETS, world.namespace, "git", wrong)
    answer = await ada.commit()
    assert (answer.status_code, answer.json()["code"]) == (422, "AuthenticationFailed")
    assert "wr0ng-pass" not in answer.text
    await world.cluster.delete(SECRETS, world.namespace, "git")
    answer = await ada.commit()
    assert (answer.status_code, answer.json()["code"]) == (422, "SecretNotFound")
