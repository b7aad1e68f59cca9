"""Requests to the server, repeated until they are answered: whatever is sent twice is done once."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from weir_runner.https import Answer, HttpsConnection, ProtocolError
from weir_runner.interrupts import interruptible

PATH = "/runner/v1/"

# Longer than the server holds a long poll (weir_protocol.POLL_SECONDS): then it is not coming.
ANSWER_SECONDS = 35.0

# Also before an assignment says otherwise.
PATIENCE_SECONDS = 600.0

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
LONGEST_RETRY_AFTER = 30.0

# Text of a server or proxy that may be anything.
MAX_DETAIL = 300


class ServerLost(Exception):
    """The server could not be reached for as long as the runner was told to be patient."""


class Refused(Exception):
    """The server will not do what was asked, now or later.

    Parameters:
        status: HTTP status, 4xx.
        code: One word for programs.
        message: For people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{message} ({status} {code})")
        self.status = status
        self.code = code
        self.message = message

    @property
    def ends_runner(self) -> bool:
        """Whether the runner has nothing more to say: not its execution, ended, or diverged."""
        return self.status in (403, 409)


class Transport(Protocol):
    """The way to the server."""

    patience: float

    def post(self, path: str, message: object) -> dict[str, Any] | None:
        """Post a message of weir_protocol and return the answer; None for an empty one (204).

        Raises:
            Refused: The server will not do it.
            ServerLost: It could not be reached.
        """
        ...

    def another(self, patience: float) -> Transport:
        """Return another connection to the same server, for another thread."""
        ...


class HttpsTransport:
    """The server across the network. One thread at a time may use it.

    Parameters:
        connection: Makes a connection.
        token_file: Where the Pod's token is. Read for each request, since the kubelet renews it.
        patience: Seconds without the server after which to give up.
        clock, sleep, jitter: Seconds since any moment; how to pass seconds; a number from 0 to 1.
    """

    def __init__(
        self,
        connection: Callable[[], HttpsConnection],
        token_file: str,
        *,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.patience = patience
        self._connect = connection
        self._connection = connection()
        self._token_file = token_file
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter or _jitter
        self._begun: tuple[str, bytes] | None = None

    def another(self, patience: float) -> HttpsTransport:
        """Return another connection to the same server, for another thread."""
        return HttpsTransport(
            self._connect,
            self._token_file,
            patience=patience,
            clock=self._clock,
            sleep=self._sleep,
            jitter=self._jitter,
        )

    def begin(self, path: str, body: bytes) -> None:
        """Send a request whose answer the next `post` of the same text takes; failing is left to
        that.
        """
        try:
            self._connection.send(PATH + path, self._token(), body, ANSWER_SECONDS)
        except OSError:
            return
        self._begun = (path, body)

    def post(self, path: str, message: object) -> dict[str, Any] | None:
        """Post a message of weir_protocol and return the answer; None for an empty one (204).

        Raises:
            Refused: The server will not do it.
            ServerLost: It could not be reached for `patience` seconds.
        """
        body = body_of(message)
        failing_since: float | None = None
        delay = FIRST_DELAY
        while True:
            reused = self._connection.is_open
            retry_after = 0.0
            try:
                answer = self._exchange(path, body)
                if 200 <= answer.status < 300:
                    return None if answer.status == 204 else _object(answer)
            except OSError as error:
                trouble = f"{type(error).__name__}: {error}"
                if reused and not self._connection.is_open:
                    # A connection that was idle for long is closed by the other side: no trouble.
                    continue
            else:
                # 401 too: the token may just be renewed, or the server's keys not fetched yet.
                if answer.status < 500 and answer.status not in (401, 408, 429):
                    raise _refused(answer)
                trouble = str(_refused(answer))
                retry_after = _seconds(answer.headers.get("retry-after", ""))
            now = self._clock()
            if failing_since is None:
                failing_since = now
            if now - failing_since >= self.patience:
                raise ServerLost(
                    f"no server for {now - failing_since:.0f} s; the last trouble was {trouble}"
                )
            self._pause(max(delay * (0.5 + self._jitter()), retry_after))
            delay = min(2 * delay, LONGEST_DELAY)

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        self._begun = None
        self._connection.close()

    def _exchange(self, path: str, body: bytes) -> Answer:
        begun, self._begun = self._begun, None
        if begun != (path, body):
            if begun is not None:
                self._connection.close()  # its answer is not ours
            self._connection.send(PATH + path, self._token(), body, ANSWER_SECONDS)
        return self._connection.receive()

    def _token(self) -> str:
        with open(self._token_file, encoding="ascii") as file:
            return file.read().strip()

    @interruptible
    def _pause(self, seconds: float) -> None:
        self._sleep(seconds)


def body_of(message: object) -> bytes:
    """Return a message of weir_protocol as JSON text, without copying what it holds."""
    return json.dumps(message, default=_fields, allow_nan=False, separators=(",", ":")).encode(
        "ascii"
    )


def _fields(message: object) -> dict[str, Any]:
    return {name: getattr(message, name) for name in type(message).__slots__}  # type: ignore[attr-defined]


def _object(answer: Answer) -> dict[str, Any]:
    try:
        data = json.loads(answer.body or b"{}")
    except ValueError as error:
        raise ProtocolError(f"the answer is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise ProtocolError("the answer is no JSON object")
    return data


def _refused(answer: Answer) -> Refused:
    try:
        data = json.loads(answer.body)
        code, message = str(data["code"]), str(data["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "Unknown", answer.body[:MAX_DETAIL].decode("utf-8", "replace")
    return Refused(answer.status, code, message)


def _seconds(text: str) -> float:
    return min(float(text), LONGEST_RETRY_AFTER) if text.isdecimal() else 0.0


def _jitter() -> float:
    # Not from `random`: the script's own draws from it are to be the same in every attempt.
    return int.from_bytes(os.urandom(2), "big") / 0xFFFF
