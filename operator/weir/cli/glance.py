"""A quick look at the cluster, for the shell's completion: names, and nothing else.

The client of cluster/ takes a second to be imported, which nobody waits for at a press of TAB.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

_MANY = 500
_NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_GROUP = "/apis/weir.dev/v1alpha1"


@dataclass(frozen=True)
class Glance:
    """Which cluster to look at, and for how long, in seconds. Its methods raise what comes up."""

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None
    seconds: float = 0.7

    def contexts(self) -> list[str]:
        """Return the contexts of the kubeconfig."""
        return [one["name"] for one in self._config().get("contexts") or []]

    def namespaces(self) -> list[str]:
        """Return the names of the namespaces, up to 500."""
        return self._names("/api/v1/namespaces")

    def objects(self, plural: str, *, labels: str = "") -> list[str]:
        """Return the names of Weir's objects of a kind in the namespace, up to 500."""
        found = self._way()
        namespace = self.namespace or found.namespace
        path = f"{_GROUP}/namespaces/{quote(namespace)}/{plural}"
        return self._names(path, found, labels=labels)

    def _names(self, path: str, way: _Way | None = None, *, labels: str = "") -> list[str]:
        way = way or self._way()
        query = {"limit": str(_MANY)} | ({"labelSelector": labels} if labels else {})
        answer = way.get(f"{path}?{urlencode(query)}", self.seconds)
        return [item["metadata"]["name"] for item in answer["items"]]

    def _way(self) -> _Way:
        given = self.kubeconfig or self.context or os.environ.get("KUBECONFIG")
        if not given and (_POD / "token").is_file():
            return _Way.of_pod()
        config = self._config()
        context = _entry(config, "contexts", self.context or config["current-context"])
        cluster = _entry(config, "clusters", context["cluster"])
        user = _entry(config, "users", context["user"]) if context.get("user") else {}
        if "exec" in user:
            user = _asked(user["exec"], self.seconds)
        return _Way.of_entries(cluster, user, context.get("namespace") or "default")

    def _config(self) -> dict[str, Any]:
        """Return the kubeconfig; of several files the first that says something holds."""
        import yaml

        said = str(self.kubeconfig) if self.kubeconfig else os.environ.get("KUBECONFIG")
        paths = (said or str(Path.home() / ".kube" / "config")).split(os.pathsep)
        merged: dict[str, Any] = {}
        for path in filter(None, paths):
            file = Path(path).expanduser()
            if not file.is_file():
                continue
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            read = yaml.load(file.read_text(), Loader=loader) or {}
            _make_absolute(read, file.parent)
            for key, value in read.items():
                if isinstance(value, list):
                    merged[key] = (merged.get(key) or []) + value
                else:
                    merged.setdefault(key, value)
        return merged


@dataclass(frozen=True)
class _Way:
    """An address, and who asks there."""

    url: str
    namespace: str
    tls: ssl.SSLContext
    token: str | None = None

    @classmethod
    def of_pod(cls) -> _Way:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        host = f"[{host}]" if ":" in host else host
        tls = ssl.create_default_context(cafile=str(_POD / "ca.crt"))
        token, namespace = (_POD / "token").read_text(), (_POD / "namespace").read_text()
        return cls(f"https://{host}:{port}", namespace.strip(), tls, token.strip())

    @classmethod
    def of_entries(cls, cluster: dict[str, Any], user: dict[str, Any], namespace: str) -> _Way:
        data = cluster.get("certificate-authority-data")
        tls = ssl.create_default_context(
            cafile=cluster.get("certificate-authority"),
            cadata=base64.b64decode(data).decode() if data else None,
        )
        if cluster.get("insecure-skip-tls-verify"):
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        with tempfile.TemporaryDirectory() as folder:  # ssl reads certificates from files only
            certificate = _file_of(user, "client-certificate", Path(folder))
            if certificate:
                tls.load_cert_chain(certificate, _file_of(user, "client-key", Path(folder)))
        token = user.get("token")
        if not token and user.get("tokenFile"):
            token = Path(user["tokenFile"]).read_text().strip()
        return cls(cluster["server"], namespace, tls, token)

    def get(self, path: str, seconds: float) -> dict[str, Any]:
        """Return the answer of the API server, which has so many seconds for it."""
        at = urlsplit(self.url)
        until = time.monotonic() + seconds
        if at.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                at.netloc, timeout=seconds, context=self.tls
            )
        else:
            connection = http.client.HTTPConnection(at.netloc, timeout=seconds)
        headers = {"Accept": _NAMES_ONLY}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request("GET", at.path.rstrip("/") + path, headers=headers)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise OSError(f"HTTP {answer.status}")
            found: dict[str, Any] = json.loads(b"".join(_chunks(answer, until)))
            return found
        finally:
            connection.close()


def _chunks(answer: http.client.HTTPResponse, until: float) -> Iterator[bytes]:
    while chunk := answer.read1(65536):
        yield chunk
        if time.monotonic() > until:
            raise TimeoutError


def _entry(config: dict[str, Any], part: str, name: str) -> dict[str, Any]:
    found = next(one for one in config[part] if one["name"] == name)
    entry: dict[str, Any] = found[part[:-1]]
    return entry


_FILES = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
}


def _make_absolute(config: dict[str, Any], folder: Path) -> None:
    for part, keys in _FILES.items():
        for one in config.get(part) or []:
            entry = one.get(part[:-1]) or {}
            for key in keys:
                if entry.get(key):
                    entry[key] = str(folder / entry[key])


def _file_of(user: dict[str, Any], key: str, folder: Path) -> str | None:
    data = user.get(f"{key}-data")
    if not data:
        path: str | None = user.get(key)
        return path
    file = folder / key
    file.touch(mode=0o600)
    file.write_bytes(base64.b64decode(data))
    return str(file)


def _asked(plugin: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return the user entry that a credential plugin gives."""
    environment = {one["name"]: one["value"] for one in plugin.get("env") or []}
    info = {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": {}}
    done = subprocess.run(
        [plugin["command"], *(plugin.get("args") or [])],
        env=os.environ | environment | {"KUBERNETES_EXEC_INFO": json.dumps(info)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=seconds,
        check=True,
    )
    status = json.loads(done.stdout)["status"]
    given = {"token": status.get("token")}
    for key, source in (
        ("client-certificate", "clientCertificateData"),
        ("client-key", "clientKeyData"),
    ):
        if source in status:
            given[f"{key}-data"] = base64.b64encode(status[source].encode()).decode()
    return given
