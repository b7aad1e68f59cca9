"""`weir get` of every kind: which objects, in what order, printed how, and live."""

import json
from typing import Any

import pytest
import yaml

from tests.unit.cli.fake import FakeCluster, execution, flow, weir
from weir.api.resource import JsonObject, Resource
from weir.cli import kinds
from weir.cli.kinds import WORDS, Word
from weir.cluster.kinds import EVENTS, FLOW_REPOSITORIES, SCHEDULES, WEBHOOKS, Kind

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = {"repository": "team-flows", "path": "flows/hello.py", "commit": COMMIT}


def schedule(
    name: str, *, labels: JsonObject | None = None, **spec: Any
) -> tuple[Kind, JsonObject]:
    return SCHEDULES, {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"flow": "hello", "cron": "0 2 * * *"} | spec,
    }


def repository(name: str, **spec: Any) -> tuple[Kind, JsonObject]:
    return FLOW_REPOSITORIES, {
        "metadata": {"name": name},
        "spec": {"url": "https://git.example.com/flows.git"} | spec,
        "status": {"shortCommit": COMMIT[:7], "flows": 3},
    }


def interrupted(cluster: FakeCluster) -> FakeCluster:
    def interrupt() -> None:
        raise KeyboardInterrupt

    cluster.interrupts = interrupt
    return cluster


def first_column(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if line]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.plural)
def test_the_words_for_a_kind_are_those_that_kubectl_knows(word: Word) -> None:
    model, kind = word.api
    assert (word.plural, word.kind) == (model.PLURAL, model.KIND)
    assert word.shorts == model.SHORT_NAMES
    assert kind.plural == model.PLURAL


def test_every_kind_of_weirs_is_known() -> None:
    def below(model: type[Resource]) -> set[str]:
        return {one.PLURAL for one in model.__subclasses__() if hasattr(one, "PLURAL")}

    kinds._models()
    assert below(Resource) == {word.plural for word in WORDS}


@pytest.mark.parametrize(
    "word", [word for kind in WORDS for word in kind.all], ids=lambda word: f"get {word}"
)
def test_every_word_for_a_kind_is_understood(word: str) -> None:
    result = weir(FakeCluster(), "get", word)
    assert result.exit_code == 0
    assert 'in namespace "team-a": ' in result.stderr
    assert "-A looks in all namespaces" in result.stderr


def test_new_kinds_have_the_columns_of_their_crds() -> None:
    cluster = FakeCluster(schedule("nightly"), repository("team-flows"))
    head, row = weir(cluster, "get", "flrepo").stdout.splitlines()
    assert head.split() == ["NAME", "URL", "READY", "COMMIT", "FLOWS", "REJECTED", "SYNCED", "AGE"]
    assert row.split()[:4] == ["team-flows", "https://git.example.com/flows.git", "0123456", "3"]
    assert weir(cluster, "get", "sched").stdout.splitlines()[1].split()[:2] == ["nightly", "hello"]


def test_a_commit_is_shown_short() -> None:
    kind, item = flow("hello")
    item["metadata"]["annotations"] = {"weir.dev/commit": COMMIT}
    assert COMMIT[:7] in weir(FakeCluster((kind, item)), "get", "flows").stdout.split()


def test_a_name_where_a_kind_belongs_is_told_so() -> None:
    cluster = FakeCluster(flow("hello"), execution("hello-x2k7q"))
    for name, kind in (
        ("hello", "flows"),
        ("hello-x2k7q", "executions"),
        ("nobody-knows", "flows"),
    ):
        result = weir(cluster, "get", name)
        assert result.exit_code == 2
        assert f"the kind comes first: `weir get {kind} {name}`" in result.stderr
        assert result.stderr.count("\n") == 1


def test_a_kind_that_is_nearly_one_is_guessed() -> None:
    result = weir(FakeCluster(), "get", "schedulez")
    assert result.exit_code == 2
    assert "do you mean schedule" in result.stderr


