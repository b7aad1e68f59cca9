"""A server that runners ask: HTTP/1.1 over TLS in threads, its answers given by the test."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.integration.server import certificates
from weir_protocol import PATH

# A status and a JSON object, or what is written as it is.
Reply = tuple[int, dict[str, Any]] | bytes

SECONDS = 30.0  # longer than anything that a test waits for


@dataclass(frozen=True)
class Request:
    """What was asked: below which path, with which token, over which connection."""

    path: str
    token: str
    body: dict[str, Any]
    client: tuple[str, int]


class RunnerServer:
    """Answers requests by `on[path]`; remembers them.

    Parameters:
        folder: For the certificate's files.
    """

    def __init__(self, folder: Path) -> None:
        secret = certificates.secret()["data"]
        pair = folder / "pair.pem"
        pair.write_bytes(b"".join(base64.b64decode(secret[key]) for key in ("tls.crt", "tls.key")))
        self.authority = base64.b64decode(secret["ca.crt"]).decode()
        self.on: dict[str, Callable[[dict[str, Any]], Reply]] = {}
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._news = threading.Condition()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair)
        self._port = 0
        self.start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, on the same port as before."""
        self.closing.clear()
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.of = self
        self._server.socket = self._context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and listen no more."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()

    def answer(self, request: Request) -> Reply:
        """Return the answer to a request."""
        with self._news:
            self.requests.append(request)
            self._news.notify_all()
        if request.path not in self.on:
            return 200, {}
        return self.on[request.path](request.body)

    def hold(self, _body: dict[str, Any]) -> Reply:
        """Answer a long poll only when the server stops."""
        self.closing.wait(SECONDS)
        return b""

    def asked(self, path: str, count: int = 1) -> dict[str, Any]:
        """Wait for so many requests to a path; return the body of the last."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.bodies(path)) >= count, SECONDS), path
        return self.bodies(path)[count - 1]

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """Return what was posted to a path."""
        return [request.body for request in self.requests if request.path == path]


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    of: RunnerServer

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._open.discard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that break off or refuse the certificate are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = self.headers["Authorization"].removeprefix("Bearer ")
        path = self.path.removeprefix(f"{PATH}/")
        reply = self.server.of.answer(Request(path, token, body, self.client_address))
        if isinstance(reply, bytes):
            self.wfile.write(reply)
            self.close_connection = not reply
            return
        status, data = reply
        self.send_response(status)
        text = b"" if status == 204 else json.dumps(data).encode()
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
