"""Ports for servers that a test starts."""

import random
import socket

# Below the range that the system gives to outgoing connections (32768 and up), and below a
# cluster's node ports: no client's connection takes a port between its choice and the server.
_PORTS = range(10_000, 30_000)


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Return different ports of `address` that nobody listens at."""
    ports = (port for port in random.sample(_PORTS, len(_PORTS)) if _is_free(address, port))
    return [next(ports) for _ in range(count)]


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port of `address` that nobody listens at."""
    return free_ports(1, address)[0]


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
