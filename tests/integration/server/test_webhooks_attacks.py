"""Attacks on Webhooks: what each gets, and that none starts a run."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.integration.server.attacks import ATTACKS, SPECS, Attack
from tests.integration.server.conftest import serving, settings_for, with_certificate
from tests.integration.server.hooks import KEY, KEY_REF, Hooks
from tests.integration.server.worlds import World
from weir.cluster.client import Cluster


async def attacked(hooks: Hooks, attack: Attack) -> httpx.Response:
    path = f"/hooks/{attack.namespace or hooks.world.namespace}/{attack.webhook}"
    if attack.before is not None:
        first = await hooks.client.request(attack.method, path, **attack.before())
        assert first.status_code == 202, (attack.what, first.text)
    return await hooks.client.request(attack.method, path, **attack.request())


async def test_every_attack_gets_what_the_table_says_and_starts_nothing(hooks: Hooks) -> None:
    for name, spec in SPECS.items():
        await hooks.make(name, **spec)
    answers = await asyncio.gather(*(attacked(hooks, one) for one in ATTACKS))
    got = [(one.what, answer.status_code) for one, answer in zip(ATTACKS, answers, strict=True)]
    assert got == [(one.what, one.status) for one in ATTACKS]
    # Strangers see no difference at all.
    unknown = answers[0]
    for one, answer in zip(ATTACKS, answers, strict=True):
        if one.status == 404:
            assert answer.content == unknown.content, one.what
            assert _names(answer) == _names(unknown), one.what
    started = [run for name in SPECS for run in await hooks.runs(name)]
    assert len(started) == sum(one.before is not None for one in ATTACKS)


def _names(answer: httpx.Response) -> list[str]:
    return sorted(set(answer.headers) - {"date"})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_no_takes_its_time_whatever_it_is_for(hooks: Hooks) -> None:
    path = await hooks.make("keyed", keySecretRef=KEY_REF)
    for target in (path, f"{path}x"):
        began = time.monotonic()
        assert (await hooks.client.post(target)).status_code == 404
        assert time.monotonic() - began >= 0.24


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_slow_body_is_not_waited_for(
    world: World, database_url: str, cluster: Cluster
) -> None:
    settings = settings_for(world, database_url).model_copy(update={"webhook_body_seconds": 0.5})
    async with serving(cluster, settings, await with_certificate(world)) as served:
        hooks = Hooks(world, served.runtime, served.url, served.authority)
        await hooks.prepare()
        await send_slowly(hooks)
        await hooks.client.aclose()


async def send_slowly(hooks: Hooks) -> None:
    path = await hooks.make("keyed", keySecretRef=KEY_REF)
    port = hooks.client.base_url.port

    async def slow(target: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=hooks.context)
        writer.write(f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx".encode())
        status = await reader.readline()
        writer.transport.abort()
        return status.split()[1]

    targets = (path, f"{path}x", f"{path}?key={KEY}", f"{path}?key=no")
    statuses = await asyncio.gather(*map(slow, targets))
    assert statuses == [b"404", b"404", b"408", b"404"]
    assert await hooks.runs("keyed") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_headers_of_an_answer_break_out_of_nothing(hooks: Hooks) -> None:
    for number, headers in enumerate(
        (
            {"x-a": "b\r\nset-cookie: c=d"},
            {"x-a\r\nx-b": "c"},
            {"x a": "b"},
            {"x-a": {"b": "c"}},
            {"x-a": "\u2713"},
        )
    ):
        name = f"broken-{number}"
        path = await hooks.make(name)
        outputs = {"webhook_response": {"status": 200, "headers": headers, "body": "secret"}}
        answer, run = await hooks.answered(path, name, outputs)
        assert answer.status_code == 500
        assert answer.json()["execution"] == run.metadata.name
        assert "secret" not in answer.text
    path = await hooks.make("dropped")
    headers = {
        "Set-Cookie": "a=b",
        "Transfer-Encoding": "chunked",
        "Content-Length": "1",
        "Connection": "close",
        "X-Kept": ["1", "2"],
        "Content-Security-Policy": "script-src 'self'",
    }
    outputs = {"webhook_response": {"headers": headers, "body": {"a": "\u2713"}}}
    answer, _ = await hooks.answered(path, "dropped", outputs)
    assert answer.json() == {"a": "\u2713"}
    assert answer.headers.get_list("x-kept") == ["1", "2"]
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-length"] == str(len(answer.content))
    policies = answer.headers.get_list("content-security-policy")
    assert policies[0] == "script-src 'self'"
    assert policies[1].startswith("sandbox ")
    assert "allow-same-origin" not in policies[1]
