"""The few questions that a cluster's own start-up asks its API server; not a client for tests."""

import base64
import http.client
import json
import ssl
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

_TIMEOUT = 5.0


class Api:
    """An API server, spoken to as the user of a kubeconfig that contains its certificates."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        server = urlsplit(cluster["server"])
        self._address = (server.hostname or "", server.port)
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=authority)
        with tempfile.NamedTemporaryFile() as pair:  # the ssl module reads keys from files only
            for part in ("client-certificate-data", "client-key-data"):
                pair.write(base64.b64decode(user[part]))
            pair.flush()
            self._tls.load_cert_chain(pair.name)

    def is_ready(self) -> bool:
        """Tell whether the API server says that it serves."""
        return self._ask("/readyz")[0] == 200

    def get(self, path: str) -> Any:
        """Return the object at the path, or None where there is none (yet)."""
        status, body = self._ask(path)
        return json.loads(body) if status == 200 else None

    def exists(self, path: str) -> bool:
        """Tell whether there is an object at the path."""
        return self._ask(path)[0] == 200

    def _ask(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(
            *self._address, context=self._tls, timeout=_TIMEOUT
        )
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):  # not up, or going down
            return 0, b""
        finally:
            connection.close()
