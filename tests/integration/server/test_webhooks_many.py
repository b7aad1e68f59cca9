"""Many calls at once: none is lost, none doubled. `python -m bench.webhooks` has more of them."""

from __future__ import annotations

import pytest

from bench.webhooks import Caller, called, made, problems
from tests.integration.server.hooks import Hooks


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_of_many_calls_none_is_lost_and_none_doubled(hooks: Hooks) -> None:
    rate = {"perMinute": 1_000_000, "burst": 1_000_000}
    path = await hooks.make("many", rate=rate, **{"async": True})
    url = str(hooks.client.base_url)
    answers = await called(Caller(url, path, hooks.context), calls=200, connections=16)
    assert answers.statuses == {202: 220}
    assert problems(200, answers, await made(hooks.world, "many")) == []
