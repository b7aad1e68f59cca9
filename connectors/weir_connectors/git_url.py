"""Reads the addresses of Git repositories.

An allow-list: whatever is not understood is refused, `ext::` among it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import SplitResult, unquote, urlsplit

Scheme = Literal["https", "http", "ssh", "git", "file"]

FORMS = "a URL with https, http, ssh, git or file, or user@host:path"

# No host may begin with a hyphen: ssh would take it for an option.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9A-Fa-f:.]+")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+\\-]*")
_SCP_LIKE = re.compile(
    r"(?P<user>[^@:/]+)@(?P<host>[^@:/\[\]]+|\[[0-9A-Fa-f:.]+\]):(?P<path>[^:-].*)"
)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class RepositoryUrl:
    """Where a repository is.

    `address` is what Git is given: without user and password, which reach it otherwise.
    """

    scheme: Scheme
    address: str
    host: str = ""  # empty for file
    port: int | None = None
    user: str | None = None
    password: str | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port, as Git's credential settings are keyed."""
        return f"{self.scheme}://{_netloc(self.host, self.port)}"


def parse(text: str) -> RepositoryUrl:
    """Read an address.

    Raises:
        ValueError: it is none of FORMS; the text says what was expected and holds no part of the
            address.
    """
    if _UNPRINTABLE.search(text):
        raise ValueError("a URL without blanks and control characters (write a blank as %20)")
    like_scp = _SCP_LIKE.fullmatch(text)
    if like_scp:
        host = like_scp["host"].strip("[]")
        _check_host(host)
        _check_ssh_user(like_scp["user"])
        _, _, address = text.partition("@")
        return RepositoryUrl("ssh", address, host.lower(), None, like_scp["user"])
    try:
        parts = urlsplit(text, allow_fragments=False)  # Git knows none
        port = parts.port
    except ValueError:
        raise ValueError(FORMS) from None
    if parts.scheme not in ("https", "http", "ssh", "git", "file") or "://" not in text:
        raise ValueError(FORMS)
    scheme = cast(Scheme, parts.scheme)
    if scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise ValueError(
                "a file URL with three slashes and an absolute path, as file:///srv/flows.git"
            )
        return RepositoryUrl(
            "file", "file://" + text.removeprefix("file://").removeprefix("localhost")
        )
    return _remote(scheme, parts, port)


def _remote(scheme: Scheme, parts: SplitResult, port: int | None) -> RepositoryUrl:
    host = parts.hostname or ""
    _check_host(host)
    if parts.path in ("", "/"):
        raise ValueError("a URL that names a repository after the host")
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if scheme == "ssh" and user is not None:
        _check_ssh_user(user)
    address = parts._replace(netloc=_netloc(host, port)).geturl()
    return RepositoryUrl(scheme, address, host, port, user, password)


def _netloc(host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def _check_host(host: str) -> None:
    if not _HOST.fullmatch(host):
        raise ValueError("a URL with a host name")


def _check_ssh_user(user: str) -> None:
    if not is_ssh_user(user):
        raise ValueError("a user name of letters, digits and . _ - before the host")


def is_ssh_user(user: str) -> bool:
    """Whether ssh can be told the user without it being read as anything else."""
    return _SSH_USER.fullmatch(user) is not None
