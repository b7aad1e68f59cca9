"""`weir suspend`, `weir unsuspend`, `weir trigger`; and what verbs that change things print."""

import json
from typing import Any

import pytest
import yaml

from tests.unit.cli.fake import FakeCluster, execution, flow, weir
from tests.unit.cli.test_get import repository, schedule
from weir.api.resource import JsonObject

BROUGHT = {"weir.dev/repository": "team-flows"}


def test_flows_schedules_and_repositories_are_suspended_and_let_go_on() -> None:
    cluster = FakeCluster(flow("hello"), schedule("nightly"), repository("team-flows"))
    words = ("flow/hello", "sched/nightly", "flowrepository/team-flows")
    result = weir(cluster, "suspend", *words)
    assert result.stdout.splitlines() == [
        "flow/hello is suspended",
        "schedule/nightly is suspended",
        "flowrepository/team-flows is suspended",
    ]
    assert [body for _, _, body in cluster.written] == [{"spec": {"suspend": True}}] * 3
    result = weir(cluster, "unsuspend", "schedules", "nightly")
    assert result.stdout == "schedule/nightly is no longer suspended\n"
    assert cluster.written[-1] == ("patch", "nightly", {"spec": {"suspend": False}})


def test_what_is_so_already_is_not_written() -> None:
    cluster = FakeCluster(schedule("nightly", suspend=True), flow("hello"))
    assert weir(cluster, "suspend", "schedule", "nightly").stdout.endswith("is suspended\n")
    assert weir(cluster, "unsuspend", "flow", "hello").stdout == "flow/hello is not suspended\n"
    assert cluster.written == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["executions", "x"], "`weir pause` holds a run"),
        (["webhook", "x"], "turned off and on by its spec.enabled"),
        (["setting", "x"], "suspend knows flows, schedules, flowrepositories, not settings"),
        (["schedule"], "say which: weir suspend schedule NAME…"),
        (["nightly"], "the kind comes first: `weir suspend flows nightly`"),
        (["schedule", "nightly", "nighty"], "do you mean nightly?"),
    ],
)
def test_a_wrong_call_changes_nothing(arguments: list[str], complaint: str) -> None:
    cluster = FakeCluster(schedule("nightly"))
    result = weir(cluster, "suspend", *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert cluster.written == []


def test_what_a_repository_would_undo_is_refused() -> None:
    cluster = FakeCluster(schedule("nightly", labels=BROUGHT), repository("team-flows"))
    result = weir(cluster, "suspend", "schedule", "nightly")
    assert result.exit_code == 4
    assert "comes from FlowRepository team-flows, which would undo this" in result.stderr
    assert cluster.written == []


@pytest.mark.parametrize("others", [[repository("team-flows", suspend=True)], []])
def test_what_no_repository_undoes_is_suspended(others: list[Any]) -> None:
    cluster = FakeCluster(schedule("nightly", labels=BROUGHT), *others)
    assert weir(cluster, "suspend", "schedule", "nightly").exit_code == 0


def test_the_objects_are_printed_as_they_are_then() -> None:
    cluster = FakeCluster(schedule("nightly"), execution("a", "Running"))
    shown = json.loads(weir(cluster, "suspend", "schedule", "nightly", "-o", "json").stdout)
    assert shown["items"][0]["spec"]["suspend"] is True
    one: JsonObject = yaml.safe_load(weir(cluster, "pause", "a", "-o", "yaml").stdout)
    assert one["spec"]["desiredState"] == "Paused"
    assert weir(cluster, "resume", "a", "-o", "name").stdout == "execution/a\n"
    assert weir(cluster, "cancel", "a", "-o", "table").stdout.split()[0] == "NAME"


def test_another_kinds_name_is_no_run() -> None:
    result = weir(FakeCluster(execution("nightly")), "resume", "schedule/nightly")
    assert result.exit_code == 2
    assert "schedule/nightly is no execution" in result.stderr


def test_trigger_runs_a_schedules_flow_with_its_inputs() -> None:
    inputs = {"day": "today", "n": 3}
    cluster = FakeCluster(flow("hello"), schedule("nightly", inputs=inputs, mode="Development"))
    result = weir(cluster, "trigger", "nightly", "-i", "day=2026-11-01", "-o", "json")
    assert result.exit_code == 0
    made = json.loads(result.stdout)
    assert made["spec"] == {
        "flow": "hello",
        "inputs": {"day": "2026-11-01", "n": 3},
        "mode": "Development",
    }
    assert "weir.dev/schedule" not in made["metadata"]["labels"]


def test_the_run_that_is_made_is_printed_in_every_way() -> None:
    cluster = FakeCluster(flow("hello"))
    made = yaml.safe_load(weir(cluster, "run", "hello", "--name", "a", "-o", "yaml").stdout)
    assert (made["kind"], made["metadata"]["name"]) == ("Execution", "a")
    assert "PHASE" in weir(cluster, "run", "hello", "-o", "wide").stdout
    refused = weir(cluster, "run", "hello", "--wait", "-o", "name")
    assert refused.exit_code == 2
    assert "the outputs are printed; there are json, yaml" in refused.stderr


def test_the_members_of_a_tree_are_printed_in_its_order() -> None:
    members = (
        execution("root", "Running"),
        execution("second", "Pending", parent="root", root="root", sequence=2),
        execution("first", "Pending", parent="root", root="root", sequence=1),
    )
    text = weir(FakeCluster(*members), "tree", "root", "-o", "name").stdout
    assert text.split() == ["execution/root", "execution/first", "execution/second"]
    watched = weir(FakeCluster(*members), "tree", "root", "-w", "-o", "name")
    assert watched.exit_code == 2
