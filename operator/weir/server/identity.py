"""Which Pod is asking: from its service account token, without asking the API server each time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import jwt
from starlette.requests import Request

from weir.api.names import EXECUTION_LABEL, MANAGED_BY, MANAGED_BY_LABEL
from weir.cluster.client import Cluster
from weir.cluster.errors import NotFound, Refused
from weir.cluster.kinds import PODS, TOKEN_REVIEWS
from weir.server import refusals
from weir.server.keys import Keys
from weir_protocol import AUDIENCE

_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
# Between our clock and the API server's.
_LEEWAY = 10
# A signature costs as much as all the rest of a small request; a runner sends several.
_REMEMBERED_SECONDS = 60.0
_MOST_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class Caller:
    """The Pod that a token is bound to."""

    token: str
    namespace: str
    pod: str
    pod_uid: str


class Identity:
    """Checks the tokens of runner Pods."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float] = time.time) -> None:
        self._cluster = cluster
        self._keys = Keys(cluster)
        self._clock = clock
        self._checked: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def caller(self, request: Request) -> Caller:
        """Return the Pod that sends a request. Raises Refused (401), ClusterError without keys."""
        return await self.of_token(bearer_token(request))

    async def of_token(self, token: str) -> Caller:
        """Return the Pod that a token is bound to. Raises Refused (401), ClusterError."""
        until, known = self._checked.get(token, (0.0, None))
        if known is not None and self._clock() < until:
            return known
        caller, expires = await self._verified(token)
        self._checked[token] = (min(expires, self._clock() + _REMEMBERED_SECONDS), caller)
        self._checked.move_to_end(token)
        while len(self._checked) > _MOST_REMEMBERED:
            self._checked.popitem(last=False)
        return caller

    async def _verified(self, token: str) -> tuple[Caller, float]:
        """Return whom a token names, and when it expires."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                raise refusals.unauthorized("the token's algorithm is not accepted")
            key = await self._keys.find(str(header.get("kid")))
            if key is None:
                raise refusals.unauthorized("the token was not signed by this cluster")
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=AUDIENCE,
                issuer=self._keys.issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "nbf"]},
            )
        except jwt.PyJWTError as error:
            raise refusals.unauthorized(f"the token is not good: {error}"[:300]) from None
        bound = claims.get("kubernetes.io") or {}
        pod = bound.get("pod") or {}
        if not pod.get("uid") or not pod.get("name") or not bound.get("namespace"):
            raise refusals.unauthorized("the token is not bound to a Pod")
        caller = Caller(
            token=token, namespace=bound["namespace"], pod=pod["name"], pod_uid=pod["uid"]
        )
        return caller, float(claims["exp"])

    async def require_runner(self, caller: Caller) -> None:
        """Raise Refused (403) unless the Pod there is one that Weir made."""
        try:
            pod = await self._cluster.get(PODS, caller.namespace, caller.pod)
        except NotFound:
            pod = {"metadata": {}}
        labels = pod["metadata"].get("labels") or {}
        if (
            pod["metadata"].get("uid") != caller.pod_uid
            or EXECUTION_LABEL not in labels
            or labels.get(MANAGED_BY_LABEL) != MANAGED_BY
        ):
            raise refusals.forbidden(f"Pod {caller.namespace}/{caller.pod} is no runner of Weir")

    async def review(self, caller: Caller) -> None:
        """Have the API server check the token: it refuses that of a Pod that was deleted.

        Raises refusals.Refused (401, 403), ClusterError.
        """
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": caller.token, "audiences": [AUDIENCE]},
        }
        try:
            answer = await self._cluster.create(TOKEN_REVIEWS, None, body)
        except Refused:
            # An installation for some namespaces only has no right to review. That the Pod is
            # there, with this UID and our label, says nearly as much.
            await self.require_runner(caller)
            return
        if not answer.get("status", {}).get("authenticated"):
            raise refusals.unauthorized("the token is no longer good: its Pod was deleted")


def bearer_token(request: Request) -> str:
    """Return the bearer token of a request. Raises Refused (401)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise refusals.unauthorized("a bearer token is needed")
    return token.strip()
