"""Which person or program asks the REST API, and whether they may: the API server says."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from starlette.requests import Request

from weir.api.execution import Execution
from weir.api.names import GROUP
from weir.api.resource import JsonObject
from weir.cluster import own_rights
from weir.cluster.client import Cluster
from weir.cluster.errors import Refused
from weir.cluster.kinds import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS
from weir.server import refusals
from weir.server.identity import bearer_token

# A right that was taken away is gone after this long.
_SECONDS = 10.0
_MOST = 2000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class User:
    """Who is asking, as the API server knows them."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())


class _Remembered(Generic[T]):
    """Answers of the API server, for a few seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[object, tuple[float, T]] = OrderedDict()

    def get(self, key: object) -> T | None:
        until, answer = self._known.get(key, (0.0, None))
        return answer if self._clock() < until else None

    def put(self, key: object, answer: T) -> T:
        self._known[key] = (self._clock() + _SECONDS, answer)
        self._known.move_to_end(key)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return answer


class Access:
    """Authenticates and authorizes requests of the REST API."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._users: _Remembered[User] = _Remembered(clock)
        self._names: _Remembered[str] = _Remembered(clock)
        self._rights: _Remembered[bool] = _Remembered(clock)

    async def require_reader(self, request: Request, namespace: str, name: str) -> None:
        """Raise refusals.Refused unless who asks may read an Execution of that name, be it there
        or not.

        401: nobody knows them; 403: they may not. Raises ClusterError too.
        """
        right = right_to("get", Execution.PLURAL, namespace, name)
        await self.require(request, right)

    async def require(self, request: Request, right: JsonObject) -> User | None:
        """Return who asks, None where that cannot be known; raise refusals.Refused unless they have
        a right (`resourceAttributes`).

        401: nobody knows them; 403: they may not. Raises ClusterError too.
        """
        user: User | None = None
        try:
            user = await self.user(request)
            allowed = await self.may(user, right)
        except Refused:
            # An installation for some namespaces only has no right to ask about others.
            allowed = await self._may_by_itself(request, right)
            user = await self._named_by_itself(request) if allowed else None
        if not allowed:
            who = f'user "{user.name}"' if user else "the token's holder"
            raise refusals.forbidden(
                f"{who} cannot {right['verb']} {right['resource']}.{GROUP} in the namespace "
                f'"{right["namespace"]}"'
            )
        return user

    async def user(self, request: Request) -> User:
        """Return who asks: by their token, else by their certificate.

        Raises refusals.Refused (401), ClusterError.
        """
        if "authorization" in request.headers:
            return await self._by_token(bearer_token(request))
        user = by_certificate(getattr(request.state, "peer", None))
        if user is None:
            raise refusals.unauthorized(
                "a bearer token or a client certificate of the cluster is needed"
            )
        return user

    async def may(self, user: User, right: JsonObject) -> bool:
        """Whether somebody has a right (`resourceAttributes`). Raises ClusterError."""
        key = (user, *right.values())
        known = self._rights.get(key)
        if known is not None:
            return known
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": user.name,
                "uid": user.uid,
                "groups": list(user.groups),
                "extra": {name: list(values) for name, values in user.extra},
                "resourceAttributes": right,
            },
        }
        answer = await self._cluster.create(SUBJECT_ACCESS_REVIEWS, None, body)
        return self._rights.put(key, bool(answer.get("status", {}).get("allowed")))

    async def _by_token(self, token: str) -> User:
        key = _digest(token)
        known = self._users.get(key)
        if known is not None:
            return known
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token},
        }
        status = (await self._cluster.create(TOKEN_REVIEWS, None, body)).get("status", {})
        if not status.get("authenticated"):
            raise refusals.unauthorized("the token is not good")
        return self._users.put(key, _of_review(status.get("user") or {}))

    async def _may_by_itself(self, request: Request, right: JsonObject) -> bool:
        if "authorization" not in request.headers:
            raise refusals.unsupported(
                "this installation serves some namespaces only and may not ask what the holder of "
                "a certificate may do: use a token"
            )
        token = bearer_token(request)
        key = (_digest(token), *right.values())
        known = self._rights.get(key)
        if known is not None:
            return known
        try:
            return self._rights.put(key, await own_rights.may(self._cluster, token, right))
        except Refused as error:
            if error.status != 401:
                raise
            raise refusals.unauthorized("the token is not good") from None

    async def _named_by_itself(self, request: Request) -> User | None:
        """Return the holder of a token by name alone, None where even that is not said."""
        token = bearer_token(request)
        key = _digest(token)
        known = self._names.get(key)
        if known is None:
            try:
                known = self._names.put(key, await own_rights.name(self._cluster, token) or "")
            except Refused:
                return None
        return User(known) if known else None


def right_to(verb: str, resource: str, namespace: str, name: str) -> JsonObject:
    """Return the right to do something to one of our objects, as access reviews name it."""
    return {
        "group": GROUP,
        "resource": resource,
        "verb": verb,
        "namespace": namespace,
        "name": name,
    }


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def by_certificate(certificate: dict[str, Any] | None) -> User | None:
    """Return whom a verified client certificate names: CN is the user, each O a group."""
    subject = (certificate or {}).get("subject", ())
    fields = [pair for name in subject for pair in name]
    names = [value for key, value in fields if key == "commonName"]
    if not names:
        return None
    groups = [value for key, value in fields if key == "organizationName"]
    return User(names[-1], groups=(*groups, "system:authenticated"))


def _of_review(user: dict[str, Any]) -> User:
    extra = tuple(
        (name, tuple(values)) for name, values in sorted((user.get("extra") or {}).items())
    )
    return User(
        name=user.get("username", ""),
        uid=user.get("uid", ""),
        groups=tuple(user.get("groups") or ()),
        extra=extra,
    )