def test_several_names_and_several_kinds() -> None:
    cluster = FakeCluster(flow("a"), flow("b"), flow("c"), schedule("nightly"))
    assert first_column(weir(cluster, "get", "flows", "c", "a", "c").stdout) == ["NAME", "c", "a"]
    both = weir(cluster, "get", "flows,sched", "-o", "name").stdout.splitlines()
    assert both == ["flow/a", "flow/b", "flow/c", "schedule/nightly"]
    pairs = weir(cluster, "get", "flow/b", "schedule/nightly")
    assert first_column(pairs.stdout) == ["NAME", "flow/b", "NAME", "schedule/nightly"]
    listed = json.loads(weir(cluster, "get", "all", "-o", "json").stdout)
    assert [item["kind"] for item in listed["items"]] == ["Flow"] * 3 + ["Schedule"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["flows,schedules", "a"], "a name is of one kind"),
        (["flow/"], "has no name"),
        (["flow", "schedule/a"], "schedule/a is no flow"),
        (["flows", "a", "-A"], "say the namespace by -n"),
        (["flows", "a", "-l", "x=y"], "give no names with them"),
        (["flows", "--phase", "Failed"], "select executions only, not flows"),
        (["flows", "--sort-by", "colour"], "take a column of flows (name, ready"),
        (["flows", "-o", "text"], "there are table, wide, json, yaml, name"),
        (["flows", "-o", "xml"], "there are table, wide, json, yaml, name"),
        (["flows,schedules", "-w"], "--watch follows one kind"),
        (["flows", "--output-watch-events"], "is for --watch"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], complaint: str) -> None:
    result = weir(FakeCluster(flow("a")), "get", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr


def test_labels_select() -> None:
    labels = {"weir.dev/repository": "team-flows"}
    cluster = FakeCluster(schedule("a", labels=labels), schedule("b"))
    selector = "weir.dev/repository=team-flows"
    assert first_column(weir(cluster, "get", "sched", "-l", selector).stdout) == ["NAME", "a"]
    nothing = weir(cluster, "get", "sched", "-l", "weir.dev/repository=x")
    assert "no schedules in namespace" in nothing.stderr
    assert "chosen by --selector" in nothing.stderr


def test_all_namespaces_are_listed_with_their_names() -> None:
    kind, item = flow("a")
    item["metadata"]["namespace"] = "team-b"
    cluster = FakeCluster((kind, item), flow("b"))
    rows = [line.split()[:2] for line in weir(cluster, "get", "fl", "-A").stdout.splitlines()]
    assert rows == [["NAMESPACE", "NAME"], ["team-a", "b"], ["team-b", "a"]]


@pytest.mark.parametrize(
    ("by", "order"),
    [
        ("phase", ["c", "a", "b"]),
        (".status.attempt", ["c", "a", "b"]),
        ("{.metadata.name}", ["a", "b", "c"]),
        ("age", ["b", "a", "c"]),
    ],
)
def test_a_list_is_sorted_as_asked(by: str, order: list[str]) -> None:
    cluster = FakeCluster(
        execution("a", "Running", created="2026-01-05T12:00:02Z", attempt=2),
        execution("b", "Succeeded", created="2026-01-05T12:00:01Z", attempt=10),
        execution("c", "Failed", created="2026-01-05T12:00:03Z"),
    )
    assert first_column(weir(cluster, "get", "--sort-by", by, "--no-headers").stdout) == order


def test_a_table_is_watched_line_by_line() -> None:
    cluster = interrupted(FakeCluster(execution("hello-b4d9k", "Starting")))
    cluster.steps["*"] = [{"phase": "Running"}, {"phase": "Succeeded", "message": "all done"}]
    result = weir(cluster, "get", "-w")
    assert result.exit_code == 130
    lines = result.stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["NAME", "FLOW", "PHASE"],
        ["hello-b4d9k", "hello", "Starting"],
        ["hello-b4d9k", "hello", "Running"],
        ["hello-b4d9k", "hello", "Succeeded"],
    ]
    assert len({line.index("hello  ") for line in lines[1:]}) == 1  # columns stay where they are


def test_a_watch_of_a_phase_shows_what_comes_to_it() -> None:
    cluster = interrupted(FakeCluster(execution("a", "Starting"), execution("b", "Starting")))
    cluster.steps["a"] = [{"phase": "Running"}, {"phase": "Failed"}]
    result = weir(cluster, "get", "-w", "--phase", "Failed", "-o", "name")
    assert result.stdout == "execution/a\n"
    assert "waiting" in result.stderr


