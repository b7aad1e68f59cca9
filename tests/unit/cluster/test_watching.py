"""List and watch, on a script of answers instead of an API server (a fake, named so)."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from weir.api.resource import JsonObject
from weir.cluster import watching
from weir.cluster.errors import ClusterError, Unavailable
from weir.cluster.kinds import PODS, Kind
from weir.cluster.watching import Change, Listing, follow


def pod(name: str, version: str = "1", **more: Any) -> JsonObject:
    return {
        "metadata": {
            "name": name,
            "namespace": "ns",
            "uid": f"uid-{name}",
            "resourceVersion": version,
            "managedFields": [{}],
        },
        **more,
    }


class FakeCluster:
    """Answers each list and each watch with the next prepared thing; raises an error."""

    def __init__(self, *answers: list[JsonObject] | ClusterError) -> None:
        self.answers = list(answers)
        self.queries: list[dict[str, str]] = []

    async def pages(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> AsyncIterator[Listing]:
        answer = self.answers.pop(0)
        if isinstance(answer, ClusterError):
            raise answer
        yield Listing([watching.trimmed(item) for item in answer], "100")

    async def stream(
        self, path: str, query: dict[str, str], *, seconds: float
    ) -> AsyncIterator[bytes]:
        self.queries.append(query)
        answer = self.answers.pop(0)
        if isinstance(answer, ClusterError):
            raise answer
        for event in answer:
            yield json.dumps(event).encode() + b"\n"


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_FIRST_DELAY", 0.0)


async def told(fake: FakeCluster, count: int) -> list[tuple[str, str]]:
    changes: list[Change] = []
    async for change in follow(fake, PODS, "ns"):
        changes.append(change)
        if len(changes) == count:
            break
    return [(c.type, c.object.get("metadata", {}).get("name", "")) for c in changes]


def event(kind: str, item: JsonObject) -> JsonObject:
    return {"type": kind, "object": item}


async def test_what_is_there_comes_first_then_what_changes() -> None:
    fake = FakeCluster([pod("a")], [event("ADDED", pod("b", "101"))])
    assert await told(fake, 3) == [("ADDED", "a"), ("SYNCED", ""), ("ADDED", "b")]


async def test_an_interrupted_watch_goes_on_where_it_was() -> None:
    fake = FakeCluster(
        [],
        [event("ADDED", pod("a", "101")), event("BOOKMARK", pod("", "150"))],
        Unavailable("gone"),
        [event("DELETED", pod("a", "151"))],
    )
    assert await told(fake, 4) == [
        ("SYNCED", ""),
        ("ADDED", "a"),
        ("ALIVE", ""),
        ("DELETED", "a"),
    ]
    assert [query["resourceVersion"] for query in fake.queries] == ["100", "150", "150"]


async def test_what_vanished_while_the_watch_was_too_old_is_told_as_deleted() -> None:
    fake = FakeCluster(
        [pod("a"), pod("b")],
        [event("ERROR", {"code": 410, "message": "too old"})],
        [pod("b")],
        [],
    )
    assert await told(fake, 6) == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("SYNCED", ""),
        ("DELETED", "a"),
        ("ADDED", "b"),
        ("SYNCED", ""),
    ]


async def test_an_api_server_that_does_not_answer_is_asked_again() -> None:
    fake = FakeCluster(Unavailable("down"), Unavailable("down"), [pod("a")])
    assert await told(fake, 1) == [("ADDED", "a")]


async def test_managed_fields_are_dropped() -> None:
    fake = FakeCluster([pod("a")], [event("ADDED", pod("b", "101"))])
    async for change in follow(fake, PODS, "ns"):
        assert "managedFields" not in change.object.get("metadata", {})
        if change.object.get("metadata", {}).get("name") == "b":
            break
