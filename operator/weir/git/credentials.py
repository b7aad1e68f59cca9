"""Who logs in to a Git host, as a Secret says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from weir.api.reasons import Reason
from weir.git.errors import GitError

_KEYS = {
    "username": "username",
    "password": "password",
    "bearerToken": "bearer_token",
    "ca.crt": "ca",
    "identity": "identity",
    "passphrase": "passphrase",
    "known_hosts": "known_hosts",
}
KEY_OF = {field: key for key, field in _KEYS.items()}
"""The Secret's key of each field."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What a host may ask for. None: it is not given.

    Attributes:
        username: For https and http; for ssh where the URL names no user.
        password: Its password, or an access token.
        bearer_token: For https and http, instead of both.
        ca: Certificates as PEM to trust instead of the system's.
        identity: A private key for ssh, as text.
        passphrase: What the private key is locked with.
        known_hosts: The keys of ssh hosts, as `ssh-keyscan` prints them.
    """

    username: str | None = None
    password: str | None = None
    bearer_token: str | None = None
    ca: str | None = None
    identity: str | None = None
    passphrase: str | None = None
    known_hosts: str | None = None

    @classmethod
    def of_secret(cls, data: Mapping[str, bytes]) -> Credentials:
        """Read a Secret's data, decoded from base64. Keys that are not ours are left alone.

        Raises:
            GitError: InvalidSpec: a value is not UTF-8.
        """
        found: dict[str, str] = {}
        for key, field in _KEYS.items():
            if key not in data:
                continue
            try:
                text = data[key].decode()
            except UnicodeDecodeError:
                message = f"The Secret's {key} is no text (UTF-8): write it anew"
                raise GitError(Reason.INVALID_SPEC, message) from None
            # A line end comes in with `kubectl create secret --from-file`, and belongs to nothing.
            found[field] = text.rstrip("\r\n")
        return cls(**{field: text for field, text in found.items() if text})

    def for_another_host(self) -> Credentials:
        """Return what another host may be asked with: whom we trust, and no login."""
        return Credentials(ca=self.ca, known_hosts=self.known_hosts)

    def __repr__(self) -> str:
        given = [one.name for one in fields(self) if getattr(self, one.name) is not None]
        return f"Credentials({', '.join(given)})"


NONE = Credentials()
"""For repositories that everybody may read."""
