"""Weir's server as the command sees it: found in the cluster, reached, asked for logs.

The only importer of httpx here.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx

from weir.api.resource import JsonObject
from weir.cli.errors import CliError, ExitCode
from weir.cli.session import Session
from weir.cluster.client import Credentials
from weir.cluster.errors import ClusterError, NotFound, Refused
from weir.cluster.kinds import CONFIG_MAPS, PODS, SERVICES
from weir.cluster.portforward import PortForward

_SELECTOR = "app.kubernetes.io/name=weir,app.kubernetes.io/component=server"
_USUAL_NAMESPACE = "weir-system"
_CA_CONFIG_MAP, _CA_KEY = "weir-server-ca", "ca.crt"
# The name in the server's certificate, whatever the address that leads to it.
_CERTIFICATE_NAME = "weir-server"
_OWN_HOSTS = ("localhost", "127.0.0.1", "::1")
# A log that is followed may be silent for long: only what comes before it has a limit.
_ANSWER, _FOLLOW = httpx.Timeout(20.0), httpx.Timeout(20.0, read=None)
# A Git host may take its time; the server gives up before.
_COMMIT = httpx.Timeout(20.0, read=180.0)


class ServerAway(CliError):
    """The server does not answer now; it may again."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.UNABLE)


class ServerRefused(CliError):
    """The server answered, and the answer is no."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.UNABLE)


@dataclass(frozen=True)
class Entry:
    """One entry of a log."""

    cursor: int
    time: datetime
    stream: str
    text: str
    data: JsonObject | None = None
    try_number: int = 1


class Address(NamedTuple):
    """Where the server is, and whom to trust there."""

    url: str
    tls: ssl.SSLContext
    name: str | None  # of the certificate; None: that of the URL


class Server:
    """An open way to the server."""

    def __init__(self, client: httpx.AsyncClient, address: Address, authorization: str) -> None:
        self._client = client
        self._address = address
        self._headers = {"Authorization": authorization} if authorization else {}

    async def outputs(self, namespace: str, name: str) -> JsonObject:
        """Return a run's outputs, of whatever size, protected ones masked. Raises CliError."""
        path = f"/api/v1/namespaces/{namespace}/executions/{name}/outputs"
        async with self._asked(path) as answer:
            outputs: JsonObject = json.loads(await answer.aread())
            return outputs

    async def logs(
        self, namespace: str, name: str, *, follow: bool = False, after: int = 0
    ) -> AsyncGenerator[Entry, None]:
        """Yield a run's log beyond the entry `after`; with `follow` until the run has ended.

        Raises CliError.
        """
        path = f"/api/v1/namespaces/{namespace}/executions/{name}/logs"
        query = {"after": str(after)} | ({"follow": "1"} if follow else {})
        async with self._asked(path, query, _FOLLOW if follow else _ANSWER) as answer:
            async for line in answer.aiter_lines():
                if line.strip():
                    yield _entry(json.loads(line))

    async def respond(self, namespace: str, name: str, response: JsonObject) -> JsonObject:
        """Answer a Message in one's own name, and return it as it then is. Raises CliError."""
        path = f"/api/v1/namespaces/{namespace}/messages/{name}/response"
        async with self._asked(path, body=response) as answer:
            message: JsonObject = json.loads(await answer.aread())
            return message

    async def files(self, namespace: str) -> list[JsonObject]:
        """Return what is to be said of each file of a namespace, by name. Raises CliError."""
        async with self._asked(f"/api/v1/namespaces/{namespace}/files") as answer:
            items: list[JsonObject] = json.loads(await answer.aread())["items"]
            return items

    async def file(self, namespace: str, name: str) -> bytes:
        """Return the content of a file. Raises CliError."""
        path = f"/api/v1/namespaces/{namespace}/files/content"
        async with self._asked(path, {"name": name}) as answer:
            return await answer.aread()

    async def put_file(self, namespace: str, name: str, content: bytes) -> None:
        """Create or overwrite a file. Raises CliError."""
        path = f"/api/v1/namespaces/{namespace}/files/content"
        async with self._asked(path, {"name": name}, method="PUT", content=content):
            pass

    async def delete_file(self, namespace: str, name: str) -> None:
        """Delete a file. Raises CliError."""
        path = f"/api/v1/namespaces/{namespace}/files/content"
        async with self._asked(path, {"name": name}, method="DELETE"):
            pass

    async def commit(self, namespace: str, repository: str, body: JsonObject) -> JsonObject:
        """Commit an edited script, and return what became of it. Raises CliError."""
        path = f"/api/v1/namespaces/{namespace}/flowrepositories/{repository}/commits"
        async with self._asked(path, timeout=_COMMIT, body=body) as answer:
            told: JsonObject = json.loads(await answer.aread())
            return told

    @asynccontextmanager
    async def _asked(
        self,
        path: str,
        query: dict[str, str] | None = None,
        timeout: httpx.Timeout = _ANSWER,
        *,
        body: JsonObject | None = None,
        method: str | None = None,
        content: bytes | None = None,
    ) -> AsyncIterator[httpx.Response]:
        extensions: dict[str, Any] = {"timeout": timeout.as_dict()}
        if self._address.name is not None:
            extensions["sni_hostname"] = self._address.name
        request = self._client.build_request(
            method or ("GET" if body is None else "POST"),
            self._address.url + path,
            params=query,
            json=body,
            content=content,
            headers=self._headers,
            extensions=extensions,
        )
        try:
            answer = await self._client.send(request, stream=True)
            try:
                if answer.status_code >= 400:
                    raise _refusal(answer.status_code, await answer.aread())
                yield answer
            finally:
                await answer.aclose()
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ServerAway(
                f"Weir's server at {self._address.url} does not answer: {reason}"
            ) from error


