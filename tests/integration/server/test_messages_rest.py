"""Answering by REST and by `weir respond`, as people with and without the right to."""

from __future__ import annotations

import asyncio
import os
import pty
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster.apiserver import ApiServer
from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.test_messages import FORM, asked, patch, read, response
from tests.integration.server.worlds import SCRIPT, Runner, World
from weir.api import names
from weir.cluster.errors import Refused
from weir.cluster.kinds import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, Kind

# Whichever the database is, the code that is tried here is the same.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RBAC = "/apis/rbac.authorization.k8s.io/v1"
PASSWORDS = {"properties": {"user": {}, "pin": {"element": "password"}}}

TokenOf = Callable[..., Awaitable[str]]


@pytest.fixture
async def token_of(world: World) -> TokenOf:
    """Return tokens of service accounts that may do some things to Messages."""

    async def token(name: str, *verbs: str) -> str:
        namespace = world.namespace
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        rule = {"apiGroups": [names.GROUP], "resources": ["messages"], "verbs": list(verbs)}
        await world.cluster.raw("POST", accounts, {"metadata": {"name": name}})
        await world.cluster.raw(
            "POST",
            f"{RBAC}/namespaces/{namespace}/roles",
            {"metadata": {"name": name}, "rules": [rule] if verbs else []},
        )
        await world.cluster.raw(
            "POST",
            f"{RBAC}/namespaces/{namespace}/rolebindings",
            {
                "metadata": {"name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "Role",
                    "name": name,
                },
            },
        )
        request = {"spec": {"expirationSeconds": 600}}
        answer = await world.cluster.raw("POST", f"{accounts}/{name}/token", request)
        found: str = answer["status"]["token"]
        return found

    return token


class Client:
    """Asks the REST API in somebody's name."""

    def __init__(self, http: httpx.AsyncClient, world: World, token: str) -> None:
        self._http = http
        self._path = f"/api/v1/namespaces/{world.namespace}/messages"
        self._headers = {"authorization": f"Bearer {token}"}

    async def get(self, name: str) -> httpx.Response:
        return await self._http.get(f"{self._path}/{name}", headers=self._headers)

    async def respond(self, name: str, body: Any, **more: Any) -> httpx.Response:
        url = f"{self._path}/{name}/response"
        if isinstance(body, str):
            headers = self._headers | {"content-type": more.get("type", "application/json")}
            return await self._http.post(url, content=body, headers=headers)
        return await self._http.post(url, json=body, headers=self._headers)


@pytest.fixture
async def client_for(server: Served, world: World) -> AsyncIterator[Callable[[str], Client]]:
    context = ssl.create_default_context(cadata=server.authority)
    async with httpx.AsyncClient(
        base_url=server.url, verify=context, trust_env=False, timeout=20
    ) as http:
        yield lambda token: Client(http, world, token)


@pytest.fixture
async def runner(world: World, server: Served, runner_for: RunnerFor) -> Runner:
    return await runner_for(await world.execution(script=SCRIPT))


async def test_an_answer_by_rest_is_checked_and_signed(
    world: World, runner: Runner, client_for: Callable[[str], Client], token_of: TokenOf
) -> None:
    client = client_for(await token_of("ada", "get", "patch"))
    name = await asked(runner, body=FORM)
    waiting = asyncio.create_task(response(runner, name))
    answer = await client.respond(name, {"count": "many"})
    assert (answer.status_code, answer.json()["code"]) == (422, "ResponseRefused")
    assert answer.json()["message"] == "count: must be an integer; version: is required"
    assert (await read(world, name)).status.accepted is None
    answer = await client.respond(name, {"version": "1.2"})
    assert answer.status_code == 200
    assert answer.json()["status"]["accepted"] is True
    assert (await waiting).value == {"version": "1.2", "count": 3, "note": None}
    by = f"system:serviceaccount:{world.namespace}:ada"
    assert (await read(world, name)).status.responded_by == by
    answer = await client.respond(name, {"version": "1.3"})
    assert (answer.status_code, answer.json()["code"]) == (409, "Answered")


