"""A Git server over HTTP(S): Git's own `http-backend` behind Python's HTTP server.

/open/NAME      for everybody
/private/NAME   for USER with PASSWORD
/cookie/NAME    for whoever has the cookie COOKIE
/moved/NAME     redirects to `elsewhere` + /private/NAME
/hanging/NAME   never answers until `release` is set
/broken/NAME    500
"""

from __future__ import annotations

import base64
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from tests.integration.connectors.git_repository import ENVIRONMENT

USER = "ada"
PASSWORD = "corr&ct h0rse/b@ttery:staple"
COOKIE = "session=c00kie-of-ada"


class HttpServer:
    """Serves the bare repositories of a folder. A context manager; `url` is where it listens."""

    def __init__(
        self,
        folder: Path,
        certificate: tuple[Path, Path] | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self.folder = folder
        self.elsewhere = ""
        self.release = threading.Event()
        self.asked = threading.Event()  # /hanging/ was asked
        self.authorizations: list[str] = []  # every Authorization header ever seen
        self._http = ThreadingHTTPServer((address, 0), _handler(self))
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
        self.url = f"{scheme}://{address}:{self._http.server_address[1]}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}
        )

    def __enter__(self) -> HttpServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _handler(server: HttpServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self) -> None:
            if "Authorization" in self.headers:
                server.authorizations.append(self.headers["Authorization"])
            _, door, path = self.path.split("/", 2)
            if door == "moved":
                self._refuse(302, {"Location": f"{server.elsewhere}/private/{path}"})
            elif door == "private" and not self._knows_password():
                self._refuse(401, {"WWW-Authenticate": 'Basic realm="test"'})
            elif door == "cookie" and COOKIE not in self.headers.get("Cookie", ""):
                self._refuse(403, {})
            elif door == "broken":
                self._refuse(500, {})
            elif door == "hanging":
                server.asked.set()
                server.release.wait()
                self._refuse(503, {})
            else:
                self._run_backend(path)

        def _knows_password(self) -> bool:
            login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            return bool(self.headers.get("Authorization") == f"Basic {login}")

        def _refuse(self, code: int, headers: dict[str, str]) -> None:
            self.close_connection = True
            try:
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
            except OSError:  # the client has gone
                pass

        def _run_backend(self, path: str) -> None:
            parts = urlsplit(f"/{path}")
            done = subprocess.run(
                ("git", "-c", "safe.directory=*", "http-backend"),
                env={
                    **ENVIRONMENT,
                    "GIT_PROJECT_ROOT": str(server.folder),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "PATH_INFO": parts.path,
                    "QUERY_STRING": parts.query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                },
                input=self._body(),
                capture_output=True,
                check=False,
            )
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if line)
            self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            return body

    return Handler
