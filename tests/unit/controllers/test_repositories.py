"""Syncs over a cluster in memory: what is written when, and what not when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.builders import HANDLER, NOW, after
from tests.unit.controllers.fake_cluster import FakeCluster
from tests.unit.controllers.harness import ManualQueue
from weir.api import names
from weir.api.reasons import Reason
from weir.api.resource import JsonObject
from weir.cluster.errors import Invalid, Refused, Unavailable
from weir.cluster.kinds import FLOW_REPOSITORIES, FLOWS, Kind
from weir.controllers.events import EventWriter
from weir.controllers.intake import Intake
from weir.controllers.queue import Target
from weir.controllers.repositories import RepositoryController
from weir.controllers.repository_fetching import Fetcher
from weir.controllers.store import Store
from weir.core.sources import SourceFile
from weir.git import fetching
from weir.git.errors import GitError
from weir.git.fetching import Commit

TARGET = Target("repository", "demo", "team")
_LOOKS = 5
_A_MOMENT = 0.01


class Host:
    """A Git host with one repository."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.number = 0
        self.error: GitError | None = None
        self.fetches = 0
        self.while_fetching: Callable[[], object] = lambda: None

    @property
    def sha(self) -> str:
        return f"{self.number:040x}"

    def commit(self, **files: str | None) -> None:
        """Change files, by their names without .py; None deletes one."""
        self.number += 1
        for name, content in files.items():
            self.files.pop(f"{name}.py", None)
            if content is not None:
                self.files[f"{name}.py"] = content

    def newest(self, *_: Any, **__: Any) -> str:
        if self.error is not None:
            raise self.error
        return self.sha

    def clone(self, folder: Path) -> Clone:
        return Clone(self)


class Clone:
    def __init__(self, host: Host) -> None:
        self._host = host

    def fetch(self, *_: Any, **__: Any) -> Commit:
        self._host.fetches += 1
        self._host.while_fetching()
        return Commit(self._host.sha, "Ada <ada@example.com>", "Work", NOW, "refs/heads/main")

    def files(self, sha: str, *_: Any, **__: Any) -> list[SourceFile]:
        assert sha == self._host.sha
        files = sorted(self._host.files.items())
        return [SourceFile(name, content.encode()) for name, content in files]


class ApplyingCluster(FakeCluster):
    """A cluster in memory that knows server-side apply, as far as one manager needs it."""

    async def apply(
        self, kind: Kind, namespace: str | None, name: str, body: JsonObject, *, manager: str
    ) -> JsonObject:
        assert manager == names.REPOSITORY_MANAGER
        if (kind.plural, namespace, name) not in self.objects:
            made = body | {"metadata": dict(body["metadata"])}
            return await self.create(kind, namespace, made)
        return await self.patch(kind, namespace, name, body)


