"""Says in words for people why Git failed, from what it printed in the C locale."""

from __future__ import annotations

import re
from dataclasses import dataclass

from weir_connectors import scrubbing

# The first that matches counts, so the particular stands before the general.
_KINDS: dict[str, tuple[str, ...]] = {
    "no user": ("no user exists for uid",),
    "no ssh": ("cannot run ssh", "ssh: not found"),
    "host key": (
        "host key verification failed",
        "host identification has changed",
        "host key is known",
    ),
    "certificate": ("certificate", "gnutls_handshake", "SSL_ERROR", "SSL routines"),
    "no ref": ("couldn't find remote ref", "not our ref"),
    "login": (
        "authentication failed",
        "could not read username",
        "could not read password",
        "access denied",
        "returned error: 40[13]",
        "permission denied",
        "too many authentication failures",
    ),
    "redirect": (
        "unable to update url base from redirection",
        "too many redirects",
        r"returned error: 30\d",
    ),
    "unreachable": (
        "could not resolve",
        "name or service not known",
        "temporary failure in name resolution",
        "connection refused",
        "failed to connect",
        "couldn't connect",
        "unable to connect",
        "timed out",
        "no route to host",
        "unreachable",
        "connection reset",
        "connection closed",
        r"returned error: 5\d\d",
    ),
    "sha-256": ("mismatched algorithms", "object.format"),
    "not found": (
        "not found",
        "does not appear to be a git repository",
        "no such file",
        "returned error: 404",
    ),
}
_PATTERNS = {kind: re.compile("|".join(texts), re.IGNORECASE) for kind, texts in _KINDS.items()}

_WHOLE_HISTORY = re.compile(
    "does not allow request for unadvertised|does not support shallow|shallow capabilities"
)

_SAYS = {
    "no user": "ssh needs a line in /etc/passwd for the user of this Pod;"
    " Weir's runner image has one",
    "no ssh": "ssh is not installed in this image; take Weir's runner image, or add openssh-client",
    "host key": "the host does not have the key that ssh_hostkey names;"
    " if it was changed on purpose, take the new line from ssh-keyscan",
    "redirect": "the server sends elsewhere; give the address it redirects to",
    "sha-256": "the repository uses SHA-256 object names, which are not supported",
    "not found": "there is no such repository",
}
_LOGIN_REFUSED = (
    "the login was refused, or may not read this repository; check username, password and ssh_key"
)
_LOGIN_NEEDED = (
    "the server asks for a login (some do so as well where no repository is);"
    " give username and password"
)
# Where the program's own words say more than we can.
_QUOTED = {
    "certificate": "its certificate is not trusted; give its CA as cacert",
    "unreachable": "cannot be reached",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What one Git command printed before it failed."""

    errors: str
    code: int

    @property
    def kind(self) -> str:
        """One of the kinds above, or empty."""
        return next((kind for kind, known in _PATTERNS.items() if known.search(self.errors)), "")

    @property
    def needs_whole_history(self) -> bool:
        """Whether the server cannot give a single commit, but may give everything."""
        return _WHOLE_HISTORY.search(self.errors) is not None

    def explain(self, address: str, ref: str | None, has_login: bool, secrets: list[str]) -> str:
        """Return what happened, where, and what to do about it: one text, free of secrets."""
        kind = self.kind
        if kind == "no ref":
            said = _no_ref(ref)
        elif kind == "login":
            said = _LOGIN_REFUSED if has_login else _LOGIN_NEEDED
        elif kind in _SAYS:
            said = _SAYS[kind]
        else:
            quoted = scrubbing.scrub(self.errors, secrets, 300) or f"exit code {self.code}"
            said = f"{_QUOTED.get(kind, 'git failed')} ({quoted})"
        return scrubbing.scrub(f"GIT: {address}: {said}", secrets, 900)


def _no_ref(ref: str | None) -> str:
    if ref is None:
        return "the repository is empty or has no default branch; give a ref"
    return f'there is no branch, tag or commit "{ref}"'
