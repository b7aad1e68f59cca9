"""The way to Weir's server: found, asked, and what it refuses."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.cli.fake import NOW, FakeCluster, execution
from weir.api.resource import JsonObject
from weir.cli import logstream, server
from weir.cli.errors import CliError
from weir.cli.server import Address, Entry, Server
from weir.cli.session import Options, Session
from weir.cluster.client import Credentials
from weir.cluster.kinds import CONFIG_MAPS, PODS, SERVICES

LABELS = {"app.kubernetes.io/name": "weir", "app.kubernetes.io/component": "server"}
NOBODY = Credentials("", None, None)


def answering(handle: Callable[[httpx.Request], httpx.Response]) -> Server:
    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    address = Address("https://127.0.0.1:1", server._tls(None, NOBODY), "weir-server")
    return Server(client, address, "Bearer mine")


async def read(entries: AsyncGenerator[Entry, None]) -> list[Entry]:
    async with aclosing(entries):
        return [entry async for entry in entries]


async def test_a_log_is_asked_for_in_the_users_name() -> None:
    asked: list[httpx.Request] = []
    line = {"cursor": 7, "time": NOW.timestamp(), "stream": "log", "text": "hi", "data": {"n": 1}}

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, text=json.dumps(line) + "\n\n")

    entries = await read(answering(handle).logs("team-a", "hello", follow=True, after=3))
    assert entries == [Entry(7, NOW, "log", "hi", {"n": 1})]
    (request,) = asked
    assert request.url.path == "/api/v1/namespaces/team-a/executions/hello/logs"
    assert dict(request.url.params) == {"after": "3", "follow": "1"}
    assert request.headers["authorization"] == "Bearer mine"
    # The certificate is that of the server, not of the local end of the way to it.
    assert request.extensions["sni_hostname"] == "weir-server"
    assert request.extensions["timeout"]["read"] is None


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param(
            httpx.Response(404, json={"code": "NotFound", "message": "there is no execution a/b"}),
            "refused \\(404\\): there is no execution a/b",
            id="its own words",
        ),
        pytest.param(
            httpx.Response(401, json={"message": "no"}), "needs a token", id="what to do about it"
        ),
        pytest.param(
            httpx.Response(502, text="<html>"),
            "failed \\(502\\): <html>",
            id="somebody else's words",
        ),
        pytest.param(httpx.Response(500), "HTTP 500", id="no words"),
    ],
)
async def test_a_refusal_is_told_in(answer: httpx.Response, complaint: str) -> None:
    with pytest.raises(CliError, match=complaint):
        await read(answering(lambda _: answer).logs("a", "b"))


async def test_a_server_that_is_away_is_named() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(CliError, match=r"https://127\.0\.0\.1:1 does not answer: refused"):
        await answering(handle).outputs("a", "b")


def service(namespace: str, **spec: Any) -> tuple[Any, JsonObject]:
    body = {"selector": {"app": "s"}, "ports": [{"name": "https", "port": 8443}]} | spec
    return SERVICES, {
        "metadata": {"name": "weir-server", "namespace": namespace, "labels": LABELS},
        "spec": body,
    }


def pod(namespace: str, *, ready: bool = True) -> tuple[Any, JsonObject]:
    return PODS, {
        "metadata": {"name": "s-1", "namespace": namespace, "labels": {"app": "s"}},
        "spec": {"containers": [{"ports": [{"name": "https", "containerPort": 9443}]}]},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def session(*objects: tuple[Any, JsonObject], **options: Any) -> Session:
    return Session(Options(**options), FakeCluster(*objects), "team-a")


@pytest.mark.parametrize(
    ("namespaces", "chosen"),
    [
        (["weir-system"], "weir-system"),
        (["b", "a"], "a"),
        (["a", "weir-system"], "weir-system"),
        (["a", "team-a", "weir-system"], "team-a"),
    ],
)
async def test_of_several_installations_the_nearest_is_taken(
    namespaces: list[str], chosen: str
) -> None:
    found = await server._service(session(*(service(name) for name in namespaces)))
    assert found["metadata"]["namespace"] == chosen


@pytest.mark.parametrize(
    ("ports", "port"),
    [
        ([{"port": 1}, {"name": "https", "port": 2}], 2),
        ([{"port": 1, "targetPort": 3}], 3),
        ([{"name": "https", "port": 1, "targetPort": "https"}], 9443),
    ],
)
async def test_the_port_is_the_services_https(ports: list[JsonObject], port: int) -> None:
    _, item = service("weir-system", ports=ports)
    item["metadata"]["uid"] = "u"
    found = await server._pod(session(pod("weir-system")), item)
    assert found == ("s-1", port)


@pytest.mark.parametrize(
    ("objects", "complaint"),
    [
        pytest.param([], "is Weir installed", id="no Service"),
        pytest.param([service("weir-system")], "weir-server-ca", id="no CA"),
        pytest.param(
            [
                service("weir-system"),
                (
                    CONFIG_MAPS,
                    {
                        "metadata": {"name": "weir-server-ca", "namespace": "weir-system"},
                        "data": {"ca.crt": "x"},
                    },
                ),
                pod("weir-system", ready=False),
            ],
            "no Pod of Weir's server in namespace weir-system is ready: `kubectl",
            id="no ready Pod",
        ),
    ],
)
async def test_what_is_missing_on_the_way_is_named(
    objects: list[tuple[Any, JsonObject]], complaint: str
) -> None:
    with pytest.raises(CliError, match=complaint):
        async with server.reached(session(*objects)):
            pass


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("weir.example.com", "write a URL"),
        ("ftp://weir.example.com", "write a URL"),
        ("http://weir.example.com", "must be https"),
    ],
)
async def test_credentials_go_nowhere_in_the_open(url: str, complaint: str) -> None:
    with pytest.raises(CliError, match=complaint):
        async with server.reached(session(server=url)):
            pass


async def test_a_ca_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="cannot read"):
        async with server.reached(session(server="https://a", server_ca=tmp_path / "ca.crt")):
            pass


def streaming(*answers: list[int]) -> tuple[Server, list[str]]:
    """A server that gives these cursors, one list for each request, and what it was asked."""
    asked: list[str] = []
    left = iter(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["after"])
        lines = [{"cursor": n, "time": 0, "stream": "log", "text": str(n)} for n in next(left)]
        return httpx.Response(200, text="".join(json.dumps(line) + "\n" for line in lines))

    return answering(handle), asked


async def test_a_log_goes_on_where_it_was_when_the_server_is_restarted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    way, asked = streaming([1, 2], [3])
    going = session(execution("hello", "Running"))

    @asynccontextmanager
    async def found_again(_: Session) -> AsyncIterator[Server]:
        going.cluster.put(*execution("hello", "Succeeded"))  # type: ignore[attr-defined]
        yield way

    monkeypatch.setattr(logstream, "reached", found_again)
    monkeypatch.setattr(logstream, "_FIRST_DELAY", 0.0)
    entries = await read(logstream.entries(going, way, "hello", follow=True))
    assert [entry.cursor for entry in entries] == [1, 2, 3]
    assert asked == ["0", "2"]


async def test_without_following_a_log_is_read_once() -> None:
    way, asked = streaming([1])
    going = session(execution("hello", "Running"))
    assert len(await read(logstream.entries(going, way, "hello", follow=False))) == 1
    assert asked == ["0"]