class Operator:
    """The controller, its store, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.cluster = ApplyingCluster()
        self.folder = folder
        self.now: datetime = NOW
        self.build()

    def build(self) -> None:
        """Begin with nothing known."""
        self.queue = ManualQueue()
        self.store = Store()
        self.intake = Intake(self.store, self.queue)
        self.events = EventWriter(self.cluster, identity="test")
        self.controller = RepositoryController(
            self.cluster,
            self.store,
            self.queue,
            self.intake,
            self.events,
            fetcher=Fetcher(self.folder, at_once=2, max_bytes=1000),
            clock=lambda: self.now,
        )

    def restart(self) -> None:
        self.cluster.news.clear()
        self.build()
        for item in self.cluster.all(FLOWS):
            self.intake.flow(item)
        for item in self.cluster.all(FLOW_REPOSITORIES):
            self.intake.repository(item)

    async def look(self, seconds: float = 0) -> JsonObject:
        """Look, so much later, with all news taken in; return the status."""
        self.now = self.queue.now = after((self.now - NOW).total_seconds() + seconds)
        self.hear()
        self.cluster.writes.clear()
        for _ in range(_LOOKS):  # until its own news lead to nothing more
            self.queue.due.pop(TARGET, None)
            await self.controller.look(TARGET)
            self.hear()
            if TARGET not in self.queue.due or self.waits > _A_MOMENT:
                break
        return self.status

    def hear(self) -> None:
        news, self.cluster.news = self.cluster.news, []
        for kind, item, deleted in news:
            key = (item["metadata"]["namespace"], item["metadata"]["name"])
            uid = item["metadata"]["uid"]
            if kind == FLOWS:
                self.intake.flow_gone(key, uid) if deleted else self.intake.flow(item)
            elif kind == FLOW_REPOSITORIES:
                if deleted:
                    self.intake.repository_gone(key, uid)
                else:
                    self.intake.repository(item)

    @property
    def status(self) -> JsonObject:
        for item in self.cluster.all(FLOW_REPOSITORIES):
            return dict(item.get("status", {}))
        return {}

    @property
    def flows(self) -> set[str]:
        return {item["metadata"]["name"] for item in self.cluster.all(FLOWS)}

    @property
    def wrote(self) -> list[str]:
        return [one for one in self.cluster.writes if "status" not in one]

    @property
    def waits(self) -> float:
        """Seconds until it looks again."""
        return (self.queue.due[TARGET] - self.now).total_seconds()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host()
    monkeypatch.setattr(fetching, "newest", made.newest)
    monkeypatch.setattr("weir.controllers.repository_fetching.Clone", made.clone)
    return made


@pytest.fixture
def operator(tmp_path: Path, host: Host) -> Operator:
    made = Operator(tmp_path)
    made.cluster.put(
        FLOW_REPOSITORIES,
        {
            "metadata": {"name": "team", "namespace": "demo", "uid": "of-team", "generation": 1},
            "spec": {"url": "https://git.example/team"},
        },
    )
    return made


def ready(status: JsonObject) -> str:
    return {one["type"]: str(one["reason"]) for one in status["conditions"]}["Ready"]


async def test_a_second_look_within_the_interval_does_nothing(
    operator: Operator, host: Host
) -> None:
    host.commit(a=HANDLER)
    assert ready(await operator.look()) == "Synced"
    await operator.look(10)
    assert (operator.cluster.writes, host.fetches) == ([], 1)
    assert operator.waits == 290


async def test_after_the_interval_one_that_finds_nothing_new_writes_and_fetches_nothing(
    operator: Operator, host: Host
) -> None:
    host.commit(a=HANDLER)
    await operator.look()
    await operator.look(301)
    assert (operator.cluster.writes, host.fetches) == ([], 1)


async def test_a_restart_fetches_again_and_writes_nothing(operator: Operator, host: Host) -> None:
    host.commit(a=HANDLER)
    await operator.look()
    operator.restart()
    await operator.look(1)
    assert (operator.cluster.writes, host.fetches) == ([], 2)


async def test_while_the_api_server_is_away_nothing_is_pruned_and_it_is_tried_again(
    operator: Operator, host: Host
) -> None:
    host.commit(old=HANDLER)
    await operator.look()
    host.commit(old=None, new=HANDLER)
    operator.cluster.refusals["create flows"] = Unavailable("away")
    status = await operator.look(301)
    assert (ready(status), operator.flows) == ("ApplyFailed", {"old"})
    assert operator.waits == 5
    operator.cluster.refusals.clear()
    status = await operator.look(6)
    assert (ready(status), operator.flows) == ("Synced", {"new"})


async def test_when_its_status_cannot_be_written_it_is_said_soon(
    operator: Operator, host: Host
) -> None:
    host.commit(a=HANDLER)
    operator.cluster.refusals["patch flowrepositories/status"] = Unavailable("away")
    with pytest.raises(Unavailable):  # so that the queue asks again
        await operator.look()
    operator.cluster.refusals.clear()
    assert ready(await operator.look(6)) == "Synced"


async def test_an_object_that_is_refused_keeps_no_other_from_being_written_or_pruned(
    operator: Operator, host: Host
) -> None:
    host.commit(old=HANDLER)
    await operator.look()
    operator.cluster.refusals["create flows"] = Refused("over quota")
    host.commit(old=None, new=HANDLER)
    status = await operator.look(301)
    assert ready(status) == "FilesRejected"
    assert status["rejected"] == [
        {
            "path": "new.py",
            "reason": "Refused",
            "message": "the API server refuses Flow new: over quota",
        }
    ]
    assert operator.flows == set()


async def test_one_that_is_suspended_while_it_is_fetched_writes_nothing(
    operator: Operator, host: Host
) -> None:
    host.commit(a=HANDLER)

    def suspend() -> None:
        changed = {"metadata": {"generation": 2}, "spec": {"suspend": True}}
        operator.cluster.change(FLOW_REPOSITORIES, "team", changed)
        operator.hear()

    host.while_fetching = suspend
    assert ready(await operator.look()) == "Suspended"
    assert operator.flows == set()


async def test_one_that_is_deleted_while_it_is_fetched_writes_nothing(
    operator: Operator, host: Host
) -> None:
    host.commit(a=HANDLER)

    def delete() -> None:
        operator.cluster.take(FLOW_REPOSITORIES, "team")
        operator.hear()

    host.while_fetching = delete
    assert await operator.look() == {}
    assert operator.flows == set()


async def test_whoever_changes_an_object_again_and_again_is_answered_later_each_time(
    operator: Operator, host: Host
) -> None:
    host.commit(a=HANDLER)
    await operator.look()
    delays = []
    for number in range(5):
        operator.cluster.change(
            FLOWS,
            "a",
            {"spec": {"script": HANDLER + f"# {number}"}, "metadata": {"generation": number + 2}},
        )
        status = await operator.look()
        if operator.cluster.find(FLOWS, "a")["spec"]["script"] == HANDLER:
            delays.append(0.0)
        else:
            delays.append(operator.waits)
            status = await operator.look(operator.waits + 0.01)
        assert operator.cluster.find(FLOWS, "a")["spec"]["script"] == HANDLER
        assert status["lastDrift"] == "Flow/a"
    assert [round(one) for one in delays] == [0, 1, 2, 4, 8]


async def test_what_time_may_mend_is_tried_after_growing_delays(
    operator: Operator, host: Host
) -> None:
    host.error = GitError(Reason.FETCH_FAILED, "the host is away", transient=True)
    waits: list[float] = []
    for _ in range(4):
        status = await operator.look(waits[-1] if waits else 0)
        waits.append(operator.waits)
    assert ready(status) == "FetchFailed"
    assert waits == [5, 10, 20, 40]


async def test_an_object_that_breaks_a_rule_is_refused_in_the_api_servers_words(
    operator: Operator, host: Host
) -> None:
    host.commit(a=HANDLER)
    operator.cluster.refusals["create flows"] = Invalid("spec.script: too long")
    status = await operator.look()
    assert status["rejected"][0]["message"].endswith("Flow a: spec.script: too long")
