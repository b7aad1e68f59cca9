"""The runner's way to the server over real TLS, and a whole runner process on it."""

from __future__ import annotations

import datetime
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import weir_runner
from weir_protocol import Ask, Assignment, ExecutionView, encode
from weir_runner.https import HttpsConnection
from weir_runner.transport import HttpsTransport, Refused, ServerLost

NAME = "weir-server"
Reply = tuple[int, dict[str, Any] | None]


@dataclass
class Authority:
    """A test CA: its certificate as PEM text, and a context for a server that it vouches for."""

    certificate: str
    context: ssl.SSLContext


def authority(folder: Path, name: str = NAME) -> Authority:
    """Make a CA and a server certificate for `name`."""
    now = datetime.datetime.now(datetime.UTC)

    def certificate(
        subject: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
        )

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = (
        certificate("test CA", ca_key, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    leaf = (
        certificate(name, key, ca_key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + leaf.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return Authority(ca.public_bytes(serialization.Encoding.PEM).decode(), context)


@dataclass
class Server:
    """A server of the runner API whose answers a test chooses."""

    address: str
    certificate: str
    answer: Callable[[str, dict[str, Any]], Reply] = lambda path, body: (200, {})
    requests: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    connections: int = 0
    chunked: bool = False
    hang_up_after: set[int] = field(default_factory=set)  # numbers of requests

    def paths(self) -> list[str]:
        """Return what was posted to, in order."""
        return [path for path, _, _ in self.requests]


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            server.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            path = self.path.removeprefix("/runner/v1/")
            server.requests.append((path, body, self.headers["Authorization"]))
            status, data = server.answer(path, body)
            text = b"" if data is None else json.dumps(data).encode()
            self.send_response(status)
            if status == 204:
                self.end_headers()
            elif server.chunked:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in (text[:7], text[7:]):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"")
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            if len(server.requests) in server.hang_up_after:
                self.close_connection = True  # without having said so

        def log_message(self, *_: Any) -> None: ...

    return Handler


class _QuietServer(ThreadingHTTPServer):
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        # Here, in the connection's own thread: a client that refuses us must not stop the others.
        try:
            with self.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:
            pass

    def shutdown_request(self, request: Any) -> None:
        self.close_request(request)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    ca = authority(tmp_path)
    seen = Server(address="", certificate=ca.certificate)
    with _QuietServer(("127.0.0.1", 0), _handler(seen)) as http:
        http.context = ca.context
        http.daemon_threads = True
        seen.address = f"127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield seen
        http.shutdown()
        thread.join()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("first-token\n")
    return file


@pytest.fixture
def transport(server: Server, token_file: Path) -> Iterator[HttpsTransport]:
    made = _transport(server.address, NAME, server.certificate, token_file)
    yield made
    made.close()


def _transport(address: str, name: str, certificate: str, token_file: Path) -> HttpsTransport:
    time = iter(range(1_000_000))
    return HttpsTransport(
        lambda: HttpsConnection(address, name, certificate),
        str(token_file),
        patience=5,
        clock=lambda: float(next(time)),  # each look at it is a second later
        sleep=lambda seconds: None,
    )


def test_requests_share_one_connection(server: Server, transport: HttpsTransport) -> None:
    server.answer = lambda path, body: (200, {"asked": path, "by": body["uid"]})
    answers = [transport.post("control", Ask(uid=str(n))) for n in range(3)]
    assert answers == [{"asked": "control", "by": str(n)} for n in range(3)]
    assert server.connections == 1


def test_the_token_is_read_for_each_request(
    server: Server, transport: HttpsTransport, token_file: Path
) -> None:
    transport.post("control", Ask())
    token_file.write_text("second-token")
    transport.post("control", Ask())
    assert [token for _, _, token in server.requests] == [
        "Bearer first-token",
        "Bearer second-token",
    ]


def test_a_connection_that_the_server_closed_is_made_anew(
    server: Server, transport: HttpsTransport
) -> None:
    server.hang_up_after = {1}
    assert [transport.post("control", Ask()) for _ in range(2)] == [{}, {}]
    assert server.connections == 2


def test_an_answer_in_chunks_is_put_together(server: Server, transport: HttpsTransport) -> None:
    server.chunked = True
    server.answer = lambda path, body: (200, {"text": "ä" * 5000})
    assert transport.post("control", Ask()) == {"text": "ä" * 5000}
    assert transport.post("control", Ask()) == {"text": "ä" * 5000}
    assert server.connections == 1


def test_large_bodies_go_both_ways(server: Server, transport: HttpsTransport) -> None:
    server.answer = lambda path, body: (200, body)
    large = "x" * (4 * 2**20)
    answer = transport.post("control", Ask(uid=large))
    assert answer is not None
    assert answer["uid"] == large


def test_no_content_is_no_answer(server: Server, transport: HttpsTransport) -> None:
    server.answer = lambda path, body: (204, None)
    assert transport.post("assignment", Ask()) is None
    assert transport.post("assignment", Ask()) is None
    assert server.connections == 1


def test_trouble_of_the_server_is_waited_out(server: Server, transport: HttpsTransport) -> None:
    replies: list[Reply] = [(503, {"code": "Unavailable", "message": "soon"}), (200, {"now": True})]
    server.answer = lambda path, body: replies.pop(0)
    assert transport.post("operations", Ask()) == {"now": True}


def test_a_refusal_is_not_repeated(server: Server, transport: HttpsTransport) -> None:
    server.answer = lambda path, body: (409, {"code": "Fenced", "message": "another attempt runs"})
    with pytest.raises(Refused, match="another attempt runs"):
        transport.post("operations", Ask())
    assert len(server.requests) == 1


def test_a_certificate_of_another_authority_is_not_trusted(
    server: Server, token_file: Path, tmp_path: Path
) -> None:
    other = authority(tmp_path, "another")
    transport = _transport(server.address, NAME, other.certificate, token_file)
    with pytest.raises(ServerLost, match="CERTIFICATE_VERIFY_FAILED"):
        transport.post("control", Ask())
    assert server.requests == []


def test_a_certificate_of_another_name_is_not_trusted(server: Server, token_file: Path) -> None:
    transport = _transport(server.address, "weir-server.elsewhere", server.certificate, token_file)
    with pytest.raises(ServerLost, match="CERTIFICATE_VERIFY_FAILED"):
        transport.post("control", Ask())
    assert server.requests == []


def test_a_runner_process_takes_its_work_and_reports_the_end(
    server: Server, token_file: Path
) -> None:
    server.answer = _work('print("hello")\ndef handler(system, this, inputs):\n    return inputs')
    done = _run_process(server, token_file)
    assert done.returncode == 0, done.stderr
    assert server.paths() == ["assignment", "end"]
    assert server.connections == 1
    end = server.requests[-1][1]
    assert (end["status"], end["outputs"]) == ("success", {"person": "Ada"})
    assert [(line["stream"], line["text"]) for line in end["logs"]] == [("stdout", "hello")]


def test_a_cancelled_runner_process_cleans_up_and_says_so(server: Server, token_file: Path) -> None:
    work = _work(
        "import time\n"
        "def handler(system, this):\n"
        "    try:\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        print('cleaned up')\n"
    )
    server.answer = lambda path, body: (
        (200, {"stop": "Cancelled"}) if path == "control" else work(path, body)
    )
    done = _run_process(server, token_file)
    assert done.returncode == 0, done.stderr
    end = server.requests[-1][1]
    assert (end["status"], end["reason"]) == ("cancelled", "Cancelled")
    assert [line["text"] for line in end["logs"]] == ["cleaned up"]


def test_a_runner_process_leaves_quietly_when_it_is_fenced(
    server: Server, token_file: Path
) -> None:
    work = _work("def handler(system, this):\n    this.save(message='half way')\n")
    refusal = {"code": "Fenced", "message": "another attempt runs"}
    server.answer = lambda path, body: (409, refusal) if path == "operations" else work(path, body)
    done = _run_process(server, token_file)
    assert done.returncode == 0, done.stderr
    assert server.paths() == ["assignment", "operations"]
    assert "another attempt runs" in done.stderr


def _work(source: str) -> Callable[[str, dict[str, Any]], Reply]:
    assignment = Assignment(
        namespace="team-a",
        execution=ExecutionView(
            uid="u-1",
            name="hello-1",
            title="hello",
            type="SCRIPT",
            status="NEW",
            phase="Starting",
        ),
        try_number=1,
        attempt=1,
        script=source,
        inputs={"person": "Ada"},
    )
    return lambda path, body: (200, encode(assignment) if path == "assignment" else {})


def _run_process(server: Server, token_file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "weir_runner"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(weir_runner.__file__).parents[1]),
            "PYTHONHASHSEED": "0",
            "WEIR_SERVER": server.address,
            "WEIR_SERVER_NAME": NAME,
            "WEIR_SERVER_CA": server.certificate,
            "WEIR_TOKEN_FILE": str(token_file),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