@asynccontextmanager
async def reached(session: Session) -> AsyncIterator[Server]:
    """Open a way to the server: the URL that was given, else a port-forward to its Pod.

    Raises CliError, ClusterError.
    """
    async with AsyncExitStack() as stack:
        credentials = await session.cluster.credentials()
        if session.options.server:
            address = _given(session, session.options.server, credentials)
        else:
            address = await _forwarded(session, stack, credentials)
        client = await stack.enter_async_context(
            httpx.AsyncClient(verify=address.tls, trust_env=bool(session.options.server))
        )
        yield Server(client, address, credentials.authorization)


def _given(session: Session, url: str, credentials: Credentials) -> Address:
    """Trust the CA that was given, else the system's."""
    parts = httpx.URL(url)
    if parts.scheme not in ("https", "http") or not parts.host:
        raise CliError(f"--server {url!r}: write a URL, such as https://weir.example.com")
    if parts.scheme == "http" and parts.host not in _OWN_HOSTS:
        raise CliError(f"--server {url!r}: your credentials go there, so it must be https://")
    file = session.options.server_ca
    if file is not None:
        try:
            return Address(url.rstrip("/"), _tls(file.read_text(), credentials), _CERTIFICATE_NAME)
        except OSError as error:
            raise CliError(f"cannot read {file}: {error.strerror}") from None
    return Address(url.rstrip("/"), _tls(None, credentials), None)


async def _forwarded(session: Session, stack: AsyncExitStack, credentials: Credentials) -> Address:
    service = await _service(session)
    metadata = service["metadata"]
    authority = await _authority(session, metadata["namespace"])
    try:
        pod, port = await _pod(session, service)
        forward = await stack.enter_async_context(
            PortForward(session.cluster, metadata["namespace"], pod, port)
        )
    except Refused as error:
        raise CliError(
            f"no right to reach Weir's server through the cluster ({error.message}): give its "
            "address by --server or WEIR_SERVER_URL",
            ExitCode.UNABLE,
        ) from error
    url = f"https://127.0.0.1:{forward.local_port}"
    return Address(url, _tls(authority, credentials), _CERTIFICATE_NAME)


