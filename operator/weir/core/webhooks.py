"""Who may call a Webhook: keys, signatures, and what was sent before.

Secrets are compared in constant time, and wherever a key may stand is looked at in any case.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from weir.api import durations
from weir.api.webhook import Hmac, WebhookSpec
from weir.core.signatures import is_secret, is_signature

# What senders call a delivery: the same word twice is the same delivery.
DELIVERY_HEADERS = (
    "idempotency-key",
    "x-github-delivery",
    "x-gitlab-event-uuid",
    "x-gitea-delivery",
    "x-forgejo-delivery",
    "x-gogs-delivery",
    "webhook-id",  # Standard Webhooks
)
# Of one header: a sender that changes its secret signs with the old one too.
_MOST_SIGNATURES = 16
_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9-]+)\}")
_TIME = re.compile(r"(?:^|[,\s])t=(\d{1,12})(?:$|[,\s])")
_VERSION = re.compile(r"v\d+")


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A request, read. Names of headers are in lower case; `path` is what follows the Webhook's."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header; one that was sent several times is joined by commas."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    def asked(self, name: str) -> list[str]:
        """Return all values of a key of the query."""
        return [value for key, value in self.query if key == name]


@dataclass(frozen=True, slots=True)
class Signed:
    """A good signature: what to remember it by, and until when (Unix seconds)."""

    digest: str  # sha256 in hex
    until: float


class NotAuthentic(Exception):
    """Who calls does not know the key or the secret. Its text is for the server's log only."""


def outer_keys(request: HookRequest, spec: WebhookSpec) -> list[str]:
    """Return what stands where a key may stand, but for the body."""
    header = request.header(spec.key_header)
    return [*request.asked("key"), *([header] if header is not None else [])]


def inner_keys(content: Mapping[str, object]) -> list[str]:
    """Return what stands as `key` in a body of JSON."""
    data = content.get("json")
    key = data.get("key") if isinstance(data, dict) else None
    return [key] if isinstance(key, str) else []


def is_key(given: Iterable[str], secret: bytes) -> bool:
    """Whether one of these is the key. All are compared."""
    found = [is_secret(one, secret) for one in given]
    return any(found)


def verified(request: HookRequest, rule: Hmac, secret: bytes, now: float) -> Signed:
    """Return the signature of a request. Raises NotAuthentic."""
    given = request.header(rule.header)
    timestamp, window = None, durations.parse(rule.window).total_seconds()
    if rule.timestamp_header is not None:
        timestamp = _timestamp(request.header(rule.timestamp_header) or "")
    signed = _signed(request, rule, timestamp)
    good = [
        is_signature(one, signed, secret, algorithm=rule.algorithm)
        for one in _candidates(given or "")
    ]
    if given is None:
        raise NotAuthentic(f"no header {rule.header}")
    if not any(good):
        raise NotAuthentic("a wrong signature")
    until = now + window
    if rule.timestamp_header is not None:
        if timestamp is None:
            raise NotAuthentic(f"no time in {rule.timestamp_header}")
        if abs(now - int(timestamp)) > window:
            raise NotAuthentic("signed too long ago, or in the future")
        until = int(timestamp) + window
    # By what was signed, however the signature is spelled.
    made = hmac.digest(secret, signed, rule.algorithm)
    return Signed(hashlib.sha256(made).hexdigest(), max(until, now))


def remembers(rule: Hmac | None) -> bool:
    """Whether a signature is not taken twice."""
    return rule is not None and durations.parse(rule.window).total_seconds() > 0


def delivery_of(request: HookRequest) -> str | None:
    """Return the sender's own word for this delivery; None: there is none that can be used."""
    for name in DELIVERY_HEADERS:
        given = (request.header(name) or "").strip()
        if given:
            # Words of several senders do not meet, and long ones keep all they say.
            return f"{name}={hashlib.sha256(given.encode(errors='replace')).hexdigest()}"
    return None


def digest_of(request: HookRequest) -> str:
    """Return what tells a request from another of the same delivery, without what may differ when
    it is sent again: headers.
    """
    parts = (request.method, request.path, repr(request.query), hashlib.sha256(request.body))
    joined = "\0".join(
        one if isinstance(one, str) else one.hexdigest()  # the body's
        for one in parts
    )
    return hashlib.sha256(joined.encode(errors="replace")).hexdigest()[:32]


def _timestamp(text: str) -> str | None:
    """Return the digits of a time, which are what was signed."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return text
    found = _TIME.search(text)
    return found[1] if found else None


def _signed(request: HookRequest, rule: Hmac, timestamp: str | None) -> bytes:
    default = "{timestamp}.{body}" if rule.timestamp_header is not None else "{body}"
    parts = _PLACEHOLDER.split(rule.signed or default)
    made = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            made.append(part.encode())
        elif part == "body":
            made.append(request.body)
        elif part == "timestamp":
            made.append((timestamp or "").encode())
        else:
            made.append((request.header(part) or "").encode("latin-1", errors="replace"))
    return b"".join(made)


def _candidates(text: str) -> list[str]:
    """Return the signatures that a header may spell: `t=…,v1=HEX`, `v0=HEX`, `v1,BASE64`, `HEX`."""
    words = re.split(r"[,\s]+", text)[:_MOST_SIGNATURES]
    found = []
    for word in words:
        name, is_named, rest = word.partition("=")
        found.append(rest if is_named and _VERSION.fullmatch(name) else word)
    return found
