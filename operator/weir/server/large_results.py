"""Results that are too large for a row of the journal: kept beside it, by digest."""

from __future__ import annotations

import json

from weir.server import refusals
from weir.storage import values
from weir.storage.database import Database
from weir.storage.values import Value

# A journal's rows are read one by one; larger results are few, and the same one is kept once.
_LARGEST = 16 * 1024
_MARK = '{"stored":'


def split(text: str) -> tuple[str, Value | None]:
    """Return what the journal holds of a result, and what is kept beside it."""
    if len(text) <= _LARGEST:
        return text, None
    value = Value.of(text.encode(errors="surrogatepass"))
    return f'{_MARK} "{value.digest}"}}', value


async def whole(database: Database, uid: str, text: str) -> str:
    """Return a result as it was before it was split. Raises Refused, StorageError."""
    if not text.startswith(_MARK):
        return text
    digest = json.loads(text)["stored"]
    data = await database.read(lambda sql: values.get(sql, uid, digest))
    if data is None:
        raise refusals.invalid(f"the recorded result {digest[:12]} is not in the database")
    return data.decode(errors="surrogatepass")
