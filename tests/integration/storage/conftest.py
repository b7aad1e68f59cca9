"""A database of each kind."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.databases import database_url, postgres_url
from weir.storage.database import Database

__all__ = ["database_url", "postgres_url"]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.start()
    yield database
    await database.close()
