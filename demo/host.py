"""A host that runs scripts sent by ssh, inside the cluster, for the SSH example.

No OpenSSH: Weir's runner image has none, and a Pod without rights could not switch users anyway.
The key of this host is no secret: the example has the public one.
"""

from __future__ import annotations

from demo.services import Service

_PROGRAM = """
import asyncio, subprocess

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

KEY = Ed25519PrivateKey.from_private_bytes(b"a host that anybody may pretend!").private_bytes(
    Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
)


class Server(asyncssh.SSHServer):
    def validate_password(self, username, password):
        return (username, password) == ("ada", "correct horse battery staple")

    def password_auth_supported(self):
        return True


async def serve(process):
    child = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", process.command,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )
    await process.redirect(child.stdin, child.stdout, child.stderr)
    process.exit(await child.wait())


async def main():
    server = await asyncssh.create_server(
        Server, "", 2222, server_host_keys=[asyncssh.import_private_key(KEY)],
        process_factory=serve, encoding=None,
    )
    await server.wait_closed()


asyncio.run(main())
"""

HOST = Service(
    name="host",
    port=22,
    target_port=2222,
    command=("python3", "-c", _PROGRAM),
    public="host.example.com",
    scheme="",
)
