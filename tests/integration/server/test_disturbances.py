"""What the server depends on goes away for a while, or changes."""

from __future__ import annotations

import asyncio
import base64
import ssl

import pytest
import sqlalchemy as sa

from tests.cluster.apiserver import ApiServer
from tests.integration.server import certificates
from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, World, until
from weir.cluster.kinds import SECRETS

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_sqlite
async def test_a_wait_outlives_a_restart_of_the_api_server(
    world: World, api_server: ApiServer, runner_for: RunnerFor
) -> None:
    await world.flow("greet")
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    child = (await runner.child(flow="greet")).executions[0]
    waiting = asyncio.create_task(runner.wait(child.uid))
    await asyncio.to_thread(api_server.restart_apiserver)
    await world.end(child.name, outputs={"a": 1})
    answer = await waiting
    assert [shown.output_value for shown in answer.executions] == [{"a": 1}]
    await runner.end()
    assert (await world.get(execution.metadata.name)).phase == "Succeeded"


@on_sqlite
async def test_a_new_certificate_is_used_without_a_restart(
    world: World, server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    host, _, port = server.url.removeprefix("https://").partition(":")

    async def serial() -> object:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        _, writer = await asyncio.open_connection(host, int(port), ssl=context)
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        await writer.wait_closed()
        return certificate

    before = await serial()
    renewed = certificates.secret()
    body = {"data": renewed["data"]}
    await world.cluster.patch(SECRETS, world.namespace, "weir-server-tls", body)

    async def changed() -> bool:
        return await serial() != before

    await until(changed)
    # Nonsense is not taken; the good one stays in use.
    nonsense = {"data": {"tls.crt": base64.b64encode(b"nonsense").decode()}}
    now = await serial()
    await world.cluster.patch(SECRETS, world.namespace, "weir-server-tls", nonsense)

    async def refused() -> bool:
        return "Certificate not usable" in caplog.text

    await until(refused)
    assert await serial() == now


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_broken_connections_to_the_database_are_made_again(
    world: World, database_url: str, runner_for: RunnerFor
) -> None:
    await world.flow("greet")
    runner = await runner_for(await world.execution(script=SCRIPT))
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()
    await runner.log("still here")
    assert (await runner.child(flow="greet")).state == "done"
    await runner.end()
