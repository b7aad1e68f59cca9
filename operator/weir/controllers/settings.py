"""The operator's settings, from environment variables that begin with WEIR_."""

import os
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from weir.api.resource import JsonObject
from weir.core.observed import Limits


class Settings(BaseSettings):
    """What an installation says of the operator. Names are those of the variables, less WEIR_."""

    model_config = SettingsConfigDict(env_prefix="WEIR_", extra="ignore")

    namespace: str = "weir"
    """The operator's own namespace: its Lease, certificates and the server's Service are there."""
    watch_namespaces: Annotated[list[str], NoDecode] = []
    """The namespaces that it serves; empty: all."""
    log_level: str = "INFO"
    log_format: Literal["json", "plain"] = "json"
    runner_image: str = "weir-runner:latest"
    runner_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    runner_resources: JsonObject = {"requests": {"cpu": "50m", "memory": "64Mi"}}
    """ResourceRequirements (JSON) of runners whose Flow sets none."""
    runner_service_account: str = "default"
    runner_cache: JsonObject = {}
    """Source (JSON) of the volume that keeps environments of requirements; empty: none."""
    runner_packages: list[JsonObject] = []
    """Environment variables (JSON) that say to uv where requirements come from."""
    server_service: str = "weir-server"
    server_address: str = ""
    """host:port of the server; empty: its Service is looked up."""
    tls_secret: str = "weir-server-tls"
    max_running: Annotated[int, Field(ge=0)] = 0
    """Executions that may be Starting or Running at once; 0: no limit."""
    max_depth: Annotated[int, Field(ge=1)] = 32
    max_attempts: Annotated[int, Field(ge=1)] = 5
    repository_max_bytes: Annotated[int, Field(ge=1)] = 256 * 1024 * 1024
    """How large what is fetched of a FlowRepository may be on disk."""
    repository_concurrency: Annotated[int, Field(ge=1)] = 4
    """FlowRepositories that are fetched at once."""
    repository_folder: Path = Path(tempfile.gettempdir()) / "weir-repositories"
    """What is fetched is kept here. It is the operator's alone: what is in it at the start goes."""
    repository_allow_local: bool = False
    """Whether a FlowRepository may be a folder of the operator's own file system: for tests."""
    lease: str = "weir-operator"
    identity: str = Field(default_factory=lambda: os.uname().nodename)
    """Who holds the Lease: the Pod's name."""
    lease_seconds: Annotated[int, Field(ge=1)] = 15
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8081

    @field_validator("watch_namespaces", mode="before")
    @classmethod
    def _of_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [name.strip() for name in value.split(",") if name.strip()]
        return value

    @property
    def limits(self) -> Limits:
        """The limits that decisions keep to."""
        return Limits(max_depth=self.max_depth, max_attempts=self.max_attempts)

    @property
    def scopes(self) -> list[str | None]:
        """What to list and watch: each namespace, or None for all at once."""
        return list(self.watch_namespaces) or [None]
