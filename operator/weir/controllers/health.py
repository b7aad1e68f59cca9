"""Answers to probes and to whoever collects metrics: plain HTTP, no secrets in it.

Alive means that the event loop turns and the watches are fresh; how much work is left says nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

_REQUEST_SECONDS = 5.0

Numbers = Mapping[tuple[str, str], float]  # (name, labels as Prometheus writes them) -> value


class Health:
    """The operator's health, as its parts report it."""

    def __init__(self) -> None:
        self.is_ready: Callable[[], bool] = lambda: False
        self.is_alive: Callable[[], bool] = lambda: True
        self.numbers: Callable[[], Numbers] = dict

    def answer(self, path: str) -> tuple[int, str]:
        """Return status and text for a path."""
        match path:
            case "/healthz":
                return (200, "ok\n") if self.is_alive() else (503, "a watch is stale\n")
            case "/readyz":
                return (200, "ok\n") if self.is_ready() else (503, "not ready yet\n")
            case "/metrics":
                return 200, _rendered(self.numbers())
            case _:
                return 404, "there are /healthz, /readyz and /metrics\n"


async def serve(health: Health, port: int) -> asyncio.Server:
    """Listen for probes; the caller closes the server."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode("ascii", "replace").partition("?")[0]
                status, text = health.answer(path)
                writer.write(_response(status, text))
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    return await asyncio.start_server(respond, port=port, limit=16 * 1024)


def _response(status: int, text: str) -> bytes:
    body = text.encode()
    word = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}[status]
    head = (
        f"HTTP/1.1 {status} {word}\r\n"
        "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


def _rendered(numbers: Numbers) -> str:
    lines: list[str] = []
    named: set[str] = set()
    for (name, labels), value in sorted(numbers.items()):
        if name not in named:
            named.add(name)
            kind = "counter" if name.endswith("_total") else "gauge"
            lines.append(f"# TYPE {name} {kind}")
        lines.append(f"{name}{{{labels}}} {value:g}" if labels else f"{name} {value:g}")
    return "\n".join(lines) + "\n"
