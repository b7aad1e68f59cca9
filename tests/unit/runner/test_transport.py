"""Requests are repeated until they are answered, or until patience is over."""

import json
from pathlib import Path

import pytest

from weir_protocol import Ask, Operation
from weir_runner.https import Answer, HttpsConnection, ProtocolError
from weir_runner.transport import HttpsTransport, Refused, ServerLost, body_of

OK = Answer(200, {}, b'{"state":"done"}')
GONE = ConnectionResetError("gone")


def refused(status: int, code: str = "Unavailable", **headers: str) -> Answer:
    body = json.dumps({"code": code, "message": "why"}).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class ScriptedConnection(HttpsConnection):
    """Gives answers and troubles in turn, the last one for ever; keeps what was sent."""

    def __init__(self, *turns: Answer | OSError) -> None:
        self.turns = list(turns)
        self.sent: list[tuple[str, str, bytes]] = []
        self.open = False

    @property
    def is_open(self) -> bool:
        return self.open

    def send(self, path: str, token: str, body: bytes, seconds: float) -> None:
        self.sent.append((path, token, body))
        self.open = True

    def receive(self) -> Answer:
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, OSError):
            self.close()
            raise turn
        return turn

    def close(self) -> None:
        self.open = False


class Clock:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


def transport(
    connection: ScriptedConnection, token_file: Path, clock: Clock, patience: float = 60
) -> HttpsTransport:
    return HttpsTransport(
        lambda: connection,
        str(token_file),
        patience=patience,
        clock=clock,
        sleep=clock.sleep,
        jitter=lambda: 0.5,
    )


TROUBLES = {
    "a broken connection": [GONE],
    "a refused connection": [ConnectionRefusedError("no")],
    "no answer in time": [TimeoutError("slow")],
    "no HTTP": [ProtocolError("what?")],
    "a bad certificate": [OSError("certificate verify failed")],
    "401, for a token just renewed": [refused(401)],
    "408": [refused(408)],
    "429": [refused(429)],
    "500": [refused(500)],
    "503 of a proxy": [Answer(503, {}, b"<html>")],
    "an answer that is no JSON": [Answer(200, {}, b"<html>")],
    "an answer that is no object": [Answer(200, {}, b"[]")],
    "one after the other": [GONE, refused(503), refused(429)],
}


@pytest.mark.parametrize("troubles", TROUBLES.values(), ids=TROUBLES.keys())
def test_it_tries_again_after(
    troubles: list[Answer | OSError], token_file: Path, clock: Clock
) -> None:
    connection = ScriptedConnection(*troubles, OK)
    assert transport(connection, token_file, clock).post("operations", Ask(uid="u")) == {
        "state": "done"
    }
    bodies = {body for _, _, body in connection.sent}
    assert bodies == {b'{"uid":"u","try_number":0,"attempt":0}'}
    assert len(connection.sent) == len(troubles) + 1


def test_it_waits_longer_each_time_and_gives_up_when_patience_is_over(
    token_file: Path, clock: Clock
) -> None:
    connection = ScriptedConnection(refused(503))
    with pytest.raises(ServerLost, match=r"no server for \d+ s; .* why \(503 Unavailable\)"):
        transport(connection, token_file, clock, patience=20).post("end", Ask())
    assert clock.slept == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert clock.now >= 20


@pytest.mark.parametrize(
    ("header", "pause"),
    [("7", 7.0), ("3600", 30.0), ("Tue, 24 Nov", 0.1), ("\xb2", 0.1), ("", 0.1)],
)
def test_it_waits_as_long_as_the_server_asks_for_within_reason(
    header: str, pause: float, token_file: Path, clock: Clock
) -> None:
    connection = ScriptedConnection(refused(429, retry_after=header), OK)
    transport(connection, token_file, clock).post("logs", Ask())
    assert clock.slept == [pause]


def test_a_kept_connection_that_was_closed_meanwhile_is_no_trouble(
    token_file: Path, clock: Clock
) -> None:
    connection = ScriptedConnection(OK, GONE, OK)
    way = transport(connection, token_file, clock, patience=0)
    way.post("operations", Ask())
    way.post("operations", Ask())
    assert clock.slept == []


