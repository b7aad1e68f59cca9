"""Says in words for people why a REST connection failed, and whether it may be tried again."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from weir_connectors.errors import ConnectionFailed
from weir_connectors.scrubbing import scrub

# Status codes of a server that may answer better a moment later.
TRANSIENT = frozenset({429, 500, 502, 503, 504})

# Characters shown of an answer that was not expected.
SHOWN = 300

_UNKNOWN_HOST = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
_EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 10, 62, 64  # OpenSSL's X509_V_ERR_…


class Failure(ConnectionFailed):
    """One try failed.

    Attributes:
        reason: The text without method and address.
        transient: Whether another try may do better.
        sent: Whether the server may have got the request.
        retry_after: Seconds that the server wants to be left alone.
    """

    def __init__(
        self,
        where: Where,
        reason: str,
        *,
        transient: bool = False,
        sent: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"REST: {where}: {reason}")
        self.where = where
        self.reason = reason
        self.transient = transient
        self.sent = sent
        self.retry_after = retry_after

    def after(self, tries: int, elapsed: float) -> Failure:
        """Return the same failure, saying that it was not the first."""
        return Failure(self.where, f"{self.reason} (tried {tries} times in {elapsed:.0f} s)")


@dataclass(frozen=True, slots=True)
class Where:
    """A request as messages name it: without credentials and without the query's values."""

    method: str
    url: httpx.URL
    secrets: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.shown(self.url)}"

    def shown(self, url: httpx.URL) -> str:
        """Return an address, of a redirect perhaps, as messages show it."""
        return scrub(str(url.copy_with(userinfo=b"")), self.secrets, 300)


def of_error(
    error: httpx.HTTPError | httpx.InvalidURL | UnicodeError,
    where: Where,
    *,
    connect_timeout: float | None,
    read_timeout: float | None,
) -> Failure:
    """Return what an exception of httpx means; a UnicodeError is about the name of a host."""
    match error:
        case httpx.ConnectTimeout():
            said = (
                f"no connection within {connect_timeout or 0:g} s; check that Pods of this"
                " namespace may reach the host, or raise connect_timeout"
            )
            return Failure(where, said, transient=True, sent=False)
        case httpx.TimeoutException():
            said = (
                f"the server was silent for {read_timeout or 0:g} s; raise read_timeout if it needs"
                " longer"
            )
            return Failure(where, said, transient=True)
        case httpx.ProxyError():
            said = f"the proxy refused ({_words(error, where)}); check the input proxy"
            return Failure(where, said, sent=False)
        case httpx.ConnectError():
            return _of_connect_error(error, where)
        case httpx.DecodingError():
            return Failure(where, "the body is not what its header Content-Encoding says")
        case httpx.RemoteProtocolError() if "location" in str(error).lower():
            return Failure(where, "the server redirects to what is no address")
        case httpx.RemoteProtocolError() if not _was_cut(error):
            said = f"the server does not answer as HTTP has it ({_words(error, where)})"
            return Failure(where, said)
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | UnicodeError():
            return Failure(where, "the server redirects to what is no address of http or https")
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            said = f"the connection was lost before the answer was there ({_words(error, where)})"
            return Failure(where, said, transient=True)
    return Failure(where, f"failed ({type(error).__name__}: {_words(error, where)})")


def _was_cut(error: httpx.RemoteProtocolError) -> bool:
    # There is no exception of its own for it.
    return "disconnected" in str(error) or "closed connection" in str(error)


def _of_connect_error(error: httpx.ConnectError, where: Where) -> Failure:
    causes = list(_causes(error))
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return Failure(where, _of_certificate(cause), sent=False)
            case ssl.SSLError():
                reason = (cause.reason or str(cause)).replace("_", " ").lower()
                said = f"no TLS with this server ({reason}); check scheme, port and its settings"
                return Failure(where, said, sent=False)
            case socket.gaierror() if cause.errno in _UNKNOWN_HOST:
                return Failure(where, "there is no host of this name; check it", sent=False)
            case socket.gaierror():
                said = f"the host's name cannot be looked up ({cause.strerror})"
                return Failure(where, said, transient=True, sent=False)
            case ConnectionRefusedError():
                said = "nobody listens there (connection refused); check host and port"
                return Failure(where, said, transient=True, sent=False)
    words = next((_words(cause, where) for cause in reversed(causes) if str(cause)), "")
    said = f"cannot be reached ({words or 'the connection was closed'})"
    return Failure(where, said, transient=True, sent=False)


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    words = error.verify_message.rstrip(".")
    if error.verify_code == _EXPIRED:
        advice = "its owner has to renew it"
    elif error.verify_code in (_OTHER_HOST, _OTHER_ADDRESS):
        advice = "take the name that it is for"
    else:
        advice = "give its CA as cacert"
    return f"the server's certificate is not trusted ({words}); {advice}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, the outermost first."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _causes(one)
    following = error.__cause__ or error.__context__
    if following is not None:
        yield from _causes(following)


def _words(error: BaseException, where: Where) -> str:
    return scrub(str(error), where.secrets, 200) or type(error).__name__


def of_status(
    status: int, expected: frozenset[int], body: str, retry_after: float | None, where: Where
) -> Failure:
    """Return what an unexpected status means; `body` is what came with it, or its start."""
    # Scrubbed first: what is cut may not be found any more.
    clean = " ".join(scrub(body, where.secrets, len(body) + 1).split())
    shown = clean if len(clean) <= SHOWN else f"{clean[:SHOWN]}…"
    asks = "" if retry_after is None else f" (it wants to be left alone for {retry_after:.0f} s)"
    said = f"answered {_named(status)}{asks}, expected {_listed(expected)}"
    if shown:
        said += f": {shown}"
    return Failure(where, said, transient=status in TRANSIENT, retry_after=retry_after)


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _listed(codes: frozenset[int]) -> str:
    *most, last = [str(code) for code in sorted(codes)]
    return f"{', '.join(most)} or {last}" if most else last
