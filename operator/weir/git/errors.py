"""What can be wrong with a Git repository, as a FlowRepository's status says it.

GitError
└─ Conflict    what was to be committed does not fit what is there
"""

from __future__ import annotations

from weir.api.reasons import Reason


class GitError(Exception):
    """Git could not do what was asked; the text says what, where, and what to do.

    The text holds no credentials, and is short enough for a status.

    Attributes:
        reason: FetchFailed, AuthenticationFailed, HostKeyUnknown, RefNotFound, TooLarge,
            InvalidSpec, or Refused (a push that the host does not take).
        transient: Whether the same may succeed later, with nothing changed here.
    """

    def __init__(self, reason: Reason, message: str, transient: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.transient = transient


class Conflict(GitError):
    """The file in the repository is another than the one that was edited."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.REFUSED, message)