async def installed_version(session: Session) -> str:
    """Return the version of the Weir that is installed. Raises CliError, ClusterError."""
    labels = (await _service(session))["metadata"].get("labels") or {}
    return str(labels.get("app.kubernetes.io/version", "unknown"))


async def _service(session: Session) -> JsonObject:
    try:
        found = (await session.cluster.list(SERVICES, None, labels=_SELECTOR)).items
    except Refused:
        try:
            listing = await session.cluster.list(SERVICES, _USUAL_NAMESPACE, labels=_SELECTOR)
        except Refused as error:
            raise CliError(
                f"no right to look for Weir's server ({error.message}): give its address by "
                "--server or WEIR_SERVER_URL",
                ExitCode.UNABLE,
            ) from error
        found = listing.items
    if not found:
        raise CliError(
            "there is no Service of Weir's server in this cluster: is Weir installed? Else give "
            "its address by --server or WEIR_SERVER_URL",
            ExitCode.UNABLE,
        )
    order = {session.namespace: 0, _USUAL_NAMESPACE: 1}
    return min(
        found,
        key=lambda one: (order.get(one["metadata"]["namespace"], 2), one["metadata"]["namespace"]),
    )


async def _authority(session: Session, namespace: str) -> str:
    try:
        published = await session.cluster.get(CONFIG_MAPS, namespace, _CA_CONFIG_MAP)
        return str(published["data"][_CA_KEY])
    except (NotFound, KeyError):
        raise CliError(
            f"ConfigMap {namespace}/{_CA_CONFIG_MAP} with the server's CA is not there yet: Weir's "
            "operator makes it at its first start",
            ExitCode.UNABLE,
        ) from None


async def _pod(session: Session, service: JsonObject) -> tuple[str, int]:
    namespace = service["metadata"]["namespace"]
    selector = ",".join(f"{key}={value}" for key, value in service["spec"]["selector"].items())
    pods = (await session.cluster.list(PODS, namespace, labels=selector)).items
    ready = next((pod for pod in pods if _is_ready(pod)), None)
    if ready is None:
        raise ServerAway(
            f"no Pod of Weir's server in namespace {namespace} is ready: "
            f"`kubectl -n {namespace} get pods -l {selector}` shows why"
        )
    ports = service["spec"]["ports"]
    chosen = next((one for one in ports if one.get("name") == "https"), ports[0])
    target = chosen.get("targetPort", chosen["port"])
    if isinstance(target, str):
        target = _container_port(ready, target)
    return ready["metadata"]["name"], int(target)


def _is_ready(pod: JsonObject) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _container_port(pod: JsonObject, name: str) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or []:
            if port.get("name") == name:
                return int(port["containerPort"])
    raise ClusterError(f"Pod {pod['metadata']['name']} has no port called {name}")


def _tls(authority: str | None, credentials: Credentials) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority)
    if credentials.certificate:
        context.load_cert_chain(credentials.certificate, credentials.key)
    return context


def _entry(line: dict[str, Any]) -> Entry:
    return Entry(
        cursor=int(line["cursor"]),
        time=datetime.fromtimestamp(float(line["time"]), UTC),
        stream=str(line.get("stream") or "log"),
        text=str(line.get("text") or ""),
        data=line.get("data"),
        try_number=int(line.get("try") or 1),
    )


def _refusal(status: int, body: bytes) -> CliError:
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        message = body.decode(errors="replace")[:200] or f"HTTP {status}"
    advice = ""
    if status == 401:
        advice = ": the kubeconfig needs a token or a client certificate of this cluster"
    if status >= 500:
        return ServerAway(f"Weir's server failed ({status}): {message}")
    return ServerRefused(f"Weir's server refused ({status}): {message}{advice}")
