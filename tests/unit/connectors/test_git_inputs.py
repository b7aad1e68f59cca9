"""What the GIT type accepts, beyond types.

Addresses and refs made to run something are refused in the integration tier as well, where it is
seen that no process starts.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from weir_connectors.errors import InvalidInputError, MissingInputError
from weir_connectors.git_inputs import GitInputs
from weir_connectors.git_url import RepositoryUrl
from weir_connectors.git_url import parse as parse_url
from weir_connectors.inputs import parse

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"


def openssh_key(cipher: bytes) -> str:
    data = b"openssh-key-v1\x00" + len(cipher).to_bytes(4) + cipher + b"\x00" * 8
    body = base64.b64encode(data).decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n"


def parsed(**inputs: Any) -> GitInputs:
    where = {"command": "get", "repository_url": "https://example.com/x.git"}
    return parse("GIT", GitInputs, {**where, **inputs})


def over_ssh(**inputs: Any) -> GitInputs:
    return parsed(repository_url="git@example.com:x.git", **inputs)


@pytest.mark.parametrize(
    ("url", "understood"),
    [
        pytest.param(
            "https://example.com/x.git",
            RepositoryUrl("https", "https://example.com/x.git", "example.com"),
            id="https",
        ),
        pytest.param(
            "https://Ada:p%40ss@Example.com:8443/x.git?a=b#c",
            RepositoryUrl(
                "https", "https://example.com:8443/x.git?a=b#c", "example.com", 8443, "Ada", "p@ss"
            ),
            id="a login, a port, a query",
        ),
        pytest.param(
            "http://[::1]:80/x", RepositoryUrl("http", "http://[::1]:80/x", "::1", 80), id="IPv6"
        ),
        pytest.param(
            "ssh://git@example.com:2222/~/x.git",
            RepositoryUrl("ssh", "ssh://example.com:2222/~/x.git", "example.com", 2222, "git"),
            id="ssh",
        ),
        pytest.param(
            "git@Example.com:team/x.git",
            RepositoryUrl("ssh", "Example.com:team/x.git", "example.com", None, "git"),
            id="ssh in short",
        ),
        pytest.param(
            "git@[::1]:x.git",
            RepositoryUrl("ssh", "[::1]:x.git", "::1", None, "git"),
            id="short IPv6",
        ),
        pytest.param("git://host/x", RepositoryUrl("git", "git://host/x", "host"), id="git"),
        pytest.param("file:///srv/x.git", RepositoryUrl("file", "file:///srv/x.git"), id="file"),
        pytest.param(
            "file://localhost/srv/a?b#c", RepositoryUrl("file", "file:///srv/a?b#c"), id="localhost"
        ),
    ],
)
def test_an_address_is_understood(url: str, understood: RepositoryUrl) -> None:
    assert parse_url(url) == understood


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c x",
        "ext::sh",
        "-x",
        "ssh://-x/y",
        "git@-x:y",
        "host:x.git",
        "/srv/x",
        "https://h",
    ],
)
def test_an_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^a (URL|user name)") as refused:
        parse_url(url)
    assert url not in str(refused.value)


@pytest.mark.parametrize("ref", ["main", "feature/one", "v1.0", "refs/pull/1/head", "a" * 40, "ä"])
def test_a_ref_is_understood(ref: str) -> None:
    assert parsed(ref=ref).ref == ref


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param({"ref": "--upload-pack=x"}, "ref: expected the name of", id="a ref as option"),
        pytest.param({"ref": "a:b"}, "ref: expected the name of", id="a ref as refspec"),
        pytest.param({"paths": []}, "paths: expected at least one pattern", id="no patterns"),
        pytest.param({"paths": ["a", ""]}, "paths: expected at least one", id="an empty pattern"),
        pytest.param({"username": "a\nb"}, "username: expected", id="a user of two lines"),
        pytest.param({"password": ""}, "password: expected", id="an empty password"),
        pytest.param(
            {"password": "a\nhost=evil"}, "password: expected", id="a password of two lines"
        ),
        pytest.param({"ssh_key": "AAAA"}, "ssh_key: expected a private key as", id="no PEM"),
        pytest.param(
            {"ssh_key": openssh_key(b"aes256-ctr")}, "without a passphrase", id="a locked key"
        ),
        pytest.param(
            {"ssh_key": KEY.replace("MIIE", "Proc-Type: 4,ENCRYPTED\n\nMIIE")},
            "without a passphrase",
            id="a locked key of the old form",
        ),
        pytest.param(
            {"httpCookie": "no cookie"}, "httpCookie: expected name=value", id="no cookie"
        ),
        pytest.param({"httpCookie": "a=b\tc"}, "httpCookie: expected", id="a cookie with a tab"),
        pytest.param({"cacert": "/etc/ca.pem"}, "cacert: expected certificates", id="a CA's path"),
        pytest.param({"timeout": 0}, "timeout: expected seconds, more than 0", id="no time"),
        pytest.param({"timeout": float("nan")}, "timeout: expected seconds", id="not a number"),
        pytest.param({"timeout": 3601}, "at most 3600", id="too much time"),
        pytest.param({"command": "clone"}, 'command: expected "get" or "metadata"', id="command"),
    ],
)
def test_a_value_is_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        parsed(**inputs)


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param({"ssh_key": KEY, "ssh_hostkey": False}, id="a key, no check"),
        pytest.param({"ssh_key": openssh_key(b"none"), "ssh_hostkey": False}, id="an OpenSSH key"),
        pytest.param({"password": "x", "ssh_hostkey": "ssh-ed25519 AAAA"}, id="a password, a key"),
        pytest.param({"password": "x", "ssh_hostkey": "h ssh-rsa AAAA\n"}, id="a line"),
    ],
)
def test_ssh_is_content_with(inputs: dict[str, Any]) -> None:
    over_ssh(**inputs)


def test_ssh_says_all_that_it_misses() -> None:
    with pytest.raises(MissingInputError) as refused:
        over_ssh()
    assert str(refused.value) == (
        "GIT: missing inputs ssh_key (a private key, or a password, to log in by ssh), ssh_hostkey"
        " (the server's known_hosts line, as ssh-keyscan prints it, or False for no check)"
    )


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param(
            {"ssh_hostkey": "SHA256:abc"}, "ssh_hostkey: expected lines", id="fingerprint"
        ),
        pytest.param(
            {"ssh_hostkey": False, "username": "-oProxyCommand=x"},
            "username: expected",
            id="option",
        ),
    ],
)
def test_ssh_refuses(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        over_ssh(ssh_key=KEY, **inputs)


def test_everything_has_a_default_but_command_and_url() -> None:
    assert parsed() == GitInputs(command="get", repository_url="https://example.com/x.git")
