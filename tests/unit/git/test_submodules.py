from __future__ import annotations

import pytest

from weir.api.reasons import Reason
from weir.git.errors import GitError
from weir.git.submodules import is_same_host, resolve

HTTPS = "https://example.com/team/flows.git"


@pytest.mark.parametrize(
    ("base", "url", "expected"),
    [
        (HTTPS, "../lib.git", "https://example.com/team/lib.git"),
        (HTTPS, "../../other/lib.git", "https://example.com/other/lib.git"),
        (HTTPS, "./lib", "https://example.com/team/flows.git/lib"),
        (f"{HTTPS}/", "../lib.git", "https://example.com/team/lib.git"),
        (HTTPS, "https://other.example/lib.git", "https://other.example/lib.git"),
        ("git@example.com:team/flows.git", "../lib.git", "git@example.com:team/lib.git"),
        ("git@example.com:flows.git", "../lib.git", "git@example.com:lib.git"),
        ("ssh://git@example.com/flows.git", "../lib.git", "ssh://git@example.com/lib.git"),
    ],
)
def test_a_relative_address_is_resolved(base: str, url: str, expected: str) -> None:
    assert resolve(base, url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "/etc",
        "ext::sh -c id",
        "--upload-pack=x",
        "../../../../../etc",
        "../../../other.example/lib.git",
        "",
        "https://-x/lib.git",
    ],
)
def test_what_is_on_no_host_is_refused(url: str) -> None:
    with pytest.raises(GitError, match=r"its URL in \.gitmodules") as failed:
        resolve(HTTPS, url)
    assert failed.value.reason is Reason.INVALID_SPEC


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (HTTPS, "https://example.com/lib.git", True),
        (HTTPS, "https://EXAMPLE.com/lib.git", True),
        (HTTPS, "http://example.com/lib.git", False),
        (HTTPS, "https://example.com:8443/lib.git", False),
        (HTTPS, "https://example.com.evil.example/lib.git", False),
        (HTTPS, "https://example.com@evil.example/lib.git", False),
        ("git@example.com:a.git", "ssh://git@example.com/b.git", True),
    ],
)
def test_a_login_goes_to_the_same_host_only(one: str, other: str, same: bool) -> None:
    assert is_same_host(one, other) is same
