"""The server's settings, from environment variables that begin with WEIR_."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from weir.api import durations


class Settings(BaseSettings):
    """What the server is told from outside."""

    model_config = SettingsConfigDict(env_prefix="WEIR_", use_attribute_docstrings=True)

    namespace: str = "weir"
    """The namespace that Weir itself runs in."""
    watch_namespaces: Annotated[list[str], NoDecode] = []
    """The namespaces it serves, separated by commas; empty: all."""
    database_url: str = "sqlite:////var/lib/weir/weir.db"
    """`sqlite:////path` or `postgresql+psycopg://user:password@host/database`."""
    host: str = "0.0.0.0"
    """The address to listen at."""
    port: int = 8443
    """The port for runners and REST, over TLS."""
    health_port: int = 8082
    """The port for /healthz, /readyz and /metrics, without TLS."""
    tls_secret: str = "weir-server-tls"
    """The Secret with ca.crt, tls.crt and tls.key, in Weir's namespace."""
    max_ended_trees: Annotated[int, Field(ge=0)] = 2000
    """How many ended trees of Executions stay as objects in each namespace."""
    archive_for: timedelta = timedelta(hours=336)
    """How long ended Executions, their logs and values are kept in SQL, e.g. 336h."""
    development_ttl: str = "1h"
    """How long ended Development runs stay as objects, unless their Flow says less."""
    environment: str = ""
    """What scripts are told of where they run (`system.get_env_name()`); empty: their namespace."""
    server_patience: float = 600.0
    """Seconds that a runner goes without the server before it gives up."""
    webhook_body_seconds: float = 10.0
    """Seconds that the body of a request to a Webhook may take."""
    retention_interval: float = 60.0
    """Seconds between two looks for what has been kept long enough."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is logged."""
    log_format: Literal["json", "plain"] = "json"
    """How it is logged."""

    @field_validator("watch_namespaces", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [name.strip() for name in value.split(",") if name.strip()]
        return value

    @field_validator("archive_for", mode="before")
    @classmethod
    def _parse(cls, value: object) -> object:
        return durations.parse(value) if isinstance(value, str) else value

    @field_validator("development_ttl")
    @classmethod
    def _check(cls, value: str) -> str:
        durations.parse(value)
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value
