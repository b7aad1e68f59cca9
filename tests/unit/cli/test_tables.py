"""Tables of resources, with the columns that the CRDs declare."""

import pytest

from tests.unit.cli.fake import NOW, execution
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.cli import tables
from weir.cli.terminal import Terminal

ITEM = {
    "metadata": {"name": "a", "annotations": {"weir.dev/commit": "abc"}},
    "status": {"conditions": [{"type": "Other"}, {"type": "Ready", "status": "True"}]},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param(".metadata.name", "a", id="a name"),
        pytest.param(".metadata.labels.x", None, id="nothing where there is nothing"),
        pytest.param(r".metadata.annotations.weir\.dev/commit", "abc", id="a name with a dot"),
        pytest.param('.status.conditions[?(@.type=="Ready")].status', "True", id="a condition"),
        pytest.param('.status.conditions[?(@.type=="No")].status', None, id="no condition"),
    ],
)
def test_a_columns_path_finds(path: str, found: str | None) -> None:
    assert tables.at(ITEM, path) == found


@pytest.mark.parametrize("model", [Execution, Flow], ids=lambda model: model.KIND)
def test_all_columns_of_the_crds_are_understood(model: type[Execution] | type[Flow]) -> None:
    for _, _, path, _ in model.COLUMNS:
        assert "".join(match[0] for match in tables._STEP.finditer(path)) == path


def lines(*items: object, **options: object) -> list[str]:
    terminal = options.pop("terminal", Terminal())
    table = tables.Table(Execution, terminal=terminal, **options)  # type: ignore[arg-type]
    return table.lines(items, now=NOW)  # type: ignore[arg-type]


RUNNING = execution("hello-b4d9k", "Running", startTime="2026-01-05T12:03:30Z", flow="hello")[1]
FAILED = execution("hello-x2k7q", "Failed", message="a\nb", duration="0.4s", flow="hello")[1]


def test_executions_are_listed_as_kubectl_does() -> None:
    assert lines(RUNNING, FAILED) == [
        "NAME          FLOW    PHASE     PARENT   MESSAGE   DURATION   STARTED   AGE",
        "hello-b4d9k   hello   Running                      1m30s      90s       5m",
        "hello-x2k7q   hello   Failed             a b       0.4s                 5m",
    ]


def test_a_run_that_nobody_looked_at_yet_has_its_flow_and_is_pending() -> None:
    fresh = {**RUNNING, "status": {}}
    assert lines(fresh)[1].split()[:3] == ["hello-b4d9k", "hello", "Pending"]


def test_wide_tables_have_all_columns() -> None:
    head = lines(FAILED, wide=True)[0].split()
    assert {"TITLE", "REASON", "POD", "ATTEMPT", "MODE"} <= set(head)


def test_the_message_is_cut_to_the_terminals_width() -> None:
    wordy = execution("hello-x2k7q", "Failed", message="why " * 50, flow="hello")[1]
    assert max(map(len, lines(wordy, terminal=Terminal(width=100)))) <= 100
    assert "…" in lines(wordy)[1]
    assert "…" not in lines(wordy, wide=True)[1]


def test_namespaces_come_first_where_there_are_several() -> None:
    item = {**FAILED, "metadata": FAILED["metadata"] | {"namespace": "team-a"}}
    assert lines(item, namespaces=True)[1].startswith("team-a")


def test_phases_have_colours() -> None:
    assert "\x1b[31mFailed" in lines(FAILED, terminal=Terminal(colours=True))[1]
