"""A local port that leads to a port of a Pod, through the API server, as `kubectl port-forward` has
it.
"""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Self

import aiohttp

from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError
from weir.cluster.kinds import PODS

logger = logging.getLogger(__name__)

# Each message begins with a byte that says which stream it is of: 0 the data, 1 the errors. The
# first message of either is only the port's number.
_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_CHUNK = 2**15


class PortForward:
    """Listens on 127.0.0.1 as long as it is entered; each connection is a websocket of its own.

    Raises ClusterError on entry when the API server refuses the first one.
    """

    def __init__(self, cluster: Cluster, namespace: str, pod: str, port: int) -> None:
        self._cluster = cluster
        self._path = f"{PODS.path(namespace, pod)}/portforward"
        self._port = port
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.local_port = 0

    async def __aenter__(self) -> Self:
        # Opened once for its answer: what is refused later only shows as a closed connection.
        await (await self._open()).close()
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.local_port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._listener is not None:
            self._listener.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        return await self._cluster.websocket(
            self._path, {"ports": str(self._port)}, protocol=_PROTOCOL
        )

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._carry(reader, writer)
        except (ClusterError, OSError, aiohttp.ClientError) as error:
            logger.debug("Port-forward ended", extra={"error": str(error)[:300]})
        except asyncio.CancelledError:
            pass  # the end of the forwarding; a task of the listener's has nobody to tell
        finally:
            self._connections.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        socket = await self._open()
        outward = asyncio.create_task(_send(reader, socket))
        try:
            await _receive(socket, writer)
        finally:
            outward.cancel()
            await asyncio.gather(outward, return_exceptions=True)
            await socket.close()


async def _send(reader: asyncio.StreamReader, socket: aiohttp.ClientWebSocketResponse) -> None:
    while data := await reader.read(_CHUNK):
        await socket.send_bytes(bytes([_DATA]) + data)
    await socket.close()


async def _receive(socket: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> None:
    announced: set[int] = set()
    async for message in socket:
        if message.type != aiohttp.WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel not in announced:
            announced.add(channel)
        elif channel == _DATA:
            writer.write(data)
            await writer.drain()
        elif channel == _ERROR and data:
            raise ClusterError(f"the node cannot forward the port: {data.decode(errors='replace')}")
