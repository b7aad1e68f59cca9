"""Fetches at once: how many, and who waits for whom."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from weir.api.reasons import Reason
from weir.api.repository import FlowRepository
from weir.controllers.repository_fetching import Fetcher
from weir.git import credentials, fetching
from weir.git.errors import GitError

SHA = "a" * 40


class Hosts:
    """Git hosts: `away` is away, `silent` does not answer before `released`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.released = threading.Event()

    def newest(self, url: str, *_: Any, **__: Any) -> str:
        self.asked.append(url)
        if "away" in url:
            raise GitError(Reason.FETCH_FAILED, "away", transient=True)
        if "silent" in url:
            self.released.wait()
        return SHA


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    made = Hosts()
    monkeypatch.setattr(fetching, "newest", made.newest)
    yield made
    made.released.set()


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path / "clones", at_once=2, max_bytes=1000)


def repository(name: str, url: str | None = None, **spec: Any) -> FlowRepository:
    metadata = {"name": name, "namespace": "demo", "uid": f"of-{name}"}
    spec["url"] = url or f"https://{name}.example/flows"
    return FlowRepository.model_validate({"metadata": metadata, "spec": spec})


async def ask(fetcher: Fetcher, one: FlowRepository) -> str:
    return await fetcher.newest(one, credentials.NONE)


async def until_asked(hosts: Hosts, count: int) -> None:
    while len(hosts.asked) < count:
        await asyncio.sleep(0)


async def test_no_more_than_so_many_are_asked_at_once(fetcher: Fetcher, hosts: Hosts) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(ask(fetcher, repository(f"silent-{number}")))
        await until_asked(hosts, 2)
        for _ in range(100):
            await asyncio.sleep(0)
        assert (len(hosts.asked), fetcher.running) == (2, 2)
        hosts.released.set()
    assert len(hosts.asked) == 4


async def test_hosts_that_were_away_leave_places_to_others(fetcher: Fetcher, hosts: Hosts) -> None:
    names = [f"doubtful-{number}" for number in range(4)]
    for name in names:
        with pytest.raises(GitError):
            await ask(fetcher, repository(name, url="https://away.example"))
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(ask(fetcher, repository(name, url="https://silent.example")))
        await until_asked(hosts, 5)
        assert await ask(fetcher, repository("good")) == SHA
        hosts.released.set()


async def test_a_call_that_does_not_keep_to_its_timeout_is_left_alone(
    fetcher: Fetcher, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weir.controllers.repository_fetching._PATIENCE", timedelta(0))
    with pytest.raises(GitError, match="has not ended within 1ms") as raised:
        await ask(fetcher, repository("silent", timeout="1ms"))
    assert raised.value.transient
    assert fetcher.running == 0


async def test_a_disk_that_is_full_is_said_and_tried_again(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching, "newest", full)
    with pytest.raises(GitError, match="cannot keep what it fetches: No space left") as raised:
        await ask(fetcher, repository("any"))
    assert raised.value.transient


async def test_what_an_earlier_operator_left_is_deleted(tmp_path: Path, fetcher: Fetcher) -> None:
    (tmp_path / "clones" / "old").mkdir(parents=True)
    fetcher.clean()
    assert not (tmp_path / "clones").exists()
