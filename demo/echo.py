"""An HTTP service that answers with what it was asked, inside the cluster, for the REST example.

Of httpbin.org, which the example names, it knows what the example and the tests need: /anything,
/status/CODE, /basic-auth/USER/PASSWORD, /delay/SECONDS.
"""

from __future__ import annotations

from demo.services import Service

_PROGRAM = """
import base64, json, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        _, door, *rest = parts.path.split("/")
        status = 404
        if door == "anything":
            status = 200
        elif door == "status":
            status = int(rest[0])
        elif door == "delay":
            time.sleep(float(rest[0]))
            status = 200
        elif door == "basic-auth":
            login = "Basic " + base64.b64encode(":".join(rest[:2]).encode()).decode()
            status = 200 if self.headers.get("Authorization") == login else 401
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        self.answer(status, {
            "method": self.command,
            "args": dict(parse_qsl(parts.query)),
            "headers": dict(self.headers),
            "data": body.decode("utf-8", "replace"),
            "json": value,
        })

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def answer(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""

ECHO = Service(
    name="echo",
    port=8080,
    command=("python3", "-c", _PROGRAM),
    public="https://httpbin.org",
    scheme="http",
)
