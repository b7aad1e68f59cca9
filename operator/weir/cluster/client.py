"""A small client of the Kubernetes API: JSON objects in, JSON objects out, errors by what follows
from them.

The official client brings configuration, credentials and connections. Its typed models are left
aside: our own objects are custom resources, which it has as plain data anyway, and decoding Pods
into its models costs more than all our decisions.
"""

from __future__ import annotations

import copy
import json
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

import aiohttp
import yaml
from kubernetes.aio import client, config

from weir.api.resource import JsonObject
from weir.cluster import watching
from weir.cluster.errors import ClusterError, Conflict, Invalid, NotFound, Unavailable, from_answer
from weir.cluster.kinds import Kind
from weir.cluster.watching import Listing

logger = logging.getLogger(__name__)

# One call, answer included. Longer than the API server's own limit of 60 s for ordinary requests
# would be of no use.
_CALL_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)

_MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
# JSON is YAML, and the API server reads it faster than what is not.
# With a charset the client leaves the body as it is.
_APPLY = "application/apply-patch+yaml; charset=utf-8"
# What the API server does not read as it stands in YAML.
_NOT_IN_YAML = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")

PAGE = 100


class Credentials(NamedTuple):
    """How a user proves who they are: an Authorization header, a client certificate, or both."""

    authorization: str  # empty where there is none
    certificate: str | None  # path of a PEM file
    key: str | None  # path of a PEM file


