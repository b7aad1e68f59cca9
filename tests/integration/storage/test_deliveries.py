"""Signatures of requests, and inputs of runs that are being made, in each database."""

import asyncio

from weir.storage import deliveries, values
from weir.storage.database import Database
from weir.storage.values import Value

VALUE = Value.of(b'{"a":1}')


async def taken(database: Database, execution: str, now: float = 0.0) -> str:
    return await database.write(
        lambda sql: deliveries.take(sql, "hook", "digest", execution, now=now, until=now + 10)
    )


async def test_a_signature_is_the_first_ones_until_its_time_is_over(database: Database) -> None:
    holders = await asyncio.gather(*(taken(database, f"run-{number}") for number in range(5)))
    assert len(set(holders)) == 1
    assert await taken(database, holders[0], now=5) == holders[0]
    assert await taken(database, "later", now=11) == "later"


async def test_a_signature_is_given_back_by_its_holder_only(database: Database) -> None:
    await taken(database, "first")
    for execution, holder in (("other", "first"), ("first", "second")):

        def back(sql: object, execution: str = execution) -> None:
            deliveries.give_back(sql, "hook", "digest", execution)  # type: ignore[arg-type]

        await database.write(back)
        assert await taken(database, "second") == holder


async def test_inputs_are_handed_over_or_swept(database: Database) -> None:
    for owner in ("made", "lost"):
        await database.write(
            lambda sql, owner=owner: deliveries.put_inputs(sql, owner, VALUE, 1.0)  # type: ignore[misc]
        )
    await database.write(lambda sql: deliveries.hand_over(sql, "made", "uid", VALUE, 1.0))
    await taken(database, "run")

    async def kept(owner: str) -> bytes | None:
        return await database.read(lambda sql: deliveries.get_inputs(sql, owner, VALUE.digest))

    assert (await kept("made"), await kept("lost")) == (None, VALUE.data)
    await database.write(lambda sql: deliveries.sweep(sql, now=11.0, before=2.0))
    assert await kept("lost") is None
    assert await database.read(lambda sql: values.get(sql, "uid", VALUE.digest)) == VALUE.data
    assert await taken(database, "next") == "next"
