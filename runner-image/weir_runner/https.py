"""One keep-alive HTTPS connection to the server: `send` a request, `receive` its answer.

Not `http.client`, for two reasons. 1. That imports the email package: 20 ms, a fifth of a runner's
start. 2. Sending and receiving are apart here, so that the runner imports the rest of itself while
the server works on its first request.

It speaks to one server that we know: HTTP/1.1 with JSON bodies that are measured or chunked. What
does not fit raises ProtocolError and closes the connection.
"""

from __future__ import annotations

import socket
import ssl

from weir_runner.interrupts import interruptible

CONNECT_SECONDS = 10.0

# No header of ours is near this long; what is longer is not our server.
MAX_HEAD = 64 * 1024

_CHUNK = 256 * 1024


class ProtocolError(OSError):
    """What came back is no HTTP answer. An OSError, since trying again may help, as with a broken
    connection.
    """


class Answer:
    """The status, the headers (names in lower case) and the body of an answer."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class HttpsConnection:
    """A connection that is made when first needed, and again after it was closed.

    Parameters:
        server: `host:port` to connect to, as `10.96.0.7:8443` or `[fd00::7]:8443`.
        server_name: The name that the server's certificate must have.
        authorities: PEM text of the certificates that may have signed it; no others are trusted.
    """

    def __init__(self, server: str, server_name: str, authorities: str) -> None:
        host, _, port = server.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"the server's address must be host:port, not {server!r}")
        self._address = (host.strip("[]"), int(port))
        self._server_name = server_name
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(cadata=authorities)
        self._socket: ssl.SSLSocket | None = None
        self._read = bytearray()

    @property
    def is_open(self) -> bool:
        """Whether a connection stands that was not closed from here."""
        return self._socket is not None

    def send(self, path: str, token: str, body: bytes, seconds: float) -> None:
        """Send a POST request, on a new connection where there is none.

        Parameters:
            path: What to post to.
            token: The bearer token.
            body: JSON text.
            seconds: How long each step of sending and of receiving the answer may take.

        Raises:
            OSError: The server could not be reached, or its certificate is not good.
        """
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._server_name}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            connection = self._socket or self._connect()
            connection.settimeout(seconds)
            # One write: a head that travels alone would wait for its acknowledgement.
            _send(connection, head.encode("ascii") + body)
        except BaseException:
            self.close()
            raise

    def receive(self) -> Answer:
        """Return the answer to what was sent.

        Raises:
            OSError: The connection broke, the time was over, or it was no HTTP.
        """
        try:
            status, headers = self._head()
            while 100 <= status < 200:
                status, headers = self._head()
            if status == 204:
                body = b""
            elif "chunked" in headers.get("transfer-encoding", "").lower():
                body = self._chunks()
            else:
                body = self._exactly(_number(headers.get("content-length", ""), 10))
        except BaseException:
            # Also when interrupted: what is left of this answer must not be taken for the next.
            self.close()
            raise
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._read.clear()

    def _connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(self._address, CONNECT_SECONDS)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = self._context.wrap_socket(plain, server_hostname=self._server_name)
        except BaseException:
            plain.close()
            raise
        return self._socket

    def _head(self) -> tuple[int, dict[str, str]]:
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            if len(self._read) > MAX_HEAD:
                raise ProtocolError("the answer's head does not end")
            self._more()
        first, *lines = self._taken(end + 4).decode("latin-1").rstrip("\r\n").split("\r\n")
        version, _, rest = first.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
            raise ProtocolError(f"the answer does not begin as HTTP does: {first[:80]!r}")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(rest[:3]), headers

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := _number(self._line().partition(";")[0], 16):
            body += self._exactly(size)
            self._exactly(2)
        while self._line():
            pass
        return bytes(body)

    def _line(self) -> str:
        while (end := self._read.find(b"\r\n")) < 0:
            if len(self._read) > MAX_HEAD:
                raise ProtocolError("a line of the answer does not end")
            self._more()
        return self._taken(end + 2).decode("latin-1").strip()

    def _exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            self._more()
        return self._taken(size)

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._read[:size])
        del self._read[:size]
        return taken

    def _more(self) -> None:
        if self._socket is None:
            raise ProtocolError("nothing was sent that could be answered")
        received = _receive(self._socket)
        if not received:
            raise ConnectionResetError("the server closed the connection")
        self._read += received


@interruptible
def _receive(connection: ssl.SSLSocket) -> bytes:
    return connection.recv(_CHUNK)


@interruptible
def _send(connection: ssl.SSLSocket, data: bytes) -> None:
    connection.sendall(data)


def _number(text: str, base: int) -> int:
    try:
        if not text.strip().isalnum():  # no sign, no underscore
            raise ValueError
        return int(text, base)
    except ValueError:
        raise ProtocolError(f"the answer gives no length but {text[:80]!r}") from None
