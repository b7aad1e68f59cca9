"""A private folder for one fetch: Git's settings, the credentials, and the repository that is
fetched into.

Nothing of the machine's or a user's Git and ssh settings is read, and no credential ever stands
in an argument, in a URL or in the environment: they are files of mode 0600 in a folder of mode
0700, gone when the workspace is closed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from weir_connectors import ssh_keys
from weir_connectors.git_inputs import GitInputs
from weir_connectors.git_url import RepositoryUrl

# What a Pod's environment may say about the way to the network; all else is left behind.
_INHERITED = (
    "PATH",
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
    "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip

# A redirect from http to https is common; one the other way would send credentials in the clear.
_ALLOWED = {"http": "http:https"}

# Most servers ignore the name beside an access token, but some refuse an empty one.
DEFAULT_USER = "git"

Settings = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one fetch happens. `environment` is the whole environment of its Git processes."""

    folder: Path
    environment: dict[str, str]

    @property
    def repository(self) -> Path:
        """The bare repository that is fetched into."""
        return self.folder / "repository"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who logs in, after the inputs and the URL have been put together. Inputs win."""

    username: str
    password: str | None


def credentials_of(inputs: GitInputs, url: RepositoryUrl) -> Credentials:
    """Return who logs in.

    A user without a password in an http(s) URL is a token: the password is empty then.
    """
    password = inputs.password if inputs.password is not None else url.password
    if password is None and url.user is not None and url.scheme in ("http", "https"):
        password = ""
    return Credentials(inputs.username or url.user or DEFAULT_USER, password)


def secrets_of(inputs: GitInputs, url: RepositoryUrl) -> list[str]:
    """Return every text that no message may hold."""
    login = credentials_of(inputs, url)
    found = [inputs.password, inputs.ssh_key, inputs.httpCookie, url.password]
    if login.password is not None:
        found.append(f"{login.username}:{login.password}")
    if url.scheme in ("http", "https"):
        found.append(url.user)  # often a token
    found += [value for _, value in _cookies(inputs.httpCookie or "")]
    return [secret for secret in found if secret]


@contextmanager
def opened(inputs: GitInputs, url: RepositoryUrl) -> Iterator[Workspace]:
    """Make a workspace, and remove it with all that is in it."""
    folder = Path(tempfile.mkdtemp(prefix="weir-git-"))
    try:
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= {
            "HOME": str(folder),
            "LC_ALL": "C",  # messages are read by git_failures
            "GIT_CONFIG_NOSYSTEM": "1",
            # A file, since settings given in the environment do not reach the upload-pack of a
            # file URL.
            "GIT_CONFIG_GLOBAL": str(folder / "config"),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "GIT_ALLOW_PROTOCOL": _ALLOWED.get(url.scheme, url.scheme),
        }
        settings = _settings(url)
        if inputs.cacert is not None:
            # In the environment, since a Pod's own GIT_SSL_CAINFO would win over a setting.
            environment["GIT_SSL_CAINFO"] = _write(folder / "cacert.pem", inputs.cacert)
        if url.scheme in ("http", "https"):
            settings |= _http_settings(folder, inputs, url)
        if url.scheme == "ssh":
            environment |= _ssh_environment(folder, inputs, url)
        _write(folder / "config", _config_text(settings))
        yield Workspace(folder, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _settings(url: RepositoryUrl) -> Settings:
    return {
        'remote "origin"': {"url": url.address},
        # The repository of a file URL may belong to another user. Only reading commands run here.
        "safe": {"directory": "*"},
        "core": {"hooksPath": "/dev/null", "askPass": ""},
        "init": {"defaultBranch": "main"},
        "fetch": {"recurseSubmodules": "false", "unpackLimit": "1"},
        "gc": {"auto": "0"},
        "maintenance": {"auto": "false"},
        # These two are for file URLs, whose serving side reads the same settings.
        "uploadpack": {"allowFilter": "true", "allowAnySHA1InWant": "true"},
    }


def _http_settings(folder: Path, inputs: GitInputs, url: RepositoryUrl) -> Settings:
    """Return the settings of http(s).

    Credentials are bound to the URL's host: a redirect does not take them along.
    """
    http = {"followRedirects": "initial", "sslVerify": str(inputs.verify_ssl).lower()}
    if inputs.httpCookie is not None:
        http["cookieFile"] = _write(folder / "cookies", _cookie_text(inputs.httpCookie, url))
    settings: Settings = {"http": http, "credential": {"helper": ""}}
    login = credentials_of(inputs, url)
    if login.password is not None:
        text = f"username={login.username}\npassword={login.password}\n"
        path = _write(folder / "credential", text)
        helper = {"helper": f"!cat {shlex.quote(path)} #"}  # Git appends the word "get"
        settings[f'credential "{url.origin}"'] = helper
        if url.scheme == "http" and url.port is None:
            settings[f'credential "https://{url.host}"'] = helper
    return settings


def _cookies(text: str) -> list[tuple[str, str]]:
    pairs = (part.strip().partition("=") for part in text.split(";") if part.strip())
    return [(name, value) for name, _, value in pairs]


def _cookie_text(text: str, url: RepositoryUrl) -> str:
    """Return Netscape's cookie file: domain, subdomains, path, secure, expiry, name, value."""
    secure = "TRUE" if url.scheme == "https" else "FALSE"
    lines = (
        "\t".join((url.host, "FALSE", "/", secure, "0", name, value))
        for name, value in _cookies(text)
    )
    return "# Netscape HTTP Cookie File\n" + "".join(f"{line}\n" for line in lines)