class Cluster:
    """The Kubernetes API. Use as an async context manager, or call `close`."""

    def __init__(self, api: client.ApiClient, *, host: str, namespace: str | None = None) -> None:
        self._api = api
        self._user = ""  # whom it acts as: "" is itself
        self._host = host.rstrip("/")
        self.namespace = namespace  # of the kubeconfig's context, if it names one
        self.calls: Counter[str] = (
            Counter()
        )  # by verb and plural, e.g. "patch executions": for metrics and tests

    @classmethod
    async def connect(cls, kubeconfig: Path | None = None, context: str | None = None) -> Cluster:
        """Connect with the Pod's service account, or else with a kubeconfig.

        Raises ClusterError when there is neither.
        """
        settings = client.Configuration()
        namespace: str | None = None
        try:
            if kubeconfig is None and context is None and _in_cluster():
                config.load_incluster_config(client_configuration=settings)
            else:
                loader = await config.load_kube_config(
                    config_file=str(kubeconfig) if kubeconfig else None,
                    context=context,
                    client_configuration=settings,
                    persist_config=False,
                )
                namespace = loader.current_context["context"].get("namespace")
        except config.ConfigException as error:
            raise ClusterError(f"no way to a cluster: {error}") from error
        except (yaml.YAMLError, LookupError, TypeError, ValueError, OSError) as error:
            # What the loader makes of a file that is no kubeconfig.
            raise ClusterError(f"no way to a cluster: no good kubeconfig: {error}") from error
        settings.connection_pool_maxsize = 500
        return cls(client.ApiClient(settings), host=settings.host, namespace=namespace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()

    def acting_as(self, user: str) -> Cluster:
        """Return the same connections and counts for calls that are bound by another's rights.

        `user` is as RBAC knows it, such as system:serviceaccount:NAMESPACE:NAME. Whoever may not
        impersonate it is Refused at each call.
        """
        other = copy.copy(self)
        other._user = user
        return other

    @property
    def host(self) -> str:
        """The API server's address, as https://host:port."""
        return self._host

    @property
    def authority_file(self) -> str | None:
        """The file of the CA that signed the API server's certificate; None: the system's CAs."""
        file: str | None = self._api.configuration.ssl_ca_cert
        return file

    async def get(self, kind: Kind, namespace: str | None, name: str) -> JsonObject:
        """Read one object. Raises NotFound."""
        return await self._object("GET", kind.path(namespace, name), verb=f"get {kind.plural}")

    async def list(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> Listing:
        """Read all objects that match the selectors."""
        items: list[JsonObject] = []
        version = ""
        async for page in self.pages(kind, namespace, labels=labels, fields=fields):
            items += page.items
            version = page.resource_version
        return Listing(items, version)

    async def pages(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> AsyncIterator[Listing]:
        """Read all objects that match the selectors, some at a time: for what may be many."""
        query = _selectors(labels, fields) | {"limit": str(PAGE)}
        while True:
            page = await self._call(
                "GET", kind.path(namespace), query=query, verb=f"list {kind.plural}"
            )
            metadata, items = page["metadata"], page.get("items") or []
            del page  # whoever takes it lets go of its items one by one
            yield Listing(
                [watching.trimmed(item) for item in items], metadata.get("resourceVersion", "")
            )
            del items
            if not metadata.get("continue"):
                return
            query["continue"] = metadata["continue"]

    async def create(self, kind: Kind, namespace: str | None, body: JsonObject) -> JsonObject:
        """Create an object. Raises AlreadyExists, Invalid, Refused."""
        return await self._object(
            "POST", kind.path(namespace), body=body, verb=f"create {kind.plural}"
        )

    async def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        body: JsonObject,
        *,
        status: bool = False,
    ) -> JsonObject:
        """Merge `body` into an object, or into its status.

        A resourceVersion in it guards: raises Conflict, NotFound, Invalid.
        """
        path = kind.path(namespace, name) + ("/status" if status else "")
        verb = f"patch {kind.plural}{'/status' if status else ''}"
        return await self._object("PATCH", path, body=body, content_type=_MERGE_PATCH, verb=verb)

    async def amend(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        changes: Sequence[JsonObject],
        *,
        status: bool = False,
        manager: str = "",
    ) -> JsonObject:
        """Apply JSON Patch operations to an object, or to its status: for values that are replaced,
        not merged.

        One that sets /metadata/resourceVersion guards: raises Conflict, NotFound, Invalid. What it
        sets belongs to `manager`; default: to the name of this program.
        """
        path = kind.path(namespace, name) + ("/status" if status else "")
        verb = f"patch {kind.plural}{'/status' if status else ''}"
        return await self._object(
            "PATCH",
            path,
            query={"fieldManager": manager} if manager else None,
            body=[*changes],
            content_type=_JSON_PATCH,
            verb=verb,
        )

    async def apply(
        self, kind: Kind, namespace: str | None, name: str, body: JsonObject, *, manager: str
    ) -> JsonObject:
        """Create an object, or give it the fields of `body`, whoever set them (server-side apply).

        Fields that `manager` applied before and that are not in `body` go; those of others stay. A
        metadata.uid in it guards: raises Conflict when that object is gone or another. Raises
        Invalid, Refused.
        """
        query = {"fieldManager": manager, "force": "true"}
        path = kind.path(namespace, name)
        verb = f"apply {kind.plural}"
        try:
            return await self._object(
                "PATCH", path, query=query, body=_as_yaml(body), content_type=_APPLY, verb=verb
            )
        except Invalid as error:
            # To the API server this is an attempt to change the UID.
            if "metadata.uid" in error.message and "immutable" in error.message:
                raise Conflict(error.message, reason="Conflict", status=409) from error
            raise

    async def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        grace_seconds: int | None = None,
    ) -> None:
        """Delete an object; one that is gone, or has another UID than `uid`, is fine."""
        options: JsonObject = {"propagationPolicy": "Background"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            await self._call(
                "DELETE", kind.path(namespace, name), body=options, verb=f"delete {kind.plural}"
            )
        except NotFound:
            pass
        except ClusterError as error:
            # The UID precondition failed: the object that was meant is gone.
            if not (uid is not None and error.status == 409):
                raise

    def watch(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> AsyncIterator[watching.Change]:
        """List, then watch, for ever. See `watching.follow`."""
        return watching.follow(self, kind, namespace, labels=labels, fields=fields)

    async def raw(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """Make any call and return its JSON."""
        return await self._call(method, path, query=query, body=body, verb=f"{method} {path}")

    async def stream(
        self, path: str, query: dict[str, str], *, seconds: float
    ) -> AsyncIterator[bytes]:
        """Yield the lines of a streamed answer, for at most `seconds` without a byte."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=seconds)
        answer = await self._send("GET", path, query=query, timeout=timeout)
        try:
            if answer.status >= 400:
                raise from_answer(answer.status, _parsed(await answer.read()))
            async for line in answer.content:
                yield line
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the API server broke off: {error!r}") from error
        finally:
            answer.close()

    async def websocket(
        self, path: str, query: dict[str, str], *, protocol: str
    ) -> aiohttp.ClientWebSocketResponse:
        """Open a websocket. Raises NotFound, Refused, Unavailable."""
        session = self._api.rest_client.pool_manager
        if session is None:
            session = self._api.rest_client.pool_manager = (
                self._api.rest_client._create_pool_manager()
            )
        try:
            opened: aiohttp.ClientWebSocketResponse = await session.ws_connect(
                f"{self._host}{path}?{urlencode(query)}",
                headers=await self._authorization(),
                protocols=(protocol,),
                max_msg_size=0,
            )
        except aiohttp.WSServerHandshakeError as error:
            raise from_answer(error.status, error.message) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the API server does not answer: {error!r}") from error
        return opened

    async def credentials(self) -> Credentials:
        """Return what the kubeconfig gives its user to prove who they are."""
        settings = self._api.configuration
        header = (await self._authorization()).get("Authorization", "")
        return Credentials(header, settings.cert_file or None, settings.key_file or None)

    async def _authorization(self) -> dict[str, str]:
        token = await self._api.configuration.get_api_key_with_prefix("BearerToken")
        return {"Authorization": token} if token else {}

    async def _object(self, method: str, path: str, **call: Any) -> JsonObject:
        found: JsonObject = await self._call(method, path, **call)
        return found

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        verb: str,
    ) -> Any:
        self.calls[verb] += 1
        answer = await self._send(
            method, path, query=query, body=body, content_type=content_type, timeout=_CALL_TIMEOUT
        )
        try:
            content = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the API server broke off: {error!r}") from error
        parsed = _parsed(content)
        if answer.status >= 400:
            raise from_answer(answer.status, parsed)
        return parsed

    async def _send(
        self,
        method: str,
        path: str,
        *,
        timeout: aiohttp.ClientTimeout,
        query: dict[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> aiohttp.ClientResponse:
        # The published keys of service accounts have a type of their own.
        headers = {"Accept": "application/json, */*;q=0.5", "Content-Type": content_type}
        headers |= await self._authorization()
        if self._user:
            headers["Impersonate-User"] = self._user
        url = self._host + path + (f"?{urlencode(query)}" if query else "")
        try:
            answer = await self._api.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=timeout
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the API server does not answer: {error!r}") from error
        response: aiohttp.ClientResponse = answer.response
        return response


def _in_cluster() -> bool:
    return Path("/var/run/secrets/kubernetes.io/serviceaccount/token").exists()


def _selectors(labels: str, fields: str) -> dict[str, str]:
    query = {}
    if labels:
        query["labelSelector"] = labels
    if fields:
        query["fieldSelector"] = fields
    return query


def _as_yaml(body: JsonObject) -> bytes:
    """Return JSON that is YAML too, where no two escapes make one character, as of an emoji."""
    text = json.dumps(body, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")
