"""Answers that say no. `routes` and `rest` make HTTP answers of them."""

from __future__ import annotations

from weir_protocol import Refusal


class Refused(Exception):
    """A request is not granted: an HTTP status, one word for programs, a sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.refusal = Refusal(code=code, message=message)


def unauthorized(message: str) -> Refused:
    """Nobody knows who is asking: the token is missing, wrong, or expired."""
    return Refused(401, "Unauthorized", message)


def forbidden(message: str) -> Refused:
    """Who is asking may not."""
    return Refused(403, "Forbidden", message)


def not_found(message: str) -> Refused:
    """There is no such thing, for the one who asks."""
    return Refused(404, "NotFound", message)


def invalid(message: str) -> Refused:
    """The request makes no sense; sending it again is useless."""
    return Refused(400, "InvalidRequest", message)


def too_large(message: str) -> Refused:
    """The body is larger than anything the server takes."""
    return Refused(413, "TooLarge", message)


def fenced(message: str) -> Refused:
    """A newer attempt has begun: what this one says no longer counts."""
    return Refused(409, "Fenced", message)


def ended(message: str) -> Refused:
    """The Execution has ended, or is gone."""
    return Refused(409, "Ended", message)


def diverged(message: str) -> Refused:
    """A resumed script asked for something else than before."""
    return Refused(409, "Diverged", message)


def unsupported(message: str) -> Refused:
    """This installation cannot do that, now or later."""
    return Refused(501, "Unsupported", message)


def unavailable(message: str) -> Refused:
    """Not now: the same request may be granted later."""
    return Refused(503, "Unavailable", message)
