"""An HTTP server on the node: counts what runs of the soak post."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from weir.api.resource import JsonObject

# The address of the bare node as its Pods see it: the gateway of their bridge.
HOST = "10.88.0.1"


class Receiver:
    """The server."""

    def __init__(self, port: int, received: list[JsonObject]) -> None:
        self.url = f"http://{HOST}:{port}"
        self.received = received

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Receiver]:
        """Serve for the duration of a block."""
        received: list[JsonObject] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                received.append(json.loads(body))
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer((HOST, 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield cls(server.server_address[1], received)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
