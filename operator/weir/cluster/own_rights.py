"""Asks the API server what the holder of a token may do, in the holder's own name.

For installations that have no right to ask about others: whoever can authenticate may ask about
themselves.
"""

from __future__ import annotations

import ssl

import aiohttp

from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import Unavailable, from_answer

_RIGHTS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_IDENTITY = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)


async def may(cluster: Cluster, token: str, attributes: JsonObject) -> bool:
    """Whether a token's holder has a right (`resourceAttributes` of a SelfSubjectAccessReview).

    Raises ClusterError; with status 401 for a token that is not good.
    """
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool((await _asked(cluster, token, _RIGHTS, body)).get("allowed"))


async def name(cluster: Cluster, token: str) -> str | None:
    """Return the name of a token's holder; None where the API server does not say.

    Raises ClusterError; with status 401 for a token that is not good.
    """
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    user: JsonObject = (await _asked(cluster, token, _IDENTITY, body)).get("userInfo") or {}
    return user.get("username") or None


async def _asked(cluster: Cluster, token: str, path: str, body: JsonObject) -> JsonObject:
    """Return the status of a review of the token's holder."""
    # A connection of its own, without Weir's client certificate if it has one: that would be who
    # asks, whatever the token says.
    context = ssl.create_default_context(cafile=cluster.authority_file)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.post(cluster.host + path, json=body, headers=headers, ssl=context) as answer,
        ):
            content = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise Unavailable(f"the API server does not answer: {error!r}") from error
    if answer.status >= 400:
        raise from_answer(answer.status, content)
    status: JsonObject = content.get("status") or {}
    return status
