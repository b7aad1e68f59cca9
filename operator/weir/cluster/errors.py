"""What can go wrong between Weir and the API server, by what follows from it."""


class ClusterError(Exception):
    """The API server refused a call, or could not be asked."""

    def __init__(self, message: str, *, reason: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason  # Kubernetes' word, such as NotFound
        self.status = status  # HTTP status, 0 when there was no answer


class NotFound(ClusterError):
    """There is no such object, or it is another one than was meant (UID)."""


class AlreadyExists(ClusterError):
    """An object of this name is there."""


class Conflict(ClusterError):
    """Somebody wrote first: look again, then decide again."""


class Invalid(ClusterError):
    """The object breaks a rule of its schema; trying again is useless."""


class Refused(ClusterError):
    """Rights, quota or an admission policy forbid it."""


class Unavailable(ClusterError):
    """No answer, or the answer that there is none now: trying again helps."""


def from_answer(status: int, body: object) -> ClusterError:
    """Make the error of an HTTP answer: its status, and the Status object that Kubernetes sends."""
    about = body if isinstance(body, dict) else {}
    message = str(about.get("message") or body or f"the API server answered {status}")[:2000]
    reason = str(about.get("reason") or "")
    kind: type[ClusterError] = ClusterError
    if status == 404:
        kind = NotFound
    elif status == 409:
        kind = AlreadyExists if reason == "AlreadyExists" else Conflict
    elif status == 422:
        kind = Invalid
    elif status in (401, 403):
        kind = Refused
    elif status == 429 or status >= 500:
        kind = Unavailable
    return kind(message, reason=reason, status=status)
