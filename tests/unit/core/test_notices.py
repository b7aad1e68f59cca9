"""What Git hosts say of pushes."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from weir.api.repository import GitRef
from weir.core.notices import Notice, concerns, is_genuine, read

SECRET, BODY = b"secret", b'{"ref": "refs/heads/main"}'
SHA256 = hmac.new(SECRET, BODY, hashlib.sha256).hexdigest()
SHA1 = hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()

MAIN, FEATURE, TAG = "refs/heads/main", "refs/heads/feature/x", "refs/tags/v1.2.0"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-hub-signature-256": f"sha256={SHA256}"},
        {"x-hub-signature": f"sha256={SHA256}"},
        {"x-gitea-signature": SHA256},
        {"x-forgejo-signature": SHA256},
        {"x-gogs-signature": SHA256},
        {"x-weir-signature": f"sha256={SHA256}"},
        {"x-gitlab-token": "secret"},
        {"x-hub-signature": f"sha1={SHA1}", "x-hub-signature-256": f"sha256={SHA256}"},
    ],
    ids=lambda headers: "+".join(headers),
)
def test_every_host_signs_in_its_own_way(headers: dict[str, str]) -> None:
    assert is_genuine(headers, BODY, SECRET)
    assert not is_genuine(headers, BODY, b"another")
    if "x-gitlab-token" not in headers:
        assert not is_genuine(headers, BODY + b" ", SECRET)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature": f"sha1={SHA1}"},
        {"x-hub-signature": SHA1},
        {"x-hub-signature-256": ""},
        {"x-gitlab-token": ""},
        {"x-gitlab-token": SHA256},
        {"x-hub-signature-256": "secret"},
        {"authorization": "Bearer secret"},
    ],
    ids=str,
)
def test_who_does_not_know_the_secret_is_not_believed(headers: dict[str, str]) -> None:
    assert not is_genuine(headers, BODY, SECRET)


def said(data: Any, **headers: str) -> Notice:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read(named, json.dumps(data).encode())


@pytest.mark.parametrize(
    ("notice", "expected"),
    [
        (
            said({"ref": MAIN, "repository": {"default_branch": "main"}}, x_github_event="push"),
            Notice(True, frozenset({MAIN}), "main"),
        ),
        (
            said(
                {"ref": TAG, "project": {"default_branch": "dev"}}, x_gitlab_event="Tag Push Hook"
            ),
            Notice(True, frozenset({TAG}), "dev"),
        ),
        (
            said({"ref": MAIN, "object_kind": "push"}, x_gitlab_event="System Hook"),
            Notice(True, frozenset({MAIN})),
        ),
        (
            said({"event_name": "user_create"}, x_gitlab_event="System Hook"),
            Notice(is_push=False),
        ),
        (said({"zen": "…"}, x_github_event="ping"), Notice(is_push=False)),
        (said({}, x_gitea_event="push", x_github_event="push"), Notice()),
        (
            said(
                {
                    "push": {
                        "changes": [
                            {"new": {"type": "branch", "name": "main"}, "old": None},
                            {"new": None, "old": {"type": "tag", "name": "v1.2.0"}},
                        ]
                    },
                    "repository": {"mainbranch": {"name": "main"}},
                },
                x_event_key="repo:push",
            ),
            Notice(True, frozenset({MAIN, TAG}), "main"),
        ),
        (read({}, b""), Notice()),
        (read({}, b"\xff{"), Notice()),
        (read({}, b"[1]"), Notice()),
        (said({"ref": 1, "repository": "x", "push": {"changes": {}}}), Notice()),
        (said({"ref": "main"}), Notice()),
    ],
)
def test_a_notice_says_what_was_pushed(notice: Notice, expected: Notice) -> None:
    assert notice == expected


def test_a_notice_may_be_a_form() -> None:
    body = urlencode({"payload": json.dumps({"ref": MAIN})}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert read(headers, body) == Notice(True, frozenset({MAIN}))
    assert read(headers, b"a=b") == Notice()


@pytest.mark.parametrize(
    ("ref", "pushed", "default", "expected"),
    [
        (GitRef(branch="main"), MAIN, "dev", True),
        (GitRef(branch="main"), FEATURE, "main", False),
        (GitRef(branch="feature/x"), FEATURE, None, True),
        (GitRef(branch="v1.2.0"), TAG, None, False),
        (GitRef(branch="main"), None, None, True),
        (GitRef(), MAIN, "main", True),
        (GitRef(), FEATURE, "main", False),
        (GitRef(), FEATURE, None, True),
        (GitRef(), TAG, None, False),
        (GitRef(tag="v1.2.0"), TAG, None, True),
        (GitRef(tag="v1.2"), TAG, None, False),
        (GitRef(semver="1.x"), TAG, None, True),
        (GitRef(semver="1.x"), MAIN, "main", False),
        (GitRef(commit="a" * 40), MAIN, "main", False),
        (GitRef(commit="a" * 40), None, None, False),
    ],
)
def test_only_a_push_of_what_is_taken_matters(
    ref: GitRef, pushed: str | None, default: str | None, expected: bool
) -> None:
    notice = Notice(True, frozenset({pushed} if pushed else ()), default)
    assert concerns(notice, ref) is expected
    assert not concerns(Notice(False, notice.refs, default), ref)
