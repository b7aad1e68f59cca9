"""What counts as an HTTP answer, from bytes that come in pieces."""

import pytest

from weir_runner.https import MAX_HEAD, HttpsConnection, ProtocolError


class Pieces(HttpsConnection):
    """Receives these bytes, so many at a time, and then no more."""

    def __init__(self, data: bytes, size: int) -> None:
        self._socket = None
        self._read = bytearray()
        self._pieces = [data[start : start + size] for start in range(0, len(data), size)]

    def _more(self) -> None:
        if not self._pieces:
            raise ConnectionResetError("the server closed the connection")
        self._read += self._pieces.pop(0)


ANSWERS = {
    "measured": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}"),
    "empty": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        b"a;x=y\r\n0123456789\r\n2\r\n{}\r\n0\r\nTrailer: 1\r\n\r\n",
        200,
        b"0123456789{}",
    ),
    "after an interim one": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n",
        409,
        b"",
    ),
    "of a server without words": (b"HTTP/1.0 503\r\nContent-Length: 1\r\n\r\nx", 503, b"x"),
}


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("data", "status", "body"), ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_is_read(data: bytes, status: int, body: bytes, size: int) -> None:
    answer = Pieces(data, size).receive()
    assert (answer.status, answer.body) == (status, body)


NONE = {
    "another protocol": b"SSH-2.0-x\r\n\r\n",
    "a status in letters": b"HTTP/1.1 abc\r\n\r\n",
    "a status in raised digits": b"HTTP/1.1 \xb2\xb2\xb2\r\n\r\n",
    "no length": b"HTTP/1.1 200 OK\r\n\r\n{}",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "a chunk without a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"x" * (MAX_HEAD + 1000),
}


@pytest.mark.parametrize("data", NONE.values(), ids=NONE.keys())
def test_it_is_no_answer(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        Pieces(data, 1000).receive()


def test_an_answer_that_breaks_off_is_trouble_with_the_connection() -> None:
    with pytest.raises(ConnectionResetError):
        Pieces(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", 1000).receive()
