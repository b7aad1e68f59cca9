"""uvicorn as this server needs it: signals are `main`'s, client certificates reach endpoints."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# How long requests may take to end when the server stops; long polls end at once.
_GRACE = 10
# How long the last bytes of an answer may take to leave.
_FLUSH_SECONDS = 0.2


class PeerProtocol(HttpToolsProtocol):
    """HTTP whose requests know the verified client certificate, as `request.state.peer`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Look at the certificate once for each connection."""
        tls = transport.get_extra_info("ssl_object")
        peer = tls.getpeercert() if tls is not None else None
        self.app_state = {**self.app_state, "peer": peer or None}
        super().connection_made(transport)

    def shutdown(self) -> None:
        """Close the connection once its request is answered."""
        super().shutdown()
        self.loop.call_later(_FLUSH_SECONDS, self._leave)

    def _leave(self) -> None:
        # A close of TLS waits for the peer's word, which an idle runner does not send.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
        else:
            self.loop.call_later(_FLUSH_SECONDS, self._leave)


class CannotListen(OSError):
    """The server's address cannot be had: it is taken, or not of this machine."""


class Server(uvicorn.Server):
    """A uvicorn server that leaves the process's signals, and its end, to `main`."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; raises `CannotListen` where uvicorn would end the process."""
        try:
            await super().startup(sockets)
        except SystemExit as error:
            where = f"{self.config.host}:{self.config.port}"
            raise CannotListen(f"Cannot listen at {where}: is another program there?") from error

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: `main` handles the signals, for several servers at once."""
        yield

    @property
    def port(self) -> int:
        """The port that it listens at."""
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port


def make(app: Starlette, *, host: str, port: int, context: ssl.SSLContext | None = None) -> Server:
    """Return a server for an application, with TLS when there is a context."""
    settings: dict[str, Any] = {}
    if context is not None:
        settings["ssl_context_factory"] = lambda config, default: context
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=PeerProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=2048,
            # Longer than a runner is silent between two requests of a long poll.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_GRACE,
            **settings,
        )
    )
