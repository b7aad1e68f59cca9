"""`weir sync` and `weir push`: what is asked for, and what is printed."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.fake import CREATED, FakeCluster, flow, weir
from weir.api import names
from weir.api.resource import JsonObject
from weir.cli import server as servers
from weir.cli.session import Session
from weir.cluster.kinds import FLOW_REPOSITORIES, Kind

SHA = "1a2b3c4d5e6f" + "0" * 28


def ready(status: str, reason: str, message: str) -> JsonObject:
    condition = {"type": "Ready", "status": status, "reason": reason, "message": message}
    return {"conditions": [condition | {"lastTransitionTime": CREATED}]}


SYNCED: JsonObject = ready("True", "Synced", "all") | {
    "lastSyncedCommit": SHA,
    "lastSyncedAuthor": "Ada <ada@example.com>",
    "flows": 2,
    "objects": 3,
}
REJECTED: JsonObject = ready("False", "FilesRejected", "1 of 3 files") | {
    "rejected": [{"path": "bad\x1b[31m.py", "reason": "SyntaxError", "message": "line 1: no"}],
    "rejectedCount": 1,
}


def repository(name: str, **spec: Any) -> tuple[Kind, JsonObject]:
    return FLOW_REPOSITORIES, {
        "metadata": {"name": name},
        "spec": {"url": "https://git.test/a.git"} | spec,
    }


class Operated(FakeCluster):
    """A cluster whose operator answers at once."""

    answers: JsonObject = SYNCED

    async def patch(self, kind: Kind, *arguments: Any, **more: Any) -> JsonObject:
        item = await super().patch(kind, *arguments, **more)
        asked = item["metadata"]["annotations"][names.SYNC_REQUESTED]
        self.steps[item["metadata"]["name"]] = [
            {"conditions": []},
            self.answers | {"lastHandledRequest": asked},
        ]
        return item


def test_sync_waits_for_the_answer_and_says_what_came_of_it() -> None:
    cluster = Operated(repository("flows"))
    result = weir(cluster, "sync", "flowrepository/flows")
    assert result.exit_code == 0
    assert result.stdout == (
        "flowrepository/flows shows 1a2b3c4d5e6f by Ada <ada@example.com>: "
        "2 flows, 1 other object\n"
    )
    ((verb, name, _),) = cluster.written
    assert (verb, name) == ("patch", "flows")


def test_sync_shows_what_was_not_taken_and_fails() -> None:
    cluster = Operated(repository("flows"))
    cluster.answers = SYNCED | REJECTED
    result = weir(cluster, "sync")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == [
        "flowrepository/flows is not Ready: FilesRejected: 1 of 3 files",
        "REJECTED FILE   REASON        MESSAGE",
        "bad.py          SyntaxError   line 1: no",
    ]


def test_sync_prints_objects_and_names() -> None:
    cluster = Operated(repository("a"), repository("b"), repository("c", suspend=True))
    data = json.loads(weir(cluster, "sync", "--all", "-o", "json").stdout)
    assert [item["metadata"]["name"] for item in data["items"]] == ["a", "b"]
    assert data["items"][0]["kind"] == "FlowRepository"
    assert json.loads(weir(cluster, "sync", "a", "-o", "json").stdout)["status"]["flows"] == 2
    assert weir(cluster, "sync", "a", "-o", "name").stdout == "flowrepository/a\n"


def test_sync_need_not_wait() -> None:
    cluster = FakeCluster(repository("a"), repository("b"))
    result = weir(cluster, "sync", "--all", "--no-wait")
    assert (result.exit_code, len(cluster.written)) == (0, 2)
    assert result.stdout == ("flowrepository/a is to be synced\nflowrepository/b is to be synced\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["flow"], 2, 'there is no FlowRepository "flow" in namespace "team-a"; do you mean flows'),
        (["flows", "still"], 4, "still is suspended"),
        ([], 2, "there are 2 (flows, still): name one, or say --all"),
        (["flows", "--all"], 2, "either"),
        (["flows", "--timeout", "soon"], 2, "no duration"),
        (["flows", "-o", "wide"], 2, "text, json, yaml, name"),
    ],
)
def test_sync_asks_for_nothing_where_the_call_is_wrong(
    arguments: list[str], code: int, message: str
) -> None:
    cluster = FakeCluster(repository("flows"), repository("still", suspend=True))
    result = weir(cluster, "sync", *arguments)
    assert (result.exit_code, cluster.written) == (code, [])
    assert message in result.stderr


def test_a_namespace_without_repositories_has_nothing_to_sync() -> None:
    result = weir(FakeCluster(), "sync")
    assert (result.exit_code, "there is no FlowRepository" in result.stderr) == (2, True)


BEFORE, AFTER = "def handler(system, this): pass", "def handler(system, this): return 1\n"


def of_repository(
    name: str, path: str, title: str | None = None, repository: str = "flows"
) -> tuple[Kind, JsonObject]:
    kind, item = flow(name, title)
    item["metadata"]["labels"] = {names.REPOSITORY_LABEL: repository}
    item["metadata"]["annotations"] = {names.SOURCE_PATH: path}
    return kind, item


class FakeServer:
    """Notes commits."""

    def __init__(self) -> None:
        self.commits: list[tuple[str, str, JsonObject]] = []
        self.more: JsonObject = {"pullRequest": "https://git.test/pr"}

    async def commit(self, namespace: str, repository: str, body: JsonObject) -> JsonObject:
        self.commits.append((namespace, repository, body))
        told = {"path": "flows/report.py", "branch": "weir/ada", "author": "ada <ada@x.test>"}
        return told | ({} if body["dryRun"] else {"commit": SHA} | self.more)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer()

    @asynccontextmanager
    async def reached(session: Session) -> AsyncIterator[FakeServer]:
        yield fake

    monkeypatch.setattr(servers, "reached", reached)
    return fake


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    monkeypatch.chdir(tmp_path)
    return FakeCluster(
        of_repository("report", "flows/report.py", "Monthly report"),
        of_repository("old", "old/report.py"),
        flow("plain"),
    )


def test_push_commits_the_script_that_is_here(server: FakeServer, cluster: FakeCluster) -> None:
    Path("report.py").write_text(AFTER)
    result = weir(cluster, "push", "Monthly report", "-m", "Mend it", "--branch", "x")
    assert result.exit_code == 0
    assert result.stdout == (
        "committed flows/report.py to branch weir/ada of flowrepository/flows as 1a2b3c4d5e6f, "
        "by ada <ada@x.test>\npull request: https://git.test/pr\n"
    )
    body = {"flow": "report", "script": AFTER, "dryRun": False, "message": "Mend it", "branch": "x"}
    assert server.commits == [("team-a", "flows", body)]


def test_push_finds_the_flow_of_a_file(server: FakeServer, cluster: FakeCluster) -> None:
    Path("flows").mkdir()
    Path("flows/report.py").write_text(AFTER)
    assert weir(cluster, "push", "flows/report.py").exit_code == 0
    assert weir(cluster, "push", "report").exit_code == 0
    assert [body["flow"] for _, _, body in server.commits] == ["report", "report"]
    Path("report.py").write_text(AFTER)
    result = weir(cluster, "push", "report.py")
    assert result.exit_code == 2
    assert "report.py may be Flow report or old; name it" in result.stderr


def test_push_says_when_the_change_comes_by_itself(
    server: FakeServer, cluster: FakeCluster
) -> None:
    Path("report.py").write_text(AFTER)
    server.more = {"syncRequested": True, "pullRequest": "https://git.test/pr"}
    result = weir(cluster, "push", "report")
    assert "to be synced at once: `weir sync flows` waits for it" in result.stdout
    assert "pull request" not in result.stdout
    assert json.loads(weir(cluster, "push", "report", "-o", "json").stdout)["commit"] == SHA


def test_push_shows_what_would_change(server: FakeServer, cluster: FakeCluster) -> None:
    Path("draft.py").write_text(AFTER + "# \x1b[31mred\n")
    result = weir(cluster, "push", "report", "-f", "draft.py", "--dry-run")
    assert result.stdout.splitlines() == [
        "--- a/flows/report.py",
        "+++ b/flows/report.py",
        "@@ -1 +1,2 @@",
        f"-{BEFORE}",
        f"+{AFTER.strip()}",
        "+# red",
        "would commit flows/report.py to branch weir/ada of flowrepository/flows, "
        "by ada <ada@x.test>",
    ]
    assert server.commits[0][2]["dryRun"] is True


def test_push_has_nothing_to_commit_where_nothing_changed(
    server: FakeServer, cluster: FakeCluster
) -> None:
    Path("report.py").write_text(BEFORE)
    result = weir(cluster, "push", "report")
    assert (result.exit_code, server.commits) == (0, [])
    assert result.stdout == "flow/report has this script: nothing to commit\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["report"], 2, "there is no report.py here"),
        (["report", "-f", "none.py"], 2, "cannot read none.py"),
        (["report", "-f", "bad.py"], 2, "bad.py: SyntaxError: line 1"),
        (["report", "-f", "binary.py"], 2, "no text in UTF-8"),
        (["other.py"], 2, 'no Flow of namespace "team-a" came from a file other.py'),
        (["none"], 2, 'there is no flow "none"'),
        (["plain", "-f", "good.py"], 4, "flow plain came from no FlowRepository"),
    ],
)
def test_push_sends_nothing_where_the_call_is_wrong(
    server: FakeServer, cluster: FakeCluster, arguments: list[str], code: int, message: str
) -> None:
    Path("good.py").write_text(AFTER)
    Path("bad.py").write_text("def")
    Path("binary.py").write_bytes(b"\xff\xfe")
    result = weir(cluster, "push", *arguments)
    assert (result.exit_code, server.commits) == (code, [])
    assert message in result.stderr
