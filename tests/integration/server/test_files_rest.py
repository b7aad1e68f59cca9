"""Files, as people with and without rights get at them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, World
from weir.api import names
from weir.server.records_files import MAX_CONTENT
from weir_protocol.arguments import GetRecordArguments

# Whichever the database is, the code that is tried here is the same.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Client = Callable[..., Awaitable[httpx.AsyncClient]]
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
async def client(world: World, server: Served) -> AsyncIterator[Client]:
    """Return a client in the name of somebody with some verbs for files."""
    clients: list[httpx.AsyncClient] = []
    context = ssl.create_default_context(cadata=server.authority)

    async def with_verbs(name: str, *verbs: str) -> httpx.AsyncClient:
        place = f"{RBAC}/namespaces/{world.namespace}"
        rule = {"apiGroups": [names.GROUP], "resources": ["files"], "verbs": [*verbs] or ["none"]}
        role = {"metadata": {"name": name}, "rules": [rule]}
        await world.cluster.raw("POST", f"{place}/roles", role)
        accounts = f"/api/v1/namespaces/{world.namespace}/serviceaccounts"
        await world.cluster.raw("POST", accounts, {"metadata": {"name": name}})
        subject = {"kind": "ServiceAccount", "name": name, "namespace": world.namespace}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        binding = {"metadata": {"name": name}, "subjects": [subject], "roleRef": reference}
        await world.cluster.raw("POST", f"{place}/rolebindings", binding)
        answer = await world.cluster.raw("POST", f"{accounts}/{name}/token", {"spec": {}})
        headers = {"authorization": f"Bearer {answer['status']['token']}"}
        made = httpx.AsyncClient(
            base_url=f"{server.url}/api/v1/namespaces/{world.namespace}",
            headers=headers,
            verify=context,
            trust_env=False,
            timeout=20,
        )
        clients.append(made)
        return made

    yield with_verbs
    for one in clients:
        await one.aclose()


async def test_what_a_person_puts_a_script_reads(
    world: World, client: Client, runner_for: RunnerFor
) -> None:
    ada = await client("ada", "get", "list", "update", "delete")
    name, content = "../reports/100 %/ü?.bin", bytes(range(256))
    put = await ada.put("/files/content", params={"name": name}, content=content)
    assert (put.status_code, put.json()["bytes"]) == (200, 256)
    got = await ada.get("/files/content", params={"name": name})
    assert got.content == content
    assert got.headers["x-content-type-options"] == "nosniff"
    (item,) = (await ada.get("/files")).json()["items"]
    assert (item["name"], item["sha256"]) == (name, put.json()["sha256"])
    runner = await runner_for(await world.execution(script=SCRIPT))
    asked = runner.operation("get_record", GetRecordArguments(kind="file", name=name))
    assert (await runner.ask(asked)).value["size_bytes"] == 256
    assert (await ada.delete("/files/content", params={"name": name})).status_code == 200
    assert (await ada.get("/files/content", params={"name": name})).status_code == 404
    assert (await ada.delete("/files/content", params={"name": name})).status_code == 404


async def test_who_has_no_right_gets_nothing(client: Client) -> None:
    reader, stranger = await client("reader", "get", "list"), await client("stranger")
    name = {"name": "x"}
    assert (await reader.get("/files")).json() == {"items": []}
    assert (await reader.get("/files/content", params=name)).status_code == 404
    for answer in (
        await reader.put("/files/content", params=name, content=b"x"),
        await reader.delete("/files/content", params=name),
        await stranger.get("/files"),
        await stranger.get("/files/content", params=name),
    ):
        assert answer.status_code == 403
        assert "files.weir.dev" in answer.json()["message"]
    reader.headers.pop("authorization")
    assert (await reader.get("/files")).status_code == 401


async def test_what_is_no_file_is_refused(client: Client) -> None:
    ada = await client("ada", "get", "update")
    for name in ("", "a\nb", "n" * 254):
        answer = await ada.put("/files/content", params={"name": name}, content=b"")
        assert (answer.status_code, "1 to 253" in answer.json()["message"]) == (400, True)
    large = await ada.put("/files/content", params={"name": "x"}, content=b"x" * (MAX_CONTENT + 1))
    assert large.status_code == 413
