"""Tokens, good and bad, without an API server."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from weir.cluster.errors import ClusterError, Unavailable
from weir.server.identity import Identity
from weir.server.keys import DISCOVERY, Keys
from weir.server.refusals import Refused

ISSUER = "https://kubernetes.default.svc"
KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)


class Published:
    """The API server, as far as it publishes keys."""

    def __init__(self) -> None:
        self.keys = {"k1": KEY}
        self.asked = 0
        self.is_away = False

    async def raw(self, method: str, path: str) -> Any:
        if self.is_away:
            raise Unavailable("away")
        if path == DISCOVERY:
            return {"issuer": ISSUER}
        self.asked += 1
        algorithm = jwt.algorithms.RSAAlgorithm
        return {
            "keys": [
                algorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "alg": "RS256"}
                for kid, key in self.keys.items()
            ]
        }


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": ["weir-server"],
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "kubernetes.io": {"namespace": "team", "pod": {"name": "p", "uid": "up"}},
    } | changed


def signed(payload: dict[str, Any], key: Any = KEY, kid: str = "k1", alg: str = "RS256") -> str:
    return jwt.encode(payload, key, algorithm=alg, headers={"kid": kid})


async def test_a_good_token_names_its_pod() -> None:
    caller = await Identity(Published()).of_token(signed(claims()))  # type: ignore[arg-type]
    assert (caller.namespace, caller.pod, caller.pod_uid) == ("team", "p", "up")


async def test_a_token_is_not_remembered_beyond_its_end() -> None:
    now = [time.time()]
    identity = Identity(Published(), clock=lambda: now[0])  # type: ignore[arg-type]
    token = signed(claims(exp=int(now[0]) + 1))
    await identity.of_token(token)
    known = identity._checked[token]
    assert known[0] <= now[0] + 1
    other = signed(claims(exp=int(now[0]) + 6000))
    await identity.of_token(other)
    # Nor is one remembered for long, whose key may have been taken back.
    assert identity._checked[other][0] <= now[0] + 60


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda: signed(claims(aud=["other"])), id="another audience"),
        pytest.param(lambda: signed(claims(iss="https://evil")), id="another issuer"),
        pytest.param(lambda: signed(claims(exp=int(time.time()) - 60)), id="expired"),
        pytest.param(lambda: signed(claims(nbf=int(time.time()) + 60)), id="not valid yet"),
        pytest.param(lambda: signed(claims(), OTHER_KEY), id="another's signature"),
        pytest.param(lambda: signed(claims(), kid="k2"), id="an unknown key"),
        pytest.param(
            lambda: signed(claims(), "secret" * 8, alg="HS256"), id="a symmetric algorithm"
        ),
        pytest.param(lambda: jwt.encode(claims(), "", algorithm="none"), id="no signature"),
        pytest.param(
            lambda: signed(claims(**{"kubernetes.io": {"namespace": "team"}})), id="bound to no Pod"
        ),
        pytest.param(
            lambda: signed({k: v for k, v in claims().items() if k != "exp"}), id="without an end"
        ),
        pytest.param(lambda: "nonsense", id="nonsense"),
    ],
)
async def test_a_bad_token_is_refused(token: Any) -> None:
    with pytest.raises(Refused) as caught:
        await Identity(Published()).of_token(token())  # type: ignore[arg-type]
    assert caught.value.status == 401


async def test_keys_are_asked_for_again_but_not_for_every_made_up_token() -> None:
    published, now = Published(), [0.0]
    keys = Keys(published, clock=lambda: now[0])  # type: ignore[arg-type]
    assert await keys.find("k1") is not None
    for _ in range(5):
        assert await keys.find("made up") is None
    assert published.asked == 1
    published.keys = {"k1": KEY, "k2": OTHER_KEY}
    now[0] += 11
    assert await keys.find("k2") is not None
    assert published.asked == 2
    now[0] += 301
    published.keys = {"k2": OTHER_KEY}
    assert await keys.find("k1") is None  # it was taken back


async def test_old_keys_serve_while_the_api_server_is_away() -> None:
    published, now = Published(), [0.0]
    keys = Keys(published, clock=lambda: now[0])  # type: ignore[arg-type]
    published.is_away = True
    with pytest.raises(ClusterError):
        await keys.find("k1")
    published.is_away = False
    assert await keys.find("k1") is not None
    published.is_away = True
    now[0] += 1000
    assert await keys.find("k1") is not None
