"""A fake of Vault: its KV engine, version 2, with the status codes and bodies of its HTTP API.

Vault itself is in no package registry that tests may use. What is here was written by what is known
of its API, not read off a server; where a Vault says something else, Vault is right.
"""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hvs.CAESIJ-f4k3-t0ken-0f-vault"
READER = "hvs.CAESIJ-f4k3-t0ken-0f-a-reader"  # may read what is below `app/` only
_PERMISSION_DENIED = "1 error occurred:\n\t* permission denied\n\n"


@dataclass
class Version:
    """One version of a secret."""

    number: int
    data: dict[str, Any] | None
    created: str
    deleted: str = ""
    destroyed: bool = False

    def metadata(self) -> dict[str, Any]:
        return {
            "created_time": self.created,
            "custom_metadata": None,
            "deletion_time": self.deleted,
            "destroyed": self.destroyed,
            "version": self.number,
        }


@dataclass
class Seen:
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case
    body: Any


@dataclass
class _Reply(Exception):
    status: int
    body: dict[str, Any] | None = None


class FakeVault:
    """A context manager; `url` is where it listens. `sealed` seals it."""

    def __init__(
        self, certificate: tuple[Path, Path] | None = None, engine: str = "secret"
    ) -> None:
        self.engine = engine
        self.namespace: str | None = None  # in which the engine is
        self.sealed = False
        self.needs_check_and_set = False
        self.unavailable = 0  # how many requests get 502, as from a proxy before it
        self.secrets: dict[str, list[Version]] = {}
        self.seen: list[Seen] = []
        self.asked = threading.Event()
        self.hangs = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{scheme}://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}
        )

    def __enter__(self) -> FakeVault:
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

    def holds(self, path: str, **data: Any) -> None:
        """Write a version of a secret."""
        versions = self.secrets.setdefault(path, [])
        versions.append(Version(len(versions) + 1, data, _now()))

    def answer(self, asked: Seen) -> _Reply:
        """Return what Vault answers."""
        try:
            return self._answer(asked)
        except _Reply as reply:
            return reply

    def _answer(self, asked: Seen) -> _Reply:
        if self.unavailable > 0:
            self.unavailable -= 1
            raise _Reply(502)
        if self.sealed:
            raise _refused(503, "Vault is sealed")
        engine = f"/v1/{self.engine}/"
        path = unquote(asked.path)
        token = asked.headers.get("x-vault-token")
        if token not in (TOKEN, READER):
            raise _refused(403, "permission denied")
        in_namespace = asked.headers.get("x-vault-namespace") == self.namespace
        if not path.startswith(engine) or not in_namespace:
            route = path.removeprefix("/v1/")
            raise _refused(404, f'no handler for route "{route}". route entry not found.')
        part, _, secret = path.removeprefix(engine).partition("/")
        if token == READER and (asked.method != "GET" or not secret.startswith("app/")):
            raise _refused(403, _PERMISSION_DENIED)
        match asked.method, part:
            case "GET", "data":
                return self._read(secret, int(asked.query.get("version", ["0"])[0]))
            case "POST" | "PUT", "data":
                return self._write(secret, asked.body)
            case "DELETE", "data":
                self._delete(secret, [])
            case "POST" | "PUT", "delete":
                self._delete(secret, asked.body["versions"])
            case "DELETE", "metadata":
                self.secrets.pop(secret, None)
            case "GET", "metadata" if asked.query.get("list") == ["true"]:
                return self._list(secret)
            case _:
                raise _refused(405, "1 error occurred:\n\t* unsupported operation\n\n")
        return _Reply(204)

    def _read(self, path: str, number: int) -> _Reply:
        versions = self.secrets.get(path, [])
        if not versions or number > len(versions):
            raise _Reply(404, {"errors": []})
        version = versions[number - 1]
        gone = version.destroyed or bool(version.deleted)
        data = {"data": None if gone else version.data, "metadata": version.metadata()}
        return _Reply(404 if gone else 200, _whole(data))

    def _write(self, path: str, body: dict[str, Any]) -> _Reply:
        if not isinstance(body.get("data"), dict):
            raise _refused(400, "no data provided")
        if self.needs_check_and_set and "cas" not in body.get("options", {}):
            raise _refused(400, "check-and-set parameter required for this call")
        self.holds(path, **body["data"])
        return _Reply(200, _whole(self.secrets[path][-1].metadata()))

    def _delete(self, path: str, numbers: list[int]) -> None:
        versions = self.secrets.get(path, [])
        for version in versions if numbers else versions[-1:]:
            if not numbers or version.number in numbers:
                version.deleted = _now()

    def _list(self, folder: str) -> _Reply:
        start = f"{folder.rstrip('/')}/" if folder else ""
        below = [path.removeprefix(start) for path in self.secrets if path.startswith(start)]
        if not below:
            raise _Reply(404, {"errors": []})
        names = {f"{one.partition('/')[0]}{'/' if '/' in one else ''}" for one in below}
        return _Reply(200, _whole({"keys": sorted(names)}))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _refused(status: int, *errors: str) -> _Reply:
    return _Reply(status, {"errors": list(errors)})


def _whole(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "request_id": "3f2a1d0e-0c1b-4c55-9d0c-6f0a5a0f6b1e",
        "lease_id": "",
        "renewable": False,
        "lease_duration": 0,
        "data": data,
        "wrap_info": None,
        "warnings": None,
        "auth": None,
    }


def _handler(vault: FakeVault) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with suppress(OSError):  # clients of these tests go without a word
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
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            address = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(sent) if sent else None
            seen = Seen(self.command, address.path, parse_qs(address.query), headers, body)
            vault.seen.append(seen)
            vault.asked.set()
            if vault.hangs.is_set():
                self.close_connection = True
                self.connection.recv(1)
                return
            reply = vault.answer(seen)
            content = b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            if content:
                self.send_header("Content-Type", "application/json")
            if reply.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
