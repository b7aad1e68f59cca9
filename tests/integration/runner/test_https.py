"""The way to the server across a real network and real TLS."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import pytest

from tests.integration.runner.tls_server import RunnerServer
from tests.integration.server import certificates
from weir_protocol import Ask
from weir_runner import transport as transports
from weir_runner.https import HttpsConnection, ProtocolError
from weir_runner.transport import HttpsTransport, ServerLost


@pytest.fixture
def connections() -> list[HttpsConnection]:
    return []


@pytest.fixture
def way(
    server: RunnerServer, token_file: Path, connections: list[HttpsConnection]
) -> HttpsTransport:
    def connect() -> HttpsConnection:
        connections.append(HttpsConnection(server.address, "weir-server", server.authority))
        return connections[-1]

    return HttpsTransport(connect, str(token_file), patience=0)


@pytest.fixture(autouse=True)
def _closed(server: RunnerServer, connections: list[HttpsConnection]) -> object:
    yield
    for connection in connections:
        connection.close()


def refusal_of(connection: HttpsConnection) -> str:
    with pytest.raises(ssl.SSLCertVerificationError) as refusal:
        connection.send("/", "token", b"{}", 5)
    assert not connection.is_open
    return refusal.value.verify_message


def test_a_certificate_for_another_name_is_refused(server: RunnerServer) -> None:
    connection = HttpsConnection(server.address, "weir-serve", server.authority)
    assert "Hostname mismatch" in refusal_of(connection)


def test_the_name_counts_and_not_the_address(server: RunnerServer) -> None:
    # The certificate is good for 127.0.0.1 as well; whoever asks for another name is refused.
    connection = HttpsConnection(server.address, "127.0.0.2", server.authority)
    assert "IP address mismatch" in refusal_of(connection)


def test_a_certificate_of_another_authority_is_refused(server: RunnerServer) -> None:
    import base64

    other = base64.b64decode(certificates.secret()["data"]["ca.crt"]).decode()
    connection = HttpsConnection(server.address, "weir-server", other)
    refusal_of(connection)


def test_nothing_is_told_to_a_server_that_is_refused(
    server: RunnerServer, token_file: Path
) -> None:
    way = HttpsTransport(
        lambda: HttpsConnection(server.address, "other", server.authority),
        str(token_file),
        patience=0,
    )
    with pytest.raises(ServerLost, match="CERTIFICATE_VERIFY_FAILED"):
        way.post("assignment", Ask())
    assert server.requests == []


def test_one_connection_serves_many_requests(server: RunnerServer, way: HttpsTransport) -> None:
    for path in ("assignment", "operations", "end"):
        assert way.post(path, Ask(uid="u")) == {}
    assert len({request.client for request in server.requests}) == 1
    assert server.requests[0].body == {"uid": "u", "try_number": 0, "attempt": 0}


def test_another_thread_has_another_connection(server: RunnerServer, way: HttpsTransport) -> None:
    way.post("operations", Ask())
    way.another(5).post("control", Ask())
    assert len({request.client for request in server.requests}) == 2


def test_a_server_that_restarted_between_requests_is_asked_again(
    server: RunnerServer, way: HttpsTransport
) -> None:
    way.post("operations", Ask(uid="1"))
    server.stop()
    server.start()
    way.post("operations", Ask(uid="2"))
    assert [body["uid"] for body in server.bodies("operations")] == ["1", "2"]


def test_a_server_that_is_away_is_waited_for(server: RunnerServer, token_file: Path) -> None:
    connection = HttpsConnection(server.address, "weir-server", server.authority)
    way = HttpsTransport(
        lambda: connection, str(token_file), patience=60, sleep=lambda _: server.start()
    )
    server.stop()
    assert way.post("end", Ask()) == {}
    connection.close()


def test_the_token_is_read_again_for_each_request(
    server: RunnerServer, way: HttpsTransport, token_file: Path
) -> None:
    way.post("operations", Ask())
    token_file.write_text("renewed")
    way.post("operations", Ask())
    assert [request.token for request in server.requests] == ["a-token", "renewed"]


def test_a_slow_answer_is_waited_for(server: RunnerServer, way: HttpsTransport) -> None:
    ready = threading.Event()

    def slow(_body: object) -> tuple[int, dict[str, object]]:
        ready.wait()
        return 200, {"stop": "Cancelled"}

    server.on["control"] = slow
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(way.post("control", Ask())))
    asking.start()
    server.asked("control")
    assert answers == []
    ready.set()
    asking.join()
    assert answers == [{"stop": "Cancelled"}]


def test_an_answer_that_never_comes_is_asked_for_on_a_new_connection(
    server: RunnerServer, way: HttpsTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    way.post("logs", Ask())
    monkeypatch.setattr(transports, "ANSWER_SECONDS", 0.2)
    server.on["operations"] = server.hold
    with pytest.raises(ServerLost, match="TimeoutError"):
        way.post("operations", Ask())
    assert len({request.client for request in server.requests[-2:]}) == 2


ANSWERS = {
    "measured": b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}',
    "chunked": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n{"a\r\n4\r\n":1}\r\n'
    b"0\r\nTrailer: x\r\n\r\n",
    "announced by 100": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
    b'content-length: 7\r\n\r\n{"a":1}',
}


@pytest.mark.parametrize("raw", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_is_read_to_its_end_when_it_is(
    raw: bytes, server: RunnerServer, way: HttpsTransport
) -> None:
    server.on["operations"] = lambda _: raw
    for _ in "ab":
        assert way.post("operations", Ask()) == {"a": 1}
    assert len({request.client for request in server.requests}) == 1


def test_nothing_is_an_answer(server: RunnerServer, way: HttpsTransport) -> None:
    server.on["assignment"] = lambda _: (204, {})
    assert way.post("assignment", Ask()) is None
    assert way.post("assignment", Ask()) is None
    assert len({request.client for request in server.requests}) == 1


def test_a_connection_that_the_server_wants_closed_is_not_used_again(
    server: RunnerServer, way: HttpsTransport
) -> None:
    server.on["operations"] = lambda _: (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    )
    for _ in "ab":
        way.post("operations", Ask())
    assert len({request.client for request in server.requests}) == 2


@pytest.mark.parametrize(
    ("raw", "trouble"),
    [
        pytest.param(b"SSH-2.0\r\n\r\n", "does not begin as HTTP does", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", "gives no length", id="no length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "gives no length", id="a bad length"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "gives no length but 'xyz'",
            id="a bad chunk",
        ),
        pytest.param(b"x" * 70_000, "head does not end", id="a head without end"),
    ],
)
def test_what_is_no_answer_closes_the_connection(
    raw: bytes, trouble: str, server: RunnerServer, connections: list[HttpsConnection]
) -> None:
    server.on["x"] = lambda _: raw
    connection = HttpsConnection(server.address, "weir-server", server.authority)
    connection.send("/runner/v1/x", "token", b"{}", 5)
    with pytest.raises(ProtocolError, match=trouble):
        connection.receive()
    assert not connection.is_open


def test_an_answer_that_breaks_off_is_an_error(server: RunnerServer) -> None:
    server.on["x"] = lambda _: b""
    connection = HttpsConnection(server.address, "weir-server", server.authority)
    connection.send("/runner/v1/x", "token", b"{}", 5)
    with pytest.raises(ConnectionResetError):
        connection.receive()


def test_large_bodies_go_both_ways(server: RunnerServer, way: HttpsTransport) -> None:
    server.on["operations"] = lambda body: (200, {"echo": body["uid"]})
    text = "x" * (4 * 2**20)
    assert way.post("operations", Ask(uid=text)) == {"echo": text}