def test_patience_begins_anew_with_each_request(token_file: Path, clock: Clock) -> None:
    connection = ScriptedConnection(refused(503), OK, refused(503), OK)
    way = transport(connection, token_file, clock, patience=10)
    way.post("operations", Ask())
    clock.now += 100
    assert way.post("operations", Ask()) is not None


@pytest.mark.parametrize(
    ("status", "code", "ends_runner"),
    [
        (400, "InvalidRequest", False),
        (403, "Fenced", True),
        (404, "NotFound", False),
        (409, "Ended", True),
        (409, "Diverged", True),
        (413, "TooLarge", False),
    ],
)
def test_a_refusal_is_final(
    status: int, code: str, ends_runner: bool, token_file: Path, clock: Clock
) -> None:
    connection = ScriptedConnection(refused(status, code))
    with pytest.raises(Refused) as refusal:
        transport(connection, token_file, clock).post("operations", Ask())
    assert (refusal.value.code, refusal.value.ends_runner) == (code, ends_runner)
    assert len(connection.sent) == 1


def test_a_refusal_that_is_not_the_servers_is_cut(token_file: Path, clock: Clock) -> None:
    connection = ScriptedConnection(Answer(404, {}, b"\xff" + b"x" * 1000))
    with pytest.raises(Refused, match=r"^\ufffdx{299} \(404 Unknown\)$"):
        transport(connection, token_file, clock).post("operations", Ask())


def test_nothing_is_a_204(token_file: Path, clock: Clock) -> None:
    connection = ScriptedConnection(Answer(204, {}, b""))
    assert transport(connection, token_file, clock).post("assignment", Ask()) is None


def test_the_token_is_read_for_each_request(token_file: Path, clock: Clock) -> None:
    connection = ScriptedConnection(OK)
    way = transport(connection, token_file, clock)
    way.post("operations", Ask())
    token_file.write_text("second\n")
    way.post("end", Ask())
    assert [sent[:2] for sent in connection.sent] == [
        ("/runner/v1/operations", "first"),
        ("/runner/v1/end", "second"),
    ]


def test_a_token_that_is_not_there_yet_is_waited_for(token_file: Path, clock: Clock) -> None:
    token_file.unlink()
    way = transport(ScriptedConnection(OK), token_file, clock)

    def appear(seconds: float) -> None:
        clock.sleep(seconds)
        token_file.write_text("late")

    way._sleep = appear
    assert way.post("assignment", Ask()) is not None


def test_a_request_that_was_begun_is_not_sent_twice(token_file: Path, clock: Clock) -> None:
    connection = ScriptedConnection(OK)
    way = transport(connection, token_file, clock)
    way.begin("assignment", body_of(Ask()))
    way.post("assignment", Ask())
    way.post("assignment", Ask())
    assert len(connection.sent) == 2


def test_a_request_that_was_begun_and_not_taken_is_dropped(token_file: Path, clock: Clock) -> None:
    connection = ScriptedConnection(OK)
    way = transport(connection, token_file, clock)
    way.begin("assignment", body_of(Ask()))
    way.post("assignment", Ask(uid="u"))
    assert len(connection.sent) == 2


def test_the_first_request_is_what_an_empty_ask_says() -> None:
    from weir_runner.main import FIRST_REQUEST

    assert body_of(Ask()) == FIRST_REQUEST


def test_a_body_holds_messages_within_messages() -> None:
    operation = Operation(
        uid="ü", try_number=1, attempt=1, sequence=1, kind="read", arguments={"uid": "x"}
    )
    assert json.loads(body_of(operation)) == {
        "uid": "ü",
        "try_number": 1,
        "attempt": 1,
        "sequence": 1,
        "kind": "read",
        "arguments": {"uid": "x"},
        "line": None,
        "thread": False,
        "logs": [],
    }


@pytest.mark.parametrize("server", ["weir-server", ":8443", "weir-server:", "weir-server:x"])
def test_an_address_that_is_none_is_named(server: str) -> None:
    with pytest.raises(ValueError, match=f"host:port, not '{server}'"):
        HttpsConnection(server, "weir-server", "")
