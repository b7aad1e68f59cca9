"""What the server knows of Executions, and whom it wakes."""

import asyncio

import pytest

from tests.unit.server.executions import execution
from weir.server import live
from weir.server.live import Executions


def pod(name: str) -> dict[str, object]:
    return {"runner": {"pod": name, "podUID": f"uid-of-{name}"}}


def test_an_older_version_never_replaces_a_newer_one() -> None:
    known = Executions()
    known.feed(execution(status={"phase": "Succeeded"}, resourceVersion="10"))
    kept = known.feed(execution(status={"phase": "Running"}, resourceVersion="9"))
    assert kept.phase == "Succeeded"
    found = known.get("uid-run-1")
    assert found is not None
    assert found.phase == "Succeeded"


def test_an_execution_is_found_by_the_pod_of_its_current_attempt_only() -> None:
    known = Executions()
    known.feed(execution(status=pod("one"), resourceVersion="1"))
    known.feed(execution(status=pod("two"), resourceVersion="2"))
    assert known.by_pod("uid-of-one") is None
    assert known.by_pod("uid-of-two") is not None
    assert known.by_key(("team", "run-1")) is not None


def test_what_was_deleted_does_not_come_back() -> None:
    known = Executions()
    known.feed(execution(status=pod("one")))
    known.drop("uid-run-1")
    known.feed(execution(resourceVersion="2"))
    assert known.get("uid-run-1") is None
    assert known.by_pod("uid-of-one") is None
    assert known.by_key(("team", "run-1")) is None
    assert len(known) == 0


def test_a_new_execution_of_an_old_name_is_another_one() -> None:
    known = Executions()
    known.feed(execution(uid="old"))
    known.feed(execution(uid="new", resourceVersion="5"))
    known.drop("old")
    found = known.by_key(("team", "run-1"))
    assert found is not None
    assert found.uid == "new"


def test_children_are_known_by_their_parent() -> None:
    known = Executions()
    parent = {"name": "p", "uid": "uid-p", "sequence": 1}
    spec = {"script": "x", "parent": parent}
    known.feed(execution("a", spec=spec))
    known.feed(execution("b", spec=spec))
    assert {child.metadata.name for child in known.children("uid-p")} == {"a", "b"}
    known.drop("uid-a")
    known.drop("uid-b")
    assert known.children("uid-p") == []


def test_of_ended_ones_only_so_many_bytes_of_values_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "_VALUE_BUDGET", 10_000)
    known = Executions()
    for number in range(4):
        known.feed(
            execution(
                f"run-{number}",
                spec={"script": "x" * 100, "inputs": {"a": "b" * 1000}},
                status={"phase": "Succeeded", "message": "m", "outputs": {"c": "d" * 2000}},
            )
        )
    whole = [known.is_whole(f"uid-run-{number}") for number in range(4)]
    assert whole == [False, False, True, True]
    reduced = known.get("uid-run-0")
    assert reduced is not None
    assert (reduced.status.message, reduced.status.outputs) == ("m", None)
    assert reduced.spec.script is not None  # it is still a script, not a flow
    known.feed(execution("run-0", status={"phase": "Succeeded"}, resourceVersion="2"))
    assert known.is_whole("uid-run-0")


async def test_a_change_between_two_looks_is_not_missed() -> None:
    known = Executions()
    with known.topics.subscribed(["uid-run-1"]) as subscription:
        known.feed(execution())
        assert await subscription.wait(0)
        assert not await subscription.wait(0)
        waiting = asyncio.create_task(subscription.wait(5))
        await asyncio.sleep(0)
        known.drop("uid-run-1")
        assert await waiting


async def test_a_pod_that_waits_for_work_is_woken() -> None:
    known = Executions()
    with known.topics.subscribed(["uid-of-one"]) as subscription:
        known.feed(execution(status=pod("one")))
        assert await subscription.wait(0)
    with known.topics.subscribed(["uid-of-one"]) as subscription:
        known.feed(execution(status=pod("two"), resourceVersion="2"))
        assert await subscription.wait(0)  # it is not its Pod any more


async def test_nobody_is_remembered_who_stopped_waiting() -> None:
    known = Executions()
    with (
        known.topics.subscribed(["a", "b"]) as one,
        known.topics.subscribed(["b"]) as other,
    ):
        known.topics.notify_all()
        assert await one.wait(0)
        assert await other.wait(0)
    assert not known.topics._waiting


def test_a_run_without_a_pod_is_kept_without_its_values_until_it_has_one_again() -> None:
    known = Executions()
    spec = {"flow": "hello", "inputs": {"text": "long" * 100}}
    asleep = {"phase": "Waiting", "attempt": 1}
    known.feed(execution(spec=spec, status=asleep, resourceVersion="1"))
    found = known.get("uid-run-1")
    assert found is not None
    assert found.is_hibernated
    assert found.spec.inputs is None
    assert not known.is_whole("uid-run-1")
    known.feed(execution(spec=spec, status=pod("next"), resourceVersion="2"))
    found = known.get("uid-run-1")
    assert found is not None
    assert found.spec.inputs == spec["inputs"]
    assert known.is_whole("uid-run-1")


def test_a_listener_is_told_of_its_topics_until_it_does_not_listen_any_more() -> None:
    class Counts:
        told = 0

        def notify(self) -> None:
            self.told += 1

    known, one, other = Executions(), Counts(), Counts()
    known.topics.subscribe(one, ["a", "b"])
    known.topics.subscribe(other, ["b"])
    known.topics.notify("a")
    known.topics.notify("b")
    assert (one.told, other.told) == (2, 1)
    known.topics.unsubscribe(one, ["a", "b"])
    known.topics.notify("a")
    known.topics.notify("b")
    assert (one.told, other.told) == (2, 2)


def test_news_of_executions_come_once_for_each_newer_version() -> None:
    known = Executions()
    news: list[str] = []
    known.on_news = lambda one: news.append(str(one.phase))
    known.on_gone = news.append
    known.feed(execution(status={"phase": "Running"}, resourceVersion="2"))
    known.feed(execution(status={"phase": "Starting"}, resourceVersion="1"))
    known.drop("uid-run-1")
    assert news == ["Running", "uid-run-1"]