def test_a_watch_is_a_stream_of_objects_for_programs() -> None:
    cluster = interrupted(FakeCluster(execution("a", "Starting")))
    cluster.steps["a"] = [{"phase": "Running"}]
    lines = weir(cluster, "get", "exe", "a", "-w", "-o", "json").stdout.splitlines()
    assert [json.loads(line)["status"]["phase"] for line in lines] == ["Starting", "Running"]
    events = weir(cluster, "get", "-w", "-o", "json", "--output-watch-events").stdout.splitlines()
    assert [json.loads(line)["type"] for line in events] == ["ADDED", "MODIFIED"]
    documents = weir(cluster, "get", "-w", "-o", "yaml").stdout
    assert len(list(yaml.safe_load_all(documents))) == 2
    table = weir(cluster, "get", "-w", "--output-watch-events").stdout
    assert first_column(table) == ["EVENT", "ADDED", "MODIFIED"]


def test_a_watch_for_an_unknown_name_ends() -> None:
    result = weir(FakeCluster(flow("hello")), "get", "flows", "helo", "-w")
    assert result.exit_code == 2
    assert "do you mean hello?" in result.stderr


def test_wide_tables_of_runs_say_what_started_them() -> None:
    run = execution("nightly-x", "Running", source=SOURCE)
    run[1]["metadata"]["labels"] = {"weir.dev/schedule": "nightly"}
    hook = execution("hook-x", "Running")
    hook[1]["metadata"]["labels"] = {"weir.dev/webhook": "on-push"}
    text = weir(FakeCluster(run, hook), "get", "-o", "wide").stdout
    assert {"SCHEDULE", "WEBHOOK", "COMMIT", "nightly", "on-push", COMMIT[:7]} <= set(text.split())


def test_a_tree_says_what_started_it() -> None:
    run = execution("nightly-x", "Running", source=SOURCE)
    run[1]["metadata"] |= {
        "labels": {"weir.dev/schedule": "nightly"},
        "annotations": {"weir.dev/scheduled-time": "2026-01-05T02:00:00Z"},
    }
    assert weir(FakeCluster(run), "tree", "nightly-x").stdout.splitlines()[-1] == (
        "schedule nightly, due 2026-01-05T02:00:00Z · flows/hello.py of team-flows at 0123456"
    )


def test_webhooks_are_listed() -> None:
    item = {"metadata": {"name": "on-push"}, "spec": {"flow": "hello", "enabled": True}}
    assert "true" in weir(FakeCluster((WEBHOOKS, item)), "get", "hook").stdout


def test_an_object_is_described_with_its_conditions_files_and_events() -> None:
    kind, item = repository("team-flows")
    item["metadata"]["uid"] = "repository-uid"
    item["status"] |= {
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "FilesRejected",
                "message": "1 file\nwas not taken",
                "lastTransitionTime": "2026-01-05T12:01:00Z",
            }
        ],
        "rejected": [{"path": "flows/a.py", "reason": "SyntaxError", "message": "line 3"}],
    }
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"uid": "repository-uid"},
        "type": "Warning",
        "reason": "FilesRejected",
        "message": "flows/a.py",
        "lastTimestamp": "2026-01-05T12:02:00Z",
    }
    cluster = FakeCluster((kind, item), (EVENTS, event))
    lines = weir(cluster, "describe", "flrepo", "team-flows").stdout.splitlines()
    assert lines[0] == "flowrepository/team-flows"
    assert lines[1].split() == ["URL", "https://git.example.com/flows.git"]
    titles = [line for line in lines[1:] if line and line[0] != " "]
    assert titles == ["conditions", "files that were not taken", "events"]
    text = "\n".join(lines)
    assert "1 file was not taken" in text
    assert ["flows/a.py", "SyntaxError", "line", "3"] in [line.split() for line in lines]
    assert lines[-1].split()[1:] == ["Warning", "FilesRejected", "flows/a.py"]


def test_describe_wants_a_name() -> None:
    result = weir(FakeCluster(), "describe", "schedule")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "say which: weir describe schedule NAME…" in result.stderr
