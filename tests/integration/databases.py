"""Fixtures: a new database for each test, of each kind that Weir knows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.integration import postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server, without a database's name."""
    with postgres.running() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that nobody used before."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/weir.db"
    server: str = request.getfixturevalue("postgres_url")
    return new_database(server)


def new_database(server: str) -> str:
    """Create a PostgreSQL database and return its URL."""
    name = f"weir_{uuid.uuid4().hex[:8]}"
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"
