"""The inputs of the GIT connection type.

The server imports this module, so it knows no protocol library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from weir_connectors import git_url
from weir_connectors.inputs import Problem, about
from weir_connectors.ssh_keys import is_known_hosts, problems_with_key

# What `git check-ref-format` allows, and less: nothing that a refspec or an option could be made
# of.
_REF = re.compile(
    r"(?![-+/])(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]{1,255}(?<![/.])"
)
_LINE_BREAK = re.compile(r"[\r\n\x00]")
_COOKIE = re.compile(r"\s*[^\s=;,]+=[^\s;]*\s*(?:;\s*[^\s=;,]+=[^\s;]*\s*)*;?\s*")
LONGEST_TIMEOUT = 3600.0


def is_ref(name: str) -> bool:
    """Whether a text can name a branch, a tag or a commit."""
    return _REF.fullmatch(name) is not None


@dataclass(frozen=True, kw_only=True)
class GitInputs:
    """What a GIT connection may be given.

    Two differences from the interface that this follows: `ref` has no fixed default (`develop`
    exists in few repositories; without a `ref` the server's default branch is read), and there is
    no `files_path`, since scripts have no file storage yet: files always come in the outputs, and
    `files_path` is refused as unknown instead of being ignored. Ours are `paths`, `cacert`,
    `verify_ssl` and `timeout`.
    """

    command: Literal["get", "metadata"] = field(
        metadata=about("`get`: the files and the commit. `metadata`: the commit only.")
    )
    repository_url: str = field(
        metadata=about(f"Where the repository is: {git_url.FORMS}.", transport=True)
    )
    ref: str | None = field(
        default=None,
        metadata=about(
            "Branch, tag or commit SHA. Default: the repository's default branch (its HEAD)."
        ),
    )
    paths: list[str] | None = field(
        default=None,
        metadata=about(
            "`get` returns only files that match one of these patterns, as `flows/**/*.py`:"
            " `*` and `?` stay within a folder, `**` spans folders. Default: all files."
        ),
    )
    username: str | None = field(
        default=None,
        metadata=about("Who logs in. Default: the user in the URL, else `git`."),
    )
    password: str | None = field(
        default=None,
        metadata=about("Password or access token, for https, http and ssh.", secret=True),
    )
    ssh_key: str | None = field(
        default=None,
        metadata=about("Private key (PEM) for ssh, without a passphrase.", secret=True),
    )
    ssh_hostkey: str | Literal[False] | None = field(
        default=None,
        metadata=about(
            "The server's public key for ssh: lines as in known_hosts, or `ssh-ed25519 AAAA…`"
            " alone. False: do not check whom we talk to.",
            transport=True,
        ),
    )
    httpCookie: str | None = field(
        default=None,
        metadata=about("Cookies for https and http, as `name=value; name2=value2`.", secret=True),
    )
    cacert: str | None = field(
        default=None,
        metadata=about("CA certificates (PEM) to trust instead of the system's.", transport=True),
    )
    verify_ssl: bool = field(
        default=True, metadata=about("Check the server's certificate for https.", transport=True)
    )
    timeout: float = field(
        default=120.0,
        metadata=about(
            "Seconds that the network part may take.",
            schema={"exclusiveMinimum": 0, "maximum": LONGEST_TIMEOUT},
        ),
    )

    def repeatable(self) -> bool:
        """Both commands only read."""
        return True

    def problems(self) -> Iterator[Problem]:
        """Say what annotations cannot: forms of values, and inputs that others make necessary."""
        yield from self._problems_of_forms()
        try:
            url = git_url.parse(self.repository_url)
        except ValueError as error:
            yield Problem("repository_url", str(error))
            return
        if url.scheme == "ssh":
            yield from self._problems_with_ssh(url)

    def _problems_of_forms(self) -> Iterator[Problem]:
        if self.ref is not None and not is_ref(self.ref):
            yield Problem("ref", "the name of a branch or tag, or a commit SHA")
        if self.paths is not None and (not self.paths or not all(self.paths)):
            yield Problem("paths", "at least one pattern, none of them empty")
        for name in ("username", "password"):
            value = getattr(self, name)
            if value is not None and (not value or _LINE_BREAK.search(value)):
                yield Problem(name, "a string that is not empty and has no line breaks")
        if self.ssh_key is not None:
            yield from problems_with_key("ssh_key", self.ssh_key)
        if self.httpCookie is not None and not _COOKIE.fullmatch(self.httpCookie):
            yield Problem("httpCookie", "name=value; name2=value2")
        if self.cacert is not None and "-----BEGIN CERTIFICATE-----" not in self.cacert:
            yield Problem("cacert", "certificates as PEM text (-----BEGIN CERTIFICATE-----)")
        if not 0 < self.timeout <= LONGEST_TIMEOUT:  # not-a-number fails this too
            yield Problem("timeout", f"seconds, more than 0 and at most {LONGEST_TIMEOUT:.0f}")

    def _problems_with_ssh(self, url: git_url.RepositoryUrl) -> Iterator[Problem]:
        if self.ssh_key is None and self.password is None and url.password is None:
            yield Problem("ssh_key", "a private key, or a password, to log in by ssh", "missing")
        if self.ssh_hostkey is None:
            expected = (
                "the server's known_hosts line, as ssh-keyscan prints it, or False for no check"
            )
            yield Problem("ssh_hostkey", expected, "missing")
        elif self.ssh_hostkey is not False and not is_known_hosts(self.ssh_hostkey):
            yield Problem("ssh_hostkey", "lines as in known_hosts (host, key type, key), or False")
        if self.username is not None and not git_url.is_ssh_user(self.username):
            yield Problem("username", "for ssh, letters, digits and . _ - @ + only")
