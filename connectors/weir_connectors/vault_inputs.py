"""The inputs of the VAULT connection type.

The server imports this module, so it knows no protocol library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from weir_connectors import rest_url
from weir_connectors.inputs import Problem, about

Mode = Literal["read", "write", "delete", "delete_metadata", "list"]

# They only read, so a connection that has begun may be run again.
REPEATABLE = ("read", "list")

LONGEST_TIMEOUT = 3600.0

_PORT = 8200
_PLAIN = re.compile(r"[\x21-\x7e]+")
_PATH = "a path as app/database, without .. and without ?"


@dataclass(frozen=True, kw_only=True)
class VaultInputs:
    """What a VAULT connection may be given.

    Differences from the interface that this follows: `url`, `engine_path`, `namespace`, `key`, the
    modes `delete` and `list`, and the time-outs are ours.
    """

    _NO_LOGIN: ClassVar[str] = "log in outside, and give the token"
    REFUSED: ClassVar[Mapping[str, str]] = {"role_id": _NO_LOGIN, "secret_id": _NO_LOGIN}

    url: str | None = field(
        default=None,
        metadata=about(
            "Where Vault is, as `https://vault.example.com:8200`. Else give host.", transport=True
        ),
    )
    host: str | None = field(
        default=None,
        metadata=about(
            f"Where Vault is: a host's name, for https at port {_PORT}, or the same as url.",
            transport=True,
        ),
    )
    token: str = field(metadata=about("Vault's token.", secret=True))
    namespace: str | None = field(
        default=None, metadata=about("Vault's namespace, which not every Vault has.")
    )
    engine_path: str = field(
        default="secret", metadata=about("Where the KV engine (version 2) is mounted.")
    )
    secret_path: str = field(
        default="",
        metadata=about("Which secret, as `app/database`; for list: which folder, `` is the first."),
    )
    key: str | None = field(
        default=None, metadata=about("For read: the one entry of the secret that is wanted.")
    )
    mode: Mode | None = field(
        default=None,
        metadata=about(
            "read; write, where data is given; delete: one version; delete_metadata: all versions;"
            " list: the names in a folder. Default: write if there is data, else read."
        ),
    )
    data: dict[str, Any] | None = field(
        default=None, metadata=about("What the secret is to hold: an object.", secret=True)
    )
    version: int | None = field(
        default=None,
        metadata=about(
            "Which version to read or delete. Default: the latest.", schema={"minimum": 1}
        ),
    )
    connect_timeout: float = field(
        default=10.0,
        metadata=about(
            "Seconds in which the connection must stand.",
            schema={"exclusiveMinimum": 0, "maximum": LONGEST_TIMEOUT},
        ),
    )
    read_timeout: float = field(
        default=30.0,
        metadata=about(
            "Seconds that Vault may be silent.",
            schema={"exclusiveMinimum": 0, "maximum": LONGEST_TIMEOUT},
        ),
    )
    cacert: str | None = field(
        default=None,
        metadata=about("CA certificates (PEM) to trust instead of the system's.", transport=True),
    )
    verify_ssl: bool = field(
        default=True, metadata=about("Check Vault's certificate.", transport=True)
    )

    @property
    def does(self) -> Mode:
        """What is done."""
        return self.mode or ("read" if self.data is None else "write")

    @property
    def address(self) -> str:
        """Where Vault is, without a slash at the end; raises ValueError."""
        given = self.url or self.host or ""
        if "://" not in given and self.url is None:
            if not rest_url.is_host(given):
                raise ValueError(f"a host's name or address, or {rest_url.FORM}")
            return rest_url.compose("https", given, _PORT, "", "").address.rstrip("/")
        parsed = rest_url.parse(given)
        if parsed.user is not None or "?" in parsed.address:
            raise ValueError("a URL without login and query: the token is an input of its own")
        return parsed.address.rstrip("/")

    @property
    def secret(self) -> str:
        """The secret as messages name it: with its engine."""
        return f"{self.engine_path.strip('/')}/{self.secret_path.strip('/')}"

    def repeatable(self) -> bool:
        """Reading and listing change nothing."""
        return self.does in REPEATABLE

    def problems(self) -> Iterator[Problem]:
        """Say what annotations cannot: forms of values, and inputs that exclude each other."""
        yield from self._problems_of_address()
        if not _PLAIN.fullmatch(self.token):
            yield Problem("token", "a token: ASCII characters without blanks")
        if self.namespace is not None and not _PLAIN.fullmatch(self.namespace):
            yield Problem("namespace", "a namespace's path: ASCII characters without blanks")
        if not self.engine_path.strip("/") or not rest_url.is_path(self.engine_path):
            yield Problem("engine_path", _PATH)
        if not self.secret_path.strip("/") and self.does != "list":
            yield Problem("secret_path", "which secret", "missing")
        elif not rest_url.is_path(self.secret_path):
            yield Problem("secret_path", _PATH)
        yield from self._problems_of_mode()
        for name in ("connect_timeout", "read_timeout"):
            if not 0 < getattr(self, name) <= LONGEST_TIMEOUT:
                yield Problem(name, f"seconds, more than 0 and at most {LONGEST_TIMEOUT:.0f}")
        if self.cacert is not None and "-----BEGIN CERTIFICATE-----" not in self.cacert:
            yield Problem("cacert", "certificates as PEM text (-----BEGIN CERTIFICATE-----)")

    def _problems_of_address(self) -> Iterator[Problem]:
        if self.url is None and self.host is None:
            yield Problem("url", "where Vault is", "missing")
            return
        if self.url is not None and self.host is not None:
            yield Problem("url", "no host beside it")
        try:
            _ = self.address
        except ValueError as error:
            yield Problem("host" if self.url is None else "url", str(error))

    def _problems_of_mode(self) -> Iterator[Problem]:
        does = self.does
        if does == "write" and self.data is None:
            yield Problem("data", "what to write", "missing")
        elif does != "write" and self.data is not None:
            yield Problem("data", f"none with mode {does}")
        if self.version is not None and does not in ("read", "delete"):
            yield Problem("version", f"none with mode {does}")
        elif self.version is not None and self.version < 1:
            yield Problem("version", "a number from 1 on")
        if self.key is not None and does != "read":
            yield Problem("key", f"none with mode {does}")
