"""Logs in to a host: finds it, makes sure that it is the one, and says why it was not to be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncssh
from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

from weir_connectors import ssh_keys
from weir_connectors.connector import Context
from weir_connectors.errors import ConnectionCancelled, ConnectionFailed, InvalidInputError
from weir_connectors.scrubbing import scrub
from weir_connectors.ssh_inputs import SshInputs

Result = TypeVar("Result")

# Seconds between two looks at whether to give up.
TICK = 0.1

# Seconds between two tries.
PAUSE = 1.0

# A host that is silent for three times these seconds is gone.
ALIVE = 10.0


class _Client(asyncssh.SSHClient):
    """Remembers the key of a host that is not known."""

    def __init__(self) -> None:
        self.offered: asyncssh.SSHKey | None = None

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        self.offered = key
        return False


class _Unreachable(Exception):
    """The host could not be reached; another try may help."""


async def log_in(inputs: SshInputs, context: Context) -> asyncssh.SSHClientConnection:
    """Return a connection on which the user is logged in.

    Raises:
        InvalidInputError: the private key cannot be read.
        ConnectionFailed: unreachable after all tries, another host than the known one, or the
            login was refused.
        ConnectionCancelled: the context said so.
    """
    options = _options(inputs)
    for number in range(1, inputs.connect_tries + 1):
        try:
            return await _waited_for(_try(inputs, options), context)
        except _Unreachable as error:
            last = str(error)
        if number < inputs.connect_tries:
            context.log(f"try {number} of {inputs.connect_tries}: {last}")
            await _waited_for(asyncio.sleep(PAUSE), context)
    tries = "" if inputs.connect_tries == 1 else f" (after {inputs.connect_tries} tries)"
    raise failed(inputs, f"{last}{tries}")


def failed(inputs: SshInputs, text: str, outputs: dict[str, Any] | None = None) -> ConnectionFailed:
    """Return the failure, with the host's address and without secrets."""
    host = f"[{inputs.hostname}]" if ":" in inputs.hostname else inputs.hostname
    port = "" if inputs.port == 22 else f":{inputs.port}"
    secrets = [one for one in (inputs.password, inputs.passphrase, inputs.key) if one]
    text = scrub(f"SSH: {inputs.username}@{host}{port}: {text}", secrets, 900)
    return ConnectionFailed(text, outputs=outputs)


def cancelled(outputs: dict[str, Any] | None = None) -> ConnectionCancelled:
    """Return what is raised when the run is to stop."""
    return ConnectionCancelled("SSH: given up, the run is to be cancelled", outputs=outputs)


async def _waited_for(work: Coroutine[Any, Any, Result], context: Context) -> Result:
    task = asyncio.ensure_future(work)
    while not (await asyncio.wait({task}, timeout=TICK))[0]:
        if context.cancelled():
            task.cancel()
            await asyncio.wait({task})
            raise cancelled()
    return task.result()


def _options(inputs: SshInputs) -> dict[str, Any]:
    return {
        **_host_options(inputs),
        "username": inputs.username,
        "password": inputs.password,
        "client_keys": None if inputs.key is None else [_key(inputs)],
        "preferred_auth": "publickey,keyboard-interactive,password",
        "keepalive_interval": ALIVE,
        "keepalive_count_max": 3,
        # Nothing of the machine that it runs on.
        "config": None,
        "agent_path": None,
        "gss_host": None,
    }


def _host_options(inputs: SshInputs) -> dict[str, Any]:
    if not inputs.hostkey:
        return {"known_hosts": None}
    text = ssh_keys.known_hosts(inputs.hostkey, inputs.hostname, inputs.port)
    # Keys of the known kinds first; of the others, one is taken only to say which was offered.
    kinds = [*_algorithms(text), *(one.decode() for one in get_default_public_key_algs())]
    if "@cert-authority" in text:
        kinds = [*(one.decode() for one in get_default_certificate_algs()), *kinds]
    return {
        "known_hosts": asyncssh.import_known_hosts(text),
        "server_host_key_algs": list(dict.fromkeys(kinds)),
    }


def _algorithms(known_hosts: str) -> list[str]:
    of_rsa = ["rsa-sha2-256", "rsa-sha2-512", "ssh-rsa"]
    default = {one.decode() for one in get_default_public_key_algs()}
    types = ssh_keys.key_types(known_hosts)
    named = [name for one in types for name in (of_rsa if one == "ssh-rsa" else [one])]
    return [name for name in named if name in default]


def _key(inputs: SshInputs) -> asyncssh.SSHKey:
    assert inputs.key is not None
    try:
        return asyncssh.import_private_key(ssh_keys.tidied(inputs.key), inputs.passphrase)
    except asyncssh.KeyEncryptionError:
        said = "a passphrase that opens the private key"
        raise InvalidInputError(f"SSH: invalid input passphrase: expected {said}") from None
    except asyncssh.KeyImportError:
        said = "a whole private key (PEM), as ssh-keygen writes it"
        raise InvalidInputError(f"SSH: invalid input key: expected {said}") from None


async def _try(inputs: SshInputs, options: dict[str, Any]) -> asyncssh.SSHClientConnection:
    client = _Client()
    try:
        return await asyncio.wait_for(
            asyncssh.connect(
                inputs.hostname,
                inputs.port,
                client_factory=lambda: client,
                login_timeout=inputs.connect_timeout,
                connect_timeout=inputs.connect_timeout,
                **options,
            ),
            inputs.connect_timeout,
        )
    except asyncssh.HostKeyNotVerifiable as error:
        raise failed(inputs, _another_host(client.offered, error)) from error
    except asyncssh.KeyExchangeFailed as error:
        said = f"host and client have no method in common ({error.reason}); is the host too old?"
        raise failed(inputs, said) from error
    except asyncssh.PermissionDenied as error:
        raise failed(inputs, _refused(inputs, error)) from error
    except TimeoutError as error:
        said = f"no answer within {inputs.connect_timeout:g} s; check hostname, port and firewalls"
        raise _Unreachable(said) from error
    except (asyncssh.ConnectionLost, ConnectionResetError) as error:
        reason = error.reason if isinstance(error, asyncssh.Error) else error.strerror
        said = f"the connection was cut before the login ({reason}); is it an SSH server?"
        raise _Unreachable(said) from error
    except asyncssh.DisconnectError as error:
        said = f"the host ended the connection before the login ({error.reason})"
        raise failed(inputs, said) from error
    except socket.gaierror as error:
        said = f"there is no such host ({error.strerror}); check hostname"
        raise _Unreachable(said) from error
    except OSError as error:
        raise _Unreachable(_no_way(error)) from error


def _no_way(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens there; check hostname and port"
    return f"cannot be reached ({error.strerror or error}); check hostname, port and firewalls"


def _another_host(offered: asyncssh.SSHKey | None, error: asyncssh.Error) -> str:
    if offered is None:
        return f"the host's key cannot be checked ({error.reason}); see hostkey"
    return (
        "the host does not have the key that hostkey names: it offers"
        f" {offered.get_algorithm()} {offered.get_fingerprint()};"
        " if that is the right one, take the new line from ssh-keyscan"
    )


def _refused(inputs: SshInputs, error: asyncssh.PermissionDenied) -> str:
    given = " and ".join(name for name in ("key", "password") if getattr(inputs, name) is not None)
    return f"the login was refused; check username, and {given} ({error.reason})"
