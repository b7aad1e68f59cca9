"""What may be tried at a Webhook, and what comes of it: printed in docs/webhooks.md."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.integration.server.hooks import KEY, SECRET, signature, signed, signed_at

# As these Webhooks are made: see `SPECS`.
_JSON = {"Content-Type": "application/json"}
_WITH_KEY = {"X-Weir-Key": KEY}


@dataclass(frozen=True)
class Attack:
    """One attempt: it starts no run, and gets this status."""

    what: str
    status: int
    webhook: str  # its name, and what follows it
    request: Callable[[], dict[str, Any]] = field(default=dict)
    method: str = "POST"
    before: Callable[[], dict[str, Any]] | None = None  # another call that is taken
    namespace: str | None = None


def _bytes(content: bytes, **headers: str) -> Callable[[], dict[str, Any]]:
    return lambda: {"content": content, "headers": _WITH_KEY | _JSON | headers}


_REPLAYED = signed({"n": "replayed"})
_RENAMED = signed({"n": "renamed"}, **{"X-GitHub-Delivery": "one"})


ATTACKS = (
    # Strangers: all the same answer.
    Attack("no such webhook", 404, "nothing"),
    Attack("a namespace that is not there", 404, "keyed", namespace="nowhere-at-all"),
    Attack("a name with another's in it", 404, "keyed%00"),
    Attack(
        "a webhook that is not enabled, with its key", 404, "closed", lambda: {"headers": _WITH_KEY}
    ),
    Attack("no key", 404, "keyed"),
    Attack("a wrong key in the query", 404, "keyed?key=wrong"),
    Attack("a wrong key in the header", 404, "keyed", lambda: {"headers": {"X-Weir-Key": "wrong"}}),
    Attack("an empty key", 404, "keyed?key="),
    Attack("a part of the key", 404, f"keyed?key={KEY[:-1]}"),
    Attack("a wrong key in JSON", 404, "keyed", lambda: {"json": {"key": "wrong"}}),
    Attack("a key in JSON that is no text", 404, "keyed", lambda: {"json": {"key": [KEY]}}),
    Attack("the key as a cookie", 404, "keyed", lambda: {"headers": {"Cookie": f"key={KEY}"}}),
    Attack("the key in a form", 404, "keyed", lambda: {"data": {"key": KEY}}),
    Attack("another webhook's secret as key", 404, f"keyed?key={SECRET.decode()}"),
    Attack("the key of a webhook whose Secret is not there", 404, f"lost?key={KEY}"),
    Attack(
        "a method that is not among its methods, with the key",
        404,
        f"keyed?key={KEY}",
        method="DELETE",
    ),
    Attack("the method OPTIONS, with the key", 404, f"keyed?key={KEY}", method="OPTIONS"),
    Attack("no signature", 404, "signed", lambda: {"json": {"n": 1}}),
    Attack(
        "a signature of another secret",
        404,
        "signed",
        lambda: {"json": {}, "headers": {"X-Weir-Signature": signature(b"{}", secret=b"guess")}},
    ),
    Attack(
        "a signature of another body",
        404,
        "signed",
        lambda: signed({"n": 1}) | {"content": b'{"n": 2}'},
    ),
    Attack(
        "a signature by a weaker hash",
        404,
        "signed",
        lambda: {"content": b"{}", "headers": {"X-Weir-Signature": "sha1=" + "0" * 40}},
    ),
    Attack(
        "a thousand signatures in one header",
        404,
        "signed",
        lambda: {
            "content": b"{}",
            "headers": {"X-Weir-Signature": ",".join(["0" * 64] * 100 + [signature(b"{}")])},
        },
    ),
    Attack("the key alone where a signature is needed too", 404, f"both?key={KEY}"),
    Attack("the signature alone where a key is needed too", 404, "both", lambda: signed({"n": 1})),
    Attack(
        "a request that was sent before", 404, "signed", lambda: _REPLAYED, before=lambda: _REPLAYED
    ),
    Attack(
        "a request that was sent before, as another delivery",
        404,
        "signed",
        lambda: _RENAMED | {"headers": _RENAMED["headers"] | {"X-GitHub-Delivery": "two"}},
        before=lambda: _RENAMED,
    ),
    Attack(
        "signed ten minutes ago", 404, "timed", lambda: signed_at({"n": 1}, int(time.time()) - 600)
    ),
    Attack(
        "signed in ten minutes", 404, "timed", lambda: signed_at({"n": 1}, int(time.time()) + 600)
    ),
    Attack("signed without its time", 404, "timed", lambda: signed({"n": 1})),
    Attack("a time that is none", 404, "timed", lambda: signed({"n": 1}, **{"X-Time": "-1e9"})),
    Attack(
        "a body that is too large, without a key", 404, "keyed", lambda: {"content": b"x" * 3000}
    ),
    Attack(
        "a body that is too large, with the key in it",
        404,
        "keyed",
        lambda: {"json": {"key": KEY, "x": "x" * 3000}},
    ),
    Attack("dots in the path, with the key", 404, f"keyed/%2e%2e/closed?key={KEY}"),
    Attack("a backslash in the path, with the key", 404, f"keyed/..%5cclosed?key={KEY}"),
    Attack("a control character in the path, with the key", 404, f"keyed/a%0db?key={KEY}"),
    # Who has the key is told more.
    Attack(
        "a body that is too large, with the key",
        413,
        "keyed",
        lambda: {"content": b"x" * 3000, "headers": _WITH_KEY},
    ),
    Attack(
        "too large a body in pieces, with the key",
        413,
        "keyed",
        lambda: {"content": _pieces(), "headers": _WITH_KEY},
    ),
    Attack("a body that is no JSON", 400, "keyed", _bytes(b'{"a": ')),
    Attack("JSON that is 1,000 levels deep", 400, "keyed", _bytes(b"[" * 1000 + b"]" * 1000)),
    Attack("NaN in JSON", 400, "keyed", _bytes(b'{"a": NaN}')),
    Attack("a number with 400 digits before the point", 400, "keyed", _bytes(b"1" * 400 + b".0")),
    Attack("an integer with 5,000 digits", 400, "wide", _bytes(b"1" * 5000)),
    Attack("500,001 values in JSON", 400, "wide", _bytes(b"[" + b"0," * 500_001 + b"0]")),
    Attack("half of a surrogate pair", 400, "keyed", _bytes(b'"\\ud800"')),
    Attack("bytes that are no UTF-8", 400, "keyed", _bytes(b'"\xff"')),
    Attack(
        "a charset that nobody knows",
        400,
        "keyed",
        lambda: {
            "content": b"x",
            "headers": _WITH_KEY | {"Content-Type": "text/plain; charset=utf-7"},
        },
    ),
    Attack(
        "a form with 1,001 fields",
        400,
        "keyed",
        lambda: {
            "content": b"&".join([b"a"] * 1001),
            "headers": _WITH_KEY | {"Content-Type": "application/x-www-form-urlencoded"},
        },
    ),
    Attack(
        "another request under a delivery id that was used",
        422,
        "keyed",
        lambda: {"content": b"b", "headers": _WITH_KEY | {"Idempotency-Key": "used"}},
        before=lambda: {"content": b"a", "headers": _WITH_KEY | {"Idempotency-Key": "used"}},
    ),
)

_KEYED: dict[str, Any] = {
    "keySecretRef": {"name": "hook", "key": "key"},
    "async": True,
    "maxBytes": 2048,
}
_SIGNED: dict[str, Any] = {"hmac": {"secretRef": {"name": "hook", "key": "secret"}}, "async": True}
SPECS: dict[str, dict[str, Any]] = {
    "keyed": _KEYED,
    "closed": _KEYED | {"enabled": False},
    "lost": _KEYED | {"keySecretRef": {"name": "not-there", "key": "key"}},
    "wide": _KEYED | {"maxBytes": 4 * 2**20},
    "signed": _SIGNED,
    "both": _SIGNED | {"keySecretRef": {"name": "hook", "key": "key"}},
    "timed": {"hmac": _SIGNED["hmac"] | {"timestampHeader": "X-Time"}, "async": True},
}


async def _pieces() -> Any:
    for _ in range(30):
        yield b"x" * 100


def table() -> list[str]:
    """Return the rows of the table in docs/webhooks.md."""
    return [f"| {attack.what} | {attack.status} |" for attack in ATTACKS]