async def test_an_installation_without_reviews_knows_who_answered_too(
    world: World,
    server: Served,
    runner: Runner,
    client_for: Callable[[str], Client],
    token_of: TokenOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = server.runtime.cluster.create

    async def without_reviews(kind: Kind, *arguments: Any) -> Any:
        if kind in (TOKEN_REVIEWS, SUBJECT_ACCESS_REVIEWS):
            raise Refused("forbidden", status=403)
        return await create(kind, *arguments)

    name = await asked(runner, body=FORM)
    viewer = client_for(await token_of("viewer", "get"))
    ada = client_for(await token_of("ada", "patch"))
    monkeypatch.setattr(server.runtime.cluster, "create", without_reviews)
    assert (await viewer.respond(name, {"version": "1"})).status_code == 403
    assert (await ada.respond(name, {"version": "1"})).status_code == 200
    by = f"system:serviceaccount:{world.namespace}:ada"
    assert (await read(world, name)).status.responded_by == by


async def test_what_was_patched_first_counts(
    world: World, runner: Runner, client_for: Callable[[str], Client], token_of: TokenOf
) -> None:
    client = client_for(await token_of("ada", "patch"))
    name = await asked(runner, body=FORM)
    await patch(world, name, response={"version": "patched"})
    answer = await client.respond(name, {"version": "by REST"})
    assert (answer.status_code, answer.json()["code"]) == (409, "Answered")
    assert (await response(runner, name)).value["version"] == "patched"


async def test_of_two_answers_at_once_one_counts(
    world: World, runner: Runner, client_for: Callable[[str], Client], token_of: TokenOf
) -> None:
    clients = [client_for(await token_of(user, "patch")) for user in ("ada", "grace")]
    name = await asked(runner, body=FORM)
    answers = await asyncio.gather(
        *(client.respond(name, {"version": str(n)}) for n, client in enumerate(clients))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    first = next(answer for answer in answers if answer.status_code == 200)
    version = first.json()["status"]["response"]["version"]
    assert (await response(runner, name)).value["version"] == version


async def test_a_closed_message_takes_no_answer(
    runner: Runner, client_for: Callable[[str], Client], token_of: TokenOf
) -> None:
    client = client_for(await token_of("ada", "patch"))
    name = await asked(runner, body=FORM)
    await runner.end()
    answer = await client.respond(name, {"version": "1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "Closed")


@pytest.mark.parametrize(
    ("body", "status"),
    [("{", 400), ("[]", 400), ('{"a": NaN}', 400), ("{}" + " " * 600_000, 413)],
)
async def test_what_is_no_answer_is_refused(
    runner: Runner,
    client_for: Callable[[str], Client],
    token_of: TokenOf,
    body: str,
    status: int,
) -> None:
    client = client_for(await token_of("ada", "patch"))
    assert (await client.respond(await asked(runner), body)).status_code == status


async def test_a_page_of_another_site_cannot_answer(
    runner: Runner, client_for: Callable[[str], Client], token_of: TokenOf
) -> None:
    client = client_for(await token_of("ada", "patch"))
    name = await asked(runner)
    assert (await client.respond(name, "{}", type="text/plain")).status_code == 415


async def test_who_may_only_look_cannot_answer_and_strangers_learn_nothing(
    runner: Runner, client_for: Callable[[str], Client], token_of: TokenOf
) -> None:
    name = await asked(runner, body=PASSWORDS)
    viewer = client_for(await token_of("viewer", "get"))
    assert (await viewer.get(name)).status_code == 200
    refused = await viewer.respond(name, {"user": "x"})
    assert refused.status_code == 403
    assert "cannot patch messages.weir.dev" in refused.json()["message"]
    stranger = client_for(await token_of("stranger"))
    answers = [await stranger.get(one) for one in (name, "nope")]
    answers += [await stranger.respond(one, {}) for one in (name, "nope")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers[:2]}) == 1
    assert (await client_for("nonsense").respond(name, {})).status_code == 401
    writer = client_for(await token_of("writer", "get", "patch"))
    assert (await writer.get("nope")).status_code == 404
    assert (await writer.respond("nope", {})).status_code == 404


async def test_passwords_reach_the_script_and_no_reader_of_the_api(
    runner: Runner, client_for: Callable[[str], Client], token_of: TokenOf
) -> None:
    client = client_for(await token_of("ada", "get", "patch"))
    name = await asked(runner, body=PASSWORDS)
    answer = await client.respond(name, {"user": "ada", "pin": "s3cret"})
    assert answer.json()["status"]["response"] == {"user": "ada", "pin": "***"}
    assert "s3cret" not in (await client.get(name)).text
    assert (await response(runner, name)).value == {"user": "ada", "pin": "s3cret"}


class Terminal:
    """`weir respond` at a terminal, as a person sees and uses it."""

    def __init__(self, process: asyncio.subprocess.Process, end: int) -> None:
        self.process = process
        self._end = end
        self.seen = ""

    async def sees(self, text: str) -> None:
        """Wait until a text stands on the terminal."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(30):
            while text not in self.seen:
                self.seen += (await loop.run_in_executor(None, os.read, self._end, 4096)).decode()

    def types(self, text: str) -> None:
        os.write(self._end, text.encode())


@pytest.fixture
async def terminal(
    world: World, server: Served, api_server: ApiServer, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[Terminal]]]:
    authority = tmp_path / "ca.crt"
    authority.write_text(server.authority)
    opened: list[tuple[asyncio.subprocess.Process, int]] = []

    async def open_(*arguments: str) -> Terminal:
        end, inner = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "weir.cli", "-n", world.namespace, *arguments),
            *(f"--server=https://localhost:{server.settings.port}", f"--server-ca={authority}"),
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**os.environ, "KUBECONFIG": str(api_server.kubeconfig), "NO_COLOR": "1"},
            start_new_session=True,
        )
        os.close(inner)
        opened.append((process, end))
        return Terminal(process, end)

    yield open_
    for process, end in opened:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(end)


async def test_a_person_fills_in_the_form_at_a_terminal(
    world: World, runner: Runner, terminal: Callable[..., Awaitable[Terminal]]
) -> None:
    form = {
        "properties": {
            "version": {"element": "string", "label": "Version", "order": 1},
            "pin": {"element": "password", "label": "PIN", "order": 2},
            "approve": {"element": "submit", "label": "Approve", "order": 3},
            "reject": {"element": "submit", "label": "Reject", "order": 4},
        },
        "required": ["version"],
    }
    name = await asked(runner, "Release now?", message="**All tests** passed.", body=form)
    waiting = asyncio.create_task(response(runner, name))
    screen = await terminal("respond")
    await screen.sees("Version: ")
    assert "Release now?" in screen.seen
    assert "**All tests** passed." in screen.seen
    screen.types("\n")
    await screen.sees("is required")
    screen.types("1.2\n")
    await screen.sees("PIN (may be left out): ")
    screen.types("s3cret\n")
    await screen.sees("Which one? ")
    assert "s3cret" not in screen.seen
    screen.types("1\n")
    await screen.sees(f"message/{name} answered")
    assert await screen.process.wait() == 0
    expected = {"version": "1.2", "pin": "s3cret", "approve": True, "reject": False}
    assert (await waiting).value == expected
    assert (await read(world, name)).status.responded_by is not None


async def test_ctrl_c_sends_nothing(
    world: World, runner: Runner, terminal: Callable[..., Awaitable[Terminal]]
) -> None:
    name = await asked(runner, request="Your name")
    screen = await terminal("respond", name)
    await screen.sees("Your name: ")
    screen.process.send_signal(2)
    await screen.sees(f"message/{name} still waits")
    assert await screen.process.wait() == 130
    assert (await read(world, name)).status.accepted is None
