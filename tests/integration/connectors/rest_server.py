"""An HTTP(S) server for REST connections; every request it ever got is in `seen`.

/echo           what was asked, as JSON
/answer         as the query says: `status`, `type`, `body` (base64), `encoding` (Content-Encoding),
                and any `header` as Name:value
/moved          redirects to `to` with `code`
/loop           redirects to itself
/flaky          `status` as often as `times` says, then as /echo; with `after` as Retry-After
/lost           goes the `way` of another door as often as `times` says, then as /echo
/private        for USER with PASSWORD
/login          sets two cookies, and redirects to /echo
/hanging        never answers; `left` is set when the client has gone
/endless        sends some bytes of a body, and then as /hanging
/large          `bytes` zeros; `packed`: in gzip; `hidden`: without Content-Length
/cut            promises more than it sends
/silence        closes without an answer
/nonsense       answers in another protocol
"""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

USER = "ada"
PASSWORD = "corr&ct h0rse/b@ttery:staple"


@dataclass
class Seen:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def as_json(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "body": self.body.decode("utf-8", "replace"),
        }


class RestServer:
    """A context manager; `url` is where it listens."""

    def __init__(
        self, certificate: tuple[Path, Path] | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.seen: list[Seen] = []
        self.times: Counter[str] = Counter()
        self.left = threading.Event()
        self.asked = threading.Event()
        self._http = ThreadingHTTPServer((host, port), _handler(self))
        self._http.daemon_threads = True
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            # Not at accept(): a client that gives up there would stop the whole server.
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._http.server_address[1]
        self.url = f"{scheme}://{host}:{self.port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}
        )

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    def __enter__(self) -> RestServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _handler(server: RestServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # Clients of these tests go without a word, also in the midst of a handshake.
            with suppress(OSError):
                super().handle()

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()

        def log_message(self, format: str, *args: object) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._serve
            raise AttributeError(name)

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Seen(self.command, self.path, headers, body)
            server.seen.append(request)
            server.asked.set()
            query = parse_qs(urlsplit(self.path).query)
            door = request.path.strip("/").split("/")[0] or "echo"
            getattr(self, f"door_{door}", self._missing)(request, query)

        def _send(
            self, status: int, body: bytes = b"", headers: list[tuple[str, str]] | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers or []:
                self.send_header(name, value)
            if not any(name == "Content-Length" for name, _ in headers or []):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _missing(self, request: Seen, query: dict[str, list[str]]) -> None:
            self._send(404, b"nothing here", [("Content-Type", "text/plain")])

        def door_echo(self, request: Seen, query: dict[str, list[str]]) -> None:
            body = json.dumps(request.as_json()).encode()
            self._send(200, body, [("Content-Type", "application/json")])

        def door_answer(self, request: Seen, query: dict[str, list[str]]) -> None:
            status = int(query.get("status", ["200"])[0])
            body = base64.b64decode(query.get("body", [""])[0])
            headers = [("Content-Type", one) for one in query.get("type", [])]
            headers += [("Content-Encoding", one) for one in query.get("encoding", [])]
            for one in query.get("header", []):
                name, _, value = one.partition(":")
                headers.append((name, value))
            self._send(status, body, headers)

        def door_moved(self, request: Seen, query: dict[str, list[str]]) -> None:
            code = int(query.get("code", ["302"])[0])
            self._send(code, b"elsewhere", [("Location", query["to"][0])])

        def door_loop(self, request: Seen, query: dict[str, list[str]]) -> None:
            self._send(302, b"", [("Location", "/loop")])

        def door_flaky(self, request: Seen, query: dict[str, list[str]]) -> None:
            server.times[self.path] += 1
            if server.times[self.path] > int(query["times"][0]):
                return self.door_echo(request, query)
            headers = [("Retry-After", one) for one in query.get("after", [])]
            self._send(int(query.get("status", ["503"])[0]), b"not now", headers)

        def door_lost(self, request: Seen, query: dict[str, list[str]]) -> None:
            server.times[self.path] += 1
            is_over = server.times[self.path] > int(query["times"][0])
            door = "echo" if is_over else query["way"][0]
            getattr(self, f"door_{door}")(request, query)

        def door_private(self, request: Seen, query: dict[str, list[str]]) -> None:
            login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if request.headers.get("authorization") == f"Basic {login}":
                return self.door_echo(request, query)
            self._send(401, b"who are you?", [("WWW-Authenticate", "Basic")])

        def door_login(self, request: Seen, query: dict[str, list[str]]) -> None:
            cookies = [("Set-Cookie", "session=s1; Path=/"), ("Set-Cookie", "color=blue; Path=/")]
            self._send(303, b"", [*cookies, ("Location", "/echo")])

        def door_hanging(self, request: Seen, query: dict[str, list[str]]) -> None:
            self.close_connection = True
            self.connection.recv(1)
            server.left.set()

        def door_endless(self, request: Seen, query: dict[str, list[str]]) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"x" * 1000)
            self.door_hanging(request, query)

        def door_large(self, request: Seen, query: dict[str, list[str]]) -> None:
            body = bytes(int(query["bytes"][0]))
            headers = [("Content-Type", query.get("type", ["application/octet-stream"])[0])]
            if "packed" in query:
                body = gzip.compress(body)
                headers.append(("Content-Encoding", "gzip"))
            if "hidden" in query:
                self.close_connection = True
                self.send_response(200)
                for header in headers:
                    self.send_header(*header)
                self.end_headers()
                self.wfile.write(body)
            else:
                self._send(200, body, headers)

        def door_cut(self, request: Seen, query: dict[str, list[str]]) -> None:
            self.close_connection = True
            self._send(200, b"some", [("Content-Length", "1000")])

        def door_silence(self, request: Seen, query: dict[str, list[str]]) -> None:
            self.close_connection = True

        def door_nonsense(self, request: Seen, query: dict[str, list[str]]) -> None:
            self.close_connection = True
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    return Handler