def _ssh_environment(folder: Path, inputs: GitInputs, url: RepositoryUrl) -> dict[str, str]:
    login = credentials_of(inputs, url)
    methods = []
    options = {
        "User": login.username,
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "ControlPath": "none",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ConnectTimeout": str(max(1, min(30, int(inputs.timeout)))),
        "ServerAliveInterval": "15",
        "NumberOfPasswordPrompts": "1",
        "LogLevel": "ERROR",
    }
    if inputs.ssh_hostkey:
        known = ssh_keys.known_hosts(inputs.ssh_hostkey, url.host, url.port or 22)
        options["StrictHostKeyChecking"] = "yes"
        options["UserKnownHostsFile"] = _write(folder / "known_hosts", known)
    else:
        options["StrictHostKeyChecking"] = "no"
        options["UserKnownHostsFile"] = "/dev/null"
    environment = {"GIT_SSH_VARIANT": "ssh"}
    if inputs.ssh_key is not None:
        # ssh refuses keys with Windows line ends or without a last line end.
        key = ssh_keys.tidied(inputs.ssh_key)
        options["IdentityFile"] = _write(folder / "key", key)
        methods.append("publickey")
    if login.password is not None:
        path = _write(folder / "password", login.password + "\n")
        answer = _write(folder / "answer", f"#!/bin/sh\nexec cat {shlex.quote(path)}\n", 0o700)
        environment |= {"SSH_ASKPASS": answer, "SSH_ASKPASS_REQUIRE": "force"}
        methods += ["password", "keyboard-interactive"]
    else:
        options["BatchMode"] = "yes"
    options["PreferredAuthentications"] = ",".join(methods)
    text = "".join(f'{name} "{value}"\n' for name, value in options.items())
    environment["GIT_SSH_COMMAND"] = f"ssh -F {shlex.quote(_write(folder / 'ssh_config', text))}"
    return environment


def _write(path: Path, text: str, mode: int = 0o600) -> str:
    """Write a file that only its owner may read, from its first moment on; return its path."""
    with open(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    return str(path)


def _config_text(settings: Settings) -> str:
    lines = []
    for section, values in settings.items():
        lines.append(f"[{section}]\n")
        for name, value in values.items():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'\t{name} = "{escaped}"\n')
    return "".join(lines)
