"""Says why Git failed, in the words of a FlowRepository."""

from __future__ import annotations

from weir.api.reasons import Reason
from weir.git.errors import GitError
from weir_connectors import process, scrubbing
from weir_connectors.git_failures import Failure

# A message of a condition is read in a terminal's table.
_LONGEST = 900
_LONGEST_QUOTE = 300

# Kind of failure: the reason, and whether it may go by itself.
_REASONS: dict[str, tuple[Reason, bool]] = {
    "host key": (Reason.HOST_KEY_UNKNOWN, False),
    "login": (Reason.AUTHENTICATION_FAILED, False),
    "no ref": (Reason.REF_NOT_FOUND, False),
    "certificate": (Reason.FETCH_FAILED, False),
    "redirect": (Reason.INVALID_SPEC, False),
    "sha-256": (Reason.INVALID_SPEC, False),
    "not found": (Reason.FETCH_FAILED, False),
}

_SAYS = {
    "no user": "ssh needs a line in /etc/passwd for the user of this Pod; Weir's own image has one",
    "no ssh": "ssh is not installed here; take Weir's own image, or add openssh-client to yours",
    "host key": "the host has another key than known_hosts in the Secret says; if it was changed"
    " on purpose, take the new one from ssh-keyscan",
    "redirect": "the host sends elsewhere; give in spec.url the address that it sends to",
    "sha-256": "the repository uses SHA-256 object names, which are not supported",
    "not found": "there is no such repository, or not for this login; check spec.url and the"
    " Secret",
}
_LOGIN_REFUSED = (
    "the login was refused, or may not do this here; check the Secret that spec.secretRef names"
)
_LOGIN_NEEDED = (
    "the host asks for a login (some do so as well where no repository is); name in spec.secretRef"
    " a Secret with username and password, bearerToken or identity"
)
_QUOTED = {
    "certificate": "its certificate is not trusted; put its CA into the Secret as ca.crt",
    "unreachable": "cannot be reached; tried again",
}


def error_of(
    finished: process.Finished, where: str, *, ref: str, has_login: bool, secrets: list[str]
) -> GitError:
    """Return what went wrong, where, and what to do about it.

    Parameters:
        where: The address, scrubbed.
        ref: What was looked for, in words: `branch "main"`. Empty: the default branch.
    """
    failure = Failure(finished.errors, finished.code)
    kind = failure.kind
    reason, transient = _REASONS.get(kind, (Reason.FETCH_FAILED, True))
    if "bad passphrase" in finished.errors.lower() or "incorrect passphrase" in finished.errors:
        reason, transient = Reason.AUTHENTICATION_FAILED, False
        said = "the passphrase in the Secret does not open its identity"
    elif kind == "no ref":
        said = no_ref(ref)
    elif kind == "login":
        said = _LOGIN_REFUSED if has_login else _LOGIN_NEEDED
    elif kind in _SAYS:
        said = _SAYS[kind]
    else:
        quoted = scrubbing.scrub(finished.errors, secrets, _LONGEST_QUOTE)
        said = f"{_QUOTED.get(kind, 'git failed')} ({quoted or f'exit code {finished.code}'})"
    return GitError(reason, scrubbing.scrub(f"{where}: {said}", secrets, _LONGEST), transient)


def no_ref(ref: str) -> str:
    """Say that there is no such thing."""
    if not ref:
        return "the repository is empty, or has no default branch; name one in spec.ref.branch"
    return f"there is no {ref}; check spec.ref"
