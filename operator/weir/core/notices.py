"""What a Git host says of a push: whether it is the host that says so, and of which branch or tag.

GitHub, GitLab, Gitea, Forgejo, Gogs and Bitbucket say it each in their own way; whatever else signs
as `X-Weir-Signature` may say nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from weir.api.repository import GitRef
from weir.core.signatures import is_secret, is_signature

_SIGNATURES = (
    "x-weir-signature",
    "x-hub-signature-256",  # GitHub, and Gitea and Forgejo beside their own
    "x-hub-signature",  # Bitbucket; of GitHub an older one by SHA-1, which is not taken
    "x-gitea-signature",
    "x-forgejo-signature",
    "x-gogs-signature",
)
_SECRET = "x-gitlab-token"
_EVENTS = (
    "x-github-event",
    "x-gitlab-event",
    "x-gitea-event",
    "x-forgejo-event",
    "x-gogs-event",
    "x-event-key",  # Bitbucket
)
_SYSTEM_HOOK = "system hook"  # of GitLab: the body says what it is about
_BRANCHES, _TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True)
class Notice:
    """What happened at the host."""

    is_push: bool = True
    refs: frozenset[str] = frozenset()  # refs/heads/… and refs/tags/…; empty: it does not say
    default_branch: str | None = None


def is_genuine(headers: Mapping[str, str], body: bytes, secret: bytes) -> bool:
    """Whether who sends this knows the secret. Names of headers are in lower case."""
    checks = [is_signature(headers[name], body, secret) for name in _SIGNATURES if name in headers]
    checks += [is_secret(headers[_SECRET], secret)] if _SECRET in headers else []
    return any(checks)


def read(headers: Mapping[str, str], body: bytes) -> Notice:
    """Return what a host says; what is not understood is taken as a push of whatever it be."""
    data = _data(headers, body)
    refs = frozenset(ref for ref in _refs(data) if ref.startswith((_BRANCHES, _TAGS)))
    return Notice(_is_push(headers, data), refs, _default_branch(data))


def concerns(notice: Notice, wanted: GitRef) -> bool:
    """Whether a push may have changed which commit a FlowRepository takes."""
    if not notice.is_push or wanted.commit is not None:
        return False
    if not notice.refs:
        return True
    if wanted.tag is not None:
        return _TAGS + wanted.tag in notice.refs
    if wanted.semver is not None:
        return any(ref.startswith(_TAGS) for ref in notice.refs)
    branch = wanted.branch or notice.default_branch
    if branch is None:
        return any(ref.startswith(_BRANCHES) for ref in notice.refs)
    return _BRANCHES + branch in notice.refs


def _data(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    text = body.decode(errors="replace")
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        text = parse_qs(text).get("payload", [""])[0]
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _is_push(headers: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    events = [headers[name].lower() for name in _EVENTS if name in headers]
    if _SYSTEM_HOOK in events:
        events = [str(data.get("object_kind") or data.get("event_name"))]
    return not events or any("push" in event for event in events)


def _refs(data: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(ref := data.get("ref"), str):
        yield ref
    changes = _at(data, "push", "changes")
    for change in changes if isinstance(changes, list) else []:
        for state in ("new", "old"):
            kind, name = _at(change, state, "type"), _at(change, state, "name")
            if isinstance(name, str):
                yield (_TAGS if kind == "tag" else _BRANCHES) + name


def _default_branch(data: Mapping[str, Any]) -> str | None:
    for owner in ("repository", "project"):
        if isinstance(name := _at(data, owner, "default_branch"), str) and name:
            return name
    name = _at(data, "repository", "mainbranch", "name")
    return name if isinstance(name, str) and name else None


def _at(data: object, *path: str) -> object:
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data
